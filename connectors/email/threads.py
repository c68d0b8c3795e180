"""Which ticket a mail belongs to, and who may say so.

A mail names what it answers by Message-IDs and, quoted, by the mark in our text. That is not
enough: it joins a ticket only if its sender takes part in it, and either our server found the
sender authentic or it brings a mark of ours, which only who got a mail of that ticket can have.
Everybody else gets a ticket of their own: nobody joins another customer's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant import DeskmateError, Ticket
from connectors.email.address import address_of
from connectors.email.envelope import NAME, Envelope
from connectors.email.mime import Mail
from connectors.email.tokens import Mark, Tokens

if TYPE_CHECKING:
    from assistant.tickets.repository import Tickets


@dataclass(frozen=True)
class Threads:
    """The conversations of all mailboxes."""

    tickets: Tickets
    tokens: Tokens

    def marks(self, mail: Mail) -> list[Mark]:
        """Our marks that a mail brings, those of what it answers directly first."""
        in_headers = map(self.tokens.of_message_id, (*mail.answers, *mail.returned))
        return [*filter(None, in_headers), *self.tokens.in_texts(mail.text, mail.quoted)]

    def find(self, mailbox: str, mail: Mail, *, authentic: bool) -> Ticket | None:
        """The ticket that the mail goes on with, None if it is a new one."""
        if mail.author is None:
            return None
        for mark in self.marks(mail):
            ticket = self._ticket(mark.ticket_id)
            if mark.purpose == "reply" and ticket and self.takes_part(mail.author.address, ticket):
                return ticket
        for message_id in (mail.message_id, *mail.answers) if authentic else ():
            ticket = self.began(mailbox, message_id)
            if ticket and self.takes_part(mail.author.address, ticket):
                return ticket
        return None

    def began(self, mailbox: str, message_id: str) -> Ticket | None:
        """The ticket that began with the mail of this Message-ID."""
        return self.tickets.find(NAME, thread_id(mailbox, message_id))

    def new(self, mailbox: str, mail: Mail, identity: str) -> str:
        """A name for a new conversation: by its first Message-ID, so that what answers it finds it,
        even if that comes first; by the mail itself where that name is taken."""
        first = mail.answers[-1] if mail.answers else mail.message_id
        name = thread_id(mailbox, first or identity)
        return name if self.tickets.find(NAME, name) is None else thread_id(mailbox, identity)

    def takes_part(self, address: str, ticket: Ticket) -> bool:
        """Whether it is the customer's address, or one that the customer put in To or Cc."""
        return address in set(self._participants(ticket))

    def _participants(self, ticket: Ticket) -> Iterator[str]:
        customer = address_of(ticket.customer)
        yield customer
        for message in self.tickets.messages(ticket.id):
            if address_of(message.sender) == customer and message.author == "customer":
                envelope = Envelope.of(self.tickets, message.external_id)
                yield from (address_of(person) for person in (*envelope.to, *envelope.cc))

    def _ticket(self, number: int) -> Ticket | None:
        try:
            ticket = self.tickets.ticket(number)
        except DeskmateError:
            return None
        return ticket if ticket.connector == NAME else None


def thread_id(mailbox: str, message_id: str) -> str:
    """The name of the conversation that this mail began."""
    return f"{mailbox}/{hashlib.sha256(message_id.encode()).hexdigest()[:32]}"


def identity(raw: bytes) -> str:
    """A mail's own name: the same however and wherever it is delivered, and another one's for no
    other mail, whatever Message-ID that claims. Made of what servers do not change on the way."""
    head, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    kept = [line for line in _unfolded(head) if line.lower().startswith(_NAMING)]
    return hashlib.sha256(b"\n".join([*kept, body.rstrip()])).hexdigest()[:40]


_NAMING = (b"message-id:", b"from:", b"date:", b"subject:")


def _unfolded(head: bytes) -> Collection[bytes]:
    return head.replace(b"\n\t", b" ").replace(b"\n ", b" ").split(b"\n")
