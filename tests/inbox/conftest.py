"""An inbox with a channel that writes down what was sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import inbox as inbox_module
from assistant.inbox import Inbox
from assistant.messages import Message, Outcome, Ticket, Turn
from assistant.queues import workflow_database_url
from assistant.tickets.repository import Tickets
from tests.recording import RecordingConnector

Open = Callable[..., Inbox]


@pytest.fixture
def channel(tmp_path: Path) -> RecordingConnector:
    return RecordingConnector(tmp_path / "sent.jsonl")


@pytest.fixture
def open_inbox(channel: RecordingConnector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens an inbox that is stopped after the test; pauses are short."""
    monkeypatch.setattr(inbox_module, "ANSWER_PAUSES", (0.01, 0.01))
    opened = []

    def open_(tickets: Tickets, answer: Any = None, **options: Any) -> Inbox:
        inbox = Inbox(
            tickets,
            answer or echo,
            options.pop("connectors", {channel.name: channel}),
            options.pop("reply_hold", lambda reply: None),
            worker=options.pop("worker", "worker"),
            workflow_url=workflow_database_url(str(tickets.engine.url)),
            **{"quiet_seconds": 0, "dead_after_seconds": 1, **options},
        )
        inbox.start()
        opened.append(inbox)
        return inbox

    yield open_
    for inbox in opened:
        inbox.stop()


def echo(message: Message, ticket: Ticket, conversation: tuple[Turn, ...]) -> Outcome:
    return Outcome("reply", "echoed", f"You said: {message.text}")


def message(external_id: str = "m1", text: str = "Hello", **changes: Any) -> Message:
    values = {"thread_id": "t1", "sender": "kim@example.org", **changes}
    return Message("email", external_id, text=text, **values)


def eventually(holds: Callable[[], object], seconds: float = 20) -> None:
    """Waits until `holds()` is true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def is_answered(tickets: Tickets, external_id: str) -> bool:
    return tickets.outcomes.of_message("email", external_id) is not None
