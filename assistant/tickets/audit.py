"""The audit log: who sent, changed or saw what. Nothing in it is ever changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, select

from assistant.tickets.database import sessions
from assistant.tickets.tables import AuditRow


@dataclass(frozen=True)
class AuditEntry:
    """Who did what to a ticket, or, without one, to the desk; and when."""

    who: str
    action: str
    detail: str
    at: datetime
    ticket_id: int | None = None
    id: int = 0


class AuditLog:
    """The log of all tickets and of the desk."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def note(self, who: str, action: str, detail: str = "", ticket_id: int | None = None) -> None:
        """Notes what somebody did."""
        row = AuditRow(ticket_id=ticket_id, who=who, action=action, detail=detail)
        row.created_at = datetime.now(UTC)
        with self._write.begin() as session:
            session.add(row)

    def of_ticket(self, ticket_id: int) -> tuple[AuditEntry, ...]:
        """What people did to a ticket, oldest first."""
        query = select(AuditRow).where(AuditRow.ticket_id == ticket_id).order_by(AuditRow.id)
        with self._read() as session:
            return tuple(map(_read, session.scalars(query)))

    def page(
        self, *, who: str = "", action: str = "", before: int = 0, limit: int = 100
    ) -> tuple[AuditEntry, ...]:
        """The newest entries, those of one person or action only; `before` is the id of the last
        one of the page before."""
        query = select(AuditRow)
        if who:
            query = query.where(AuditRow.who == who)
        if action:
            query = query.where(AuditRow.action == action)
        if before:
            query = query.where(AuditRow.id < before)
        with self._read() as session:
            rows = session.scalars(query.order_by(AuditRow.id.desc()).limit(limit))
            return tuple(map(_read, rows))


def _read(row: AuditRow) -> AuditEntry:
    return AuditEntry(row.who, row.action, row.detail, row.created_at, row.ticket_id, row.id)
