"""Where do the milliseconds of one message go? The example help centre's questions, warm, without a
chat model: `text` are those in words, `text+screenshot` those in words and a screenshot.

The line `deskmate` is a whole message: stored as it came, answered by `Desk.ask`, its outcome
stored, on SQLite. The lines below are its steps as its trace names them, and `deskmate/store` the
two writes. `share outside models` is the share of a message's time that is spent neither in models
and indexes (the steps read, encode, search and write) nor in the database; its value is the median,
`largest share outside` the largest of all messages.

`inbox` takes the same text questions through the durable inbox, one after the other: `ack ms p50`
until the message is accepted and may be acknowledged, `ms p50` and `ms p95` until its reply is with
the connector (for a hand-over: the customer's notice), without the seconds of quiet that
the inbox grants a customer who goes on typing.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from rich.progress import track

from assistant import Desk, Message, Outcome
from assistant.inbox import Inbox
from assistant.messages import Attachment, Reply
from assistant.queues import workflow_database_url
from assistant.settings import Knowledge
from assistant.tickets.database import upgrade
from benchmarks import data, ours
from benchmarks.data import Case
from benchmarks.results import Results

MODELS_AND_STORES = ("read", "encode", "search", "write", "store")
ROUNDS = 2
"""How often each question is asked, each time as another message."""

WARM_UP = 3
"""Messages before the measurement: the first ones open tables and grow buffers."""


@dataclass(frozen=True)
class Timed:
    """A message's milliseconds, whole and by step; steps of one name are added up."""

    whole: float
    steps: dict[str, float]

    @property
    def outside(self) -> float:
        """The share spent outside the models and stores."""
        inside = sum(self.steps.get(step, 0.0) for step in MODELS_AND_STORES)
        return 1 - inside / self.whole


def main() -> None:
    cases = data.help_centre()
    results = Results("latency", ["torch", "chromadb", "sqlalchemy", "dbos"])
    with ours.indexed_desk(
        data.HELP_CENTRE / "articles", knowledge=Knowledge(read_pictures=False)
    ) as desk:
        upgrade(desk.engine)
        text = [case for case in cases if case.text and not case.screenshots]
        _add(results, "text", [_time(desk, case) for case in _warm(text, ROUNDS, "text")])
        both = [case for case in cases if case.text and case.screenshots]
        _add(
            results,
            "text+screenshot",
            [_time(desk, case) for case in _warm(both, 1, "text+screenshot")],
        )
        _measure_inbox(results, desk, text)
    results.publish()


def _warm(cases: Sequence[Case], rounds: int, name: str) -> Iterator[Case]:
    """The cases as often as asked; before them some that `_add` leaves out."""
    yield from track([*cases[:WARM_UP], *cases * rounds], name)


def _time(desk: Desk, case: Case) -> Timed:
    message = _message(case)
    start = time.perf_counter()
    ticket = desk.tickets.store_message(message)
    stored = time.perf_counter() - start
    outcome = desk.pipeline.answer(message, ticket)
    before = time.perf_counter()
    desk.tickets.outcomes.store(ticket.id, message, [message.external_id], outcome)
    end = time.perf_counter()
    steps: dict[str, float] = defaultdict(float)
    for step in outcome.trace:
        steps[step.name] += step.milliseconds
    steps["store"] = (stored + end - before) * 1_000
    return Timed((end - start) * 1_000, dict(steps))


def _message(case: Case) -> Message:
    """The question as a new customer's message."""
    name = uuid.uuid4().hex
    screenshots = tuple(Attachment.of(path) for path in case.screenshots)
    return Message("bench", name, name, "customer@example.com", case.text, attachments=screenshots)


def _add(results: Results, task: str, timed: Sequence[Timed]) -> None:
    measured = timed[WARM_UP:]
    _add_times(results, task, "deskmate", [message.whole for message in measured])
    outside = [message.outside for message in measured]
    results.add(task, "deskmate", "share outside models", float(np.median(outside)))
    results.add(task, "deskmate", "largest share outside", max(outside))
    for step in measured[0].steps:
        _add_times(results, task, f"deskmate/{step}", [m.steps.get(step, 0.0) for m in measured])


def _add_times(results: Results, task: str, system: str, milliseconds: Sequence[float]) -> None:
    results.add(task, system, "ms p50", float(np.percentile(milliseconds, 50)), n=len(milliseconds))
    results.add(task, system, "ms p95", float(np.percentile(milliseconds, 95)), n=len(milliseconds))


# ── Through the durable inbox ──────────────────────────────────────────────────────────────────


class Arrivals:
    """A channel that notes when a reply is given to it."""

    name = "bench"

    def __init__(self) -> None:
        self.arrived = threading.Event()

    def run(self, accept: object, stop: threading.Event) -> None:
        """Brings nothing."""
        stop.wait()

    def send(self, reply: Reply) -> str:
        """Takes a reply."""
        self.arrived.set()
        return reply.id

    def find_sent(self, reply: Reply) -> str | None:
        """Never asked here: no attempt is repeated."""
        return None


def _measure_inbox(results: Results, desk: Desk, cases: Sequence[Case]) -> None:
    channel = Arrivals()
    acknowledged, answered = [], []
    with _running_inbox(desk, channel) as inbox:
        for case in track([*cases[:WARM_UP], *cases], "inbox"):
            if _outcome(desk, case).action not in ("reply", "hand over"):
                continue  # a draft waits for a person
            channel.arrived.clear()
            start = time.perf_counter()
            inbox.accept(_message(case))
            acknowledged.append((time.perf_counter() - start) * 1_000)
            if not channel.arrived.wait(30):
                raise TimeoutError(f"case {case.id}: no reply within 30 seconds")
            answered.append((time.perf_counter() - start) * 1_000)
    _add_times(results, "inbox", "deskmate", answered[WARM_UP:])
    results.add("inbox", "deskmate", "ack ms p50", float(np.median(acknowledged[WARM_UP:])))


def _outcome(desk: Desk, case: Case) -> Outcome:
    return desk.ask(case.text)


@contextmanager
def _running_inbox(desk: Desk, channel: Arrivals) -> Iterator[Inbox]:
    inbox = Inbox(
        desk.tickets,
        desk.pipeline.answer,
        {channel.name: channel},
        lambda reply: None,
        worker="bench",
        workflow_url=workflow_database_url(desk.settings.resolved_database_url),
        quiet_seconds=0,
    )
    inbox.start()
    try:
        yield inbox
    finally:
        inbox.stop()


if __name__ == "__main__":
    main()
