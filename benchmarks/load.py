"""Messages brought to a running company, and when each was acknowledged and answered."""

from __future__ import annotations

import itertools
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, select

from assistant import Attachment, Desk, Message
from assistant.settings import Settings
from assistant.tickets.backlog import backlog
from assistant.tickets.database import connect
from assistant.tickets.tables import MessageRow, OutcomeRow, ReplyRow, TicketRow
from benchmarks.company import CHANNELS, Asked, Company
from benchmarks.results import Results

BURST = 200
STEADY = 100
ACKNOWLEDGED = ("slack", "api")
OVERLOAD = 5
OVERLOAD_SECONDS = 60
CONCURRENCY = 2  # conversations that a process answers at once, by default
PATIENCE_SECONDS = 1_800

Question = tuple[str, Path | None]
"""What is asked, and the screenshot that comes with it."""


class Load:
    """Messages that are brought to a running company, and when what became of them."""

    def __init__(self, company: Company, questions: Iterator[Question]) -> None:
        self._company, self.questions = company, questions
        self._numbers = itertools.count()
        url = company.database_url or f"sqlite:///{company.folder / 'data/deskmate.sqlite'}"
        self.engine: Engine = connect(url)

    def bring(self, channels: Sequence[str], per_second: float) -> list[tuple[Asked, float]]:
        """Brings a message to each, at this rate whatever comes back; returns them, with the
        milliseconds until the customer's program was told that it is taken."""
        dice, began = random.Random(1), time.perf_counter()

        def ask(channel: str, number: int, question: Question, due: float) -> tuple[Asked, float]:
            text, screenshot = question
            asked = self._company.ask(channel, number, text, dice, screenshot)
            return asked, 1_000 * (time.perf_counter() - due)

        with ThreadPoolExecutor(64) as customers:
            asking = []
            for number, channel in enumerate(channels):
                due = began + number / per_second
                time.sleep(max(0.0, due - time.perf_counter()))
                work = (channel, next(self._numbers), next(self.questions), due)
                asking.append(customers.submit(ask, *work))
            return [each.result() for each in asking]

    def wait(self, count: int) -> bool:
        """Waits until so many messages in all have an outcome, and nothing is left to send."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            left = backlog(self.engine)
            if len(self.times()) >= count and not left.messages and not left.replies:
                return True
            time.sleep(0.5)
        return False

    def times(self) -> dict[str, tuple[datetime, datetime]]:
        """Of each message, by its customer or conversation: when it was stored and answered."""
        query = (
            select(TicketRow.customer, TicketRow.thread_id, MessageRow.received_at)
            .add_columns(OutcomeRow.created_at, ReplyRow.sent_at)
            .join(MessageRow, MessageRow.ticket_id == TicketRow.id)
            .join(OutcomeRow, OutcomeRow.id == MessageRow.outcome_id)
            .outerjoin(ReplyRow, ReplyRow.outcome_id == OutcomeRow.id)
        )
        found = {}
        with self.engine.connect() as connection:
            for customer, thread, stored, decided, sent in connection.execute(query):
                mailed = re.search(r"([\w-]+)@customers", customer)
                name = mailed[1] if mailed else thread.rpartition("/")[2]
                found[name] = (stored, sent or decided)
        return found

    def milliseconds(self, asked: Sequence[tuple[Asked, float]]) -> tuple[list[float], list[float]]:
        """Until each was acknowledged, and until it was answered."""
        times, acks, replies = self.times(), [], []
        posted = {d.payload["event"]["ts"]: d for d in self._company.slack.deliveries.all}
        for each, told in asked:
            stored, sent = times.get(each.name) or times[each.key]
            if each.channel == "slack":
                acks.append(1_000 * (posted[each.key].seconds or float("inf")))
            elif each.channel == "api":
                acks.append(told)
            else:
                acks.append(1_000 * (stored - each.at).total_seconds())
            replies.append(1_000 * (sent - each.at).total_seconds())
        return acks, replies


def sustained(load: Load, channels: Sequence[str]) -> float:
    """Messages a second, when as many come at once: from the first answer to the last."""
    before, began = len(load.times()), datetime.now(UTC)
    asked = load.bring(channels, per_second=10_000)
    assert load.wait(before + len(asked)), "some were not answered"
    sent = sorted(at for _, at in load.times().values() if at > began)
    return (len(sent) - 1) / (sent[-1] - sent[0]).total_seconds()


def throughput(load: Load, channel: str, share: float, r: Results, more: str = "") -> float:
    """Of one channel; returns messages a second."""
    task, count = f"throughput/{channel}{more}", max(20, round(BURST * share))
    rate = sustained(load, [channel] * count)
    r.add(task, "deskmate", "messages/s", rate, n=count)
    before, steady = len(load.times()), max(10, round(STEADY * share))
    asked = load.bring([channel] * steady, rate / 2)
    load.wait(before + steady)
    acks, replies = load.milliseconds(asked)
    r.add(task, "deskmate", "ack p99 ms", float(np.percentile(acks, 99)), n=steady)
    for percent in (50, 95, 99):
        value = float(np.percentile(replies, percent))
        r.add(task, "deskmate", f"reply p{percent} ms", value, n=steady)
    return rate


def models_alone(
    folder: Path,
    questions: Iterator[Question],
    rates: Mapping[str, float],
    share: float,
    r: Results,
) -> None:
    """The pipeline without anything around it, as a line in the table of each of these tasks, and
    what its messages a second say about what is around it."""
    count = max(20, round(BURST * share))
    with Desk(Settings(data_dir=folder / "data")) as desk:
        desk.warm_up()

        def answer(number: int) -> None:
            text, screenshot = next(questions)
            files = (Attachment.of(screenshot),) if screenshot else ()
            name = f"alone-{number}"
            files = tuple(replace(one, content=one.content + name.encode()) for one in files)
            message = Message("api", name, name, "customer", text, attachments=files)
            desk.pipeline.answer(message, desk.tickets.store_message(message), ())

        began = time.perf_counter()
        with ThreadPoolExecutor(CONCURRENCY) as threads:
            list(threads.map(answer, range(count)))
        seconds = time.perf_counter() - began
    alone = count / seconds
    for task, rate in rates.items():
        r.add(f"throughput/{task}", "models alone", "messages/s", alone, n=count)
        r.add(f"throughput/{task}", "deskmate", "share outside models", 1 - rate / alone)


def overload(company: Company, load: Load, rate: float, share: float, r: Results) -> None:
    """More than can be answered: the queue grows, and is worked off afterwards."""
    count = max(20, round(OVERLOAD * rate * OVERLOAD_SECONDS * share))
    before = len(load.times())
    asked = load.bring([CHANNELS[n % len(CHANNELS)] for n in range(count)], OVERLOAD * rate)
    ended, queue = time.monotonic(), backlog(load.engine).messages
    caught_up = load.wait(before + count)
    seconds = time.monotonic() - ended
    told, others = (
        load.milliseconds([a for a in asked if (a[0].channel in ACKNOWLEDGED) is wanted])[0]
        for wanted in (True, False)
    )
    assert company.process
    status = Path(f"/proc/{company.process.pid}/status").read_text()
    peak_kb = int(status.partition("VmHWM:")[2].split()[0])
    unsettled = company.unsettled([each for each, _ in asked])
    for metric, value in (
        ("messages", count),
        ("messages/s that came", OVERLOAD * rate),
        ("waiting at the end of it", queue),
        ("ack p99 ms", float(np.percentile(told, 99))),
        ("stored p99 ms", float(np.percentile(others, 99))),
        ("MB peak", peak_kb * 1024 / 1e6),
        ("s to catch up", seconds if caught_up else float("inf")),
        ("lost", len(unsettled)),
    ):
        r.add("overload", "deskmate", metric, value)
