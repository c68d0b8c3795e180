"""What becomes of a row that came in."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assistant import Accept, Attachment, DeskmateError, Message, Outcome, Ticket
from connectors.email import languages
from connectors.ticket_database.reading import HelpDeskMessage, HelpDeskTicket, Reader
from connectors.ticket_database.settings import NAME

if TYPE_CHECKING:
    from assistant import Desk
    from assistant.tickets.arrivals import Arrival

FILE_TRIES = 4
COLLEAGUE = "a colleague"
HELP_DESK = "the help desk"
_COMMAND = re.compile(r"\W*(send|discard)\W*", re.IGNORECASE)

log = logging.getLogger("deskmate.connectors.ticket_database")


class Worker:
    """Makes messages of rows and hands them to `accept`; follows what colleagues do. `verified`:
    the help desk vouches for its customers' addresses."""

    def __init__(self, desk: Desk, reader: Reader, *, verified: bool = False) -> None:
        self.accept: Accept = lambda message: desk.inbox.accept(message)
        self._desk = desk
        self._reader = reader
        self._verified = verified

    def work(self, arrival: Arrival) -> Mapping[str, Any]:
        """Does what the row asks for; returns what is to be kept of it.

        Raises whatever went wrong: it comes again.
        """
        payload = arrival.payload
        match payload.get("kind"):
            case "changes":
                self._changed(payload["ticket"])
            case "tickets":
                if (message := self._reader.opening(payload["id"])) is not None:
                    self._message(arrival, message)
            case "messages":
                if (message := self._reader.message(payload["id"])) is not None:
                    self._message(arrival, message)
        return payload

    def give_up(self, arrival: Arrival, error: str) -> None:
        """Leaves to a person a message that could not be read for a day."""
        if arrival.payload.get("kind") not in ("tickets", "messages"):
            return
        sender, text = "somebody (see the help desk)", ""
        message = Message(
            NAME, arrival.external_id, thread(arrival.payload["ticket"]), sender, text
        )
        tickets = self._desk.tickets
        ticket = tickets.store_message(message)
        outcome = Outcome("hand over", f"it could not be read from the help desk: {error}", text="")
        tickets.outcomes.store(ticket.id, message, [message.external_id], outcome)

    def _message(self, arrival: Arrival, row: HelpDeskMessage) -> None:
        ticket = self._reader.ticket(row.ticket)
        if ticket is None or row.own or row.kind == "other":
            return
        known = self._desk.tickets.find(NAME, thread(ticket.id))
        if row.kind == "internal":
            if known and (command := _COMMAND.fullmatch(row.text)):
                self._command(known, command[1].lower(), row.sender or COLLEAGUE)
            return
        message = self._as_message(ticket, row, last_try=arrival.attempts + 1 >= FILE_TRIES)
        if row.kind == "staff":
            if known:  # else no customer has asked anything yet
                self.accept(message)
                self._discard(known, message.sender)
        elif ticket.open is False:
            self._desk.tickets.history.add(
                [self._desk.kept(message)],
                f"the ticket is {ticket.status!r}",
                customer=ticket.customer,
            )
        else:
            self._customer(ticket, row, message, known)

    def _customer(
        self, ticket: HelpDeskTicket, row: HelpDeskMessage, message: Message, known: Ticket | None
    ) -> None:
        """A customer's message; in a ticket that is a person's it is kept, and not answered."""
        public = [each for each in self._reader.conversation(ticket.id) if each.public]
        names = [each.name for each in public]
        here = names.index(row.name) if row.name in names else len(names)
        colleagues = [each.sender or COLLEAGUE for each in public[here:] if each.by_colleague]
        if known is None:
            self._take_in_before(ticket, public[:here])
            colleagues += [e.sender or COLLEAGUE for e in public[:here] if e.by_colleague]
        person = ticket.assignee or next(iter(colleagues), None)
        if person and (known is None or known.status != "handed over"):
            stored = self._desk.tickets.store_message(self._desk.kept(message))
            self._desk.tickets.hand_over(stored.id, person, "has it in the help desk")
        self.accept(message)

    def _take_in_before(self, ticket: HelpDeskTicket, rows: Sequence[HelpDeskMessage]) -> None:
        """What was said before the assistant came: what nobody answered yet is asked with it."""
        answered = max((n for n, row in enumerate(rows, 1) if row.kind == "staff"), default=0)
        past = [
            self._desk.kept(self._as_message(ticket, row, files=False)) for row in rows[:answered]
        ]
        self._desk.tickets.history.add(past, customer=ticket.customer)
        for row in rows[answered:]:
            self.accept(self._as_message(ticket, row, last_try=True))

    def _changed(self, ticket_id: Any) -> None:
        """Colleagues solved a ticket, or took it."""
        tickets = self._desk.tickets
        ticket, known = self._reader.ticket(ticket_id), tickets.find(NAME, thread(ticket_id))
        if ticket is None or known is None:
            return
        if ticket.solved:
            if known.status != "solved":
                self._desk.solve(known.id, ticket.assignee or HELP_DESK)
        elif ticket.assignee and known.status not in ("handed over", "solved"):
            tickets.hand_over(known.id, ticket.assignee, "has it in the help desk")
            self._discard(known, ticket.assignee)

    def _command(self, ticket: Ticket, command: str, who: str) -> None:
        """A colleague's internal note of one word: the answer that waits is sent, or not."""
        for outcome_id in self._waiting(ticket)[-1:]:
            if command == "send":
                self._desk.approve(outcome_id, who)
            else:
                self._desk.tickets.replies.discard(outcome_id, who, "in the help desk")

    def _discard(self, ticket: Ticket, who: str) -> None:
        for outcome_id in self._waiting(ticket):
            try:
                self._desk.tickets.replies.discard(outcome_id, who, "answered in the help desk")
            except DeskmateError:  # somebody else was faster
                continue

    def _waiting(self, ticket: Ticket) -> list[int]:
        """The ticket's answers that wait for a person."""
        tickets = self._desk.tickets
        stored = tickets.replies.of_ticket(ticket.id)
        held = {each.reply.id for each in stored if each.state in ("held", "failed")}
        return [
            each.id
            for each in tickets.outcomes.of_ticket(ticket.id)
            if each.draft_state == "waiting" or each.reply_id in held
        ]

    def _as_message(
        self,
        ticket: HelpDeskTicket,
        row: HelpDeskMessage,
        *,
        files: bool = True,
        last_try: bool = False,
    ) -> Message:
        by_customer = row.kind == "customer"
        now = datetime.now(UTC)
        return Message(
            connector=NAME,
            external_id=row.name,
            thread_id=thread(ticket.id),
            sender=ticket.customer if by_customer else row.sender or COLLEAGUE,
            text=row.text,
            subject=ticket.subject,
            attachments=self._files(row, last_try=last_try) if files and by_customer else (),
            language=languages.of(row.text) if by_customer else None,
            author="customer" if by_customer else "assistant" if row.own else "staff",
            sent_at=min(row.sent_at or now, now),
            verified_address=self._address(ticket) if by_customer else None,
        )

    def _address(self, ticket: HelpDeskTicket) -> str | None:
        return ticket.customer if self._verified and "@" in ticket.customer else None

    def _files(self, row: HelpDeskMessage, *, last_try: bool) -> tuple[Attachment, ...]:
        try:
            return self._reader.attachments(row.id) if row.name.startswith("messages/") else ()
        except ConnectionError as error:
            if not last_try:
                raise
            log.warning("failed_attachments message=%s", row.name)
            kind = "application/octet-stream"
            return (Attachment(kind, "attachments", b"", f"they could not be had: {error}"),)


def thread(ticket_id: Any) -> str:
    """The name of a ticket's conversation."""
    return f"ticket/{ticket_id}"
