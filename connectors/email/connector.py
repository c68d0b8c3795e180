"""The connector: what the desk holds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from imap_tools.errors import MailboxAppendError

from assistant import (
    Accept,
    Attachment,
    DeskmateError,
    Message,
    Notice,
    Reply,
    UndeliverableError,
)
from connectors.email import brakes, compose, files, languages, smtp
from connectors.email.compose import Composed
from connectors.email.drafts import Drafts
from connectors.email.envelope import NAME, Envelope
from connectors.email.guard import Guard
from connectors.email.imap import FAILURES, Imap
from connectors.email.oauth import AccessTokens
from connectors.email.pictures import cited
from connectors.email.receiving import Done, Receiver
from connectors.email.settings import EmailSettings, Mailbox, read
from connectors.email.threads import Threads
from connectors.email.tokens import Tokens
from connectors.email.working import Worker
from connectors.lanes import Lanes

if TYPE_CHECKING:
    from assistant import Desk

KEEP = timedelta(days=365)  # how long a mail can be answered as it wants to be
STAFF_FILES_BYTES = 10_000_000  # of what the customer sent, in a mail to staff

log = logging.getLogger("deskmate.connectors.email")


class EmailConnector:
    """Mailboxes as channels. The desk gives itself with `attach`."""

    name = NAME

    def __init__(
        self, settings: EmailSettings, secret_keys: Sequence[str], max_file_bytes: int
    ) -> None:
        self._settings = settings
        self._tokens = Tokens(secret_keys)
        self._max_file_bytes = max_file_bytes
        if settings.staff_address:
            # Only then can it tell staff: the desk looks whether there is such a method.
            self.notify = self._notify

    def read_settings(self, table: Mapping[str, Any]) -> EmailSettings:
        """The checked settings of a table [connectors.email]. Raises SettingsError."""
        return read(table)

    def attach(self, desk: Desk) -> None:
        """The desk whose tickets these are."""
        self._desk = desk
        self._access = {
            name: AccessTokens(name, box, lambda: desk.tickets.secrets)
            for name, box in self._settings.mailboxes.items()
            if box.oauth_refresh_token
        }
        self._guard, self._done = Guard(), Done()
        self._lanes = Lanes(
            NAME,
            lambda: desk.tickets.arrivals,
            lambda arrival: self._worker.work(arrival),
            lambda arrival, error: self._worker.give_up(arrival, error),
            KEEP,
        )

    @cached_property
    def _worker(self) -> Worker:
        """Made late: it opens the database."""
        desk = self._desk
        threads = Threads(desk.tickets, self._tokens)
        settings = self._settings
        return Worker(desk, settings, threads, self._guard, self._done, self._max_file_bytes)

    def run(self, accept: Accept, stop: threading.Event) -> None:
        """Works on what the mailboxes received, until `stop` is set."""
        self._worker.accept = accept
        try:
            self._lanes.run(stop)
        finally:
            self._guard.close()

    def branches(self) -> dict[str, Callable[[threading.Event], None]]:
        """What receives the mails of each mailbox."""
        return {
            name: self._receiver(name, box).run for name, box in self._settings.mailboxes.items()
        }

    def _receiver(self, name: str, box: Mailbox) -> Receiver:
        return Receiver(
            name,
            box,
            self._access.get(name),
            lambda: self._desk.tickets.arrivals,
            self._tokens,
            self._done,
            self._lanes.wake,
            lambda imap: self._put_drafts(name, imap) if box.imap_drafts else None,
        )

    def hold(self, reply: Reply) -> str | None:
        """Why a person looks at an answer before it leaves."""
        tickets = self._desk.tickets
        envelope = Envelope.of(tickets, reply.in_reply_to)
        name, box = self._box(reply.thread_id)
        if not envelope.mailbox:
            return "what was known of the customer's mail is not kept any more"
        if envelope.hold:
            return envelope.hold
        looked_at = tickets.replies.reviewed(NAME, f"{name}/")
        if looked_at < box.drafts_first:
            return (
                f"mailbox {name!r} is new: {looked_at} of {box.drafts_first} drafts were looked at"
            )
        question = self._question(reply)
        stored = tickets.outcomes.of_message(NAME, reply.in_reply_to)
        answers = stored is not None and stored.outcome.action == "reply"
        language = question.language if question and answers else None
        if reason := languages.differ(language, reply.text):
            return reason
        return brakes.reason_to_hold(
            tickets.replies, reply, box.answers_per_sender, box.answers_per_mailbox
        )

    def send(self, reply: Reply) -> str:
        """Hands the answer in; returns its Message-ID. Raises UndeliverableError for files that
        are not passed on."""
        name, box = self._box(reply.thread_id)
        if reason := files.refusal(reply.attachments):
            raise UndeliverableError(f"{reason}. Answer once more, without it.")
        mail = self._answer(reply, box)
        self._deliver(name, box, mail, f"sent/{reply.id}")
        self._copy(name, box, mail)
        if box.imap_drafts:
            self._remove_draft(name, box, reply)
        return mail.message_id

    def find_sent(self, reply: Reply) -> str | None:
        """The Message-ID, if the server took the answer already: by our own note of that, or by the
        sent folder, where some servers put it themselves."""
        name, box = self._box(reply.thread_id)
        mail = self._answer(reply, box)
        if self._desk.tickets.arrivals.find(NAME, f"sent/{reply.id}"):
            self._copy(name, box, mail)
            return mail.message_id
        with Imap(box, self._access.get(name)) as imap:
            found = imap.find(self._sent_folder(imap, box), mail.message_id)
        return mail.message_id if found else None

    def _notify(self, notice: Notice) -> str:
        """Writes to staff, from the mailbox of the ticket, or the first one."""
        name, box = self._box(notice.ticket.thread_id if notice.ticket.connector == NAME else "")
        address, sent = self._settings.staff_address, self._files(notice)
        mail = compose.notice(notice, box, self._tokens, address, sent)
        if self._desk.tickets.arrivals.find(NAME, f"sent/{notice.id}") is None:
            self._deliver(name, box, mail, f"sent/{notice.id}")
        return mail.message_id

    def _deliver(self, name: str, box: Mailbox, mail: Composed, mark: str) -> None:
        """Hands a mail in and notes that at once: a crash just between is the one moment after
        which it is sent again."""
        smtp.deliver(box, self._access.get(name), mail.raw, mail.recipients)
        self._desk.tickets.arrivals.note(NAME, mark, mark, mark, {"kind": "delivered"})
        self._desk.tickets.arrivals.finish(NAME, mark)

    def _copy(self, name: str, box: Mailbox, mail: Composed) -> None:
        """A copy in the sent folder, if there is none; the mail is sent, with or without it."""
        if not box.copy_to_sent:
            return
        try:
            with Imap(box, self._access.get(name)) as imap:
                folder = self._sent_folder(imap, box)
                if not imap.find(folder, mail.message_id):
                    imap.append(folder, mail.raw, ["\\Seen"])
        except FAILURES as error:
            log.warning("failed_copy mailbox=%s error=%s", name, type(error).__name__)

    def _put_drafts(self, name: str, imap: Imap) -> None:
        """Puts what waits into the drafts folder. A full mailbox takes none; mails are received
        all the same."""
        try:
            self._drafts(name).put(imap)
        except MailboxAppendError as error:
            log.warning("failed_draft mailbox=%s error=%s", name, type(error).__name__)

    def _remove_draft(self, name: str, box: Mailbox, reply: Reply) -> None:
        stored = self._desk.tickets.outcomes.of_message(NAME, reply.in_reply_to)
        if stored is None:
            return
        try:
            with Imap(box, self._access.get(name)) as imap:
                self._drafts(name).remove(imap, stored.id, reply.ticket_id)
        except FAILURES as error:
            log.warning("failed_removal mailbox=%s error=%s", name, type(error).__name__)

    def _answer(self, reply: Reply, box: Mailbox) -> Composed:
        stored = self._desk.tickets.replies.get(reply.id)
        by: compose.Author = "checked" if stored.approved_by else "assistant"
        if stored.author == "staff":
            by = "staff"
        envelope = Envelope.of(self._desk.tickets, reply.in_reply_to)
        question, shown = self._question(reply), cited(self._desk, reply.citations)
        return compose.answer(reply, box, self._tokens, envelope, question, by=by, pictures=shown)

    def _question(self, reply: Reply) -> Message | None:
        try:
            return self._desk.tickets.message(NAME, reply.in_reply_to)
        except DeskmateError:
            return None

    def _files(self, notice: Notice) -> list[Attachment]:
        """What the customer sent with the newest message."""
        messages = self._desk.tickets.messages(notice.ticket.id)
        customers = [message for message in messages if message.author == "customer"]
        found = [file for message in customers[-1:] for file in message.attachments if file.content]
        while sum(len(file.content) for file in found) > STAFF_FILES_BYTES:
            found.pop()
        return found

    def test(self, to: str) -> str:
        """Sends a test mail from every mailbox; raises whatever went wrong with the first."""
        for name, box in self._settings.mailboxes.items():
            mail = compose.trial(box, to)
            smtp.deliver(box, self._access.get(name), mail.raw, mail.recipients)
        return f"Sent to {to} from {', '.join(self._settings.mailboxes)}."

    def _box(self, thread_id: str) -> tuple[str, Mailbox]:
        """The mailbox of a conversation; without a conversation, the first one."""
        name = thread_id.partition("/")[0] or next(iter(self._settings.mailboxes))
        if name not in self._settings.mailboxes:
            raise DeskmateError(
                f"mailbox {name!r} is not in the settings any more, and this ticket came by it."
            )
        return name, self._settings.mailboxes[name]

    def _sent_folder(self, imap: Imap, box: Mailbox) -> str:
        return box.sent_folder or imap.special("\\Sent", "Sent")

    def _drafts(self, name: str) -> Drafts:
        return Drafts(self._desk, name, self._settings.mailboxes[name], self._tokens)
