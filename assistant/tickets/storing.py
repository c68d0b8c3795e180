"""A message's way into the tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.errors import DeskmateError
from assistant.messages import Attachment, Message
from assistant.tickets.database import insert_once
from assistant.tickets.tables import AttachmentRow, BlobRow, MessageRow, TicketRow

LONGEST_ID = 500  # characters; PostgreSQL cannot index values of more than about 2,700 bytes


def refuse_long_ids(message: Message) -> None:
    """Raises DeskmateError if an id is too long to be kept."""
    for name in ("connector", "external_id", "thread_id"):
        value = getattr(message, name)
        if len(value) > LONGEST_ID:
            raise DeskmateError(
                f"{name} {value[:40]}… has {len(value)} characters; a connector may use "
                f"{LONGEST_ID} at most. Shorten it with a hash."
            )


def insert_blobs(session: Session, attachments: Sequence[Attachment]) -> None:
    """Stores the attachments' contents, each once, in the order of their hashes."""
    for attachment in sorted(attachments, key=lambda a: a.sha256):
        insert_once(session, BlobRow, sha256=attachment.sha256, content=attachment.content)


def open_ticket(session: Session, message: Message) -> TicketRow:
    """The ticket of the message's conversation, locked; made if there is none."""
    now = datetime.now(UTC)
    insert_once(
        session,
        TicketRow,
        connector=message.connector,
        thread_id=message.thread_id,
        customer=message.sender,
        subject=message.subject,
        status="open",
        created_at=now,
        updated_at=now,
    )
    query = select(TicketRow).where(
        TicketRow.connector == message.connector, TicketRow.thread_id == message.thread_id
    )
    return session.scalars(query.with_for_update()).one()


def insert_message(session: Session, message: Message, ticket: TicketRow) -> bool:
    """Stores the message unless it is stored already; returns whether it was new."""
    inserted = insert_once(
        session,
        MessageRow,
        ticket_id=ticket.id,
        connector=message.connector,
        external_id=message.external_id,
        sender=message.sender,
        author=message.author,
        subject=message.subject,
        text=message.text,
        audience=message.audience,
        language=message.language,
        product=message.product,
        verified_address=(message.verified_address or "").strip().lower() or None,
        sent_at=message.sent_at,
        received_at=datetime.now(UTC),
        attempts=0,
    )
    if inserted:
        row = find_message(session, message.connector, message.external_id)
        for position, file in enumerate(message.attachments):
            attachment = AttachmentRow(message_id=row.id, position=position, sha256=file.sha256)
            attachment.media_type, attachment.filename = file.media_type, file.filename
            attachment.missing = file.missing
            session.add(attachment)
    return inserted


def find_message(session: Session, connector: str, external_id: str) -> MessageRow:
    """The message of this name. Raises DeskmateError if it is not stored."""
    query = select(MessageRow).where(
        MessageRow.connector == connector, MessageRow.external_id == external_id
    )
    row = session.scalar(query)
    if row is None:
        raise DeskmateError(f"message {connector}:{external_id} is not in the database.")
    return row
