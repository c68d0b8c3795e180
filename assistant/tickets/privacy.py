"""What is stored about one customer: found, told in full, and erased for good.

A customer's tickets are those in which this address wrote, whoever else did: what others quote of
somebody is in their words too. Erased is the whole ticket with all that hangs on it, and what
connectors keep of how it came. The audit log keeps who of the desk's people did what and when, and
neither the ticket nor what was written about it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Text, cast, delete, exists, func, inspect, or_, select, update
from sqlalchemy.orm import Session

from assistant.tickets.api_keys import CONNECTOR, ConversationRow
from assistant.tickets.arrivals import ArrivalRow
from assistant.tickets.database import sessions
from assistant.tickets.events import EventRow
from assistant.tickets.tables import (
    AttachmentRow,
    AuditRow,
    BlobRow,
    CitationRow,
    FeedbackRow,
    MessageRow,
    NoticeRow,
    OutcomeRow,
    PluginFaultRow,
    ReplyAttachmentRow,
    ReplyRow,
    Table,
    TicketRow,
    TraceRow,
)
from assistant.tickets.teamwork import NoteRow, PresenceRow
from assistant.tickets.tool_calls import ToolCallRow
from assistant.tickets.trials import TrialRow

CHUNK = 200
OF_TICKETS: tuple[Any, ...] = (
    NoteRow,
    PresenceRow,
    FeedbackRow,
    NoticeRow,
    PluginFaultRow,
    ToolCallRow,
    TrialRow,
    EventRow,
)
"""What hangs on a ticket and on nothing else."""


@dataclass(frozen=True)
class Erased:
    """What was erased, in numbers. `workflows` name what the queues keep of it."""

    tickets: int
    messages: int
    files: int
    workflows: tuple[str, ...]
    articles: int = 0


class Privacy:
    """Customers' data as one whole."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._write, self._read = sessions(engine)

    def tickets(self, address: str) -> tuple[int, ...]:
        """The numbers of the tickets in which this address wrote, oldest first."""
        with self._read() as session:
            return _tickets(session, address)

    def old_tickets(self, before: datetime, limit: int = 500) -> tuple[int, ...]:
        """The numbers of solved tickets without news since then, oldest first."""
        query = (
            select(TicketRow.id)
            .where(TicketRow.status == "solved", TicketRow.updated_at < before)
            .order_by(TicketRow.updated_at)
            .limit(limit)
        )
        with self._read() as session:
            return tuple(session.scalars(query))

    def export(self, address: str) -> tuple[dict[str, Any], dict[str, bytes]]:
        """All that is stored about an address, as plain values, and its files by their sha256."""
        with self._read() as session:
            ids = _tickets(session, address)
            told = [_told(session, ticket_id) for ticket_id in ids]
            hashes = {f["sha256"] for ticket in told for f in ticket["attachments"]}
            hashes |= {f["sha256"] for ticket in told for f in ticket["reply_attachments"]}
            arrivals = [
                row
                for chunk in _chunks(_arrived(session, ids, address))
                for row in session.scalars(select(ArrivalRow).where(ArrivalRow.id.in_(chunk)))
            ]
            files = {
                row.sha256: row.content
                for chunk in _chunks(sorted(hashes))
                for row in session.scalars(select(BlobRow).where(BlobRow.sha256.in_(chunk)))
            }
            return {
                "address": address,
                "tickets": told,
                "arrivals": [_plain(row, but={"content"}) for row in arrivals],
            }, files

    def erase(self, ids: Collection[int], address: str | None = None) -> Erased:
        """Erases tickets, and what came in from `address` and is no message yet. Doing so again
        changes nothing."""
        with self._write.begin() as session:
            return _erase(session, tuple(ids), address)

    def clear_audit(self, before: datetime) -> int:
        """Forgets what the audit log says of the time before then; returns how much that was."""
        with self._write.begin() as session:
            old = delete(AuditRow).where(AuditRow.created_at < before).returning(AuditRow.id)
            return len(session.scalars(old).all())

    def compact(self) -> None:
        """Takes what was deleted out of the database's files too: SQLite leaves it on free pages
        and in the search's index, PostgreSQL where rows were."""
        with self._engine.connect() as connection:
            if connection.dialect.name != "sqlite":
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.exec_driver_sql("VACUUM")
                return
            driver = connection.connection.driver_connection
            assert driver is not None
            driver.execute("INSERT INTO message_words(message_words) VALUES ('rebuild')")
            driver.execute("VACUUM")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _tickets(session: Session, address: str) -> tuple[int, ...]:
    wanted = address.strip().lower()
    wrote = exists().where(
        MessageRow.ticket_id == TicketRow.id,
        MessageRow.author == "customer",
        or_(_is(MessageRow.sender, wanted), _is(MessageRow.verified_address, wanted)),
    )
    query = select(TicketRow.id).where(or_(_is(TicketRow.customer, wanted), wrote))
    return tuple(session.scalars(query.order_by(TicketRow.id)))


