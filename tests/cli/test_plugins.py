from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.messages import Message, PluginFault
from assistant.plugging.calling import SWITCHED_OFF
from assistant.tickets.database import open_engine
from assistant.tickets.repository import Tickets
from tests.cli.conftest import Run

ORDERS = """
from assistant import hookimpl
from pydantic import BaseModel, Field, SecretStr

print("a plugin's code ran")


class Orders:
    permissions = frozenset({"sending", "network"})

    class Settings(BaseModel):
        token: SecretStr = Field(SecretStr(""), description="The shop's token.")
        retries: int = 1

    def __init__(self, settings):
        pass

    @hookimpl
    def reply_sending(self, reply):
        return None
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lays down the package `shop-orders` with the plugin `orders`, as pip would."""

    def lay_down(code: str = ORDERS, target: str = "shop_orders:Orders") -> None:
        site = tmp_path / "site"
        about = site / "shop_orders-1.0.dist-info"
        about.mkdir(parents=True)
        (site / "shop_orders.py").write_text(code)
        about.joinpath("METADATA").write_text(
            "Metadata-Version: 2.1\nName: shop-orders\nVersion: 1.0\n"
        )
        about.joinpath("entry_points.txt").write_text(f"[deskmate.plugins]\norders = {target}\n")
        monkeypatch.syspath_prepend(str(site))
        monkeypatch.delitem(sys.modules, "shop_orders", raising=False)

    return lay_down


def settings(folder: Path) -> dict[str, object]:
    return tomllib.loads((folder / "deskmate.toml").read_text())


def test_an_installed_package_runs_nothing_until_it_is_enabled(run: Run, install) -> None:
    install()

    ran = run("plugins")

    assert "not enabled" in ran.out
    assert "deskmate plugins enable orders" in ran.out
    assert "code ran" not in ran.out + ran.err


def test_enable_grants_what_is_asked_for_and_disable_takes_it_back(
    run: Run, install, tmp_path: Path
) -> None:
    install()
    (tmp_path / "deskmate.toml").write_text("# ours\ndata_dir = 'd'\n\n[policy]\nreply_at = 0.9\n")

    enabled = run("plugins", "enable", "orders", "--yes")
    running = run("plugins", "list")
    disabled = run("plugins", "disable", "orders")

    assert enabled.code == 0, enabled.err
    assert "network" in enabled.out
    assert "running" in next(line for line in running.out.splitlines() if "orders" in line)
    assert disabled.code == 0, disabled.err
    assert settings(tmp_path) == {
        "data_dir": "d",
        "disabled_plugins": ["orders"],
        "policy": {"reply_at": 0.9},
        "granted": {"orders": ["network", "sending"]},
    }
    assert (tmp_path / "deskmate.toml").read_text().startswith("# ours\n")
    run("plugins", "enable", "orders", "--yes")
    assert settings(tmp_path)["disabled_plugins"] == []


def test_an_upgrade_that_asks_for_more_waits_for_the_grant(
    run: Run, install, tmp_path: Path
) -> None:
    install()
    (tmp_path / "deskmate.toml").write_text('[granted]\norders = ["network"]\n')

    assert "not granted: sending" in run("plugins").out
    assert "not granted: sending" in run("doctor").out


def test_show_tells_settings_without_secrets(run: Run, install, tmp_path: Path) -> None:
    install()
    (tmp_path / "deskmate.toml").write_text(
        '[granted]\norders = ["sending"]\n[plugins.orders]\ntoken = "hush-hush"\nretries = 3\n'
    )

    ran = run("plugins", "show", "orders")

    assert ran.code == 0, ran.err
    assert "token = (set)  The shop's token." in ran.out
    assert "retries = 3" in ran.out
    assert "not granted  network" in ran.out
    assert "hush-hush" not in ran.out + ran.err


