"""`deskmate plugins shadow`, `promote`, `rollback` and what `show` tells of a trial."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from assistant import Message
from assistant.desk import Desk
from tests.cli.conftest import Run

SAYS = """
from dataclasses import replace
from assistant import hookimpl

@hookimpl
def message_received(message):
    return replace(message, text=message.text + "{word}")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "deskmate.toml").write_text('plugin_folder = "plugins"\n')
    (tmp_path / "plugins" / "says.py").write_text(SAYS.format(word=" one"))
    (tmp_path / "new.py").write_text(SAYS.format(word=" two"))
    return tmp_path


def wheel(folder: Path, code: str, plugin: str = "says") -> Path:
    """A wheel as a build tool would make it."""
    path = folder / "shop_says-2.0-py3-none-any.whl"
    about = "shop_says-2.0.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("shop_says.py", code)
        file.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: shop-says\nVersion: 2.0\n")
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        file.writestr(f"{about}/WHEEL", tags)
        file.writestr(f"{about}/entry_points.txt", f"[deskmate.plugins]\n{plugin} = shop_says\n")
        file.writestr(f"{about}/RECORD", "")
    return path


def receive() -> str:
    """A message comes in, is stored, and is shown to the plugins; returns what they make of it."""
    with Desk.open() as desk:
        _ = desk.inbox
        message = Message("test", "1", "t", "ann", "Hello")
        ticket = desk.tickets.store_message(message)
        text = desk.plugins.message_received(message, ticket, []).text
        desk.plugins.shadows.finish()
        return text


def test_a_version_is_tried_promoted_and_rolled_back(run: Run, folder: Path) -> None:
    tried = run("plugins", "shadow", "says", "new.py", "--yes")
    assert (tried.code, "version 1 is tried" in tried.out) == (0, True), tried.err
    assert receive() == "Hello one"

    shown = run("plugins", "show", "says")
    assert "version 1: 1 seen, 1 would have changed, 0 faults" in shown.out
    assert "-text: Hello one" in shown.out
    assert "+text: Hello two" in shown.out
    assert "(version 1 is tried)" in run("plugins").out

    assert "version 1 runs" in run("plugins", "promote", "says").out
    assert receive() == "Hello two"
    assert "what is installed runs" in run("plugins", "rollback", "says").out
    assert receive() == "Hello one"
    assert run("plugins", "rollback", "says").code == 8


def test_a_wheel_is_tried_without_a_network(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/none")
    path = wheel(folder, SAYS.format(word=" wheel"))

    tried = run("plugins", "shadow", "says", path, "--yes")
    run("plugins", "promote", "says")

    assert "says 2.0 from shop-says asks for:" in tried.out, tried.err
    assert receive() == "Hello wheel"


@pytest.mark.parametrize(
    ("code", "plugin", "error"),
    [
        ("raise SystemExit\n", "says", "SystemExit"),
        (SAYS.format(word=""), "other", "has no plugin named says. It has: other"),
        (SAYS.replace("received", "recieved").format(word=""), "says", "Did you mean"),
    ],
)
def test_an_unfit_version_is_refused_and_nothing_is_tried(
    run: Run, folder: Path, code: str, plugin: str, error: str
) -> None:
    ran = run("plugins", "shadow", "says", wheel(folder, code, plugin), "--yes")

    assert (ran.code, error in ran.err) == (8, True), ran.err
    assert receive() == "Hello one"
    assert list((folder / ".deskmate" / "plugins" / "says").iterdir()) == []


def test_what_was_recorded_goes_when_the_customer_takes_a_message_back(
    run: Run, folder: Path
) -> None:
    run("plugins", "shadow", "says", "new.py", "--yes")
    receive()

    with Desk.open() as desk:
        desk.tickets.history.withdraw("test", "1")
        assert desk.tickets.trials.latest("says", 1, 10) == []


def test_the_versions_survive_a_restart_and_say_what_was_granted(run: Run, folder: Path) -> None:
    run("plugins", "shadow", "says", "new.py", "--yes")

    stored = json.loads((folder / ".deskmate/plugins/says/versions.json").read_text())

    assert stored["shadow"] == {"number": 1, "granted": ["tickets:read", "tickets:write"]}
