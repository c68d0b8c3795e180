"""The connector contract: how messages come in and replies go out.

A connector is any object of this shape. It reaches Deskmate through the hook
`register_connectors`, first-party or not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from assistant.messages import Message, Reply

Accept = Callable[[Message], None]
"""Stores a message for good and returns; only then may its source be acknowledged."""


@runtime_checkable
class Connector(Protocol):
    """One channel. `name` is unique on a desk and stands in every message it brings."""

    name: str

    def run(self, accept: Accept, stop: threading.Event) -> None:
        """Receives messages and hands each to `accept` until `stop` is set.

        Runs in a thread of its own. Acknowledge a message to its source only after `accept`
        returned; if it raises, leave the message where it is, so that it comes again.
        """

    def send(self, reply: Reply) -> str:
        """Sends `reply` with an identifier made from `reply.id`; returns the channel's own id.

        Raises whatever went wrong: the reply is tried again later.
        """

    def find_sent(self, reply: Reply) -> str | None:
        """The channel's id of `reply` if it was sent already, else None.

        Called before a second attempt, when a crash hid the result of the first.
        """
