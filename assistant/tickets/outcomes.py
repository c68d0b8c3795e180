"""How messages ended: what was answered, why, from which sources, and how that came about."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, exists, func, or_, select, update
from sqlalchemy.orm import Session

from assistant.articles import Explanation, Hit, Passage
from assistant.errors import DeskmateError
from assistant.messages import Action, Answer, AttachmentReport, Message, Outcome, PluginFault, Step
from assistant.tickets.database import sessions
from assistant.tickets.events import note
from assistant.tickets.persons import others_of, with_person
from assistant.tickets.rows import (
    find_ticket,
    intend_notice,
    intend_reply,
    read_citations,
    reply_id_for,
    settle,
)
from assistant.tickets.solutions import confirm
from assistant.tickets.tables import (
    CitationRow,
    MessageRow,
    OutcomeRow,
    PluginFaultRow,
    ReplyRow,
    TicketRow,
    TraceRow,
)

ANSWERING: tuple[Action, ...] = ("reply", "draft")  # the actions whose text is the answer's
SPEAKING: tuple[Action, ...] = ("reply", "ask")  # those that no person has to do with


@dataclass(frozen=True)
class StoredOutcome:
    """An outcome as it was stored. `draft_state` is waiting, approved or discarded for a draft,
    else None; `reply_id` is the reply that came of it, if any."""

    id: int
    ticket_id: int
    message_key: str
    outcome: Outcome
    draft_state: str | None
    reply_id: str | None
    created_at: datetime


class Outcomes:
    """The outcomes of all messages."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def store(
        self, ticket_id: int, question: Message, covers: Collection[str], outcome: Outcome
    ) -> str | None:
        """Stores `outcome` for `question`, together with the intent to send its text.

        `covers` are the external ids of the messages that it settles. Returns the id of the reply
        to send, or None where nothing is sent: for drafts and empty texts. The first outcome of a
        message stays; a second one changes nothing. If a person took the ticket over while it was
        being answered, or another one of the same customer, the answer becomes a draft.
        """
        with self._write.begin() as session:
            ticket = find_ticket(session, ticket_id, lock=True)
            stored = select(OutcomeRow.id).where(OutcomeRow.message_key == question.key)
            if (outcome_id := session.scalar(stored)) is not None:
                return session.scalar(select(ReplyRow.id).where(ReplyRow.outcome_id == outcome_id))
            if not session.scalar(select(exists().where(*_unsettled(ticket_id, covers)))):
                return None  # the customer took all of them back meanwhile
            if outcome.action in SPEAKING and (
                taken := with_person(ticket, others_of(session, ticket))
            ):
                reason = f"{outcome.reason}; meanwhile {taken}"
                outcome = replace(outcome, action="draft", reason=reason)
            row = insert_outcome(session, ticket, question, outcome)
            session.execute(
                update(MessageRow)
                .where(MessageRow.ticket_id == ticket_id, MessageRow.external_id.in_(covers))
                .values(outcome_id=row.id)
            )
            note(session, ticket, "outcome.stored", outcome=row.id, action=outcome.action)
            if outcome.action == "hand over" and ticket.status != "handed over":
                ticket.status = "handed over"
                note(session, ticket, "ticket.handed_over", outcome=row.id)
            if outcome.action in ("draft", "hand over"):
                intend_notice(session, ticket, row.id, outcome.action, outcome.reason)
            if outcome.action == "solve":
                confirm(session, ticket, question.sender)
            reply_id = None
            if outcome.action != "draft" and row.text:
                reply_id = reply_id_for(question.key)
                intend_reply(session, reply_id, ticket, row, row.text)
            settle(session, ticket)
            return reply_id

    def get(self, outcome_id: int) -> StoredOutcome:
        """One outcome. Raises DeskmateError if there is none of this number."""
        with self._read() as session:
            row = session.get(OutcomeRow, outcome_id)
            if row is None:
                raise DeskmateError(f"outcome {outcome_id}: no such outcome.")
            return _read(session, row)

    def of_ticket(
        self, ticket_id: int, after: int = 0, limit: int | None = None
    ) -> tuple[StoredOutcome, ...]:
        """A ticket's outcomes after this one, oldest first."""
        query = select(OutcomeRow).where(OutcomeRow.ticket_id == ticket_id, OutcomeRow.id > after)
        with self._read() as session:
            rows = session.scalars(query.order_by(OutcomeRow.id).limit(limit)).all()
            return tuple(_read(session, row) for row in rows)

    def telling(self, ticket_id: int) -> StoredOutcome | None:
        """The outcome that says most about where a ticket stands: a draft that waits, else the
        newest one with words in it; None if there is none."""
        query = select(OutcomeRow).where(
            OutcomeRow.ticket_id == ticket_id,
            or_(OutcomeRow.text != "", OutcomeRow.answer_text.is_not(None)),
        )
        waits = func.coalesce(OutcomeRow.draft_state == "waiting", False)
        with self._read() as session:
            row = session.scalar(query.order_by(waits.desc(), OutcomeRow.id.desc()).limit(1))
            return None if row is None else _read(session, row)

    def of_message(self, connector: str, external_id: str) -> StoredOutcome | None:
        """The outcome that covers this message, or None while it is being answered."""
        query = (
            select(OutcomeRow)
            .join(MessageRow, MessageRow.outcome_id == OutcomeRow.id)
            .where(MessageRow.connector == connector, MessageRow.external_id == external_id)
        )
        with self._read() as session:
            row = session.scalar(query)
            return None if row is None else _read(session, row)

    def reply_id(self, connector: str, external_id: str) -> str | None:
        """The id of the reply that settles this message, if it has one."""
        query = (
            select(ReplyRow.id)
            .join(MessageRow, MessageRow.outcome_id == ReplyRow.outcome_id)
            .where(MessageRow.connector == connector, MessageRow.external_id == external_id)
        )
        with self._read() as session:
            return session.scalar(query)

    def faults(self, ticket_id: int) -> tuple[PluginFault, ...]:
        """What plugins did wrong while the ticket's messages were answered, oldest first."""
        query = select(PluginFaultRow).where(PluginFaultRow.ticket_id == ticket_id)
        with self._read() as session:
            return tuple(
                PluginFault(row.plugin, row.hook, row.error)
                for row in session.scalars(query.order_by(PluginFaultRow.id))
            )

    def note_faults(self, ticket_id: int, faults: Collection[PluginFault]) -> None:
        """Keeps with a ticket what plugins did wrong after its outcome."""
        if not faults:
            return
        with self._write.begin() as session:
            now = datetime.now(UTC)
            for fault in faults:
                row = PluginFaultRow(ticket_id=ticket_id, created_at=now, **asdict(fault))
                session.add(row)

    def faults_since(self, since: datetime) -> tuple[PluginFault, ...]:
        """What plugins did wrong since then, on all tickets, oldest first."""
        query = select(PluginFaultRow).where(PluginFaultRow.created_at >= since)
        with self._read() as session:
            return tuple(
                PluginFault(row.plugin, row.hook, row.error)
                for row in session.scalars(query.order_by(PluginFaultRow.id))
            )