def _is(column: Any, wanted: str) -> Any:
    """Whether a column is an address, alone or as `Name <address>`."""
    return or_(
        func.lower(column) == wanted, func.lower(column).endswith(f"<{wanted}>", autoescape=True)
    )


def _told(session: Session, ticket_id: int) -> dict[str, Any]:
    messages = select(MessageRow.id).where(MessageRow.ticket_id == ticket_id)
    replies = select(ReplyRow.id).where(ReplyRow.ticket_id == ticket_id)
    outcomes = select(OutcomeRow.id).where(OutcomeRow.ticket_id == ticket_id)
    parts: dict[str, Any] = {
        "messages": select(MessageRow).where(MessageRow.ticket_id == ticket_id),
        "attachments": select(AttachmentRow).where(AttachmentRow.message_id.in_(messages)),
        "replies": select(ReplyRow).where(ReplyRow.ticket_id == ticket_id),
        "reply_attachments": select(ReplyAttachmentRow).where(
            ReplyAttachmentRow.reply_id.in_(replies)
        ),
        "outcomes": select(OutcomeRow).where(OutcomeRow.ticket_id == ticket_id),
        "citations": select(CitationRow).where(CitationRow.outcome_id.in_(outcomes)),
        "traces": select(TraceRow).where(TraceRow.outcome_id.in_(outcomes)),
        "audit": select(AuditRow).where(AuditRow.ticket_id == ticket_id),
    }
    parts |= {t.__tablename__: select(t).where(t.ticket_id == ticket_id) for t in OF_TICKETS}
    told = _plain(session.get_one(TicketRow, ticket_id))
    return told | {
        name: [_plain(row) for row in session.scalars(query)] for name, query in parts.items()
    }


def _plain(row: Table, but: Collection[str] = ()) -> dict[str, Any]:
    """A row as JSON can hold it."""
    names = [a.key for a in inspect(type(row)).column_attrs if a.key not in but]
    values = {name: getattr(row, name) for name in names}
    return {k: v.isoformat() if isinstance(v, datetime) else v for k, v in values.items()}


def _erase(session: Session, ids: Sequence[int], address: str | None) -> Erased:
    messages = files = 0
    workflows: list[str] = []
    for chunk in _chunks(_arrived(session, ids, address)):
        session.execute(delete(ArrivalRow).where(ArrivalRow.id.in_(chunk)))
    if address:
        _blank_audit(session, address)
    for chunk in _chunks(ids):
        own = select(MessageRow.id).where(MessageRow.ticket_id.in_(chunk))
        replies = select(ReplyRow.id).where(ReplyRow.ticket_id.in_(chunk))
        outcomes = select(OutcomeRow.id).where(OutcomeRow.ticket_id.in_(chunk))
        names = select(MessageRow.connector, MessageRow.external_id)
        workflows += [
            f"{connector}:{external_id}"
            for connector, external_id in session.execute(
                names.where(MessageRow.ticket_id.in_(chunk))
            )
        ]
        workflows += session.scalars(replies).all()
        of_messages = AttachmentRow.message_id.in_(own)
        of_replies = ReplyAttachmentRow.reply_id.in_(replies)
        hashes = {
            *session.scalars(select(AttachmentRow.sha256).where(of_messages)),
            *session.scalars(select(ReplyAttachmentRow.sha256).where(of_replies)),
        }
        session.execute(delete(AttachmentRow).where(of_messages))
        session.execute(delete(ReplyAttachmentRow).where(of_replies))
        files += _erase_blobs(session, sorted(hashes))
        for table in OF_TICKETS:
            session.execute(delete(table).where(table.ticket_id.in_(chunk)))
        _erase_audit(session, chunk)
        threads = select(TicketRow.thread_id).where(
            TicketRow.id.in_(chunk), TicketRow.connector == CONNECTOR
        )
        session.execute(delete(ConversationRow).where(ConversationRow.thread_id.in_(threads)))
        session.execute(delete(ReplyRow).where(ReplyRow.ticket_id.in_(chunk)))
        gone = delete(MessageRow).where(MessageRow.ticket_id.in_(chunk)).returning(MessageRow.id)
        messages += len(session.scalars(gone).all())
        for part in (CitationRow, TraceRow):
            session.execute(delete(part).where(part.outcome_id.in_(outcomes)))
        session.execute(delete(OutcomeRow).where(OutcomeRow.ticket_id.in_(chunk)))
        session.execute(delete(TicketRow).where(TicketRow.id.in_(chunk)))
    return Erased(len(ids), messages, files, tuple(workflows))


