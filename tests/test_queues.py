from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import make_url

from assistant.errors import DatabaseError
from assistant.messages import Message, Reply
from assistant.queues import Queues, workflow_database_url

MESSAGE = Message("email", "m1", "t1", "ann@example.com", "Hello")


@pytest.fixture
def queues(sqlite_url: str) -> Iterator[Queues]:
    queues = Queues(sqlite_url, lambda *names: None, lambda reply_id: None, 1)
    queues.start("worker")
    yield queues
    queues.stop(5)


def test_workflows_lie_beside_a_sqlite_file_and_within_a_postgresql_database() -> None:
    beside = workflow_database_url("sqlite:////data/deskmate.sqlite")
    within = workflow_database_url("postgresql://kim:secret@db/desk")

    assert beside == "sqlite:////data/deskmate.workflows.sqlite"
    assert make_url(within).render_as_string(hide_password=False) == within
    assert within == "postgresql+psycopg://kim:secret@db/desk"


@pytest.mark.parametrize(
    "url", ["sqlite:////proc/nowhere/x.sqlite", "postgresql+psycopg://kim@127.0.0.1:1/desk"]
)
def test_queues_that_cannot_be_opened_say_why(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    queues = Queues(url, lambda *names: None, lambda reply_id: None, concurrency=1)

    with pytest.raises(DatabaseError, match="the queues cannot be opened"):
        queues.start("worker")
    assert "Traceback" not in capfd.readouterr().err


def test_missing_names_what_was_never_enqueued(queues: Queues) -> None:
    queues.enqueue_message("email:m1", 1, MESSAGE)

    assert list(queues.missing(["email:m1", "email:m2"])) == [("email:m2", "email:m2")]


def test_what_ended_is_forgotten_and_what_waits_is_not(queues: Queues) -> None:
    queues.enqueue_reply("r1/1", Reply("r1", 1, "email", "t1", "ann", "", "Hello"))
    while list(queues.missing(["r1/1"])) == []:
        time.sleep(0.02)
    queues.enqueue_message("email:m1", 2, MESSAGE, delay_seconds=60)

    assert queues.clear(datetime.now(UTC) - timedelta(days=1)) == 0
    assert queues.clear(datetime.now(UTC) + timedelta(seconds=1)) == 1

    assert list(queues.missing(["r1/1", "email:m1"])) == [("r1/1", "r1/1")]


def test_a_sqlite_file_has_a_write_ahead_log(queues: Queues, tmp_path: Path) -> None:
    assert (tmp_path / "deskmate.sqlite-wal").exists()
