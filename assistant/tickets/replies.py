"""Replies to be sent: the intent, each attempt, and what became of it."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from assistant.errors import DeskmateError
from assistant.messages import Attachment, Author, Reply
from assistant.tickets.database import sessions
from assistant.tickets.delays import waits
from assistant.tickets.events import note
from assistant.tickets.outcomes import ANSWERING, SPEAKING
from assistant.tickets.persons import others_of, with_person
from assistant.tickets.rows import (
    audit,
    find_ticket,
    intend_notice,
    intend_reply,
    read_attachments,
    read_citations,
    reply_id_for,
    settle,
    take_due,
)
from assistant.tickets.storing import insert_blobs
from assistant.tickets.tables import AuditRow, OutcomeRow, ReplyAttachmentRow, ReplyRow, TicketRow
from assistant.tickets.workers import living


@dataclass(frozen=True)
class StoredReply:
    """A reply and where it stands.

    `state` is intended, sent, held (a plugin wants a person to see it), failed (given up) or
    discarded (by a person); `error` says why it was held or what went wrong last. `approved_by`
    is the person who approved or wrote it; `author` is `staff` if the words are a person's. It
    `tells_delay` if it says no more than that the answer takes longer.
    """

    reply: Reply
    state: str
    attempts: int
    due_at: datetime
    sent_at: datetime | None
    external_id: str | None
    error: str | None
    approved_by: str | None
    author: Author
    tells_delay: bool

    @property
    def send_id(self) -> str:
        """The id of the workflow that makes the next attempt to send it."""
        return f"{self.reply.id}/{self.attempts + 1}"


class Replies:
    """The replies of all tickets."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def get(self, reply_id: str) -> StoredReply:
        """One reply. Raises DeskmateError if there is none of this id."""
        with self._read() as session:
            return _read(session, _find(session, reply_id))

    def of_ticket(self, ticket_id: int) -> tuple[StoredReply, ...]:
        """A ticket's replies, oldest first."""
        query = select(ReplyRow).where(ReplyRow.ticket_id == ticket_id)
        with self._read() as session:
            rows = session.scalars(query.order_by(ReplyRow.created_at)).all()
            return tuple(_read(session, row) for row in rows)

    def automatic_since(
        self, connector: str, since: datetime, thread: str = "", to: str = ""
    ) -> int:
        """How many replies a connector has sent since then without a person's approval; only those
        in conversations whose names begin with `thread`, to people whose names end with `to`."""
        query = (
            select(func.count())
            .select_from(ReplyRow)
            .join(TicketRow, TicketRow.id == ReplyRow.ticket_id)
            .where(TicketRow.connector == connector, ReplyRow.sent_at >= since)
            .where(ReplyRow.approved_by.is_(None))
            .where(TicketRow.thread_id.startswith(thread, autoescape=True))
            .where(ReplyRow.recipient.endswith(to, autoescape=True))
        )
        with self._read() as session:
            return session.scalar(query) or 0

    def reviewed(self, connector: str, thread: str = "") -> int:
        """How many answers people approved or discarded, in conversations whose names begin so."""
        query = (
            select(func.count())
            .select_from(AuditRow)
            .join(TicketRow, TicketRow.id == AuditRow.ticket_id)
            .where(TicketRow.connector == connector, AuditRow.action.in_(("approve", "discard")))
            .where(TicketRow.thread_id.startswith(thread, autoescape=True))
        )
        with self._read() as session:
            return session.scalar(query) or 0

    def take_due(self, again_after: float, limit: int = 500) -> tuple[StoredReply, ...]:
        """Replies that are due. They are due again `again_after` seconds from now, unless
        their sending ends before, so that a crash between this call and the queue loses none."""
        with self._write.begin() as session:
            rows = take_due(session, ReplyRow, ReplyRow.due_at, again_after, limit)
            return tuple(_read(session, row) for row in rows)

    def begin_attempt(
        self, reply_id: str, worker: str, joined_at: datetime, again_after: float
    ) -> int:
        """Notes that the worker that joined then is about to send the reply; returns which
        attempt it is, from 1. From 2 on, an earlier attempt may have sent it without living to
        say so.

        Raises DeskmateError if that worker was taken for dead: others do its work already.
        """
        with self._write.begin() as session:
            if living(session, worker, joined_at) is None:
                raise DeskmateError(f"worker {worker!r} was taken over by another one.")
            row = _find(session, reply_id, lock=True)
            row.attempts += 1
            row.due_at = datetime.now(UTC) + timedelta(seconds=again_after)
            return row.attempts

    def silenced(self, reply_id: str) -> str | None:
        """Why a reply may not go any more: its customer is with a person by now, or it says that
        the answer takes longer and that came first. What a person approved may always go, and so
        may what tells the customer that a person answers."""
        with self._read() as session:
            row = _find(session, reply_id)
            if row.approved_by:
                return None
            if row.outcome_id is None:
                if waits(session, row.ticket_id) is None:
                    return "the answer came first"
            elif session.get_one(OutcomeRow, row.outcome_id).action not in SPEAKING:
                return None
            ticket = find_ticket(session, row.ticket_id)
            return with_person(ticket, others_of(session, ticket))

    def record_sent(self, reply_id: str, external_id: str) -> None:
        """The channel took the reply as `external_id`."""
        with self._write.begin() as session:
            ticket = find_ticket(session, _find(session, reply_id).ticket_id, lock=True)
            row = _find(session, reply_id, lock=True)
            if row.state != "sent":
                note(session, ticket, "reply.sent", reply=reply_id, outcome=row.outcome_id)
            row.state, row.external_id, row.error = "sent", external_id, None
            row.sent_at = datetime.now(UTC)

    def record_failure(self, reply_id: str, error: str, again_after: float | None) -> None:
        """An attempt failed. The reply is due again in `again_after` seconds, or, if that is
        None, given up and left to a person."""
        with self._write.begin() as session:
            row = _find(session, reply_id, lock=True)
            row.error = error
            if again_after is None:
                _leave_to_person(session, row, "failed", error)
            else:
                row.due_at = datetime.now(UTC) + timedelta(seconds=again_after)

    def record_dropped(self, reply_id: str, reason: str) -> None:
        """The reply is not wanted any more, since a person answers."""
        with self._write.begin() as session:
            row = _find(session, reply_id, lock=True)
            row.state, row.error = "discarded", reason

    def record_held(self, reply_id: str, reason: str) -> None:
        """A plugin holds the reply back; a person can approve it."""
        with self._write.begin() as session:
            row = _find(session, reply_id, lock=True)
            row.error = reason
            _leave_to_person(session, row, "held", reason)

    def approve(self, outcome_id: int, who: str, text: str | None = None) -> str:
        """Approves a waiting draft, or a reply that was held or failed, with `text` in place of
        its own if given. Returns the id of the reply to send.

        Raises DeskmateError if there is nothing to approve, for instance since somebody else was
        faster.
        """
        with self._write.begin() as session:
            outcome, ticket = _outcome(session, outcome_id)
            reply = session.scalar(select(ReplyRow).where(ReplyRow.outcome_id == outcome_id))
            if outcome.draft_state == "waiting":
                outcome.draft_state = "approved"
                reply_id = reply_id_for(outcome.message_key)
                reply = intend_reply(session, reply_id, ticket, outcome, outcome.text)
            elif reply is None or reply.state not in ("held", "failed"):
                raise _not_waiting(outcome, reply)
            reply.state, reply.approved_by, reply.due_at = "intended", who, datetime.now(UTC)
            reply.changed_share = 0.0 if text is None else changed_share(reply.text, text)
            if text is not None and text != reply.text:
                reply.text, reply.author = text, "staff"
            audit(session, ticket.id, who, "approve", "edited" if text is not None else "")
            settle(session, ticket)
            return reply.id

    def discard(self, outcome_id: int, who: str, reason: str = "") -> None:
        """Discards a waiting draft, or a reply that was held or failed; the ticket is then the
        person's. Raises DeskmateError if nothing is waiting."""
        with self._write.begin() as session:
            outcome, ticket = _outcome(session, outcome_id)
            reply = session.scalar(select(ReplyRow).where(ReplyRow.outcome_id == outcome_id))
            if outcome.draft_state == "waiting":
                outcome.draft_state = "discarded"
            elif reply is not None and reply.state in ("held", "failed"):
                reply.state = "discarded"
            else:
                raise _not_waiting(outcome, reply)
            ticket.status, ticket.owner, ticket.updated_at = "handed over", who, datetime.now(UTC)
            audit(session, ticket.id, who, "discard", reason)
            note(session, ticket, "ticket.handed_over", by=who)

    def write(
        self,
        ticket_id: int,
        who: str,
        text: str,
        reply_id: str = "",
        attachments: Sequence[Attachment] = (),
    ) -> str:
        """Adds a reply that the person `who` wrote, with files; returns its id. Written again with
        the same `reply_id`, a UUID, it stays the one it was."""
        with self._write.begin() as session:
            ticket = find_ticket(session, ticket_id, lock=True)
            if reply_id and session.scalar(select(ReplyRow.id).where(ReplyRow.id == reply_id)):
                return reply_id
            reply = intend_reply(session, reply_id or str(uuid.uuid4()), ticket, None, text)
            reply.author, reply.approved_by = "staff", who
            _attach(session, reply, attachments)
            audit(session, ticket_id, who, "reply", "")
            settle(session, ticket)
            return reply.id