def _erase_audit(session: Session, ids: Sequence[int]) -> None:
    """The customer's own entries go; those of the desk's people lose ticket and words."""
    customers = {
        *session.scalars(select(TicketRow.customer).where(TicketRow.id.in_(ids))),
        *session.scalars(
            select(MessageRow.sender).where(
                MessageRow.ticket_id.in_(ids), MessageRow.author == "customer"
            )
        ),
    }
    of_tickets = AuditRow.ticket_id.in_(ids)
    session.execute(delete(AuditRow).where(of_tickets, AuditRow.who.in_(customers)))
    session.execute(update(AuditRow).where(of_tickets).values(ticket_id=None, detail=""))


def _blank_audit(session: Session, address: str) -> None:
    """Takes an address out of what the audit log says of the desk and of other tickets."""
    names = _naming(address)
    entries = select(AuditRow).where(
        or_(_has(AuditRow.detail, address), _has(AuditRow.who, address))
    )
    for row in session.scalars(entries):
        row.detail, row.who = names.sub("(erased)", row.detail), names.sub("(erased)", row.who)


def _erase_blobs(session: Session, hashes: Sequence[str]) -> int:
    """Erases the contents that no other message or reply has; returns how many."""
    gone = 0
    for chunk in _chunks(hashes):
        used = [
            exists().where(table.sha256 == BlobRow.sha256)
            for table in (AttachmentRow, ReplyAttachmentRow)
        ]
        unused = delete(BlobRow).where(BlobRow.sha256.in_(chunk), ~or_(*used))
        gone += len(session.scalars(unused.returning(BlobRow.sha256)).all())
    return gone


def _arrived(session: Session, ids: Sequence[int], address: str | None) -> tuple[int, ...]:
    """Which arrivals belong to these tickets, or name this address."""
    found: set[int] = set()
    for chunk in _chunks(ids):
        messages = exists().where(
            MessageRow.ticket_id.in_(chunk),
            MessageRow.connector == ArrivalRow.connector,
            MessageRow.external_id == ArrivalRow.external_id,
        )
        threads = exists().where(
            TicketRow.id.in_(chunk),
            TicketRow.connector == ArrivalRow.connector,
            TicketRow.thread_id == ArrivalRow.conversation,
        )
        found |= {*session.scalars(select(ArrivalRow.id).where(or_(messages, threads)))}
    if address:
        names = _naming(address)
        words = cast(ArrivalRow.payload, Text)
        columns = (ArrivalRow.external_id, ArrivalRow.conversation, ArrivalRow.sender, words)
        query = select(ArrivalRow.id, ArrivalRow.content, *columns).where(
            or_(ArrivalRow.content.is_not(None), *(_has(c, address) for c in columns))
        )
        for row_id, content, *texts in session.execute(query):
            texts.append((content or b"").decode("utf-8", "replace"))
            if any(names.search(text or "") for text in texts):
                found.add(row_id)
    return tuple(sorted(found))


def _has(column: Any, address: str) -> Any:
    return func.lower(column).contains(address.strip().lower(), autoescape=True)


def _naming(address: str) -> re.Pattern[str]:
    """Finds an address, and not a longer one that ends or begins with it."""
    return re.compile(rf"(?<![\w.+-]){re.escape(address.strip())}(?![\w-]|\.\w)", re.IGNORECASE)


def _chunks(values: Iterable[Any]) -> list[Sequence[Any]]:
    every = list(values)
    return [every[start : start + CHUNK] for start in range(0, len(every), CHUNK)]
