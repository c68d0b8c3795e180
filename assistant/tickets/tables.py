"""The ticket database's tables.

    tickets ─┬─ messages ── attachments ── blobs
             ├─ outcomes ─┬─ citations
             │            └─ traces
             ├─ replies ── reply_attachments ── blobs
             ├─ events ── deliveries
             └─ notices, notes, presence, feedback, audit, plugin_faults

    workers, arrivals, secrets, releases, people ── sessions, webhooks,
    api_keys ── api_conversations

An attachment's content is stored in the database, once per sha256, and not in files beside it:
it is written in one transaction with its message, one backup holds everything, and workers on
other machines can read it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from assistant.articles import Audience
from assistant.messages import Action, Author, NoticeKind, TicketStatus
from assistant.tickets.columns import CleanText, UtcDateTime, partial_index


class Table(DeclarativeBase):
    """What all tables share: how Python types are stored, and how constraints are named."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012
        str: CleanText,
        datetime: UtcDateTime,
        bytes: LargeBinary,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        Action: String(16),
        Audience: String(16),
        Author: String(16),
        NoticeKind: String(16),
        TicketStatus: String(16),
    }


class TicketRow(Table):
    """`owner` is the person who took it over from the assistant; `assignee` the one who is to look
    after it, whoever answers."""

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("connector", "thread_id"),
        Index("ix_tickets_status", "status", "updated_at"),
        Index("ix_tickets_updated_at", "updated_at", "id"),
        Index("ix_tickets_assignee", "assignee", "updated_at"),
        Index("ix_tickets_connector", "connector", "updated_at"),
        Index("ix_tickets_created_at", "created_at", "connector", "solved_by"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    connector: Mapped[str]
    thread_id: Mapped[str]
    customer: Mapped[str]
    subject: Mapped[str]
    status: Mapped[TicketStatus]
    owner: Mapped[str | None]
    assignee: Mapped[str | None]
    solved_by: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class MessageRow(Table):
    """`outcome_id` is the outcome that covers the message: a burst shares one.
    `withdrawn_at` is when its author took it back; its words are gone then.
    `attempts` counts how often a worker began to answer it."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("connector", "external_id"),
        Index("ix_messages_ticket_id", "ticket_id", "id"),
        partial_index("ix_messages_waiting", "ticket_id", "outcome_id IS NULL"),
        Index("ix_messages_outcome_id", "outcome_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    connector: Mapped[str]
    external_id: Mapped[str]
    sender: Mapped[str]
    author: Mapped[Author] = mapped_column(default="customer", server_default="customer")
    subject: Mapped[str]
    text: Mapped[str]
    audience: Mapped[Audience]
    language: Mapped[str | None]
    product: Mapped[str | None]
    verified_address: Mapped[str | None] = mapped_column(index=True)
    sent_at: Mapped[datetime]
    received_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    outcome_id: Mapped[int | None] = mapped_column(ForeignKey("outcomes.id"))


class BlobRow(Table):
    __tablename__ = "blobs"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes]


class File:
    """The columns of a file; `position` is its place among those of one message or reply."""

    position: Mapped[int] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    filename: Mapped[str]
    missing: Mapped[str] = mapped_column(default="", server_default="")
    sha256: Mapped[str] = mapped_column(String(64), ForeignKey("blobs.sha256"))


class AttachmentRow(File, Table):
    __tablename__ = "attachments"

    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"), primary_key=True)


class OutcomeRow(Table):
    """`message_key` names the last message of the burst that the outcome covers, `connector` its
    ticket's channel.
    `draft_state` is waiting, approved or discarded for drafts, and null for all else."""

    __tablename__ = "outcomes"
    __table_args__ = (
        UniqueConstraint("message_key"),
        Index("ix_outcomes_ticket_id", "ticket_id"),
        # With what the figures over time read, so that they need the index alone.
        Index(
            "ix_outcomes_created_at",
            "created_at",
            "connector",
            "action",
            "draft_state",
            "confidence",
            "id",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    message_key: Mapped[str]
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    connector: Mapped[str] = mapped_column(server_default="")
    action: Mapped[Action]
    reason: Mapped[str]
    text: Mapped[str]
    answer_text: Mapped[str | None]
    confidence: Mapped[float | None]
    draft_state: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime]


class CitationRow(Table):
    """A cited passage as it was when it was cited: the index may change, this does not."""

    __tablename__ = "citations"
    __table_args__ = (Index("ix_citations_article_id", "article_id", "outcome_id"),)

    outcome_id: Mapped[int] = mapped_column(ForeignKey("outcomes.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    passage_id: Mapped[str]
    article_id: Mapped[str]
    heading_path: Mapped[list[Any]]
    url: Mapped[str]
    passage_text: Mapped[str]
    quote: Mapped[str]


class TraceRow(Table):
    """How an outcome came about: the path's steps, what was found, which attachments were read."""

    __tablename__ = "traces"

    outcome_id: Mapped[int] = mapped_column(ForeignKey("outcomes.id"), primary_key=True)
    steps: Mapped[list[Any]]
    hits: Mapped[list[Any]]
    attachments: Mapped[list[Any]]


class ReplyRow(Table):
    """The intent to send a reply, and what became of it.

    intended   waits for `due_at`, or is being sent
    sent       the channel took it as `external_id`
    held       a plugin held it back for a person; `error` says why
    failed     given up after many attempts; `error` is the last one's
    discarded  was held or failed, and a person did not want it sent; or a person answered first

    `changed_share` is the share of words, from 0 to 1, that a person changed before it was sent.
    """

    __tablename__ = "replies"
    __table_args__ = (
        partial_index("ix_replies_due", "due_at", "state = 'intended'"),
        Index("ix_replies_ticket_id", "ticket_id", "sent_at", "approved_by"),
        Index("ix_replies_outcome_id", "outcome_id", "author", "changed_share"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    outcome_id: Mapped[int | None] = mapped_column(ForeignKey("outcomes.id"))
    author: Mapped[Author]
    approved_by: Mapped[str | None]
    recipient: Mapped[str]
    subject: Mapped[str]
    text: Mapped[str]
    changed_share: Mapped[float | None]
    in_reply_to: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    external_id: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class ReplyAttachmentRow(File, Table):
    """A file that a person sends with a reply."""

    __tablename__ = "reply_attachments"

    reply_id: Mapped[str] = mapped_column(ForeignKey("replies.id"), primary_key=True)


class NoticeRow(Table):
    """What staff are to be told; `state` is intended or told, `external_id` the channel's id of
    what was posted, and `error` says what went wrong last."""

    __tablename__ = "notices"
    __table_args__ = (
        partial_index("ix_notices_due", "due_at", "state = 'intended'"),
        Index("ix_notices_ticket_id", "ticket_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    outcome_id: Mapped[int | None] = mapped_column(ForeignKey("outcomes.id"))
    kind: Mapped[NoticeKind]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    external_id: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]


class FeedbackRow(Table):
    __tablename__ = "feedback"
    __table_args__ = (
        Index("ix_feedback_ticket_id", "ticket_id"),
        Index("ix_feedback_created_at", "created_at", "ticket_id", "helpful"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    outcome_id: Mapped[int | None] = mapped_column(ForeignKey("outcomes.id"))
    helpful: Mapped[bool]
    author: Mapped[str]
    comment: Mapped[str]
    created_at: Mapped[datetime]


class AuditRow(Table):
    """Who did what to a ticket; `who` is a person's name, or a worker's."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_ticket_id", "ticket_id"),
        Index("ix_audit_who", "who", "id"),
        Index("ix_audit_action", "action", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id"))
    who: Mapped[str]
    action: Mapped[str]
    detail: Mapped[str]
    created_at: Mapped[datetime]


class PluginFaultRow(Table):
    __tablename__ = "plugin_faults"
    __table_args__ = (Index("ix_plugin_faults_ticket_id", "ticket_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    plugin: Mapped[str]
    hook: Mapped[str]
    error: Mapped[str]
    created_at: Mapped[datetime]


class WorkerRow(Table):
    """`joined_at` tells a process apart from earlier ones of the same name, and from itself
    before it was taken for dead."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    process_id: Mapped[int]
    joined_at: Mapped[datetime]
    seen_at: Mapped[datetime]
