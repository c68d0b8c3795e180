"""Tickets and their messages in the database, and the way in to everything else about them.

    Tickets ─┬─ .outcomes   how messages ended, drafts among them
             ├─ .replies    what is to be sent, and what became of it
             ├─ .delays     customers to be told that their answer takes longer
             ├─ .notices    what staff are to be told
             ├─ .solutions  when a ticket is solved, and by whom
             ├─ .feedback   what people think of the answers
             ├─ .history    what was said before we came, changed since, or taken back
             ├─ .arrivals   what connectors took in and have not made messages of yet
             ├─ .tool_calls calls of tools, and those that wait for approval
             ├─ .trials     what versions of plugins that are tried would have changed
             ├─ .persons    tickets of the same customer on other channels
             ├─ .releases   internal articles that customers may be told
             ├─ .events     what happened, in order
             ├─ .deliveries webhooks that are to be told of it
             ├─ .api_keys   keys of the HTTP API, and their conversations
             ├─ .idempotency requests that are made again under one name
             ├─ .secrets    connectors' tokens, encrypted
             ├─ .people     who may use the console, and .log_ins: who is using it
             ├─ .teamwork   people's notes to each other, assignment, who is looking
             ├─ .audit      who sent, changed or saw what
             ├─ .quality    how well the assistant does; .verdicts of people on its answers, and
             │              the .thresholds that they chose
             ├─ .findings   what was found about the articles, and .gaps: what they do not answer
             ├─ .listing    the queues of the console, and search
             ├─ .timelines  conversations as people read them
             ├─ .privacy    a customer's data, told in full and erased
             └─ .workers    which processes are alive

Every method is one transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, func, select, update

from assistant.errors import DeskmateError
from assistant.messages import Message, Ticket, TicketStatus, Turn
from assistant.tickets.api_keys import ApiKeys
from assistant.tickets.arrivals import Arrivals
from assistant.tickets.audit import AuditLog
from assistant.tickets.costs import CostLog
from assistant.tickets.database import sessions
from assistant.tickets.delays import Delays
from assistant.tickets.deliveries import Deliveries
from assistant.tickets.dues import Dues
from assistant.tickets.events import Events, note
from assistant.tickets.feedback import FeedbackLog
from assistant.tickets.findings import Findings
from assistant.tickets.gaps import Gaps
from assistant.tickets.history import History
from assistant.tickets.idempotency import Idempotency
from assistant.tickets.listing import Listing
from assistant.tickets.log_ins import LogIns
from assistant.tickets.notices import Notices
from assistant.tickets.outcomes import Outcomes
from assistant.tickets.people import People
from assistant.tickets.persons import Persons
from assistant.tickets.privacy import Privacy
from assistant.tickets.quality import Quality
from assistant.tickets.releases import Releases
from assistant.tickets.replies import Replies
from assistant.tickets.rows import as_message, as_ticket, audit, find_ticket, read_messages, settle
from assistant.tickets.secrets import Secrets
from assistant.tickets.solutions import Solutions
from assistant.tickets.storing import (
    find_message,
    insert_blobs,
    insert_message,
    open_ticket,
    own_ticket,
    refuse_long_ids,
)
from assistant.tickets.tables import MessageRow, ReplyRow, TicketRow
from assistant.tickets.teamwork import Teamwork
from assistant.tickets.thresholds import Thresholds
from assistant.tickets.timeline import Timelines
from assistant.tickets.tool_calls import ToolCalls
from assistant.tickets.trials import Trials
from assistant.tickets.verdicts import Verdicts
from assistant.tickets.workers import Workers


@dataclass(frozen=True)
class Waiting:
    """A message without an outcome, and when it was stored."""

    message: Message
    received_at: datetime


class Tickets:
    """Everything stored about tickets, for the inbox, the command line and the console.

    `secret_key` encrypts connectors' secrets; without one they can be neither read nor written.
    """

    def __init__(self, engine: Engine, secret_key: str = "") -> None:
        self.engine = engine
        self.outcomes = Outcomes(engine)
        self.replies = Replies(engine)
        self.delays = Delays(engine)
        self.dues = Dues(engine)
        self.notices = Notices(engine)
        self.solutions = Solutions(engine)
        self.feedback = FeedbackLog(engine)
        self.history = History(engine)
        self.arrivals = Arrivals(engine)
        self.persons = Persons(engine)
        self.releases = Releases(engine)
        self.secrets = Secrets(engine, secret_key)
        self.tool_calls = ToolCalls(engine)
        self.trials = Trials(engine)
        self.events = Events(engine)
        self.deliveries = Deliveries(engine)
        self.api_keys = ApiKeys(engine)
        self.idempotency = Idempotency(engine)
        self.workers = Workers(engine)
        self.people = People(engine)
        self.log_ins = LogIns(engine)
        self.teamwork = Teamwork(engine)
        self.audit = AuditLog(engine)
        self.listing = Listing(engine)
        self.timelines = Timelines(engine)
        self.quality = Quality(engine)
        self.costs = CostLog(engine)
        self.verdicts = Verdicts(engine)
        self.thresholds = Thresholds(engine)
        self.findings = Findings(engine)
        self.gaps = Gaps(engine)
        self.privacy = Privacy(engine)
        self._write, self._read = sessions(engine)

    def store_message(self, message: Message) -> Ticket:
        """Stores `message` with its attachments, and opens or reopens its ticket.

        Doing so again, in another process or at the same time, changes nothing, also if another
        conversation is named then. Raises DeskmateError if an id is too long to be kept.
        """
        refuse_long_ids(message)
        with self._write.begin() as session:
            # Blobs, then the ticket, then the message: always the same order, so that two processes
            # cannot wait for each other.
            insert_blobs(session, message.attachments)
            ticket = open_ticket(session, message)
            if insert_message(session, message, ticket):
                ticket.updated_at = datetime.now(UTC)
                if message.author == "customer":
                    note(session, ticket, "message.received", message=message.external_id)
                if message.author == "staff":
                    ticket.status, ticket.owner = "handed over", message.sender
                    audit(session, ticket.id, message.sender, "hand over", "wrote on the channel")
                    note(session, ticket, "ticket.handed_over", by=message.sender)
                elif ticket.status in ("answered", "solved"):
                    ticket.status, ticket.solved_by = "open", None
            else:
                ticket = own_ticket(session, message, ticket)
            return as_ticket(ticket)

    def ticket(self, ticket_id: int) -> Ticket:
        """One ticket. Raises DeskmateError if there is none of this number."""
        with self._read() as session:
            return as_ticket(find_ticket(session, ticket_id))

    def find(self, connector: str, thread_id: str) -> Ticket | None:
        """The ticket of this conversation, or None."""
        query = select(TicketRow).where(
            TicketRow.connector == connector, TicketRow.thread_id == thread_id
        )
        with self._read() as session:
            row = session.scalar(query)
            return None if row is None else as_ticket(row)

    def list(
        self, status: TicketStatus | None = None, limit: int = 50, customer: str | None = None
    ) -> tuple[Ticket, ...]:
        """Tickets, those with the latest news first; all, or those of one status, or of customers
        whose name ends with `customer`."""
        query = select(TicketRow).order_by(TicketRow.updated_at.desc(), TicketRow.id.desc())
        if status:
            query = query.where(TicketRow.status == status)
        if customer:
            query = query.where(TicketRow.customer.endswith(customer, autoescape=True))
        with self._read() as session:
            return tuple(as_ticket(row) for row in session.scalars(query.limit(limit)))

    def messages(self, ticket_id: int) -> tuple[Message, ...]:
        """A ticket's messages with their attachments, oldest first."""
        query = select(MessageRow).where(MessageRow.ticket_id == ticket_id)
        with self._read() as session:
            ticket = find_ticket(session, ticket_id)
            rows = session.scalars(query.order_by(MessageRow.id)).all()
            return tuple(read_messages(session, ticket, rows))

    def message(self, connector: str, external_id: str) -> Message:
        """The message of this name with its attachments.

        Raises DeskmateError if it is not stored.
        """
        with self._read() as session:
            row = find_message(session, connector, external_id)
            return next(iter(read_messages(session, find_ticket(session, row.ticket_id), [row])))

    def waiting(self, connector: str, external_id: str) -> tuple[Ticket, tuple[Waiting, ...]]:
        """The ticket of this message, and the ticket's messages without an outcome, oldest first.

        Raises DeskmateError if the message is not stored.
        """
        with self._read() as session:
            row = find_message(session, connector, external_id)
            ticket = find_ticket(session, row.ticket_id)
            query = select(MessageRow).where(
                MessageRow.ticket_id == ticket.id, MessageRow.outcome_id.is_(None)
            )
            rows = session.scalars(query.order_by(MessageRow.id)).all()
            pairs = zip(rows, read_messages(session, ticket, rows), strict=True)
            return as_ticket(ticket), tuple(Waiting(m, row.received_at) for row, m in pairs)

    def came_since(self, ticket_id: int, since: datetime) -> int:
        """How many messages of customers came in this conversation since then."""
        query = select(func.count()).where(
            MessageRow.ticket_id == ticket_id,
            MessageRow.author == "customer",
            MessageRow.received_at >= since,
        )
        with self._read() as session:
            return session.scalar(query) or 0

    def begin_answer(self, connector: str, external_id: str) -> int:
        """Notes that a worker begins to answer this message; returns how often one has."""
        with self._write.begin() as session:
            statement = (
                update(MessageRow)
                .where(MessageRow.connector == connector, MessageRow.external_id == external_id)
                .values(attempts=MessageRow.attempts + 1)
                .returning(MessageRow.attempts)
            )
            return session.scalars(statement).one()

    def left(self) -> tuple[tuple[int, Message], ...]:
        """For each ticket with messages without an outcome: its id and the newest of them,
        attachments left out."""
        newest = (
            select(func.max(MessageRow.id))
            .where(MessageRow.outcome_id.is_(None))
            .group_by(MessageRow.ticket_id)
        )
        query = (
            select(MessageRow, TicketRow)
            .join(TicketRow, TicketRow.id == MessageRow.ticket_id)
            .where(MessageRow.id.in_(newest))
            .order_by(MessageRow.id)
        )
        with self._read() as session:
            return tuple(
                (ticket.id, as_message(row, ticket, ())) for row, ticket in session.execute(query)
            )

    def conversation(self, ticket_id: int, without: Collection[str] = ()) -> tuple[Turn, ...]:
        """What was said, oldest first: messages that came, replies that went or are on their way.

        `without` names messages, by their external ids, to leave out.
        """
        messages = select(MessageRow).where(
            MessageRow.ticket_id == ticket_id, MessageRow.withdrawn_at.is_(None)
        )
        replies = select(ReplyRow).where(
            ReplyRow.ticket_id == ticket_id, ReplyRow.state.in_(("intended", "sent"))
        )
        with self._read() as session:
            channel = find_ticket(session, ticket_id).connector
            turns = [
                (row.received_at, Turn(row.author, row.text, row.sent_at, channel))
                for row in session.scalars(messages.order_by(MessageRow.id))
                if row.external_id not in without
            ]
            turns += [
                (row.created_at, Turn(row.author, row.text, row.sent_at or row.created_at, channel))
                for row in session.scalars(replies.order_by(ReplyRow.created_at))
            ]
        return tuple(turn for _, turn in sorted(turns, key=lambda pair: pair[0]))

    def hand_over(self, ticket_id: int, who: str, reason: str = "", by: str = "") -> Ticket:
        """Gives the ticket to the person `who`: nothing in it is answered automatically until it
        is handed back or solved. `by` is who gave it, if it was not taken."""
        with self._write.begin() as session:
            ticket = find_ticket(session, ticket_id, lock=True)
            ticket.status, ticket.owner, ticket.updated_at = "handed over", who, datetime.now(UTC)
            detail = f"to {who}: {reason}".removesuffix(": ") if by and by != who else reason
            audit(session, ticket_id, by or who, "hand over", detail)
            note(session, ticket, "ticket.handed_over", by=who)
            return as_ticket(ticket)

    def hand_back(self, ticket_id: int, who: str) -> Ticket:
        """Gives the ticket back to the assistant, which answers what the customer writes next.

        Raises DeskmateError if no person has it.
        """
        with self._write.begin() as session:
            ticket = find_ticket(session, ticket_id, lock=True)
            if ticket.status != "handed over":
                raise DeskmateError(f"ticket {ticket_id} is {ticket.status}, not handed over.")
            ticket.status, ticket.owner = "open", None
            settle(session, ticket)
            audit(session, ticket_id, who, "hand back", "")
            return as_ticket(ticket)
