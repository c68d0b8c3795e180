"""One customer on several channels.

Two tickets are the same customer's only if every message that a customer wrote in either of them
bears the same address, and its channel vouches for that address: a forged mail, a colleague in Cc
or a name alone joins nobody. Tickets are not merged: each is answered on its own channel. But the
other's conversation is known, and while a person has one of them, all are silent.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, exists, or_, select

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
        query = (
            select(MessageRow.verified_address, MessageRow.audience)
            .where(MessageRow.author == "customer", MessageRow.ticket_id == ticket.id)
            .distinct()
        )
        with self._read() as session:
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
            return tuple(as_ticket(row) for row in session.scalars(tickets))
