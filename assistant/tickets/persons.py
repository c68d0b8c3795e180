"""One customer on several channels.

Two tickets are the same customer's only if every message that a customer wrote in either of them
bears the same address, and its channel vouches for that address: a forged mail, a colleague in Cc
or a name alone joins nobody. Tickets are not merged: each is answered on its own channel. But the
other's conversation is known, and while a person has one of them, all are silent: also an answer
that was being written when the person took it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, exists, or_, select
from sqlalchemy.orm import Session

from assistant.messages import Ticket
from assistant.tickets.database import sessions
from assistant.tickets.rows import as_ticket
from assistant.tickets.tables import MessageRow, TicketRow

TOGETHER = timedelta(days=30)  # a ticket without news for longer is another matter


class Persons:
    """Which tickets are the same customer's."""

    def __init__(self, engine: Engine) -> None:
        _, self._read = sessions(engine)

    def other_tickets(self, ticket: Ticket) -> tuple[Ticket, ...]:
        """The same customer's tickets on other channels that are not solved, oldest first. Tickets
        of staff, who may be told what is internal, are left out."""
        with self._read() as session:
            return tuple(as_ticket(row) for row in others_of(session, ticket))


def with_person(
    ticket: Ticket | TicketRow, others: Sequence[Ticket] | Sequence[TicketRow]
) -> str | None:
    """If a person has this ticket, or one of its customer's others: which and who, in words."""
    if ticket.status == "handed over":
        return f"ticket {ticket.id} is with {ticket.owner or 'a person'}"
    for other in others:
        if other.status == "handed over":
            which = f"ticket {other.id} of the same customer, on {other.connector}"
            return f"{which}, is with {other.owner or 'a person'}"
    return None


def others_of(session: Session, ticket: Ticket | TicketRow) -> Sequence[TicketRow]:
    """As `Persons.other_tickets`, within a transaction."""
    query = (
        select(MessageRow.verified_address, MessageRow.audience)
        .where(MessageRow.author == "customer", MessageRow.ticket_id == ticket.id)
        .distinct()
    )
    own = session.execute(query).all()
    if len(own) != 1 or own[0].verified_address is None or own[0].audience != "public":
        return ()
    address = own[0].verified_address
    theirs = exists().where(
        MessageRow.ticket_id == TicketRow.id,
        MessageRow.author == "customer",
        MessageRow.verified_address == address,
    )
    anybody_elses = exists().where(
        MessageRow.ticket_id == TicketRow.id,
        MessageRow.author == "customer",
        or_(
            MessageRow.verified_address.is_(None),
            MessageRow.verified_address != address,
            MessageRow.audience != "public",
        ),
    )
    tickets = (
        select(TicketRow)
        .where(TicketRow.connector != ticket.connector, TicketRow.status != "solved")
        .where(TicketRow.updated_at > datetime.now(UTC) - TOGETHER)
        .where(theirs, ~anybody_elses)
        .order_by(TicketRow.id)
    )
    return session.scalars(tickets).all()
