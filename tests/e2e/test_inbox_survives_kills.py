"""Processes are killed at random moments, and some never come back: no message may be lost, no
reply may be sent twice, no conversation may get out of order.

The seed is printed; DESKMATE_TEST_SEED runs the same kills again, as far as processes allow.
"""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from assistant.messages import Message
from assistant.tickets.database import connect, open_engine, upgrade
from assistant.tickets.repository import Tickets
from tests.e2e.inbox_worker import DEAD_AFTER_SECONDS, work
from tests.recording import RecordingConnector

MESSAGES = 200
CONVERSATIONS = 60
KILLS = 20
PATIENCE_SECONDS = 120

# Each worker is a new process, but one that need not import everything anew.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.e2e.inbox_worker"])


class Crew:
    """`size` live workers. One that dies is started again under its name with the probability
    `comes_back`, else a new one with a new name takes its place."""

    def __init__(
        self, url: str, folder: Path, chance: random.Random, size: int, comes_back: float
    ) -> None:
        self._work = url, folder, conversations(chance)
        self._chance, self._comes_back = chance, comes_back
        self._numbers = itertools.count(1)
        self.deaths = self.gone = 0
        self.alive = [self._start(self._new_name()) for _ in range(size)]

    def kill_one(self) -> None:
        self._chance.choice(self.alive).kill()

    def replace_the_dead(self) -> None:
        for place, process in enumerate(self.alive):
            process.join(timeout=0.01)
            if process.exitcode is None:
                continue
            assert process.exitcode == -signal.SIGKILL, f"{process.name} failed by itself"
            self.deaths += 1
            back = self._chance.random() < self._comes_back
            self.gone += not back
            self.alive[place] = self._start(process.name if back else self._new_name())

    def kill_all(self) -> None:
        for process in self.alive:
            process.kill()
            process.join()

    def _new_name(self) -> str:
        return f"worker-{next(self._numbers)}"

    def _start(self, name: str) -> BaseProcess:
        arguments = (*self._work, name, self._chance.randrange(2**32))
        process = processes.Process(target=work, args=arguments, name=name)
        process.start()
        return process


def conversations(chance: random.Random) -> tuple[Message, ...]:
    """Messages of many conversations, those of each in order: `t7-0`, `t7-1` …"""
    counts: Counter[str] = Counter()
    messages = []
    for _ in range(MESSAGES):
        thread = f"t{chance.randrange(CONVERSATIONS)}"
        name = f"{thread}-{counts[thread]}"
        counts[thread] += 1
        messages.append(Message("email", name, thread, sender=f"{thread}@example.org", text=name))
    return tuple(messages)


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("DESKMATE_TEST_SEED", random.randrange(2**32)))
    print(f"DESKMATE_TEST_SEED={seed}")
    return random.Random(seed)


def test_one_process_on_sqlite(sqlite_url: str, tmp_path: Path, chance: random.Random) -> None:
    open_engine(sqlite_url).dispose()

    crew = Crew(sqlite_url, tmp_path, chance, size=1, comes_back=1)

    _kill_until_all_is_done(sqlite_url, tmp_path, chance, crew)


def test_three_processes_on_postgresql(
    postgres_url: str, tmp_path: Path, chance: random.Random
) -> None:
    engine = connect(postgres_url)
    upgrade(engine)
    engine.dispose()

    crew = Crew(postgres_url, tmp_path, chance, size=3, comes_back=0.5)

    _kill_until_all_is_done(postgres_url, tmp_path, chance, crew)
    assert crew.gone > 0


def _kill_until_all_is_done(url: str, folder: Path, chance: random.Random, crew: Crew) -> None:
    tickets = Tickets(open_engine(url))
    deadline = time.monotonic() + PATIENCE_SECONDS
    try:
        while crew.deaths < KILLS or not _all_is_done(tickets):
            assert time.monotonic() < deadline, _what_is_left(tickets)
            time.sleep(chance.uniform(0.2, 0.8))
            if crew.deaths < KILLS:
                crew.kill_one()
            crew.replace_the_dead()
        time.sleep(DEAD_AFTER_SECONDS)  # time enough for something to be sent twice
    finally:
        crew.kill_all()
        print(f"{crew.deaths} deaths, {crew.gone} never came back")
    _check_every_message_was_answered_and_every_reply_sent_once(tickets, folder)
    tickets.engine.dispose()


def _all_is_done(tickets: Tickets) -> bool:
    found = tickets.list(limit=CONVERSATIONS)
    stored = sum(len(tickets.messages(ticket.id)) for ticket in found)
    replies = [reply for ticket in found for reply in tickets.replies.of_ticket(ticket.id)]
    return stored == MESSAGES and not tickets.left() and all(r.state == "sent" for r in replies)


def _what_is_left(tickets: Tickets) -> str:
    found = tickets.list(limit=CONVERSATIONS)
    replies = [reply for ticket in found for reply in tickets.replies.of_ticket(ticket.id)]
    unsent = [reply for reply in replies if reply.state != "sent"]
    return f"unanswered: {[m.key for _, m in tickets.left()]}, unsent: {unsent}"


def _check_every_message_was_answered_and_every_reply_sent_once(
    tickets: Tickets, folder: Path
) -> None:
    found = tickets.list(limit=CONVERSATIONS)
    outcomes = [stored for ticket in found for stored in tickets.outcomes.of_ticket(ticket.id)]
    sent = RecordingConnector(folder / "sent.jsonl").sent()
    answered = [name for line in sent for name in line["text"].split() if "-" in name]
    messages = [message for ticket in found for message in tickets.messages(ticket.id)]
    print(f"{len(messages)} messages, {len(outcomes)} outcomes, {len(sent)} replies sent")

    assert len(messages) == MESSAGES
    # Five deaths over one message hand its conversation over; what comes later has no reply.
    replied = [stored for stored in outcomes if stored.outcome.text]
    assert Counter(line["id"] for line in sent) == Counter(stored.reply_id for stored in replied)
    if all(stored.outcome.action == "reply" for stored in outcomes):
        assert sorted(answered) == sorted(message.external_id for message in messages)
    for thread in {message.thread_id for message in messages}:
        turns = [int(name.split("-")[1]) for name in answered if name.startswith(f"{thread}-")]
        assert turns == sorted(turns), f"{thread} was answered out of order"
