"""What happened on the tickets, in order: for whoever follows one, and for webhooks.

An event is stored in the transaction of what it tells, so that none is lost and none is told too
early. It holds ids and no customer's words: whoever may read those asks for them.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, ForeignKey, Index, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from assistant.events import Event, EventKind
from assistant.tickets.columns import partial_index
from assistant.tickets.database import sessions
from assistant.tickets.rows import find_ticket
from assistant.tickets.tables import Table, TicketRow


class EventRow(Table):
    """`pending` until it is known which webhooks are to be told."""

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_ticket_id", "ticket_id", "id"),
        partial_index("ix_events_pending", "id", "pending"),
        # Ids are never used again: they name events to the outside.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    kind: Mapped[EventKind] = mapped_column(String(32))
    detail: Mapped[dict[str, Any]]
    pending: Mapped[bool]
    created_at: Mapped[datetime]


class Events:
    """The events of all tickets."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def after(self, ticket_id: int, event_id: int = 0, limit: int = 200) -> tuple[Event, ...]:
        """A ticket's events after this one, oldest first."""
        query = select(EventRow).where(EventRow.ticket_id == ticket_id, EventRow.id > event_id)
        with self._read() as session:
            rows = session.scalars(query.order_by(EventRow.id).limit(limit))
            return tuple(as_event(row) for row in rows)

    def newest(self, ticket_ids: Collection[int]) -> dict[int, int]:
        """The id of the newest event of each of these tickets that has one."""
        query = (
            select(EventRow.ticket_id, func.max(EventRow.id))
            .where(EventRow.ticket_id.in_(ticket_ids))
            .group_by(EventRow.ticket_id)
        )
        with self._read() as session:
            return dict(session.execute(query).all())

    def step(self, ticket_id: int, name: str) -> None:
        """Notes that a step of an answer begins."""
        with self._write.begin() as session:
            note(session, find_ticket(session, ticket_id, lock=True), "answer.step", step=name)

    def clear(self, before: datetime) -> int:
        """Forgets the events before then, and which webhooks were told; returns how many."""
        with self._write.begin() as session:
            old = delete(EventRow).where(EventRow.created_at < before).returning(EventRow.id)
            return len(session.scalars(old).all())


def note(session: Session, ticket: TicketRow, kind: EventKind, **detail: str | int | None) -> None:
    """Adds an event of a ticket whose row this transaction has locked: so whoever reads a ticket's
    events in the order of their ids misses none that is committed late."""
    row = EventRow(ticket_id=ticket.id, kind=kind, detail=detail, created_at=datetime.now(UTC))
    row.pending = kind != "answer.step"  # of use while it happens only
    session.add(row)


def as_event(row: EventRow) -> Event:
    """The event of this row."""
    return Event(row.id, row.ticket_id, row.kind, row.detail, row.created_at)
