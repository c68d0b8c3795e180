"""The packages under examples/, built, installed and run as anybody's would be."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from assistant import Hit, Message, Passage, Reply
from assistant.plugging import Plugins
from assistant.settings import Settings

EXAMPLES = Path(__file__).parents[1] / "examples"
PACKAGES = ("plugin-order-lookup", "connector-folder")
ORDERS = "number,customer,product,status\nA-10234,ann@example.com,Kettle,shipped on 12 March\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip installed both packages' wheels, all without the network."""
    wheels, folder = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    offline = ["--no-deps", "--no-index"]
    sources = [EXAMPLES / name for name in PACKAGES]
    build = [*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", wheels, *sources]
    subprocess.run(build, check=True)
    built = list(wheels.glob("*.whl"))
    assert len(built) == len(PACKAGES)
    subprocess.run([*pip, "install", *offline, "--target", folder, *built], check=True)
    return folder


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plugins]:
    monkeypatch.syspath_prepend(site)
    granted = {"orders": ["tickets:read", "tickets:write"], "folder": ["sending"]}
    return partial(Plugins.installed, granted=granted)


def test_the_order_lookup_changes_the_message_and_adds_a_passage(
    installed, tmp_path, message, ticket
) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    article = Hit(Passage("p1", "a1", ("Delivery",), "Parcels take three days."), 0.5)
    faults: list = []
    plugins = installed({"orders": {"orders": tmp_path / "orders.csv"}})

    seen = plugins.message_received(message("Where is A-10234?"), ticket, faults)
    hits = plugins.passages_found(seen, [article], faults)

    assert seen.product == "Kettle"
    assert [hit.passage.id for hit in hits] == ["order:A-10234", "p1"]
    assert faults == []


def test_the_folder_connector_receives_and_replies(installed, tmp_path) -> None:
    settings = Settings(connectors={"folder": {"path": str(tmp_path), "seconds": 0.01}})
    plugins = installed({}, disabled=["orders"])
    (connector,) = (c for c in plugins.register_connectors(settings, []) if c.name == "folder")
    received: list[Message] = []
    stop = threading.Event()

    def accept(message: Message) -> None:
        received.append(message)
        stop.set()

    (tmp_path / "ask.png").write_bytes(b"a picture")
    (tmp_path / "ask.txt").write_text("What is this?", encoding="utf-8")
    thread = threading.Thread(target=connector.run, args=(accept, stop))
    thread.start()
    thread.join(timeout=10)

    reply = Reply("r1", 1, "folder", received[0].thread_id, "unknown", "Re:", "A kettle.")
    sent = connector.send(reply)

    assert (received[0].text, received[0].attachments[0].content) == ("What is this?", b"a picture")
    assert connector.find_sent(reply) == sent
    assert "A kettle." in (tmp_path / "replies" / sent).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PACKAGES)
def test_the_packages_own_tests_pass(name: str, site: Path) -> None:
    root = EXAMPLES.parent
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir"]

    result = subprocess.run(
        [*command, EXAMPLES / name, EXAMPLES / name],
        env={"PYTHONPATH": f"{site}:{root}", "PATH": ""},
        capture_output=True,
        text=True,
        cwd=site,
    )

    assert result.returncode == 0, result.stdout
