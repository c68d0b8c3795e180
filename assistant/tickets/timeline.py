"""A ticket's conversation as people read it: messages, replies and notes in order, attachments
named and not loaded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from assistant.messages import Attachment, Author
from assistant.tickets.database import sessions
from assistant.tickets.tables import (
    AttachmentRow,
    BlobRow,
    MessageRow,
    OutcomeRow,
    ReplyRow,
    TicketRow,
)
from assistant.tickets.teamwork import NoteRow

LONGEST = 200
"""So many of the newest messages are shown, and as many replies."""


@dataclass(frozen=True)
class File:
    """An attachment's place and name."""

    message_id: int
    position: int
    media_type: str
    filename: str
    missing: str


@dataclass(frozen=True)
class Entry:
    """One thing that was said. `state` is a reply's, or `withdrawn`; `original` what a reply said
    before a person changed it; `problem` why it was held or failed."""

    kind: Literal["message", "reply", "note"]
    at: datetime
    author: Author
    who: str
    text: str
    channel: str = ""
    files: tuple[File, ...] = ()
    outcome_id: int | None = None
    state: str = ""
    original: str | None = None
    problem: str = ""


class Timelines:
    """The conversations of all tickets."""

    def __init__(self, engine: Engine) -> None:
        _, self._read = sessions(engine)

    def of_ticket(self, ticket_id: int) -> tuple[Entry, ...]:
        """The newest of what was said, oldest first."""
        with self._read() as session:
            entries = [*_messages(session, ticket_id), *_replies(session, ticket_id)]
            notes = select(NoteRow).where(NoteRow.ticket_id == ticket_id)
            entries += [
                Entry("note", row.created_at, "staff", row.who, row.text)
                for row in session.scalars(notes.order_by(NoteRow.id.desc()).limit(LONGEST))
            ]
        return tuple(sorted(entries, key=lambda entry: entry.at))

    def file(self, message_id: int, position: int) -> tuple[int, Attachment] | None:
        """An attachment with its content, and its ticket's number; None if there is none."""
        query = (
            select(AttachmentRow, BlobRow.content, MessageRow.ticket_id)
            .join(BlobRow, BlobRow.sha256 == AttachmentRow.sha256)
            .join(MessageRow, MessageRow.id == AttachmentRow.message_id)
            .where(AttachmentRow.message_id == message_id, AttachmentRow.position == position)
        )
        with self._read() as session:
            found = session.execute(query).first()
        if found is None:
            return None
        row, content, ticket_id = found
        return ticket_id, Attachment(row.media_type, row.filename, content, row.missing)

    def files_of(self, outcome_id: int) -> tuple[File, ...]:
        """The attachments of the messages that an outcome covers, in the order they were read."""
        query = (
            select(AttachmentRow)
            .join(MessageRow, MessageRow.id == AttachmentRow.message_id)
            .where(MessageRow.outcome_id == outcome_id)
            .order_by(MessageRow.id, AttachmentRow.position)
        )
        with self._read() as session:
            return tuple(map(_file, session.scalars(query)))

    def fingerprint(self, ticket_id: int) -> str:
        """Changes whenever something of the ticket does that its page shows."""
        ticket = select(TicketRow.updated_at, TicketRow.status, TicketRow.assignee)
        newest = select(func.max(MessageRow.id)).where(MessageRow.ticket_id == ticket_id)
        note = select(func.max(NoteRow.id)).where(NoteRow.ticket_id == ticket_id)
        replies = select(ReplyRow.id, ReplyRow.state).where(ReplyRow.ticket_id == ticket_id)
        with self._read() as session:
            parts = [
                session.execute(ticket.where(TicketRow.id == ticket_id)).first(),
                session.scalar(newest),
                session.scalar(note),
                session.execute(replies.order_by(ReplyRow.id)).all(),
            ]
        return repr(parts)


def _messages(session: Session, ticket_id: int) -> list[Entry]:
    query = select(MessageRow).where(MessageRow.ticket_id == ticket_id)
    rows = session.scalars(query.order_by(MessageRow.id.desc()).limit(LONGEST)).all()
    files: dict[int, list[File]] = {}
    own = select(AttachmentRow).where(AttachmentRow.message_id.in_([row.id for row in rows]))
    for attachment in session.scalars(own.order_by(AttachmentRow.position)):
        files.setdefault(attachment.message_id, []).append(_file(attachment))
    return [
        Entry(
            "message",
            row.received_at,
            row.author,
            row.sender,
            row.text,
            row.connector,
            tuple(files.get(row.id, ())),
            row.outcome_id,
            "withdrawn" if row.withdrawn_at else "",
        )
        for row in rows
    ]


def _replies(session: Session, ticket_id: int) -> list[Entry]:
    query = (
        select(ReplyRow, OutcomeRow.text)
        .outerjoin(OutcomeRow, OutcomeRow.id == ReplyRow.outcome_id)
        .where(ReplyRow.ticket_id == ticket_id)
    )
    rows = session.execute(query.order_by(ReplyRow.created_at.desc()).limit(LONGEST)).all()
    return [
        Entry(
            "reply",
            row.created_at,
            row.author,
            row.approved_by or "assistant",
            row.text,
            "",
            (),
            row.outcome_id,
            row.state,
            original if row.author == "staff" and original and original != row.text else None,
            row.error or "",
        )
        for row, original in rows
    ]


def _file(row: AttachmentRow) -> File:
    return File(row.message_id, row.position, row.media_type, row.filename, row.missing)
