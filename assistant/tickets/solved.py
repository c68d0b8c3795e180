"""Solved tickets as examples to learn from: what was asked, and the article that settled it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from assistant.messages import Attachment
from assistant.tickets.database import sessions
from assistant.tickets.feedback import last_thumb
from assistant.tickets.rows import read_messages
from assistant.tickets.tables import (
    CitationRow,
    MessageRow,
    OutcomeRow,
    ReplyRow,
    TicketRow,
)


@dataclass(frozen=True)
class Solved:
    """A question with its attachments, and the article that the answer cites first."""

    ticket_id: int
    text: str
    attachments: tuple[Attachment, ...]
    article_id: str


def solved_questions(engine: Engine) -> Iterator[Solved]:
    """What was asked in solved tickets, oldest first, where the last answer that was sent cites an
    article and nobody's last thumb went down. An answer that a person wrote cites nothing."""
    _, read = sessions(engine)
    last_reply = (
        select(func.max(ReplyRow.created_at))
        .where(ReplyRow.ticket_id == TicketRow.id, ReplyRow.state == "sent")
        .correlate(TicketRow)
        .scalar_subquery()
    )
    query = (
        select(TicketRow, OutcomeRow.id, CitationRow.article_id)
        .join(ReplyRow, ReplyRow.ticket_id == TicketRow.id)
        .join(OutcomeRow, OutcomeRow.id == ReplyRow.outcome_id)
        .join(CitationRow, CitationRow.outcome_id == OutcomeRow.id)
        .where(
            TicketRow.status == "solved",
            ReplyRow.state == "sent",
            ReplyRow.created_at == last_reply,
            func.coalesce(last_thumb(), True).is_(True),
            CitationRow.number == 1,
        )
        .order_by(TicketRow.id)
    )
    with read() as session:
        for ticket, outcome_id, article_id in session.execute(query).all():
            rows = session.scalars(
                select(MessageRow)
                .where(MessageRow.outcome_id == outcome_id, MessageRow.author == "customer")
                .order_by(MessageRow.id)
            ).all()
            messages = list(read_messages(session, ticket, rows))
            texts = [part for m in messages for part in (m.subject, m.text) if part.strip()]
            yield Solved(
                ticket.id,
                "\n".join(dict.fromkeys(texts)),
                tuple(file for message in messages for file in message.attachments),
                article_id,
            )
