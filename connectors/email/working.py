"""What becomes of a mail that came in, once it is stored."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assistant import Accept, Attachment, DeskmateError, Message, Outcome, Ticket
from connectors.email import languages, loops, trust
from connectors.email.address import matches
from connectors.email.envelope import NAME, Envelope
from connectors.email.guard import Guard
from connectors.email.mime import Mail
from connectors.email.receiving import Done
from connectors.email.settings import EmailSettings
from connectors.email.threads import Threads, thread_id
from connectors.email.tokens import Mark, without_marks

if TYPE_CHECKING:
    from assistant import Desk
    from assistant.tickets.arrivals import Arrival

RELAYED = uuid.UUID("0f6b0d37-6d1c-5c2e-8a55-3f2b7f4a9b11")  # names colleagues' relayed answers
_SEND = re.compile(r"\W*send\W*", re.IGNORECASE)
_DISCARD = re.compile(r"\W*discard\W*", re.IGNORECASE)

log = logging.getLogger("deskmate.connectors.email")


class Worker:
    """Makes messages of mails. `max_file_bytes` is the size of attachments that are kept."""

    def __init__(
        self,
        desk: Desk,
        settings: EmailSettings,
        threads: Threads,
        guard: Guard,
        done: Done,
        max_file_bytes: int,
    ) -> None:
        self.accept: Accept = lambda message: desk.inbox.accept(message)
        self._desk = desk
        self._settings = settings
        self._threads = threads
        self._guard = guard
        self._done = done
        self._max_file_bytes = max_file_bytes

    def work(self, arrival: Arrival) -> Mapping[str, Any]:
        """Does what the mail asks for; returns what is to be kept of it.

        Raises whatever went wrong: it comes again.
        """
        kind = arrival.payload.get("kind")
        if kind not in ("mail", "sent"):
            return arrival.payload
        mailbox = arrival.payload["mailbox"]
        if mailbox not in self._settings.mailboxes:
            return arrival.payload  # it is answered no more
        mail = self._read(arrival)
        if kind == "sent":
            kept = self._sent(arrival, mail)
        else:
            kept = self._received(arrival, mail)
            self._done.add(mailbox, arrival.external_id, bool(kept.get("filed")))
        log.info(
            "worked_on_mail message=%s kind=%s filed=%s",
            arrival.external_id,
            mail.kind,
            bool(kept.get("filed")),
        )
        return kept

    def give_up(self, arrival: Arrival, error: str) -> None:
        """Leaves to a person, as a file, a mail of which no message could be made for a day."""
        if arrival.payload.get("kind") != "mail":
            return  # nobody waits for an answer to what was sent from here
        tickets = self._desk.tickets
        raw = tickets.arrivals.content(NAME, arrival.external_id)
        mailbox = arrival.payload["mailbox"]
        message = Message(
            NAME,
            arrival.external_id,
            thread_id(mailbox, arrival.external_id),
            sender="somebody (see the file)",
            text="",
            attachments=(self._attachment(Attachment("message/rfc822", "mail.eml", raw)),),
        )
        ticket = tickets.store_message(message)
        outcome = Outcome("hand over", f"the mail could not be worked on: {error}", text="")
        tickets.outcomes.store(ticket.id, message, [message.external_id], outcome)
        self._done.add(mailbox, arrival.external_id, False)

    def _read(self, arrival: Arrival) -> Mail:
        raw = self._desk.tickets.arrivals.content(NAME, arrival.external_id)
        mail = self._guard.parse(raw)
        size = arrival.payload.get("size", 0)
        if size > len(raw) + 1_000:
            fault = f"it has {size / 1e6:.0f} MB, and only its beginning was fetched"
            files = [replace(file, content=b"", missing=fault) for file in mail.attachments]
            return replace(mail, attachments=tuple(files), fault=fault)
        return mail

    def _received(self, arrival: Arrival, mail: Mail) -> dict[str, Any]:
        name, uid = arrival.payload["mailbox"], arrival.payload["uid"]
        domain = mail.author.domain if mail.author else ""
        authserv_id = self._settings.mailboxes[name].authserv_id
        verdict = trust.verdict(mail.headers, domain, authserv_id)
        rule = loops.rule(mail, self._settings.own_addresses, self._threads.tokens, verdict)
        envelope = Envelope.of_mail(name, uid, mail, rule.reason if rule.what == "hold" else "")
        kept = {**arrival.payload, **envelope.payload}
        if rule.what == "file":
            self._file(arrival, mail, rule.reason)
            return {**kept, "filed": rule.reason}
        # Kept before it is accepted: the answer may be on its way before this ends.
        self._desk.tickets.arrivals.change(NAME, arrival.external_id, kept)
        authentic = verdict == "authentic"
        if self._from_staff(mail, authentic) and self._staff(arrival, mail):
            return kept
        ticket = self._threads.find(name, mail, authentic=authentic)
        thread = ticket.thread_id if ticket else self._threads.new(name, mail, arrival.external_id)
        message = self._message(arrival, mail, thread)
        if authentic and mail.author:
            message = replace(message, verified_address=mail.author.address)
        self.accept(message)
        return kept

    def _file(self, arrival: Arrival, mail: Mail, reason: str) -> None:
        """Keeps what is never answered with its ticket, if it brings our mark of one."""
        for mark in self._threads.marks(mail):
            ticket = self._ticket(mark)
            if ticket and ticket.connector == NAME and mark.purpose == "reply":
                message = self._message(arrival, mail, ticket.thread_id)
                self._desk.tickets.history.add([self._desk.kept(message)], reason)
                return

    def _from_staff(self, mail: Mail, authentic: bool) -> bool:
        """Whether a colleague wrote it, which our server or a mark that only staff get must say."""
        assert mail.author is not None  # else it was filed
        staff = (*self._settings.staff, *filter(None, [self._settings.staff_address]))
        known = matches(mail.author.address, staff)
        return known and (authentic or any(m.purpose == "staff" for m in self._threads.marks(mail)))

    def _staff(self, arrival: Arrival, mail: Mail) -> bool:
        """A colleague's mail about a ticket; returns False if it is about none."""
        for mark in self._threads.marks(mail):
            ticket = self._ticket(mark)
            if ticket is None:
                continue
            if mark.purpose == "staff":
                self._relay(arrival, mail, ticket, mark)
            else:
                self._answered(arrival, mail, ticket)
            return True
        for message_id in mail.answers:
            ticket = self._threads.began(arrival.payload["mailbox"], message_id)
            if ticket is not None:
                self._answered(arrival, mail, ticket)
                return True
        return False

    def _relay(self, arrival: Arrival, mail: Mail, ticket: Ticket, mark: Mark) -> None:
        """A colleague answered what staff were told: words and files go to the customer, what is
        quoted does not."""
        who, tickets = str(mail.author), self._desk.tickets
        waiting = self._waiting(ticket)
        if _SEND.fullmatch(mail.text) or _DISCARD.fullmatch(mail.text):
            for outcome_id in waiting[-1:]:
                if _SEND.fullmatch(mail.text):
                    self._desk.approve(outcome_id, who)
                else:
                    tickets.replies.discard(outcome_id, who, "by e-mail")
            return
        text = without_marks(mail.text).strip()
        files = [self._attachment(file) for file in mail.attachments]
        if mail.fault:  # the colleague hears of it, as of a file that is not passed on
            files.append(Attachment("message/rfc822", "your mail", b"", mail.fault))
        if not text and not files:
            return
        tickets.hand_over(ticket.id, who, "answered by e-mail")
        self._discard(ticket, who, waiting)
        reply_id = str(uuid.uuid5(RELAYED, arrival.external_id))
        tickets.replies.write(ticket.id, who, text, reply_id, files)
        self._desk.inbox.send(reply_id)

    def _answered(self, arrival: Arrival, mail: Mail, ticket: Ticket) -> None:
        """A colleague wrote to the customer: it is kept, and the ticket is that colleague's."""
        message = self._message(arrival, mail, ticket.thread_id)
        self.accept(replace(message, author="staff"))
        self._discard(ticket, str(mail.author), self._waiting(ticket))

    def _sent(self, arrival: Arrival, mail: Mail) -> dict[str, Any]:
        """A mail from the sent folder, none of ours: a colleague answered from the mailbox."""
        for mark in self._threads.marks(replace(mail, answers=(mail.message_id, *mail.answers))):
            ticket = self._ticket(mark)
            if ticket and ticket.connector == NAME and mark.purpose == "reply":
                self._answered(arrival, mail, ticket)
                return dict(arrival.payload)
        for message_id in mail.answers:
            if ticket := self._threads.began(arrival.payload["mailbox"], message_id):
                self._answered(arrival, mail, ticket)
                break
        return dict(arrival.payload)

    def _waiting(self, ticket: Ticket) -> list[int]:
        """The ticket's answers that wait for a person."""
        tickets = self._desk.tickets
        held = [
            s.reply.id
            for s in tickets.replies.of_ticket(ticket.id)
            if s.state in ("held", "failed")
        ]
        return [
            stored.id
            for stored in tickets.outcomes.of_ticket(ticket.id)
            if stored.draft_state == "waiting" or stored.reply_id in held
        ]

    def _discard(self, ticket: Ticket, who: str, waiting: list[int]) -> None:
        for outcome_id in waiting:
            try:
                self._desk.tickets.replies.discard(outcome_id, who, "answered by e-mail")
            except DeskmateError:  # somebody else was faster
                continue

    def _message(self, arrival: Arrival, mail: Mail, thread: str) -> Message:
        return Message(
            connector=NAME,
            external_id=arrival.external_id,
            thread_id=thread,
            sender=str(mail.author) if mail.author else "<>",
            text=without_marks(mail.text).strip(),
            subject=mail.subject,
            attachments=tuple(self._attachment(file) for file in mail.attachments),
            language=languages.of(mail.text),
            sent_at=min(mail.sent_at or arrival.received_at, arrival.received_at),
        )

    def _attachment(self, file: Attachment) -> Attachment:
        if len(file.content) <= self._max_file_bytes:
            return file
        reason = f"it is larger than {self._max_file_bytes // 1_000_000} MB"
        return replace(file, content=b"", missing=reason)

    def _ticket(self, mark: Mark) -> Ticket | None:
        try:
            return self._desk.tickets.ticket(mark.ticket_id)
        except DeskmateError:
            return None
