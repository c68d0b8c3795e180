from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from assistant.messages import Message
from assistant.tickets.database import connect, open_engine, upgrade
from assistant.tickets.repository import Tickets


@pytest.fixture
def tickets(database_url: str) -> Iterator[Tickets]:
    """An empty ticket database, on SQLite and on PostgreSQL."""
    engine = connect(database_url)
    upgrade(engine)
    engine.dispose()
    engine = open_engine(database_url)
    yield Tickets(engine)
    engine.dispose()


def message(external_id: str = "m1", **changes: Any) -> Message:
    """A message of the thread t1."""
    values = {"thread_id": "t1", "sender": "kim@example.org", "text": "Where is my invoice?"}
    return Message("email", external_id, **{**values, **changes})
