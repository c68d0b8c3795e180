"""A process that dies, at the worst moment or at any, writes nothing twice and loses nothing."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.help_desk import MAPPING, HelpDesk
from tests.slack_desk import eventually

TICKETS = 20


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    (tmp_path / "mapping.toml").write_text(MAPPING, encoding="utf-8")
    url = json.dumps(f"sqlite:///{tmp_path / 'help-desk.sqlite'}")
    file = tmp_path / "deskmate.toml"
    file.write_text(
        f"""
data_dir = {json.dumps(str(tmp_path / "data"))}
[inbox]
quiet_seconds = 0.1
dead_after_seconds = 1
worker_name = "one"
[connectors.ticket_database]
url = {url}
write_url = {url}
mapping = {json.dumps(str(tmp_path / "mapping.toml"))}
poll_seconds = 0.1
drafts_first = 0
"""
    )
    return file


@pytest.fixture
def help_desk(tmp_path: Path) -> Iterator[HelpDesk]:
    found = HelpDesk(f"sqlite:///{tmp_path / 'help-desk.sqlite'}")
    yield found
    found.engine.dispose()


def start(settings: Path, *how: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.e2e.ticket_database_process", str(settings), *how]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    while b"ready" not in (line := process.stdout.readline()):
        assert line, "the process ended"
    return process


def test_killed_between_the_row_and_our_note_of_it(settings: Path, help_desk: HelpDesk) -> None:
    dying = start(settings, "die-after-write")
    time.sleep(1)  # the first look is over: tickets from here on are new
    ticket = help_desk.ticket("How do I download an invoice?")
    assert dying.wait(60) == -signal.SIGKILL
    assert len(help_desk.written(ticket)) == 1

    process = start(settings)
    second = help_desk.ticket("And how do I pay one?")
    eventually(lambda: help_desk.written(second))
    time.sleep(3)  # the first reply is due again meanwhile
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    assert len(help_desk.written(ticket)) == len(help_desk.written(second)) == 1


def test_killed_at_any_moment(settings: Path, help_desk: HelpDesk) -> None:
    seed = int(os.environ.get("DESKMATE_TEST_SEED", "7"))
    chance = random.Random(seed)
    process = start(settings)
    time.sleep(1)
    tickets = []
    for number in range(TICKETS):
        tickets.append(help_desk.ticket(f"Question {number}?"))
        time.sleep(chance.uniform(0, 0.2))
        if number % 7 == 6:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            process = start(settings)
    eventually(lambda: all(help_desk.written(ticket) for ticket in tickets), 120)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    counts = [len(help_desk.written(ticket)) for ticket in tickets]
    assert counts == [1] * TICKETS, f"seed {seed}"
