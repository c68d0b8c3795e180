"""What a conversation was before it came here, and what its authors changed in it since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Engine, delete, exists, select, update
from sqlalchemy.orm import Session

from assistant.messages import Message, Outcome
from assistant.tickets.database import sessions
from assistant.tickets.outcomes import insert_outcome
from assistant.tickets.rows import as_message, audit, find_ticket
from assistant.tickets.storing import insert_blobs, insert_message, open_ticket, refuse_long_ids
from assistant.tickets.tables import AttachmentRow, MessageRow, OutcomeRow, ReplyRow, TicketRow

BEFORE = "it was said before the assistant was asked"
WITHDRAWN = Outcome("ignore", "its author took it back", text="")


class History:
    """The past of all conversations."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def add(
        self, messages: Sequence[Message], reason: str = BEFORE, customer: str | None = None
    ) -> None:
        """Stores what was said in one conversation and not to the assistant, oldest first: it is
        part of the conversation and is not answered, for this reason. What is stored already
        stays as it is. `customer` is whose conversation it is, if not the first one's."""
        if not messages:
            return
        for message in messages:
            refuse_long_ids(message)
        with self._write.begin() as session:
            for message in messages:
                insert_blobs(session, message.attachments)
            first = replace(messages[0], sender=customer or messages[0].sender)
            ticket = open_ticket(session, first)
            new = [m for m in messages if insert_message(session, m, ticket)]
            if new:
                outcome = insert_outcome(session, ticket, new[-1], Outcome("ignore", reason, ""))
                names = [message.external_id for message in new]
                session.execute(
                    update(MessageRow)
                    .where(MessageRow.ticket_id == ticket.id, MessageRow.external_id.in_(names))
                    .values(outcome_id=outcome.id)
                )

    def change(
        self, connector: str, external_id: str, text: str
    ) -> Literal["changed", "too late", "unknown"]:
        """The author of a message changed its words. That is too late once somebody began to
        answer it: then the words stay as they were answered."""
        with self._write.begin() as session:
            row, ticket = _find(session, connector, external_id)
            if row is None or ticket is None:
                return "unknown"
            begun = exists().where(
                MessageRow.ticket_id == ticket.id,
                MessageRow.outcome_id.is_(None),
                MessageRow.attempts > 0,
            )
            if row.outcome_id is not None or session.scalar(select(begun)):
                return "too late"
            row.text = text
            return "changed"

    def withdraw(self, connector: str, external_id: str) -> None:
        """The author of a message deleted it: its words and attachments are forgotten. What was
        not yet sent in answer to it alone is not sent."""
        now = datetime.now(UTC)
        with self._write.begin() as session:
            row, ticket = _find(session, connector, external_id)
            if row is None or ticket is None or row.withdrawn_at is not None:
                return
            row.text, row.subject, row.withdrawn_at = "", "", now
            session.execute(delete(AttachmentRow).where(AttachmentRow.message_id == row.id))
            audit(session, ticket.id, row.sender, "withdraw", "")
            if row.outcome_id is None:
                message = as_message(row, ticket, ())
                row.outcome_id = insert_outcome(session, ticket, message, WITHDRAWN).id
            else:
                _take_back_answer(session, row.outcome_id)


def _take_back_answer(session: Session, outcome_id: int) -> None:
    """Discards the draft, or the reply not yet sent, whose messages are all withdrawn."""
    session.flush()
    stays = exists().where(MessageRow.outcome_id == outcome_id, MessageRow.withdrawn_at.is_(None))
    if session.scalar(select(stays)):
        return
    session.execute(
        update(OutcomeRow)
        .where(OutcomeRow.id == outcome_id, OutcomeRow.draft_state == "waiting")
        .values(draft_state="discarded")
    )
    session.execute(
        update(ReplyRow)
        .where(
            ReplyRow.outcome_id == outcome_id,
            ReplyRow.state.in_(("intended", "held")),
            ReplyRow.attempts == 0,
        )
        .values(state="discarded")
    )


def _find(
    session: Session, connector: str, external_id: str
) -> tuple[MessageRow | None, TicketRow | None]:
    """The message and its ticket, read after the ticket is locked."""
    named = (MessageRow.connector == connector, MessageRow.external_id == external_id)
    ticket_id = session.scalar(select(MessageRow.ticket_id).where(*named))
    if ticket_id is None:
        return None, None
    ticket = find_ticket(session, ticket_id, lock=True)
    return session.scalars(select(MessageRow).where(*named)).one(), ticket
