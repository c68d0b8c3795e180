"""A plugin is exchanged while messages flow: between two of them, and never within one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assistant import Message, PluginError, hookimpl
from assistant.desk import Desk
from assistant.model.encoder import MultimodalEncoder
from assistant.plugging import Plugins
from assistant.settings import Policy, Settings
from tests.plugging.conftest import Package

SAYS = """
from dataclasses import replace
from assistant import hookimpl

@hookimpl
def message_received(message, ticket):
    return replace(message, product="{word}")

@hookimpl
def outcome_decided(message, ticket, outcome):
    return replace(outcome, reason=f"{{message.product}} {word}")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "plugins"
    folder.mkdir()
    return folder


def product(plugins: Plugins, message: Callable[..., Message], ticket: object) -> str | None:
    return plugins.message_received(message("Hello"), ticket, []).product


def test_a_file_is_loaded_anew_and_the_old_one_goes_on_as_it_was(folder, message, ticket) -> None:
    (folder / "says.py").write_text(SAYS.format(word="one"))
    old = Plugins.installed({}, folder=folder)
    (folder / "says.py").write_text(SAYS.format(word="two"))

    new = old.renewed("says")

    assert [product(each, message, ticket) for each in (old, new, old)] == ["one", "two", "one"]


def test_a_new_file_is_taken_up_and_a_removed_one_let_go(folder, message, ticket) -> None:
    none = Plugins.installed({}, folder=folder)
    (folder / "says.py").write_text(SAYS.format(word="one"))
    one = none.renewed("says")
    (folder / "says.py").unlink()
    gone = one.renewed("says")

    assert [product(each, message, ticket) for each in (none, one, gone)] == [None, "one", None]
    assert "says" not in [info.name for info in gone.list()]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import nothing_of_this_name\n", "ModuleNotFoundError"),
        ("raise SystemExit\n", "SystemExit"),
        (SAYS.replace("message_received", "message_recieved").format(word="x"), "Did you mean"),
    ],
)
def test_a_broken_version_is_refused_and_the_old_one_stays(
    folder, message, ticket, code: str, error: str
) -> None:
    (folder / "says.py").write_text(SAYS.format(word="one"))
    plugins = Plugins.installed({}, folder=folder)
    (folder / "says.py").write_text(code)

    with pytest.raises(PluginError, match=error):
        plugins.renewed("says")

    assert product(plugins, message, ticket) == "one"


def test_an_installed_package_is_loaded_anew_with_all_of_its_modules(
    package: Package, message, ticket
) -> None:
    modules = {"__init__": "from shop.hooks import *", "hooks": SAYS.format(word="one")}
    package.write("shop", "says", modules)
    old = Plugins.installed({}, granted={"says": ["tickets:read", "tickets:write"]})
    package.write("shop", "says", {"hooks": SAYS.format(word="two")})

    new = old.renewed("says")

    assert [product(each, message, ticket) for each in (old, new)] == ["one", "two"]
    assert "shop" in [info.distribution for info in new.list() if info.name == "says"]


def test_a_new_version_gets_no_more_than_was_granted(package: Package, message, ticket) -> None:
    package.write("shop", "says", {"__init__": SAYS.format(word="one")})
    plugins = Plugins.installed({}, granted={"says": ["tickets:read"]})

    assert product(plugins.renewed("says"), message, ticket) is None


def test_new_code_gets_a_new_chance_after_the_old_was_switched_off(folder, message, ticket) -> None:
    (folder / "says.py").write_text(SAYS.format(word="one") + "\nreplace = None\n")
    plugins = Plugins.installed({}, folder=folder)
    for _ in range(6):
        product(plugins, message, ticket)
    assert plugins.caller.off("says")
    (folder / "says.py").write_text(SAYS.format(word="two"))

    assert product(plugins.renewed("says"), message, ticket) == "two"


def test_the_other_plugins_are_the_same_objects(folder, message, ticket) -> None:
    class Counts:
        calls = 0

        @hookimpl
        def message_received(self, message: Message) -> None:
            self.calls += 1

    plugins, counts = Plugins.installed({}, folder=folder), Counts()
    plugins.register("counts", counts)

    for each in (plugins, plugins.renewed("says")):
        product(each, message, ticket)

    assert counts.calls == 2


# --- a whole desk ---


@pytest.fixture
def desk(data_dir: Path, folder: Path, encoder: MultimodalEncoder) -> Desk:
    settings = Settings(data_dir=data_dir, plugin_folder=str(folder), policy=Policy(reply_at=0.5))
    (folder / "says.py").write_text(SAYS.format(word="one"))
    desk = Desk(settings)
    desk.encoder = encoder
    return desk


def test_a_message_under_way_ends_with_the_version_it_began_with(
    desk: Desk, folder: Path, message, ticket, plugin
) -> None:
    began, go_on = threading.Event(), threading.Event()

    def waits(hits: object) -> None:
        began.set()
        go_on.wait(30)

    with desk, ThreadPoolExecutor() as other:
        desk.plugins.register("waits", plugin("passages_found", waits))
        under_way = other.submit(desk.pipeline.answer, message("Where is it?"), ticket)
        assert began.wait(30)
        (folder / "says.py").write_text(SAYS.format(word="two"))
        desk.renew("says")
        go_on.set()
        next_one = desk.pipeline.answer(message("Where is it?"), ticket)

        assert (under_way.result().reason, next_one.reason) == ("one one", "two two")


def test_while_versions_change_no_message_sees_two_of_them(
    desk: Desk, folder: Path, message, ticket
) -> None:
    ended, seen = threading.Event(), set()

    def change() -> None:
        for turn in range(12):
            (folder / "says.py").write_text(SAYS.format(word=f"version{turn}"))
            desk.renew("says")
        ended.set()

    with desk, ThreadPoolExecutor() as other:
        pipeline = desk.pipeline
        changing = other.submit(change)
        while not ended.is_set():
            seen.add(desk.pipeline.answer(message("Where is it?"), ticket).reason)
        changing.result()

    assert desk.pipeline is not pipeline
    assert all(len(set(reason.split())) == 1 for reason in seen), seen


def test_a_changed_plugins_tools_are_the_new_ones(desk: Desk, folder: Path) -> None:
    tools = (
        "from langchain_core.tools import tool\nfrom assistant import Tool, hookimpl\n"
        "@tool\ndef {name}(number: str) -> str:\n    'Looks it up.'\n    return number\n"
        "@hookimpl\ndef register_tools(settings):\n    return [Tool({name}, 'read')]\n"
    )
    (folder / "tools.py").write_text(tools.format(name="order_status"))
    with desk:
        desk.renew("tools")
        before = [tool.name for tool in desk.pipeline.tools]
        (folder / "tools.py").write_text(tools.format(name="parcel_status"))
        desk.renew("tools")

        assert before == ["order_status"]
        assert [tool.name for tool in desk.pipeline.tools] == ["parcel_status"]
