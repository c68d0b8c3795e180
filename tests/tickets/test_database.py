from __future__ import annotations

import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from assistant.errors import DatabaseError
from assistant.tickets import database
from assistant.tickets.database import connect, downgrade, open_engine, revisions, upgrade
from assistant.tickets.repository import Tickets
from assistant.tickets.tables import Table
from tests.tickets.conftest import message
from tests.tickets.test_outcomes import REPLY


def test_migrations_go_up_and_down_and_up_again(database_url: str) -> None:
    engine = connect(database_url)

    upgrade(engine)
    up = {name for name in inspect(engine).get_table_names() if not _searches(name)}
    downgrade(engine)
    down = set(inspect(engine).get_table_names())
    upgrade(engine)

    assert up == {*Table.metadata.tables, "alembic_version"}
    assert down == {"alembic_version"}
    again = inspect(engine).get_table_names()
    assert {name for name in again if not _searches(name)} == up
    engine.dispose()


def test_the_models_and_the_migrations_agree(database_url: str) -> None:
    engine = connect(database_url)
    upgrade(engine)

    with engine.connect() as connection:
        opts = {"compare_type": True, "include_name": lambda name, *_: not _searches(name)}
        context = MigrationContext.configure(connection, opts=opts)
        differences = compare_metadata(context, Table.metadata)

    assert differences == []
    engine.dispose()


def test_outcomes_of_an_older_version_learn_their_channel(database_url: str) -> None:
    engine = connect(database_url)
    upgrade(engine)
    tickets = Tickets(engine)
    tickets.store_message(message())
    tickets.outcomes.store(1, message(), ["m1"], REPLY)

    downgrade(engine, "0012")
    upgrade(engine)

    figures = tickets.quality.figures(datetime.now(UTC) - timedelta(days=1), "email")
    assert figures.all.replied == 1


def test_a_new_sqlite_file_is_created_with_its_folder_and_tables(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new' / 'deskmate.sqlite'}")

    assert revisions(engine)[0] == revisions(engine)[1]
    with engine.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
    engine.dispose()


def test_many_can_create_the_same_new_file_at_once(sqlite_url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(open_engine, [sqlite_url] * 8))

    assert {revisions(engine) for engine in engines} == {revisions(engines[0])}
    for engine in engines:
        engine.dispose()


def test_an_empty_postgresql_database_asks_for_db_upgrade(postgres_url: str) -> None:
    with pytest.raises(DatabaseError, match=r"not prepared yet\. Run `deskmate db upgrade`"):
        open_engine(postgres_url)


def test_an_older_database_asks_for_db_upgrade(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = connect(database_url)
    upgrade(engine)
    monkeypatch.setattr(database.ScriptDirectory, "get_current_head", lambda self: "9999")

    with pytest.raises(DatabaseError, match=r"older revision \d{4}\. Run `deskmate db upgrade`"):
        open_engine(database_url)
    engine.dispose()


def test_a_newer_database_asks_for_a_newer_deskmate(database_url: str) -> None:
    engine = connect(database_url)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'f00d'"))

    with pytest.raises(DatabaseError, match="newer Deskmate"):
        open_engine(database_url)
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "not a database URL"),
        ("mysql://localhost/x", "Use SQLite or PostgreSQL"),
        ("postgresql://kim@127.0.0.1:1/x", "cannot be reached"),
        ("sqlite:////proc/nowhere/x.sqlite", "cannot be created"),
    ],
)
def test_a_database_that_cannot_be_opened_says_why(url: str, words: str) -> None:
    with pytest.raises(DatabaseError, match=words):
        open_engine(url)


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.sqlite").write_text("Not a database at all. " * 100)

    with pytest.raises(DatabaseError, match="file is not a database"):
        open_engine(f"sqlite:///{tmp_path / 'notes.sqlite'}")


def test_a_locked_database_is_named_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.1)
    file = tmp_path / "deskmate.sqlite"
    tickets = Tickets(open_engine(f"sqlite:///{file}"))
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(DatabaseError, match="another process holds the database's lock"):
        tickets.store_message(message())
    other.execute("ROLLBACK")
    tickets.store_message(message())

    assert len(tickets.list()) == 1
    other.close()
    tickets.engine.dispose()


@pytest.mark.parametrize("others", [8, 40])  # more than an engine's usual pool has connections
def test_who_must_acknowledge_waits_for_one_writer_not_for_the_row(
    sqlite_url: str, others: int
) -> None:
    engine = open_engine(sqlite_url)
    wrote: list[str] = []
    asks = threading.Event()

    def write(name: str, urgent: bool) -> None:
        if urgent:
            asks.set()
        with engine.execution_options(urgent=urgent).begin():
            wrote.append(name)

    with ThreadPoolExecutor(others + 1) as pool, engine.begin():  # everybody waits for this one
        for number in range(others):
            pool.submit(write, f"ordinary {number}", False)
        time.sleep(0.2)
        pool.submit(write, "urgent", True)
        asks.wait()
        time.sleep(2)  # until it waits too

    assert len(wrote) == others + 1
    assert "urgent" in wrote[:2]


def test_a_full_disk_is_named_and_loses_nothing(tmp_path: Path) -> None:
    tickets = Tickets(open_engine(f"sqlite:///{tmp_path / 'deskmate.sqlite'}"))
    tickets.store_message(message("m1"))
    with tickets.engine.connect() as connection:  # SQLite's own limit gives the same error
        connection.exec_driver_sql("PRAGMA max_page_count = 60")

    with pytest.raises(DatabaseError, match="the disk is full"):
        tickets.store_message(message("m2", text="x" * 1_000_000))

    assert [m.external_id for m in tickets.messages(1)] == ["m1"]
    tickets.engine.dispose()


def _searches(name: str | None) -> bool:
    """Whether this is a part of the search index, which only SQL can describe."""
    return name is not None and name.removeprefix("ix_").startswith(
        ("message_words", "messages_words", "words")
    )
