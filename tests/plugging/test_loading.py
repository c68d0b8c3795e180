"""What is registered, what is refused, and where a plugin's settings come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, Field

from assistant import Message, PluginError, Reply, SettingsError, Ticket, hookimpl
from assistant.plugging import Plugins
from assistant.settings import Settings, load

REPLY = Reply("r1", 1, "test", "thread", "ann@example.com", "Re: Help", "Three days.")


# --- plugins that cannot be registered ---

UNFIT = [
    ("message_recieved", lambda message: None, {}, "no hook message_recieved. Did you mean mess"),
    ("tea_time", lambda: None, {}, "no hook tea_time. Known: register_connectors"),
    ("message_received", lambda msg: None, {}, r"hook 'message_received'.*msg"),
    ("reply_sending", lambda: (yield), {"wrapper": True}, "wrappers are not supported"),
]


@pytest.mark.parametrize(("hook", "does", "marks", "error"), UNFIT)
def test_an_unfit_plugin_is_refused_with_the_hook_and_the_reason(
    plugins, plugin, faults, message, ticket, hook, does, marks, error: str
) -> None:
    with pytest.raises(PluginError, match=error) as refused:
        plugins.register("unfit", plugin(hook, does, **marks))

    assert "unfit" in str(refused.value)
    assert plugins.list() == ()
    assert plugins.message_received(message("Hello"), ticket, faults).text == "Hello"


def test_an_async_hook_is_refused(plugins, plugin) -> None:
    async def received(message: Message) -> None: ...

    with pytest.raises(PluginError, match="message_received: must be a plain function, not async"):
        plugins.register("modern", plugin("message_received", received))


def test_a_plugin_without_hooks_is_refused(plugins) -> None:
    with pytest.raises(PluginError, match="Plugin empty has no hook"):
        plugins.register("empty", SimpleNamespace())


# --- settings of their own ---


class Greeter:
    class Settings(BaseModel):
        word: str = "Hello"
        times: int = Field(1, ge=1)

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @hookimpl
    def message_received(self, message: Message, ticket: Ticket) -> Message:
        return replace(message, text=self.settings.word * self.settings.times)


def test_a_class_is_built_with_its_own_checked_settings(faults, message, ticket) -> None:
    plugins = Plugins({"greeter": {"times": 2}})
    plugins.register("greeter", Greeter)

    assert plugins.message_received(message(), ticket, faults).text == "HelloHello"
    assert plugins.list()[0].settings == Greeter.Settings(times=2)


@pytest.mark.parametrize(
    ("table", "error"),
    [
        ({"times": 0}, r"plugins\.greeter\.times = 0: Input should be greater"),
        ({"tmes": 2}, r"plugins\.greeter\.tmes: no such setting\. Known here: times, word\."),
    ],
)
def test_wrong_settings_name_their_key(table: dict[str, Any], error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        Plugins({"greeter": table}).register("greeter", Greeter)


def test_a_variable_reaches_a_plugin_whose_name_has_a_dash(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, faults, message, ticket
) -> None:
    file = tmp_path / "deskmate.toml"
    file.write_text('[plugins.warm-greeter]\nword = "Hi"\ntimes = 2\n')
    monkeypatch.setenv("DESKMATE_PLUGINS__WARM_GREETER__WORD", "Hey")
    plugins = Plugins(load(file).plugins)
    plugins.register("warm-greeter", Greeter)

    assert plugins.message_received(message(), ticket, faults).text == "HeyHey"


def test_a_missing_setting_says_what_to_do() -> None:
    class Needy(Greeter):
        class Settings(BaseModel):
            word: str

    with pytest.raises(SettingsError, match=r"plugins\.needy\.word: missing\. Set it, or add"):
        Plugins().register("needy", Needy)


def test_settings_for_a_plugin_that_has_none_are_refused(adds) -> None:
    with pytest.raises(SettingsError, match=r"plugins\.adder: this plugin has no settings"):
        Plugins({"adder": {"word": "x"}}).register("adder", adds("x"))


def test_settings_errors_of_a_register_hook_stop_the_desk(plugins, faults, plugin) -> None:
    def wants_a_token(settings: Settings) -> None:
        raise SettingsError("connectors.fax.token: missing")

    plugins.register("fax", plugin("register_connectors", wants_a_token))

    with pytest.raises(SettingsError, match=r"connectors\.fax\.token"):
        plugins.register_connectors(Settings(), faults)


# --- installed plugins ---


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lays down a distribution with one plugin, as pip would."""
    monkeypatch.syspath_prepend(tmp_path)

    def lay_down(distribution: str, name: str, code: str) -> None:
        module = distribution.replace("-", "_")
        info = tmp_path / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
        )
        (info / "entry_points.txt").write_text(f"[deskmate.plugins]\n{name} = {module}\n")
        (tmp_path / f"{module}.py").write_text("from assistant import hookimpl\n" + code)

    return lay_down


WORKS = "@hookimpl\ndef reply_sending(reply): return 'wait'\n"


GRANTED = {
    name: ["sending"]
    for name in ("broken-import", "broken-exit", "broken-hook", "works", "hanging", "orders")
}


def states(plugins: Plugins) -> dict[str, str]:
    return {info.name: info.state for info in plugins.list() if info.distribution != "deskmate"}


def test_broken_packages_are_skipped_and_listed(install, faults) -> None:
    install("broken-import", "broken-import", "import nothing_of_this_name\n")
    install("broken-exit", "broken-exit", "raise SystemExit\n")
    install("broken-hook", "broken-hook", "@hookimpl\ndef reply_sending(answer): ...\n")
    install("works", "works", WORKS)

    plugins = Plugins.installed({}, granted=GRANTED)

    errors = {info.name: info.error for info in plugins.list() if info.state == "broken"}
    assert "ModuleNotFoundError" in errors["broken-import"]
    assert "SystemExit" in errors["broken-exit"]
    assert "reply_sending" in errors["broken-hook"]
    assert states(plugins)["works"] == "running"
    assert plugins.reply_sending(REPLY, faults) == "works: wait"


def test_a_package_that_hangs_when_imported_is_skipped(install, stuck) -> None:
    install("hanging", "hanging", "import time\ntime.sleep(1)\n" + WORKS)

    (info,) = [
        info for info in Plugins.installed({}, granted=GRANTED).list() if info.name == "hanging"
    ]

    assert (info.state, "longer than 0.3 s" in info.error) == ("broken", True)


def test_disabled_plugins_are_listed_and_never_imported(install) -> None:
    install("works", "works", "raise SystemExit\n")

    assert states(Plugins.installed({}, disabled=["works"])) == {"works": "disabled"}


def test_two_packages_with_one_plugin_name_are_both_named(install) -> None:
    install("first-shop", "orders", WORKS)
    install("second-shop", "orders", WORKS)

    plugins = Plugins.installed({}, granted=GRANTED)

    assert states(plugins) == {"orders": "running", "orders (second-shop)": "broken"}
    error = next(info.error for info in plugins.list() if info.state == "broken")
    assert "second-shop" in error
    assert "first-shop" in error


def test_settings_of_no_installed_plugin_are_refused(install) -> None:
    install("works", "works", WORKS)

    with pytest.raises(SettingsError, match=r"plugins\.wroks: no plugin of this name is installed"):
        Plugins.installed({"wroks": {"word": "x"}})
