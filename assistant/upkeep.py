"""What every process that answers messages does again and again beside that.

It says that it lives, takes over from the dead, enqueues what was stored and not enqueued, minds
the clock, tells staff what waits for them and customers that their answer takes longer, closes
tickets that stayed quiet, clears the queues' past, and erases what is older than it may be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from assistant import clock, logs
from assistant.connecting import AnnotatingConnector, Connector, NotifyingConnector
from assistant.messages import Ticket
from assistant.queues import Queues
from assistant.settings import Privacy
from assistant.tickets.repository import Tickets

SWEEP_SECONDS = 60.0
HOUR_SECONDS = 3600.0
OFTEN_SECONDS = 5.0
CLOCK_SLACK_SECONDS = 30.0  # clocks of several machines may differ by so much
LONGEST_WAIT_SECONDS = 150.0  # for more of a message: longer than inbox.quiet_seconds may be
SEND_AGAIN_AFTER = 60.0  # seconds until a reply or notice without any news is due anew
DELAYED_TEXT = "Thank you for your message. The answer takes longer than usual; it will come here."
KEEP_WORKFLOWS = timedelta(days=7)
KEEP_EVENTS = timedelta(days=14)  # longer than any webhook is tried again

log = logs.logger(__name__)


class Upkeep:
    """The repeated jobs of one process; `worker` is its name.

    `connectors` are asked for who can tell staff, `staff_connector` names the one that shall; empty
    means the first that can. `solved` is called with each ticket that is solved by staying quiet.
    Customers are told that their answer takes longer after `tell_after_seconds`, if that is not 0.
    `keep` says how long tickets and the audit log are kept; `erase` erases the tickets of these
    numbers, which were kept for so long.
    """

    def __init__(
        self,
        tickets: Tickets,
        queues: Queues,
        connectors: Mapping[str, Connector],
        solved: Callable[[Ticket], None],
        *,
        worker: str,
        staff_connector: str,
        dead_after_seconds: float,
        tell_after_seconds: float,
        keep: Privacy,
        erase: Callable[[Sequence[int]], object],
    ) -> None:
        self._tickets = tickets
        self._queues = queues
        self._connectors = connectors
        self._solved = solved
        self._worker = worker
        self._staff_connector = staff_connector
        self._dead_after = dead_after_seconds
        self._tell_after = tell_after_seconds
        self._keep = keep
        self._erase = erase
        self._jumps = clock.Jumps()
        self._stopping, self._stopped = threading.Event(), threading.Event()
        self._news = threading.Event()
        self._threads: list[threading.Thread] = []

    def join(self) -> None:
        """Enters this process among the workers.

        Raises DeskmateError if another live process has this worker's name.
        """
        self.joined_at = self._tickets.workers.join(self._worker, self._dead_after)

    def start(self) -> None:
        """Begins to do the jobs."""
        self._stopping.clear()
        self._stopped.clear()
        newest, now = self._tickets.dues.newest_event_at(), datetime.now(UTC)
        self._jumps.seconds(now)
        if newest and newest > now + timedelta(seconds=CLOCK_SLACK_SECONDS):
            self._bring_forward(self._queues.bring_forward(LONGEST_WAIT_SECONDS))
        often = min(OFTEN_SECONDS, self._dead_after / 3)
        # Threads of their own, so that no long sweep delays a heartbeat; and the heart beats on
        # until the last work is done.
        self._threads = [
            self._repeat(self._beat, often, until=self._stopped),
            self._repeat(self._take_over, often),
            self._repeat(self._mind_clock, min(often, 1.0)),
            self._repeat(self._sweep_replies, often),
            self._repeat(self._sweep_messages, SWEEP_SECONDS),
            self._repeat(self._tell_staff, OFTEN_SECONDS, wake=self._news),
            self._repeat(self._tell_waiting, OFTEN_SECONDS),
            self._repeat(self._close_quiet, HOUR_SECONDS),
            self._repeat(self._clear_past, HOUR_SECONDS),
            self._repeat(self._erase_old, HOUR_SECONDS),
        ]

    def begin_stop(self) -> None:
        """Ends all jobs but the heartbeat."""
        self._stopping.set()
        self._news.set()

    def stop(self) -> None:
        """Ends all jobs."""
        self.begin_stop()
        self._stopped.set()
        for thread in self._threads:
            thread.join()
        self._news.clear()

    def tell_staff_soon(self) -> None:
        """There may be a new notice."""
        self._news.set()

    def _beat(self) -> None:
        if not self._tickets.workers.beat(self._worker, self.joined_at):
            log.warning("missed_heartbeats", worker=self._worker)
            self.join()

    def _take_over(self) -> None:
        """Gives the work that dead workers had begun to the living, and what this one lost track
        of back to itself."""
        with self._tickets.workers.dead(self._dead_after, besides=self._worker) as names:
            if names:
                count = self._queues.give_back(names)
                log.warning("took_over", workers=",".join(names), workflows=count)
        if count := self._queues.take_up_stranded():
            log.warning("took_up_stranded", workflows=count)

    def _mind_clock(self) -> None:
        """What waits for a time must not wait for as long again as the clock was set back."""
        went_back = self._jumps.seconds(datetime.now(UTC)) < -CLOCK_SLACK_SECONDS
        # These are seen although the clock was wrong for less time than lies between two looks.
        messages = self._queues.bring_forward(LONGEST_WAIT_SECONDS)
        if went_back or messages:
            self._bring_forward(messages)

    def _bring_forward(self, messages: int) -> None:
        others = self._tickets.dues.bring_forward(SEND_AGAIN_AFTER)
        log.warning("clock_went_back", messages=messages, others=others)

    def _sweep_messages(self) -> None:
        """Enqueues messages that were stored by a process that died before it enqueued them."""
        waiting = {message.key: (ticket, message) for ticket, message in self._tickets.left()}
        for key, workflow_id in self._queues.missing(waiting):
            self._queues.enqueue_message(workflow_id, *waiting[key])

    def _sweep_replies(self) -> None:
        """Enqueues replies that are due again, or that a person approved in another process."""
        due = {
            stored.send_id: stored for stored in self._tickets.replies.take_due(SEND_AGAIN_AFTER)
        }
        for send_id, workflow_id in self._queues.missing(due):
            self._queues.enqueue_reply(workflow_id, due[send_id].reply)

    def _tell_staff(self) -> None:
        """Tells staff what waits for them; what cannot be told waits until it can."""
        self._news.clear()
        in_tickets = {
            name: each.annotate
            for name, each in self._connectors.items()
            if isinstance(each, AnnotatingConnector)
        }
        staff = notifier(self._connectors, self._staff_connector)
        elsewhere = staff.notify if staff else None
        if not in_tickets and elsewhere is None:
            return
        notices = self._tickets.notices
        # One by one: telling may take seconds, and what is taken belongs to this process for a
        # minute only.
        while not self._stopping.is_set() and (due := notices.take_due(SEND_AGAIN_AFTER, limit=1)):
            (stored,) = due
            notice = stored.notice
            tell = in_tickets.get(notice.ticket.connector, elsewhere)
            if tell is None:
                continue  # it waits for a connector that can
            about = {"notice": notice.id, "ticket": notice.ticket.id, "kind": notice.kind}
            try:
                notices.record_told(notice.id, tell(notice))
                log.info("told_staff", **about)
            except Exception as error:
                log.warning("failed_notice", **about, error=logs.place(error))
                pause = min(3600.0, 5.0 * 2**stored.attempts)
                notices.record_failure(notice.id, f"{type(error).__name__}: {error}", pause)

    def _tell_waiting(self) -> None:
        """Tells customers that their answer takes longer."""
        if self._tell_after:
            for reply_id in self._tickets.delays.tell(self._tell_after, DELAYED_TEXT):
                stored = self._tickets.replies.get(reply_id)
                self._queues.enqueue_reply(stored.send_id, stored.reply)
                log.info("told_delay", ticket=stored.reply.ticket_id, reply=reply_id)

    def _close_quiet(self) -> None:
        for ticket in self._tickets.solutions.mark_quiet():
            log.info("solved_ticket", ticket=ticket.id, by=ticket.solved_by, how="quiet")
            self._solved(ticket)

    def _clear_past(self) -> None:
        if count := self._queues.clear(datetime.now(UTC) - KEEP_WORKFLOWS):
            log.info("cleared_workflows", count=count)
        if count := self._tickets.events.clear(datetime.now(UTC) - KEEP_EVENTS):
            log.info("cleared_events", count=count)

    def _erase_old(self) -> None:
        """Erases what is older than it may be."""
        now, privacy = datetime.now(UTC), self._tickets.privacy
        days = self._keep.keep_tickets_days
        if days and (old := privacy.old_tickets(now - timedelta(days=days))):
            self._erase(old)
            log.info("erased_old_tickets", count=len(old))
        days = self._keep.keep_audit_days
        if days and (count := privacy.clear_audit(now - timedelta(days=days))):
            log.info("erased_old_audit", count=count)

    def _repeat(
        self,
        job: Callable[[], None],
        seconds: float,
        until: threading.Event | None = None,
        wake: threading.Event | None = None,
    ) -> threading.Thread:
        """Does `job` now and every so many seconds, or when `wake` is set, until `until` is,
        whatever goes wrong."""
        until = until or self._stopping
        wake = wake or until

        def run() -> None:
            while not until.is_set():
                try:
                    job()
                except Exception as error:
                    log.error("failed_job", job=job.__name__.lstrip("_"), error=logs.place(error))
                wake.wait(seconds)

        thread = threading.Thread(target=run, name=f"upkeep{job.__name__}", daemon=True)
        thread.start()
        return thread


def notifier(connectors: Mapping[str, Connector], name: str) -> NotifyingConnector | None:
    """The connector that tells staff: the one called `name`, or the first that can."""
    wanted = [connectors[name]] if name in connectors else [] if name else connectors.values()
    return next((each for each in wanted if isinstance(each, NotifyingConnector)), None)
