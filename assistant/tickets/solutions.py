"""When a ticket is solved, and by whom.

A ticket is solved when the customer confirms it, when a person marks it, or when an answer was
sent and the customer did not come back for a week. A question of ours that nobody answered, a draft
nobody sent, and a hand-over are not solved, however old they are.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, exists, func, select, update
from sqlalchemy.orm import Session

from assistant.messages import Ticket
from assistant.tickets.database import sessions
from assistant.tickets.events import note
from assistant.tickets.feedback import last_thumb
from assistant.tickets.rows import as_ticket, audit, find_ticket
from assistant.tickets.tables import MessageRow, OutcomeRow, ReplyRow, TicketRow

QUIET = timedelta(days=7)
ASSISTANT = "assistant"


class Solutions:
    """How the tickets were solved."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def mark(self, ticket_id: int, who: str) -> Ticket:
        """The person `who` marks the ticket as solved; drafts that still wait are discarded. A new
        message reopens it, and it is answered automatically again."""
        with self._write.begin() as session:
            ticket = find_ticket(session, ticket_id, lock=True)
            _solve(session, ticket, _solver(session, ticket) or who)
            audit(session, ticket_id, who, "solve", "")
            return as_ticket(ticket)

    def mark_quiet(self, now: datetime | None = None, limit: int = 100) -> tuple[Ticket, ...]:
        """Solves the tickets whose last word is an answer that was sent at least a week before
        `now`, unless somebody's last thumb went down; returns them."""
        before = (now or datetime.now(UTC)) - QUIET
        last_reply = (
            select(ReplyRow.id)
            .where(ReplyRow.ticket_id == TicketRow.id)
            .order_by(ReplyRow.created_at.desc(), ReplyRow.id.desc())
            .limit(1)
            .correlate(TicketRow)
            .scalar_subquery()
        )
        answered = (
            select(ReplyRow.id)
            .outerjoin(OutcomeRow, OutcomeRow.id == ReplyRow.outcome_id)
            .where(
                ReplyRow.id == last_reply,
                ReplyRow.state == "sent",
                ReplyRow.sent_at < before,
                # A person's own words have no outcome.
                OutcomeRow.id.is_(None) | OutcomeRow.action.in_(("reply", "draft")),
            )
            .exists()
        )
        came_since = exists().where(
            MessageRow.ticket_id == TicketRow.id, MessageRow.received_at > before
        )
        query = (
            select(TicketRow)
            .where(TicketRow.status == "answered", TicketRow.updated_at < before)
            .where(answered, ~came_since, func.coalesce(last_thumb(), True).is_(True))
            .order_by(TicketRow.updated_at)
            .limit(limit)
            .with_for_update(skip_locked=True, of=TicketRow)
        )
        with self._write.begin() as session:
            tickets = session.scalars(query).all()
            for ticket in tickets:
                _solve(session, ticket, _solver(session, ticket) or ASSISTANT)
                audit(session, ticket.id, ASSISTANT, "solve", f"quiet for {QUIET.days} days")
            return tuple(as_ticket(ticket) for ticket in tickets)


def confirm(session: Session, ticket: TicketRow, customer: str) -> None:
    """The customer says that it is solved."""
    _solve(session, ticket, _solver(session, ticket) or ASSISTANT)
    audit(session, ticket.id, customer, "solve", "confirmed by the customer")


def _solve(session: Session, ticket: TicketRow, solver: str) -> None:
    ticket.status, ticket.owner, ticket.updated_at = "solved", None, datetime.now(UTC)
    ticket.solved_by = solver
    note(session, ticket, "ticket.solved", by=solver)
    session.execute(
        update(OutcomeRow)
        .where(OutcomeRow.ticket_id == ticket.id, OutcomeRow.draft_state == "waiting")
        .values(draft_state="discarded")
    )


def _solver(session: Session, ticket: TicketRow) -> str | None:
    """Who gave the last answer: the person who has the ticket, or wrote or changed the last reply,
    or the assistant; None if nobody answered."""
    if ticket.owner:
        return ticket.owner
    query = select(ReplyRow).where(ReplyRow.ticket_id == ticket.id, ReplyRow.state == "sent")
    last = session.scalar(query.order_by(ReplyRow.created_at.desc(), ReplyRow.id.desc()).limit(1))
    if last is None:
        return None
    return (last.approved_by or "staff") if last.author == "staff" else ASSISTANT