def changed_share(before: str, after: str) -> float:
    """The share of words, from 0 to 1, in which two texts differ (Ratcliff and Obershelp, 1988)."""
    matcher = difflib.SequenceMatcher(None, before.split(), after.split(), autojunk=False)
    return 1 - matcher.ratio()


def _attach(session: Session, reply: ReplyRow, attachments: Sequence[Attachment]) -> None:
    insert_blobs(session, attachments)
    session.flush()
    for position, file in enumerate(attachments):
        row = ReplyAttachmentRow(reply_id=reply.id, position=position, sha256=file.sha256)
        row.media_type, row.filename, row.missing = file.media_type, file.filename, file.missing
        session.add(row)


def _leave_to_person(
    session: Session, row: ReplyRow, state: Literal["held", "failed"], reason: str
) -> None:
    row.state = state
    ticket = find_ticket(session, row.ticket_id, lock=True)
    settle(session, ticket)
    intend_notice(session, ticket, row.outcome_id, state, reason)


def _find(session: Session, reply_id: str, lock: bool = False) -> ReplyRow:
    query = select(ReplyRow).where(ReplyRow.id == reply_id)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise DeskmateError(f"reply {reply_id}: no such reply.")
    return row


def _outcome(session: Session, outcome_id: int) -> tuple[OutcomeRow, TicketRow]:
    """The outcome and its ticket, read after the ticket is locked against other persons."""
    ticket_id = session.scalar(select(OutcomeRow.ticket_id).where(OutcomeRow.id == outcome_id))
    if ticket_id is None:
        raise DeskmateError(f"outcome {outcome_id}: no such outcome.")
    ticket = find_ticket(session, ticket_id, lock=True)
    return session.get_one(OutcomeRow, outcome_id), ticket


