"""The desk in memory that plugin authors test with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from assistant import Answer, Hit, Message, PluginError, SettingsError, Ticket, Turn, hookimpl
from assistant.testing.desk import PluginDesk

pytest_plugins = ["pytester"]


class Everything:
    """A plugin with a hand in each moment."""

    def __init__(self) -> None:
        self.solved: list[int] = []

    @hookimpl
    def message_received(self, message: Message) -> Message:
        return replace(message, text=message.text.upper())

    @hookimpl
    def conversation_read(self, conversation: tuple[Turn, ...]) -> tuple[Turn, ...]:
        return conversation[-1:]

    @hookimpl
    def passages_found(self, message: Message, hits: tuple[Hit, ...]) -> list[Hit]:
        return [hit for hit in hits if message.text in hit.passage.text]

    @hookimpl
    def answer_drafted(self, answer: Answer) -> Answer:
        return replace(answer, text=f"Hi. {answer.text}")

    @hookimpl
    def reply_sending(self, reply: Any) -> str | None:
        return "rude" if "idiot" in reply.text else None

    @hookimpl
    def ticket_solved(self, ticket: Ticket) -> None:
        self.solved.append(ticket.id)


@pytest.fixture
def everything() -> Everything:
    return Everything()


@pytest.fixture
def desk(everything: Everything) -> PluginDesk:
    desk = PluginDesk()
    desk.add("everything", everything)
    return desk


def test_each_moment_can_be_tried(desk: PluginDesk, everything: Everything) -> None:
    assert desk.receive("hello").text == "HELLO"
    assert [turn.text for turn in desk.recall("long ago", "just now")] == ["just now"]
    assert [hit.passage.text for hit in desk.find("refund", "REFUND now", "else")] == ["REFUND now"]
    assert desk.draft("Three days [1].", "It takes three days.").text == "Hi. Three days [1]."
    assert desk.send("You idiot") == "everything: rude"
    assert desk.send("You are kind") is None
    desk.solve()
    assert everything.solved == [1]


def test_what_happened_is_recorded(desk: PluginDesk) -> None:
    desk.receive("hello")
    desk.send("idiot")

    assert [hook for hook, _ in desk.recorded] == ["message_received", "reply_sending"]
    assert desk.recorded[1] == ("reply_sending", "everything: rude")


class Faulty:
    @hookimpl
    def message_received(self, message: Message) -> str:
        return "text"


def test_a_fault_fails_the_test(plugin_faulty: PluginDesk) -> None:
    with pytest.raises(AssertionError, match="plugin faulty, message_received: returned str"):
        plugin_faulty.receive("hello")


@pytest.fixture
def plugin_faulty() -> PluginDesk:
    desk = PluginDesk()
    desk.add("faulty", Faulty)
    return desk


def test_or_is_recorded_where_that_is_what_is_tested() -> None:
    desk = PluginDesk(strict=False)
    desk.add("faulty", Faulty)

    assert desk.receive("hello").text == "hello"
    assert [fault.hook for fault in desk.faults] == ["message_received"]


def test_wrong_settings_and_hooks_are_refused() -> None:
    with pytest.raises(SettingsError, match="this plugin has no settings"):
        PluginDesk().add("faulty", Faulty, {"word": "x"})
    with pytest.raises(PluginError, match="has no hook"):
        PluginDesk().add("nothing", object())


def test_it_is_a_plugin_of_pytest(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        from assistant import hookimpl

        class Waits:
            @hookimpl
            def reply_sending(self, reply):
                return "wait"

        def test_it(plugin_desk):
            plugin_desk.add("waits", Waits)
            assert plugin_desk.send("Hello") == "waits: wait"
    """)

    pytester.runpytest("-p", "assistant.testing.fixtures").assert_outcomes(passed=1)
