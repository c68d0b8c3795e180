"""What plugins may make of an outcome, and of a message before it is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from assistant import Attachment, Box, Message, Outcome, Screen, ScreenLine, hookimpl
from assistant.messages import Answer
from assistant.testing.desk import PluginDesk

REPLY = Outcome("reply", "supported", "Three days. [1]", Answer("Three days. [1]", (), 0.9))
HAND_OVER = Outcome("hand over", "nothing was found", "A colleague will answer.")


def decided(given: Outcome, **changes: Any) -> tuple[Outcome, list[str]]:
    """The outcome after a plugin made these changes, and its faults."""

    class Changes:
        @hookimpl
        def outcome_decided(self, outcome: Outcome) -> Outcome:
            return replace(outcome, **changes)

    desk = PluginDesk(strict=False)
    desk.add("changes", Changes)
    message = Message("test", "1", "t", "ann@example.com", "When?")
    outcome = desk.plugins.outcome_decided(message, desk.ticket, given, desk.faults)
    return outcome, [fault.error for fault in desk.faults]


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        (REPLY, {"action": "draft", "reason": "a holiday"}),
        (REPLY, {"reason": "supported; VIP"}),
        (HAND_OVER, {"text": "We are back on Monday."}),
    ],
)
def test_it_may_become_more_careful_or_say_more(given: Outcome, changes: dict[str, Any]) -> None:
    assert decided(given, **changes) == (replace(given, **changes), [])


@pytest.mark.parametrize(
    ("given", "changes", "error"),
    [
        (replace(REPLY, action="draft"), {"action": "reply"}, "made 'reply' of 'draft'"),
        (HAND_OVER, {"action": "reply"}, "made 'reply' of 'hand over'"),
        (REPLY, {"action": "solve"}, "made 'solve' of 'reply'"),
        (REPLY, {"text": "One day."}, "changed an answer that was checked already"),
        (REPLY, {"answer": Answer("One day.", (), 1.0)}, "more of the outcome than"),
        (REPLY, {"action": "shout"}, "returned Outcome with a wrong action"),
    ],
)
def test_it_never_becomes_bolder(given: Outcome, changes: dict[str, Any], error: str) -> None:
    outcome, faults = decided(given, **changes)

    assert outcome == given
    assert len(faults) == 1
    assert error in faults[0]


def test_plugins_look_at_pictures_before_the_message_is_stored(plugin_desk_showing: Any) -> None:
    desk = plugin_desk_showing("PIN 4711")

    class Notes:
        @hookimpl
        def message_arriving(self, message: Message, show: Any) -> Message:
            lines = [line.text for a in message.attachments for _, s in show(a) for line in s.lines]
            return replace(message, text=" ".join(lines), attachments=())

    desk.add("notes", Notes)
    attachment = Attachment("image/png", "a.png", b"picture")
    message = Message("test", "1", "t", "ann@example.com", "", attachments=(attachment,))

    arrived = desk.arrive(message)

    assert (arrived.text, arrived.attachments) == ("PIN 4711", ())


@pytest.fixture
def plugin_desk_showing() -> Any:
    """A desk in memory, on which every picture shows this line."""

    def make(text: str) -> PluginDesk:
        line = ScreenLine(text, Box(0, 0, 90, 10), 10, 1.0)
        return PluginDesk(show=lambda a: ((a.content, Screen((line,), 100, 20)),))

    return make
