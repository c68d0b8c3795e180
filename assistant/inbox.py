"""Durable work: every message that is accepted is answered, and every reply sent, although
processes die at any moment.

    accept ──> queue ──> answer ──> queue ──> send

A message is stored in the ticket database, then enqueued as a workflow whose id is
`connector:external-id`; both can be repeated without harm. The queues (`queues.py`) are partitioned
by conversation: one conversation is answered, and its replies are sent, one after the other. Each
workflow is one function that asks the ticket database what is left to do, so running it again from
its beginning, after a crash or an upgrade, is always right; the queues see to it that it *is* run
again, by one process at a time.

A process that dies keeps its conversations blocked until it comes back under its name, or until
another one finds that its heartbeat stopped `dead_after_seconds` ago and takes them over.

Nobody can send an e-mail or a chat message exactly once. Each attempt is recorded before it is
made, and before a second one the connector is asked whether the first arrived. So a reply is sent
twice only if the channel took the first and does not show it yet when it is asked again, or if a
process stands still for longer than `dead_after_seconds` just between recording an attempt and
making it, and then goes on. A process that stood still at any other point may not begin an attempt.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from assistant import bursts, logs, metrics, tracing
from assistant.answering import remarks
from assistant.connecting import Connector
from assistant.errors import UndeliverableError
from assistant.messages import Message, Outcome, PluginFault, Reply, Ticket, Turn
from assistant.queues import Queues
from assistant.settings import Privacy
from assistant.tickets.columns import clean
from assistant.tickets.persons import with_person
from assistant.tickets.repository import Tickets, Waiting
from assistant.upkeep import SEND_AGAIN_AFTER, Upkeep

Answering = Callable[[Message, Ticket, tuple[Turn, ...]], Outcome]
"""Answers a message of a ticket, given what was said before."""

Arriving = Callable[[Message, list[PluginFault], list[Callable[[], None]]], Message]

ANSWER_PAUSES = (1.0, 5.0)  # seconds before the second and the third try
TRY_AGAIN_SECONDS = 30.0  # since the first try; after that, none is worth the wait
FATAL_ATTEMPTS = 5  # after so many workers died over a message, a person gets it
SEND_ATTEMPTS = 55  # with the pauses below: about two days
DRAIN_SECONDS = 60
HANDED_OVER_TEXT = "Thank you for your message. A colleague will answer you."

log = logs.logger(__name__)


class Inbox:
    """Accepts messages, has them answered, sends the replies. One per process.

    `answer` may raise: it is tried again, then the message is handed over with the error as its
    reason. `reply_hold` returns a reason to hold a reply back for a person, or None; it is not
    asked about what a person approved. `solved` hears of tickets that nobody at the desk marked.
    `arriving` makes of a message what is stored, and appends what went wrong with plugins, and
    what is to be called once it is stored.
    `worker` names this process: no other may have the same name, and after a restart it should be
    the same. `staff_connector` names the connector that tells staff; empty: the first that can.
    `concurrency` is the number of conversations answered at once. A message is answered once its
    author is likely done, at most `quiet_seconds` later (`bursts.py`); what came meanwhile is part
    of the question. A customer who waits for `tell_after_seconds` is told so; 0: nobody is.
    `keep` says how long what is past is kept; by default it is kept. `erase` erases the tickets of
    these numbers, which were kept for so long.
    `workflow_url` is the database in which DBOS keeps its own tables (`workflow_database_url`).
    """

    def __init__(
        self,
        tickets: Tickets,
        answer: Answering,
        connectors: Mapping[str, Connector],
        reply_hold: Callable[[Reply], str | None],
        solved: Callable[[Ticket], None] = lambda ticket: None,
        arriving: Arriving = lambda message, faults, once_stored: message,
        *,
        worker: str,
        workflow_url: str,
        staff_connector: str = "",
        concurrency: int = 2,
        quiet_seconds: float = 5.0,
        dead_after_seconds: float = 30.0,
        tell_after_seconds: float = 0.0,
        keep: Privacy | None = None,
        erase: Callable[[Sequence[int]], object] = lambda ids: None,
    ) -> None:
        self._tickets = tickets
        self._answer_message = answer
        self._connectors = connectors
        self._reply_hold = reply_hold
        self._worker = worker
        self._solved = solved
        self._arriving = arriving
        self._quiet_seconds = quiet_seconds
        self._queues = Queues(workflow_url, self._answer, self._send, concurrency)
        self._upkeep = Upkeep(
            tickets,
            self._queues,
            connectors,
            solved,
            worker=worker,
            staff_connector=staff_connector,
            dead_after_seconds=dead_after_seconds,
            tell_after_seconds=tell_after_seconds,
            keep=keep or Privacy(),
            erase=erase,
        )

    def accept(self, message: Message) -> None:
        """Stores the message and sees to it that it will be answered; then it is safe to
        acknowledge it to its source. Accepting it again changes nothing. While the inbox is not
        started the message is stored only, and enqueued at the next start."""
        faults: list[PluginFault] = []
        once_stored: list[Callable[[], None]] = []
        message = self._arriving(message, faults, once_stored)
        ticket = self._tickets.store_message(message)
        for work in once_stored:
            work()
        self._tickets.outcomes.note_faults(ticket.id, faults)
        metrics.ACCEPTED.labels(message.connector).inc()
        log.info("accepted_message", ticket=ticket.id, message=message.key)
        if self._queues.running:
            quiet_seconds = self._quiet_after(ticket, message)
            self._queues.enqueue_message(clean(message.key), ticket.id, message, quiet_seconds)

    def _quiet_after(self, ticket: Ticket, message: Message) -> float:
        since = datetime.now(UTC) - timedelta(seconds=bursts.IN_A_ROW_SECONDS)
        in_a_row = self._tickets.came_since(ticket.id, since) > 1
        return bursts.quiet_seconds(message, in_a_row=in_a_row, longest=self._quiet_seconds)

    def _answer(self, connector: str, external_id: str) -> None:
        """Workflow: answers the message, together with the others of its burst."""
        ticket, burst = self._tickets.waiting(connector, external_id)
        ids = [waiting.message.external_id for waiting in burst]
        if external_id in ids:
            if external_id != ids[-1] and self._still_arriving(burst[-1]):
                return  # the last message's workflow answers all of them
            question = bursts.one_question([waiting.message for waiting in burst])
            with tracing.message_span(ticket, question) as span:
                outcome = self._find_outcome(ticket, question, ids)
                span.record(outcome)
            if self._more_came(question, burst):
                log.info("dropped_outcome", ticket=ticket.id, message=question.key)
                return  # the newest message's workflow answers all of them
            self._tickets.outcomes.store(ticket.id, question, ids, outcome)
            metrics.count_outcome(outcome, burst[0].received_at)
            log.info(
                "stored_outcome", ticket=ticket.id, message=question.key, action=outcome.action
            )
            self._follow_up(ticket, outcome)
        # Also if it was answered before: with its burst, or by a process that died at this point.
        if reply_id := self._tickets.outcomes.reply_id(connector, external_id):
            if self._queues.running:
                self.send(reply_id)
            else:  # this process stops, and looks into the queues no more
                self._send(reply_id)

    def send(self, reply_id: str) -> None:
        """Enqueues a stored reply, such as a draft that a person approved, for sending.

        A process without a running inbox need not call this: a reply stored as intended is
        found by the running ones within seconds.
        """
        stored = self._tickets.replies.get(reply_id)
        if stored.state == "intended" and self._queues.running:
            self._queues.enqueue_reply(stored.send_id, stored.reply)

    def _send(self, reply_id: str) -> None:
        """Workflow: makes one attempt to send the reply."""
        joined_at, replies = self._upkeep.joined_at, self._tickets.replies
        stored = replies.get(reply_id)
        if stored.state != "intended":
            return
        attempt = replies.begin_attempt(reply_id, self._worker, joined_at, SEND_AGAIN_AFTER)
        about = {"ticket": stored.reply.ticket_id, "reply": reply_id, "attempt": attempt}
        try:
            owner = self._tickets.ticket(stored.reply.ticket_id).owner
            if owner and not stored.approved_by:
                replies.record_dropped(reply_id, f"{owner} took the ticket over before it was sent")
                log.info("dropped_reply", **about)
                return
            if not stored.approved_by and (
                reason := replies.silenced(reply_id) or self._reply_hold(stored.reply)
            ):
                if stored.tells_delay:  # no matter for a person
                    replies.record_dropped(reply_id, reason)
                    return
                replies.record_held(reply_id, reason)
                log.info("held_reply", **about)
                self._upkeep.tell_staff_soon()
                return
            connector = self._connector(stored.reply.connector)
            already_sent = connector.find_sent(stored.reply) if attempt > 1 else None
            replies.record_sent(reply_id, already_sent or connector.send(stored.reply))
            metrics.SENT.labels(stored.reply.connector, "sent").inc()
            log.info("sent_reply", **about)
        except Exception as error:
            metrics.SENT.labels(stored.reply.connector, "failed").inc()
            log.warning("failed_reply", **about, error=logs.place(error))
            again = None if isinstance(error, UndeliverableError) else send_pause(attempt)
            replies.record_failure(reply_id, f"{type(error).__name__}: {error}", again)
            if again is None:
                self._upkeep.tell_staff_soon()

    def _still_arriving(self, newest: Waiting) -> bool:
        quiet_at = newest.received_at + timedelta(seconds=self._quiet_seconds)
        return datetime.now(UTC) < quiet_at

    def _more_came(self, question: Message, burst: Sequence[Waiting]) -> bool:
        """Whether the customer went on writing while the question was being answered; not for
        long, so that who writes on and on is answered all the same."""
        asked_for = datetime.now(UTC) - burst[0].received_at
        if asked_for > timedelta(seconds=bursts.TOGETHER_SECONDS):
            return False
        _, waiting = self._tickets.waiting(question.connector, question.external_id)
        newest = [each.message for each in waiting][-1:]
        names = {each.message.external_id for each in burst}
        return any(m.author == "customer" and m.external_id not in names for m in newest)

    def _follow_up(self, ticket: Ticket, outcome: Outcome) -> None:
        self._upkeep.tell_staff_soon()
        if outcome.action == "solve":
            solved = self._tickets.ticket(ticket.id)
            log.info("solved_ticket", ticket=ticket.id, by=solved.solved_by, how="confirmed")
            self._solved(solved)

    def _find_outcome(self, ticket: Ticket, question: Message, burst: list[str]) -> Outcome:
        if question.author == "staff":
            return Outcome("ignore", f"{question.sender} of our own wrote it", text="")
        conversation = self._tickets.conversation(ticket.id, without=burst)
        persons_word = conversation and conversation[-1].author == "staff"
        if ticket.status == "handed over" and persons_word and remarks.confirms(question):
            return remarks.CONFIRMED
        others = self._tickets.persons.other_tickets(ticket)
        if taken := with_person(ticket, others):
            return Outcome("hand over", taken, text="")
        turns = [turn for other in others for turn in self._tickets.conversation(other.id)]
        if turns:
            conversation = tuple(sorted([*turns, *conversation], key=lambda turn: turn.sent_at))
        if self._tickets.begin_answer(question.connector, question.external_id) > FATAL_ATTEMPTS:
            return handed_over(f"{FATAL_ATTEMPTS} workers stopped while they answered it")
        began = time.monotonic()
        for pause in (*ANSWER_PAUSES, None):
            try:
                return self._answer_message(question, ticket, conversation)
            except Exception as error:
                metrics.FAILED_ANSWERS.inc()
                log.warning(
                    "failed_answer",
                    ticket=ticket.id,
                    message=question.key,
                    error=logs.place(error),
                )
                if pause is None or time.monotonic() - began > TRY_AGAIN_SECONDS:
                    return handed_over(f"answering failed: {type(error).__name__}: {error}")
                time.sleep(pause)
        raise AssertionError("the last try returns")

    def _connector(self, name: str) -> Connector:
        if name not in self._connectors:
            raise LookupError(f"no connector named {name!r} is configured")
        return self._connectors[name]

    def start(self) -> None:
        """Begins to work: goes on with what this worker left when it stopped, and takes over
        from dead ones.

        Raises DeskmateError if another live process has this worker's name, DatabaseError if the
        workflow database cannot be opened.
        """
        self._upkeep.join()
        self._queues.start(self._worker)
        self._upkeep.start()

    def stop(self) -> None:
        """Takes no new work and waits for what is running, a minute at most; what is left then
        goes on at the next start, or in another process."""
        self._upkeep.begin_stop()
        self._queues.stop(DRAIN_SECONDS)
        self._upkeep.stop()


def handed_over(reason: str) -> Outcome:
    """The outcome of a message that could not be answered for this reason."""
    return Outcome("hand over", reason, HANDED_OVER_TEXT)


def send_pause(attempt: int) -> float | None:
    """Seconds to wait after this failed attempt, counted from 1; None: give up."""
    return min(3600.0, 5.0 * 2**attempt) if attempt < SEND_ATTEMPTS else None