def _unsettled(ticket_id: int, covers: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    return (
        MessageRow.ticket_id == ticket_id,
        MessageRow.external_id.in_(covers),
        MessageRow.outcome_id.is_(None),
    )


def insert_outcome(
    session: Session, ticket: TicketRow, question: Message, outcome: Outcome
) -> OutcomeRow:
    """Adds the outcome of `question`, with its trace, citations and faults."""
    now = datetime.now(UTC)
    answer = outcome.answer
    row = OutcomeRow(
        message_key=question.key,
        ticket_id=ticket.id,
        connector=ticket.connector,
        action=outcome.action,
        reason=outcome.reason,
        text=outcome.text or (answer.text if answer and outcome.action in ANSWERING else ""),
        answer_text=answer.text if answer else None,
        confidence=answer.confidence if answer else None,
        draft_state="waiting" if outcome.action == "draft" else None,
        created_at=now,
    )
    session.add(row)
    session.flush()
    trace = TraceRow(outcome_id=row.id)
    trace.steps = [asdict(step) for step in outcome.trace]
    trace.hits = [asdict(hit) for hit in outcome.hits]
    trace.attachments = [asdict(report) for report in outcome.attachments]
    session.add(trace)
    for citation in answer.citations if answer else ():
        session.add(
            CitationRow(
                outcome_id=row.id,
                number=citation.number,
                passage_id=citation.passage.id,
                article_id=citation.passage.article_id,
                heading_path=list(citation.passage.heading_path),
                url=citation.passage.url,
                passage_text=citation.passage.text,
                quote=citation.quote,
            )
        )
    for fault in outcome.faults:
        session.add(PluginFaultRow(ticket_id=ticket.id, created_at=now, **asdict(fault)))
    return row


def _read(session: Session, row: OutcomeRow) -> StoredOutcome:
    answer = None
    if row.answer_text is not None:
        answer = Answer(row.answer_text, read_citations(session, row.id), row.confidence or 0.0)
    trace = session.get_one(TraceRow, row.id)
    outcome = Outcome(
        action=row.action,
        reason=row.reason,
        text=row.text,
        answer=answer,
        attachments=tuple(AttachmentReport(**report) for report in trace.attachments),
        hits=tuple(_hit(hit) for hit in trace.hits),
        trace=tuple(Step(**step) for step in trace.steps),
    )
    reply_id = session.scalar(select(ReplyRow.id).where(ReplyRow.outcome_id == row.id))
    return StoredOutcome(
        id=row.id,
        ticket_id=row.ticket_id,
        message_key=row.message_key,
        outcome=outcome,
        draft_state=row.draft_state,
        reply_id=reply_id,
        created_at=row.created_at,
    )


def _hit(stored: Mapping[str, Any]) -> Hit:
    why = stored.get("why")
    return Hit(
        Passage.of(stored["passage"]),
        stored["score"],
        stored["how"],
        stored.get("similarity", 0.0),
        Explanation(**{**why, "lines": tuple(why["lines"])}) if why else None,
    )
