"""What customers asked and the articles did not answer, and what staff answered then."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, or_, select

from assistant.tickets.database import sessions
from assistant.tickets.tables import MessageRow, OutcomeRow, ReplyRow

UNANSWERED = ("the sources do not settle%", "no passage was found%", "the passages found hardly%")
"""How the reasons of hand-overs begin that speak of the articles: see `answering.policy`."""


@dataclass(frozen=True)
class Asked:
    """A question that was handed over, or whose draft was discarded."""

    ticket_id: int
    text: str
    at: datetime


class Gaps:
    """Questions without an answer, from all tickets."""

    def __init__(self, engine: Engine) -> None:
        _, self._read = sessions(engine)

    def unanswered(self, since: datetime, limit: int) -> tuple[Asked, ...]:
        """The newest questions since then for which nothing was found, or whose draft a person
        discarded; subject and text together, what was taken back left out."""
        query = (
            select(OutcomeRow.ticket_id, MessageRow.subject, MessageRow.text, OutcomeRow.created_at)
            .join(MessageRow, MessageRow.outcome_id == OutcomeRow.id)
            .where(
                OutcomeRow.created_at >= since,
                or_(
                    OutcomeRow.draft_state == "discarded",
                    (OutcomeRow.action == "hand over")
                    & or_(*(OutcomeRow.reason.like(begin) for begin in UNANSWERED)),
                ),
                MessageRow.author == "customer",
                MessageRow.withdrawn_at.is_(None),
            )
            .order_by(OutcomeRow.created_at.desc())
            .limit(limit)
        )
        with self._read() as session:
            return tuple(
                Asked(ticket_id, f"{subject}\n{text}".strip(), at)
                for ticket_id, subject, text, at in session.execute(query)
            )

    def staff_answers(self, ticket_ids: Collection[int]) -> tuple[tuple[int, str], ...]:
        """What people wrote to the customers of these tickets, in the console or on the channel:
        the ticket's number and the text, oldest first."""
        replies = select(ReplyRow.ticket_id, ReplyRow.text).where(
            ReplyRow.ticket_id.in_(ticket_ids),
            ReplyRow.author == "staff",
            ReplyRow.state == "sent",
        )
        messages = select(MessageRow.ticket_id, MessageRow.text).where(
            MessageRow.ticket_id.in_(ticket_ids),
            MessageRow.author == "staff",
            MessageRow.withdrawn_at.is_(None),
        )
        with self._read() as session:
            return tuple(
                (ticket_id, text)
                for query in (
                    replies.order_by(ReplyRow.created_at),
                    messages.order_by(MessageRow.id),
                )
                for ticket_id, text in session.execute(query)
            )
