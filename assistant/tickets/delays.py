"""Customers who wait for their answer longer than they should without a word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, exists, func, select
from sqlalchemy.orm import Session

from assistant.tickets.database import sessions
from assistant.tickets.persons import others_of, with_person
from assistant.tickets.rows import find_ticket, intend_reply, reply_id_for
from assistant.tickets.tables import MessageRow, ReplyRow

AT_ONCE = 100


class Delays:
    """Tells customers that their answer takes longer: a reply like any other, but of no outcome."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def tell(self, after_seconds: float, text: str) -> tuple[str, ...]:
        """Intends to send `text` to customers whose message has waited for so long, each once
        until they are answered; returns the ids of the replies. Who is with a person is told
        nothing by a machine. Takes those who wait longest, a hundred at most."""
        told = exists().where(
            ReplyRow.ticket_id == MessageRow.ticket_id,
            ReplyRow.outcome_id.is_(None),
            ReplyRow.approved_by.is_(None),
            ReplyRow.created_at > MessageRow.received_at,
        )
        query = (
            select(MessageRow.ticket_id)
            .where(MessageRow.outcome_id.is_(None), MessageRow.author == "customer", ~told)
            .where(MessageRow.received_at < datetime.now(UTC) - timedelta(seconds=after_seconds))
            .group_by(MessageRow.ticket_id)
            .order_by(func.min(MessageRow.id))
            .limit(AT_ONCE)
        )
        with self._read() as session:
            late = session.scalars(query).all()
        intended = []
        for ticket_id in late:
            with self._write.begin() as session:
                if reply_id := _intend(session, ticket_id, text):
                    intended.append(reply_id)
        return tuple(intended)


def waits(session: Session, ticket_id: int) -> MessageRow | None:
    """The customer's oldest message in this ticket that has no outcome yet."""
    query = select(MessageRow).where(
        MessageRow.ticket_id == ticket_id,
        MessageRow.outcome_id.is_(None),
        MessageRow.author == "customer",
    )
    return session.scalar(query.order_by(MessageRow.id).limit(1))


def _intend(session: Session, ticket_id: int, text: str) -> str | None:
    ticket = find_ticket(session, ticket_id, lock=True)
    message = waits(session, ticket_id)
    if message is None or with_person(ticket, others_of(session, ticket)):
        return None
    reply_id = reply_id_for(f"{message.connector}:{message.external_id} is late")
    if session.get(ReplyRow, reply_id):
        return None
    intend_reply(session, reply_id, ticket, None, text)
    return reply_id
