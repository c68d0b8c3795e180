"""What the desk's people do together on a ticket: notes to each other, and who is looking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, ForeignKey, Index, delete, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.messages import Ticket
from assistant.tickets.database import sessions
from assistant.tickets.rows import as_ticket, audit, find_ticket
from assistant.tickets.tables import Table

PRESENT = timedelta(seconds=20)  # somebody is there who was seen so lately
SEEN_ONCE_IN = timedelta(hours=1)  # the audit log says once in so long that somebody looked


class NoteRow(Table):
    __tablename__ = "notes"
    __table_args__ = (Index("ix_notes_ticket_id", "ticket_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    who: Mapped[str]
    text: Mapped[str]
    created_at: Mapped[datetime]


class PresenceRow(Table):
    __tablename__ = "presence"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"), primary_key=True)
    who: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]


@dataclass(frozen=True)
class Note:
    """What one of the desk's people wrote for the others; no customer sees it."""

    who: str
    text: str
    at: datetime


class Teamwork:
    """Notes, assignment and presence on all tickets."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def note(self, ticket_id: int, who: str, text: str) -> None:
        """Adds a note. Raises DeskmateError if there is no such ticket."""
        with self._write.begin() as session:
            find_ticket(session, ticket_id)
            row = NoteRow(ticket_id=ticket_id, who=who, text=text, created_at=datetime.now(UTC))
            session.add(row)
            audit(session, ticket_id, who, "note", "")

    def notes(self, ticket_id: int) -> tuple[Note, ...]:
        """A ticket's notes, oldest first."""
        query = select(NoteRow).where(NoteRow.ticket_id == ticket_id).order_by(NoteRow.id)
        with self._read() as session:
            return tuple(Note(row.who, row.text, row.created_at) for row in session.scalars(query))

    def assign(self, ticket_id: int, who: str, to: str | None) -> Ticket:
        """Gives the ticket to a person to look after, or to nobody."""
        with self._write.begin() as session:
            ticket = find_ticket(session, ticket_id, lock=True)
            if ticket.assignee != to:
                ticket.assignee = to
                ticket.updated_at = datetime.now(UTC)
                audit(session, ticket_id, who, "assign", to or "nobody")
            return as_ticket(ticket)

    def appear(self, ticket_id: int, who: str) -> None:
        """Somebody is looking at the ticket now."""
        now = datetime.now(UTC)
        with self._write.begin() as session:
            old = session.get(PresenceRow, (ticket_id, who))
            if old is None or now - old.seen_at > SEEN_ONCE_IN:
                audit(session, ticket_id, who, "see", "")
            session.merge(PresenceRow(ticket_id=ticket_id, who=who, seen_at=now))

    def leave(self, ticket_id: int, who: str) -> None:
        """Somebody closed the ticket."""
        gone = datetime.now(UTC) - PRESENT
        with self._write.begin() as session:
            row = session.get(PresenceRow, (ticket_id, who))
            if row is not None:
                row.seen_at = min(row.seen_at, gone)

    def present(self, ticket_id: int, but: str) -> tuple[str, ...]:
        """Who else is looking at the ticket, by name."""
        query = select(PresenceRow.who).where(
            PresenceRow.ticket_id == ticket_id,
            PresenceRow.who != but,
            PresenceRow.seen_at > datetime.now(UTC) - PRESENT,
        )
        with self._read() as session:
            return tuple(session.scalars(query.order_by(PresenceRow.who)))

    def clear(self, before: datetime) -> None:
        """Forgets who looked at tickets before then; the audit log does not."""
        with self._write.begin() as session:
            session.execute(delete(PresenceRow).where(PresenceRow.seen_at < before))
