"""What staff are to be told of: drafts, hand-overs, and replies that wait for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from assistant.messages import Notice
from assistant.tickets.database import sessions
from assistant.tickets.rows import as_ticket, find_ticket, read_citations, take_due
from assistant.tickets.tables import MessageRow, NoticeRow, OutcomeRow


@dataclass(frozen=True)
class StoredNotice:
    """A notice and where it stands: `told_as` is the channel's id of what was posted, None while
    nobody is told; `error` says what went wrong last."""

    notice: Notice
    told_as: str | None
    attempts: int
    error: str | None
    created_at: datetime


class Notices:
    """The notices of all tickets. Outcomes and replies make them, in their own transactions."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def of_ticket(self, ticket_id: int) -> tuple[StoredNotice, ...]:
        """A ticket's notices, oldest first."""
        query = select(NoticeRow).where(NoticeRow.ticket_id == ticket_id)
        with self._read() as session:
            rows = session.scalars(query.order_by(NoticeRow.created_at)).all()
            return tuple(_read(session, row) for row in rows)

    def untold(self) -> int:
        """How many notices nobody was told of yet."""
        query = select(func.count()).where(NoticeRow.state == "intended")
        with self._read() as session:
            return session.scalar(query) or 0

    def take_due(self, again_after: float, limit: int = 100) -> tuple[StoredNotice, ...]:
        """Notices that are due, oldest first. They are due again `again_after` seconds from now,
        so that a crash before they are told loses none."""
        with self._write.begin() as session:
            rows = take_due(session, NoticeRow, NoticeRow.created_at, again_after, limit)
            for row in rows:
                row.attempts += 1
            return tuple(_read(session, row) for row in rows)

    def record_told(self, notice_id: str, external_id: str) -> None:
        """Staff were told."""
        with self._write.begin() as session:
            row = session.get_one(NoticeRow, notice_id)
            row.state, row.external_id, row.error = "told", external_id, None

    def record_failure(self, notice_id: str, error: str, again_after: float) -> None:
        """Staff could not be told; it is tried again `again_after` seconds from now."""
        with self._write.begin() as session:
            row = session.get_one(NoticeRow, notice_id)
            row.error, row.due_at = error, datetime.now(UTC) + timedelta(seconds=again_after)


def _read(session: Session, row: NoticeRow) -> StoredNotice:
    ticket = find_ticket(session, row.ticket_id)
    outcome = session.get(OutcomeRow, row.outcome_id) if row.outcome_id else None
    asked = select(MessageRow.text).where(MessageRow.outcome_id == row.outcome_id)
    question = session.scalars(asked.order_by(MessageRow.id)) if row.outcome_id else ()
    notice = Notice(
        id=row.id,
        kind=row.kind,
        ticket=as_ticket(ticket),
        outcome_id=row.outcome_id,
        reason=row.reason,
        question="\n\n".join(question),
        text=outcome.text if outcome else "",
        citations=read_citations(session, row.outcome_id),
    )
    return StoredNotice(notice, row.external_id, row.attempts, row.error, row.created_at)
