"""Plugins that keep failing, fork, print, change what they were lent, or tell secrets."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr

from assistant import Answer, Message, Outcome, SettingsError, hookimpl
from assistant.plugging import Plugins, calling, results, secrets
from assistant.plugging.calling import FAULTS_IN_A_ROW, SWITCHED_OFF
from assistant.settings import Settings

# --- switched off after repeated faults ---


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A clock that a test moves."""
    clock = SimpleNamespace(now=1_000.0)
    monkeypatch.setattr(calling.time, "monotonic", lambda: clock.now)
    return clock


class Shaky:
    """Fails while `broken`, and counts its calls."""

    required = False

    def __init__(self) -> None:
        self.broken, self.calls = True, 0

    @hookimpl
    def message_received(self, message: Message) -> Message:
        self.calls += 1
        if self.broken:
            raise ConnectionError("the shop is closed")
        return replace(message, text="fine")

    @hookimpl
    def reply_sending(self, reply: Any) -> str:
        return "wait"


def test_a_hook_that_keeps_failing_is_switched_off_and_tried_again_later(
    plugins, faults, message, ticket, clock
) -> None:
    shaky = Shaky()
    plugins.register("shaky", shaky)

    for _ in range(FAULTS_IN_A_ROW + 3):
        assert plugins.message_received(message("Hello"), ticket, faults).text == "Hello"

    assert shaky.calls == FAULTS_IN_A_ROW
    assert [fault.error for fault in faults[FAULTS_IN_A_ROW:]] == [SWITCHED_OFF] * 3
    assert plugins.caller.off("shaky") == ("message_received",)
    assert plugins.reply_sending(None, faults) == "shaky: wait"

    clock.now += calling.OFF_S + 1
    plugins.message_received(message("Hello"), ticket, faults)
    plugins.message_received(message("Hello"), ticket, faults)
    assert shaky.calls == FAULTS_IN_A_ROW + 1

    clock.now += calling.OFF_S + 1
    shaky.broken = False
    assert plugins.message_received(message("Hello"), ticket, faults).text == "fine"
    assert plugins.message_received(message("Hello"), ticket, faults).text == "fine"
    assert plugins.caller.off("shaky") == ()


def test_one_success_ends_the_row(plugins, faults, message, ticket, clock) -> None:
    shaky = Shaky()
    plugins.register("shaky", shaky)

    for turn in range(3 * FAULTS_IN_A_ROW):
        shaky.broken = turn % 2 == 0
        plugins.message_received(message("Hello"), ticket, faults)

    assert shaky.calls == 3 * FAULTS_IN_A_ROW


def test_a_required_plugin_is_never_switched_off(plugins, faults, message, ticket) -> None:
    """Else a customer could send five messages that make redaction fail, and then the secrets."""
    shaky = Shaky()
    shaky.required = True
    plugins.register("shaky", shaky)

    for _ in range(2 * FAULTS_IN_A_ROW):
        plugins.message_received(message("Hello"), ticket, faults)

    assert shaky.calls == 2 * FAULTS_IN_A_ROW
    assert plugins.failed_required(faults) == "shaky"


# --- more plugins that mean harm ---


def test_a_plugin_that_forks_leaves_no_second_desk(
    plugins, faults, message, ticket, plugin, tmp_path: Path
) -> None:
    def forks(message: Message) -> Message:
        child = os.fork()
        (tmp_path / "pids").open("a").write(f"{child}\n")
        return replace(message, text="parent" if child else "child")

    plugins.register("forks", plugin("message_received", forks))

    assert plugins.message_received(message("Hello"), ticket, faults).text == "parent"
    (child,) = {int(pid) for pid in (tmp_path / "pids").read_text().split()} - {0}
    for _ in range(500):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert os.waitstatus_to_exitcode(status) == 1
            return
        time.sleep(0.02)
    pytest.fail("the forked process goes on")


def test_what_a_plugin_prints_goes_to_standard_error(
    plugins, faults, message, ticket, plugin, capsys, monkeypatch
) -> None:
    import sys

    monkeypatch.setattr(sys, "stdout", calling.PluginOutput(sys.stdout))
    plugins.register("prints", plugin("message_received", lambda message: print("noise")))

    print("before")
    plugins.message_received(message("Hello"), ticket, faults)
    print("after")

    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("before\nafter\n", "noise\n")


def test_a_plugin_that_changes_the_settings_changes_them_for_itself(plugins, faults, plugin):
    def empties(settings: Settings) -> list[Any]:
        settings.connectors["slack"].clear()
        return []

    plugins.register("a", plugin("register_connectors", empties))
    plugins.register(
        "b", plugin("register_sources", lambda settings: [[dict(settings.connectors)]])
    )
    settings = Settings(connectors={"slack": {"mode": "socket"}})

    plugins.register_connectors(settings, faults)

    assert settings.connectors == {"slack": {"mode": "socket"}}
    assert plugins.register_sources(settings, faults) == ([{"slack": {"mode": "socket"}}],)


# --- secrets ---


class Server(BaseModel):
    password: SecretStr = SecretStr("")
    host: str = ""


class Leaky:
    class Settings(BaseModel):
        token: SecretStr = SecretStr("")
        key: str = Field("", repr=False)
        servers: dict[str, Server] = Field(default_factory=dict)
        retries: int = 1

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @hookimpl
    def message_received(self, message: Message) -> None:
        servers = [s.password.get_secret_value() for s in self.settings.servers.values()]
        raise ValueError(self.settings.token.get_secret_value(), self.settings.key, servers)


TABLE = {
    "token": "hush-token",
    "key": "hush-key",
    "servers": {"one": {"password": "hush-password", "host": "shop.example"}},
}


def test_secrets_do_not_stand_in_faults(faults, message, ticket) -> None:
    plugins = Plugins({"leaky": TABLE})
    plugins.register("leaky", Leaky)

    plugins.message_received(message(), ticket, faults)

    assert faults[0].error.count("[secret]") == 3
    assert "hush" not in faults[0].error


def test_settings_are_shown_without_secrets() -> None:
    shown = secrets.shown(Leaky.Settings.model_validate(TABLE))

    assert shown["token"] == shown["key"] == "(set)"
    assert shown["retries"] == "1"
    assert "shop.example" in shown["servers"]
    assert "hush" not in repr(shown)
    assert secrets.shown(Leaky.Settings())["token"] == "(not set)"


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"token": ["hush"]}, "token"),
        ({"key": ["hush"]}, "key"),
        ({"servers": {"one": {"password": ["hush"]}}}, "servers.one.password"),
    ],
)
def test_a_wrong_secret_is_named_and_not_told(table: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError, match=rf"plugins\.leaky\.{key}: ") as wrong:
        Plugins({"leaky": table}).register("leaky", Leaky)

    assert "hush" not in str(wrong.value)


def test_the_desks_settings_show_no_table_of_a_plugin_or_connector() -> None:
    settings = Settings(plugins={"leaky": TABLE}, connectors={"x": TABLE}, secret_key="hush")

    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    "one",
    [
        Message("test", "1", "t", "ann", "Hello"),
        Answer("Three days.", (), 0.9),
        Outcome("reply", "found", "Three days."),
    ],
)
def test_what_plugins_are_lent_is_another_object_made_without_its_classs_code(one: Any) -> None:
    lent = results.anew(one, {"text": "Bye"})

    assert lent == replace(one, text="Bye")
    assert results.anew(one) == one
    assert results.anew(one) is not one
    assert not hasattr(type(one), "__post_init__")