@pytest.mark.parametrize("command", ["check", "enable"])
@pytest.mark.parametrize(
    ("code", "table", "error"),
    [
        (ORDERS.replace("reply_sending", "reply_sendin"), "", "Did you mean reply_sending?"),
        (ORDERS.replace("(self, reply)", "(self, answer)"), "", "answer"),
        (ORDERS.replace('"sending", ', ""), "", "needs the permission sending"),
        (ORDERS.replace('"network"', '"root"'), "", "there is no permission root"),
        (
            ORDERS.replace("    class Set", "    contract = 9\n    class Set"),
            "",
            "Upgrade Deskmate",
        ),
        (ORDERS, "retries = 'often'", "plugins.orders.retries = 'often'"),
        (ORDERS, "token = 123456", "plugins.orders.token: Input should be"),
    ],
)
def test_what_is_wrong_with_a_plugin_is_found_before_it_runs(
    run: Run, install, tmp_path: Path, command: str, code: str, table: str, error: str
) -> None:
    install(code)
    (tmp_path / "deskmate.toml").write_text(f"[plugins.orders]\n{table}\n")

    ran = run("plugins", command, "orders")

    assert ran.code == 8
    assert error in ran.out + ran.err
    assert "123456" not in ran.out + ran.err


def test_check_finds_good_what_runs(run: Run) -> None:
    ran = run("plugins", "check")

    assert ran.code == 0, ran.out
    assert "ok     redaction: conversation_read, message_arriving, message_received" in ran.out


def test_what_a_plugin_prints_is_kept_out_of_the_output(run: Run, install, tmp_path) -> None:
    install()
    (tmp_path / "deskmate.toml").write_text('[granted]\norders = ["sending"]\n')

    ran = run("plugins")

    assert "code ran" not in ran.out
    assert "code ran" in ran.err


def test_a_file_in_the_plugin_folder_is_a_plugin(run: Run, tmp_path: Path) -> None:
    (tmp_path / "trying").mkdir()
    (tmp_path / "trying/slow_reply.py").write_text(
        "from assistant import hookimpl\n\n@hookimpl\ndef reply_sending(reply):\n    return None\n"
    )
    (tmp_path / "deskmate.toml").write_text('plugin_folder = "trying"\n')

    assert "slow-reply" in run("plugins").out
    assert "ok     slow-reply" in run("plugins", "check", "slow-reply").out
    assert "ok     slow-reply" in run("plugins", "check", "trying/slow_reply.py").out


def test_faults_are_counted_and_a_switched_off_hook_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".deskmate").mkdir()
    engine = open_engine(f"sqlite:///{tmp_path / '.deskmate/deskmate.sqlite'}")
    tickets = Tickets(engine)
    ticket = tickets.store_message(Message("test", "1", "t", "ann", "Hello"))
    errors = ["ValueError: no such order"] * 5 + [SWITCHED_OFF]
    tickets.outcomes.note_faults(
        ticket.id, [PluginFault("redaction", "message_received", error) for error in errors]
    )
    engine.dispose()

    listed, shown, doctor = run("plugins"), run("plugins", "show", "redaction"), run("doctor")

    assert " 6 " in next(line for line in listed.out.splitlines() if "redaction" in line)
    assert "message_received: ValueError: no such order" in shown.out
    assert "redaction, message_received: switched off after repeated faults" in doctor.out


def test_a_new_plugin_passes_its_own_test_and_its_check(run: Run, tmp_path: Path) -> None:
    made = run("plugin", "new", "order-status")
    assert made.code == 0, made.err
    folder = tmp_path / "deskmate-order-status"

    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    built = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", tmp_path / "site", folder],
        capture_output=True,
        text=True,
    )

    assert tested.returncode == 0, tested.stdout
    assert "1 passed" in tested.stdout
    assert built.returncode == 0, built.stderr
    sys.path.insert(0, str(tmp_path / "site"))
    try:
        enabled = run("plugins", "enable", "order-status", "--yes")
        assert "order-status 0.1.0 from deskmate-order-status asks for:" in enabled.out
        assert "ok     order-status" in run("plugins", "check", "order-status").out
    finally:
        sys.path.remove(str(tmp_path / "site"))


@pytest.mark.parametrize("name", ["Order Status", "../x", "a--b", "ä", ""])
def test_a_name_that_cannot_be_one_is_refused(run: Run, name: str) -> None:
    assert run("plugin", "new", name).code == 8


def test_a_new_plugin_overwrites_nothing(run: Run) -> None:
    run("plugin", "new", "mine")

    ran = run("plugin", "new", "mine")

    assert (ran.code, "exists already" in ran.err) == (8, True)
