"""What connectors took in, word for word, and have not made messages of yet.

A channel that wants its acknowledgement within seconds gets it once the arrival is noted here:
fetching attachments and the conversation before it may take longer. Of what is done, only the names
stay, so that what is delivered again is known, and what the connector wants to know later.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Index, String, UniqueConstraint, delete, exists, select, update
from sqlalchemy.orm import Mapped, mapped_column, sessionmaker

from assistant import metrics
from assistant.tickets.columns import partial_index
from assistant.tickets.database import insert_once, sessions
from assistant.tickets.tables import Table


class ArrivalRow(Table):
    """`state` is waiting, done or given up; `error` says what went wrong last. `content` is what
    came in as bytes, until it is done."""

    __tablename__ = "arrivals"
    __table_args__ = (
        UniqueConstraint("connector", "external_id"),
        Index("ix_arrivals_conversation", "connector", "conversation"),
        Index("ix_arrivals_sender", "connector", "sender", "id"),
        partial_index("ix_arrivals_due", "due_at", "state = 'waiting'"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    connector: Mapped[str]
    external_id: Mapped[str]
    conversation: Mapped[str]
    sender: Mapped[str]
    payload: Mapped[dict[str, Any]]
    content: Mapped[bytes | None] = mapped_column(deferred=True)
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]


@dataclass(frozen=True)
class Arrival:
    """Something that came in. `sender` names who sent it where; `attempts` counts how often it
    was postponed."""

    external_id: str
    conversation: str
    sender: str
    payload: Mapping[str, Any]
    attempts: int
    received_at: datetime
    done: bool


@dataclass(frozen=True)
class GivenUp:
    """An arrival that nothing could be made of, and why."""

    connector: str
    external_id: str
    error: str
    received_at: datetime


@dataclass
class _Note:
    """A row to be, and what became of it."""

    values: Mapping[str, Any]
    new: bool | None = None


class _Notes:
    """Stores what comes at once in one transaction: whoever writes takes along what came while it
    waited for its turn. So an acknowledgement waits for two transactions at most, however many come
    (group commit: DeWitt et al., SIGMOD 1984)."""

    def __init__(self, engine: Engine) -> None:
        self._write = sessionmaker(engine.execution_options(urgent=True))
        self._waiting: deque[_Note] = deque()
        self._writing = threading.Lock()

    def store(self, **values: Any) -> bool:
        """Stores a row; returns whether it was new. Raises DatabaseError if it cannot."""
        note = _Note(values)
        self._waiting.append(note)
        with self._writing, suppress(Exception):
            if note.new is None:
                self._store_waiting()
        if note.new is None:  # a row that was stored with it failed, or this one
            with self._write.begin() as session:
                note.new = insert_once(session, ArrivalRow, **values)
        return note.new

    def _store_waiting(self) -> None:
        with self._write.begin() as session:
            session.connection()  # waits for its turn
            notes = [self._waiting.popleft() for _ in range(len(self._waiting))]
            new = [insert_once(session, ArrivalRow, **note.values) for note in notes]
        for note, is_new in zip(notes, new, strict=True):
            note.new = is_new


class Arrivals:
    """What came in on all channels."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)
        self._notes = _Notes(engine)

    def note(
        self,
        connector: str,
        external_id: str,
        conversation: str,
        sender: str,
        payload: Mapping[str, Any],
        content: bytes | None = None,
    ) -> bool:
        """Notes what came in, with its bytes where it has some; returns whether it was new."""
        now = datetime.now(UTC)
        return self._notes.store(
            connector=connector,
            external_id=external_id,
            conversation=conversation,
            sender=sender,
            payload=dict(payload),
            content=content,
            state="waiting",
            attempts=0,
            received_at=now,
            due_at=now,
        )

    def due(self, connector: str, limit: int = 200) -> tuple[Arrival, ...]:
        """What waits to be worked on, oldest first."""
        query = (
            select(ArrivalRow)
            .where(ArrivalRow.connector == connector, ArrivalRow.state == "waiting")
            .where(ArrivalRow.due_at <= datetime.now(UTC))
            .order_by(ArrivalRow.id)
            .limit(limit)
        )
        with self._read() as session:
            return tuple(_read(row) for row in session.scalars(query))

    def latest(self, connector: str, sender: str) -> Arrival | None:
        """The newest of this sender's, done or not."""
        query = select(ArrivalRow).where(
            ArrivalRow.connector == connector, ArrivalRow.sender == sender
        )
        with self._read() as session:
            row = session.scalar(query.order_by(ArrivalRow.id.desc()).limit(1))
            return None if row is None else _read(row)

    def find(self, connector: str, external_id: str) -> Arrival | None:
        """What came in under this name, done or not."""
        query = select(ArrivalRow).where(
            ArrivalRow.connector == connector, ArrivalRow.external_id == external_id
        )
        with self._read() as session:
            row = session.scalar(query)
            return None if row is None else _read(row)

    def content(self, connector: str, external_id: str) -> bytes:
        """The bytes that came in under this name, until they are done; then none."""
        query = select(ArrivalRow.content).where(
            ArrivalRow.connector == connector, ArrivalRow.external_id == external_id
        )
        with self._read() as session:
            return session.scalar(query) or b""

    def waits(self, connector: str, conversation: str) -> bool:
        """Whether something of this conversation is waiting."""
        waiting = exists().where(
            ArrivalRow.connector == connector,
            ArrivalRow.conversation == conversation,
            ArrivalRow.state == "waiting",
        )
        with self._read() as session:
            return bool(session.scalar(select(waiting)))

    def change(self, connector: str, external_id: str, payload: Mapping[str, Any]) -> None:
        """More is known of what came in: `payload` takes the place of the one it had."""
        self._update(connector, external_id, payload=dict(payload))

    def finish(
        self, connector: str, external_id: str, keep: Mapping[str, Any] | None = None
    ) -> None:
        """It was worked on: its name stays, its words do not. `keep` takes the payload's place."""
        values = {"state": "done", "payload": dict(keep or {}), "content": None, "error": None}
        self._update(connector, external_id, **values)

    def postpone(self, connector: str, external_id: str, error: str, seconds: float) -> None:
        """It could not be worked on; it is due again in so many seconds."""
        due_at = datetime.now(UTC) + timedelta(seconds=seconds)
        attempts = ArrivalRow.attempts + 1
        self._update(connector, external_id, due_at=due_at, error=error, attempts=attempts)

    def give_up(self, connector: str, external_id: str, error: str) -> None:
        """Nothing can be made of it: its name and the reason stay, its words do not."""
        self._update(connector, external_id, state="given up", payload={}, error=error)
        metrics.GIVEN_UP.labels(connector).inc()

    def given_up(self) -> tuple[GivenUp, ...]:
        """What was given up and is not yet forgotten, on all channels, oldest first."""
        query = select(ArrivalRow).where(ArrivalRow.state == "given up").order_by(ArrivalRow.id)
        with self._read() as session:
            return tuple(
                GivenUp(row.connector, row.external_id, row.error or "", row.received_at)
                for row in session.scalars(query)
            )

    def clear(self, connector: str, before: datetime) -> int:
        """Forgets what came to a connector before then and does not wait; returns how much that
        was."""
        old = (
            ArrivalRow.connector == connector,
            ArrivalRow.state != "waiting",
            ArrivalRow.received_at < before,
        )
        with self._write.begin() as session:
            ids = session.scalars(delete(ArrivalRow).where(*old).returning(ArrivalRow.id))
            return len(ids.all())

    def _update(self, connector: str, external_id: str, **values: Any) -> None:
        named = (ArrivalRow.connector == connector, ArrivalRow.external_id == external_id)
        with self._write.begin() as session:
            session.execute(update(ArrivalRow).where(*named).values(**values))


def _read(row: ArrivalRow) -> Arrival:
    return Arrival(
        external_id=row.external_id,
        conversation=row.conversation,
        sender=row.sender,
        payload=row.payload,
        attempts=row.attempts,
        received_at=row.received_at,
        done=row.state == "done",
    )
