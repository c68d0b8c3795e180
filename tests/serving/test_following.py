"""Plugins that change while the desk runs: saved by their author, or promoted by the operator."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assistant import SettingsError
from assistant.desk import Desk
from assistant.plugging.versions import Brought, Versions
from assistant.serving import following
from assistant.serving.service import Service
from assistant.settings import Settings
from tests.plugging.conftest import Package, package

__all__ = ["package"]

SAYS = """
from dataclasses import replace
from assistant import hookimpl

@hookimpl
def message_received(message):
    return replace(message, text="{word}")
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "says.py").write_text(SAYS.format(word="one"))
    granted = {"shop": ["tickets:read", "tickets:write"]}
    settings = Settings(
        data_dir=tmp_path / "data", plugin_folder=str(tmp_path / "plugins"), granted=granted
    )
    with Desk(settings) as desk:
        yield desk


@pytest.fixture
def says(desk: Desk, message, ticket) -> Callable[[str], bool]:
    """Whether the plugin now makes this of a message."""

    def now(text: str) -> bool:
        return desk.plugins.message_received(message("Hello"), ticket, []).text == text

    return now


@pytest.fixture
def follow(desk: Desk) -> Iterator[Callable[[bool], None]]:
    """Follows changes in a thread, as `deskmate serve` does, until the test ends."""
    stop, threads = threading.Event(), []

    def begin(reload: bool) -> None:
        thread = threading.Thread(target=following.follow, args=(desk, reload, stop))
        threads.append(thread)
        thread.start()

    yield begin
    stop.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def wait_for(saved: Callable[[], object], done: Callable[[], bool]) -> None:
    """Saves again and again until it is done, since nothing tells when the watch has begun."""
    for _ in range(60):
        saved()
        for _ in range(20):
            if done():
                return
            time.sleep(0.05)
    pytest.fail("what was saved is not taken up")


def test_a_saved_file_is_taken_up_and_a_broken_one_is_named_and_left(
    follow, tmp_path: Path, says, caplog
) -> None:
    follow(True)
    file = tmp_path / "plugins" / "says.py"

    wait_for(lambda: file.write_text(SAYS.format(word="two")), lambda: says("two"))
    wait_for(lambda: file.write_text("def broken(:\n"), lambda: "kept_plugin" in caplog.text)

    assert "Plugin says cannot be loaded: SyntaxError" in caplog.text
    assert says("two")


def test_a_package_that_is_installed_to_be_edited_is_taken_up(
    package: Package, tmp_path: Path, message, ticket
) -> None:
    package.write("shop", "shop", {"__init__": SAYS.format(word="one")})
    url = {"url": package.site.as_uri(), "dir_info": {"editable": True}}
    (package.site / "shop-1.0.dist-info" / "direct_url.json").write_text(json.dumps(url))
    stop = threading.Event()
    granted = {"shop": ["tickets:read", "tickets:write"]}

    with Desk(Settings(data_dir=tmp_path / "data", granted=granted)) as desk:
        thread = threading.Thread(target=following.follow, args=(desk, True, stop))
        thread.start()
        new = {"__init__": SAYS.format(word="two")}

        def says_two() -> bool:
            return desk.plugins.message_received(message("Hello"), ticket, []).text == "two"

        wait_for(lambda: package.write("shop", "shop", new), says_two)
        stop.set()
        thread.join(10)


def test_without_reload_only_what_the_operator_promotes_is_taken_up(
    desk: Desk, follow, tmp_path: Path, says
) -> None:
    follow(False)
    versions = Versions(desk.settings.data_dir / "plugins")
    (tmp_path / "new.py").write_text(SAYS.format(word="promoted"))
    (tmp_path / "plugins" / "says.py").write_text(SAYS.format(word="saved"))

    number = versions.bring("says", str(tmp_path / "new.py"))
    versions.shadow("says", Brought(number, ("tickets:read", "tickets:write")))
    versions.promote("says")

    wait_for(lambda: None, lambda: says("promoted"))


def test_reload_is_for_one_process(desk: Desk) -> None:
    with pytest.raises(SettingsError, match="--reload is for development"):
        Service(desk, (), 2, reload=True)