def _not_waiting(outcome: OutcomeRow, reply: ReplyRow | None) -> DeskmateError:
    state = reply.state if reply else outcome.draft_state or outcome.action
    return DeskmateError(f"outcome {outcome.id} is not waiting for a person: it is {state!r}.")


def _read(session: Session, row: ReplyRow) -> StoredReply:
    ticket = find_ticket(session, row.ticket_id)
    outcome = session.get(OutcomeRow, row.outcome_id) if row.outcome_id else None
    cites = outcome is not None and outcome.action in ANSWERING
    reply = Reply(
        id=row.id,
        ticket_id=ticket.id,
        connector=ticket.connector,
        thread_id=ticket.thread_id,
        to=row.recipient,
        subject=row.subject,
        text=row.text,
        citations=read_citations(session, row.outcome_id) if cites else (),
        in_reply_to=row.in_reply_to,
        attachments=read_attachments(
            session, ReplyAttachmentRow, ReplyAttachmentRow.reply_id == row.id
        ),
    )
    return StoredReply(
        reply=reply,
        state=row.state,
        attempts=row.attempts,
        due_at=row.due_at,
        sent_at=row.sent_at,
        external_id=row.external_id,
        error=row.error,
        approved_by=row.approved_by,
        author=row.author,
        tells_delay=row.outcome_id is None and row.approved_by is None,
    )
