"""Things to test with, in every room."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from assistant import Message, Ticket


@pytest.fixture
def message() -> Callable[..., Message]:
    """Makes a customer's message from its text and subject."""

    def make(text: str = "It does not work", subject: str = "") -> Message:
        return Message("test", "1", "thread", "ann@example.com", text, subject)

    return make


@pytest.fixture
def ticket() -> Ticket:
    return Ticket(
        1, "test", "thread", "ann@example.com", "Help", "open", datetime(2026, 1, 2, tzinfo=UTC)
    )
