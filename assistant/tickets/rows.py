"""Rows, read as what travels through Deskmate, and the few steps that several tables share."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from assistant.articles import Passage
from assistant.errors import DeskmateError
from assistant.messages import Attachment, Citation, Message, NoticeKind, Ticket
from assistant.tickets.tables import (
    AttachmentRow,
    AuditRow,
    BlobRow,
    CitationRow,
    MessageRow,
    NoticeRow,
    OutcomeRow,
    ReplyAttachmentRow,
    ReplyRow,
    TicketRow,
)

Due = TypeVar("Due", ReplyRow, NoticeRow)
FileRow = TypeVar("FileRow", AttachmentRow, ReplyAttachmentRow)
REPLY_IDS = uuid.UUID("5a1d7e52-0b53-5c5e-9a55-64d9b0f1c3a7")


def reply_id_for(message_key: str) -> str:
    """The id of the reply to this message: a UUID made from its key (RFC 9562, version 5), and
    so the same in every attempt and every process."""
    return str(uuid.uuid5(REPLY_IDS, message_key))


def as_ticket(row: TicketRow) -> Ticket:
    """The ticket of this row."""
    return Ticket(
        id=row.id,
        connector=row.connector,
        thread_id=row.thread_id,
        customer=row.customer,
        subject=row.subject,
        status=row.status,
        created_at=row.created_at,
        owner=row.owner,
        solved_by=row.solved_by,
        assignee=row.assignee,
    )


def as_message(row: MessageRow, ticket: TicketRow, attachments: Iterable[Attachment]) -> Message:
    """The message of this row."""
    return Message(
        connector=row.connector,
        external_id=row.external_id,
        thread_id=ticket.thread_id,
        sender=row.sender,
        text=row.text,
        subject=row.subject,
        attachments=tuple(attachments),
        audience=row.audience,
        language=row.language,
        product=row.product,
        author=row.author,
        sent_at=row.sent_at,
        verified_address=row.verified_address,
    )


def read_messages(
    session: Session, ticket: TicketRow, rows: Sequence[MessageRow]
) -> Iterator[Message]:
    """The messages of these rows with their attachments' contents."""
    for row in rows:
        files = read_attachments(session, AttachmentRow, AttachmentRow.message_id == row.id)
        yield as_message(row, ticket, files)


def read_attachments(
    session: Session, table: type[FileRow], which: ColumnElement[bool]
) -> tuple[Attachment, ...]:
    """The files of a message, or of a reply, with their contents."""
    query = (
        select(table, BlobRow.content)
        .join(BlobRow, BlobRow.sha256 == table.sha256)
        .where(which)
        .order_by(table.position)
    )
    return tuple(
        Attachment(row.media_type, row.filename, content, row.missing)
        for row, content in session.execute(query)
    )


def read_citations(session: Session, outcome_id: int | None) -> tuple[Citation, ...]:
    """An outcome's citations, with their passages as they were."""
    query = select(CitationRow).where(CitationRow.outcome_id == outcome_id)
    return tuple(
        Citation(
            row.number,
            Passage(
                id=row.passage_id,
                article_id=row.article_id,
                heading_path=tuple(row.heading_path),
                text=row.passage_text,
                url=row.url,
            ),
            row.quote,
        )
        for row in session.scalars(query.order_by(CitationRow.number))
    )


def find_ticket(session: Session, ticket_id: int, lock: bool = False) -> TicketRow:
    """The ticket's row, locked until the transaction ends if it is going to change.

    Raises DeskmateError if there is none of this number.
    """
    query = select(TicketRow).where(TicketRow.id == ticket_id)
    row = session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise DeskmateError(f"ticket {ticket_id}: no such ticket. `deskmate tickets` lists them.")
    return row


def intend_reply(
    session: Session, reply_id: str, ticket: TicketRow, outcome: OutcomeRow | None, text: str
) -> ReplyRow:
    """Adds the intent to send `text` to the customer who wrote the newest message that `outcome`
    covers, or the ticket's newest message."""
    query = select(MessageRow).where(MessageRow.ticket_id == ticket.id)
    if outcome:
        query = query.where(MessageRow.outcome_id == outcome.id)
    customers_first = (MessageRow.author == "customer").desc()
    message = session.scalars(query.order_by(customers_first, MessageRow.id.desc()).limit(1)).one()
    now = datetime.now(UTC)
    row = ReplyRow(
        id=reply_id,
        ticket_id=ticket.id,
        outcome_id=outcome.id if outcome else None,
        author="assistant",
        recipient=message.sender,
        subject=message.subject or ticket.subject,
        text=text,
        in_reply_to=message.external_id,
        state="intended",
        attempts=0,
        created_at=now,
        due_at=now,
    )
    session.add(row)
    return row


def intend_notice(
    session: Session, ticket: TicketRow, outcome_id: int | None, kind: NoticeKind, reason: str
) -> None:
    """Adds the intent to tell staff about the ticket."""
    now = datetime.now(UTC)
    row = NoticeRow(id=str(uuid.uuid4()), ticket_id=ticket.id, outcome_id=outcome_id, kind=kind)
    row.reason, row.state, row.created_at, row.due_at = reason, "intended", now, now
    session.add(row)


def settle(session: Session, ticket: TicketRow) -> None:
    """Sets the ticket's status after one of its drafts or replies changed: it needs review while
    a draft or a reply waits for a person. A ticket that a person has, or solved, stays so."""
    session.flush()
    ticket.updated_at = datetime.now(UTC)
    if ticket.status in ("handed over", "solved"):
        return
    draft = exists().where(OutcomeRow.ticket_id == ticket.id, OutcomeRow.draft_state == "waiting")
    reply = exists().where(ReplyRow.ticket_id == ticket.id, ReplyRow.state.in_(("held", "failed")))
    waits = session.scalar(select(or_(draft, reply)))
    ticket.status = "needs review" if waits else "answered"


def audit(session: Session, ticket_id: int | None, who: str, action: str, detail: str) -> None:
    """Notes who did what to a ticket, or to the desk."""
    row = AuditRow(ticket_id=ticket_id, who=who, action=action, detail=detail)
    row.created_at = datetime.now(UTC)
    session.add(row)


def take_due(
    session: Session,
    table: type[Due],
    oldest_first: InstrumentedAttribute[datetime],
    again_after: float,
    limit: int,
) -> Sequence[Due]:
    """Rows that are intended and due, locked. They are due again `again_after` seconds from now,
    so that a crash before they are dealt with loses none."""
    now = datetime.now(UTC)
    query = (
        select(table)
        .where(table.state == "intended", table.due_at <= now)
        .order_by(oldest_first)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = session.scalars(query).all()
    for row in rows:
        row.due_at = now + timedelta(seconds=again_after)
    return rows
