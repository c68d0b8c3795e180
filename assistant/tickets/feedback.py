"""What people think of the answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, ScalarSelect, select

from assistant.tickets.database import sessions
from assistant.tickets.rows import find_ticket
from assistant.tickets.tables import FeedbackRow, TicketRow


@dataclass(frozen=True)
class Feedback:
    """A thumb up or down for an outcome, or for the whole ticket if `outcome_id` is None."""

    helpful: bool
    author: str
    comment: str
    outcome_id: int | None
    at: datetime


class FeedbackLog:
    """The feedback on all tickets."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def add(
        self,
        ticket_id: int,
        helpful: bool,
        author: str,
        comment: str = "",
        outcome_id: int | None = None,
    ) -> None:
        """Stores a thumb up or down. Raises DeskmateError if there is no such ticket."""
        with self._write.begin() as session:
            find_ticket(session, ticket_id)
            row = FeedbackRow(
                ticket_id=ticket_id,
                outcome_id=outcome_id,
                helpful=helpful,
                author=author,
                comment=comment,
                created_at=datetime.now(UTC),
            )
            session.add(row)

    def of_ticket(self, ticket_id: int) -> tuple[Feedback, ...]:
        """A ticket's feedback, oldest first."""
        query = select(FeedbackRow).where(FeedbackRow.ticket_id == ticket_id)
        with self._read() as session:
            return tuple(
                Feedback(row.helpful, row.author, row.comment, row.outcome_id, row.created_at)
                for row in session.scalars(query.order_by(FeedbackRow.id))
            )


def last_thumb() -> ScalarSelect[bool]:
    """Within a query of tickets: whether the last thumb on each went up; NULL where there is
    none."""
    return (
        select(FeedbackRow.helpful)
        .where(FeedbackRow.ticket_id == TicketRow.id)
        .order_by(FeedbackRow.id.desc())
        .limit(1)
        .correlate(TicketRow)
        .scalar_subquery()
    )
