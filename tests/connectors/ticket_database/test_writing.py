"""A reply is one row, whoever writes it and however often."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import text

from assistant import UndeliverableError
from connectors.ticket_database import mapping
from connectors.ticket_database.schema import Schema, connect
from connectors.ticket_database.writing import Writer
from tests.help_desk import MAPPING, HelpDesk

WITH_TABLE = MAPPING.replace('mark = "reference"', 'marks_table = "deskmate_marks"').replace(
    'reference = "{mark}"', ""
)
WORDS: Mapping[str, Any] = {
    "subject": "Help", "customer": "ana@example.com", "message": "1", "text": "Open Settings.",
    "html": "Open Settings.", "author": "assistant",
}  # fmt: skip


@pytest.fixture(params=[MAPPING, WITH_TABLE], ids=["mark", "marks_table"])
def mapped(request: pytest.FixtureRequest, help_desk: HelpDesk) -> str:
    with help_desk.engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS deskmate_marks"))
        connection.execute(
            text(
                "CREATE TABLE deskmate_marks"
                " (mark varchar(64) PRIMARY KEY, row_id varchar(64) NOT NULL)"
            )
        )
    found: str = request.param
    return found


def writer(desk: HelpDesk, mapped: str) -> Writer:
    engine = connect(desk.url, writes=True)
    return Writer(engine, Schema(engine, mapping.parse(mapped, "mapping.toml"), writes=True))


def test_writing_again_finds_the_first_row(help_desk: HelpDesk, mapped: str) -> None:
    ticket = help_desk.ticket("How?")
    write = writer(help_desk, mapped)
    assert write.find(ticket, "r1") is None

    row = write.reply(ticket, "r1", WORDS, lambda: None)

    assert write.find(ticket, "r1") == write.reply(ticket, "r1", WORDS, lambda: None) == row
    assert help_desk.written(ticket) == ["Open Settings."]


def test_two_workers_write_one_row(help_desk: HelpDesk, mapped: str) -> None:
    ticket = help_desk.ticket("How?")
    writers = [writer(help_desk, mapped) for _ in range(4)]
    together, rows = threading.Barrier(4), []

    def work(write: Writer) -> None:
        together.wait()
        rows.append(write.reply(ticket, "r1", WORDS, lambda: None))

    threads = [threading.Thread(target=work, args=(write,)) for write in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(rows) == 4
    assert len(set(rows)) == 1
    assert help_desk.written(ticket) == ["Open Settings."]


def test_what_fails_on_the_way_leaves_nothing(help_desk: HelpDesk, mapped: str) -> None:
    ticket = help_desk.ticket("How?")
    broken = mapped.replace('[write.after_reply]\nstate = "pending"', "[write.after_reply]\nid = 1")
    first = help_desk.ticket("The row whose number is taken.")
    assert first != 1 or ticket == 1

    with pytest.raises(ConnectionError, match="the help desk's database"):
        writer(help_desk, broken).reply(first, "r1", WORDS, lambda: None)

    assert help_desk.written(first) == []
    assert writer(help_desk, mapped).find(first, "r1") is None


def test_a_colleague_who_was_faster_stops_it(help_desk: HelpDesk, mapped: str) -> None:
    ticket = help_desk.ticket("How?")

    def unless() -> None:
        raise UndeliverableError("a colleague answered")

    with pytest.raises(UndeliverableError):
        writer(help_desk, mapped).reply(ticket, "r1", WORDS, unless)

    assert help_desk.written(ticket) == []
