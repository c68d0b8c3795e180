"""New rows are found whenever their transactions end, however many share a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from assistant.tickets.repository import Tickets
from connectors.ticket_database import mapping, watching
from connectors.ticket_database.connector import streams
from connectors.ticket_database.engines import connect
from connectors.ticket_database.files import Files
from connectors.ticket_database.reading import Reader
from connectors.ticket_database.schema import Schema
from connectors.ticket_database.watching import Watcher
from tests.help_desk import ANA, COMMENTS, MAPPING, HelpDesk, now

BY_TIME = MAPPING.replace(
    'created = "created_at"', 'created = "created_at"\nposition = "created_at"'
)


class Clock:
    """A clock that a test moves."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def postgres_desk(help_desk_postgres_url: str) -> Iterator[HelpDesk]:
    found = HelpDesk(help_desk_postgres_url)
    yield found
    found.engine.dispose()


def watcher(desk: HelpDesk, tickets: Tickets, clock: Clock, text: str = MAPPING) -> Watcher:
    engine = connect(desk.url)
    file = mapping.parse(text, "mapping.toml")
    reader = Reader(engine, Schema(engine, file, writes=True), Files(None, (), 0))
    stream = next(s for s in streams(reader) if s.name == "messages")
    return Watcher(stream, engine, lambda: tickets.arrivals, 60, clock=clock)


def noted(tickets: Tickets) -> list[Any]:
    due = tickets.arrivals.due("ticket_database", limit=10_000)
    return sorted(arrival.payload["id"] for arrival in due)


@pytest.mark.parametrize("text", [MAPPING, BY_TIME])
def test_a_transaction_that_ends_late_is_not_missed(
    postgres_desk: HelpDesk, tickets: Tickets, clock: Clock, text: str
) -> None:
    ticket = postgres_desk.ticket()
    look = watcher(postgres_desk, tickets, clock, text).look
    look()
    with postgres_desk.engine.connect() as late:
        first = postgres_desk.comment(late, ticket, ANA, "I was first.")
        overtaking = []
        for _ in range(5):
            overtaking.append(postgres_desk.say(ticket, ANA, "I was faster."))
            clock.seconds += 10
            look()
        assert noted(tickets) == overtaking
        late.commit()
    look()

    assert noted(tickets) == [first, *overtaking]


def test_a_transaction_that_is_open_while_we_restart_is_not_missed(
    postgres_desk: HelpDesk, tickets: Tickets, clock: Clock
) -> None:
    ticket = postgres_desk.ticket()
    watcher(postgres_desk, tickets, clock).look()
    with postgres_desk.engine.connect() as late:
        first = postgres_desk.comment(late, ticket, ANA, "I was first.")
        second = postgres_desk.say(ticket, ANA, "I was faster.")
        watcher(postgres_desk, tickets, clock).look()
        late.commit()
    watcher(postgres_desk, tickets, clock).look()

    assert noted(tickets) == [first, second]


@pytest.mark.parametrize("text", [MAPPING, BY_TIME])
def test_equal_times_are_not_missed_and_nothing_comes_twice(
    help_desk: HelpDesk, tickets: Tickets, clock: Clock, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PAGE", 10)
    ticket, at = help_desk.ticket(), now()
    old = help_desk.say(ticket, ANA, "This was there before.")
    watch = watcher(help_desk, tickets, clock, text)
    watch.look()
    ids = []
    for _ in range(3):
        with help_desk.engine.begin() as connection:
            ids += [help_desk.comment(connection, ticket, ANA, "Hi", at=at) for _ in range(12)]
        clock.seconds += 1
        watch.look()

    assert noted(tickets) == ids
    assert old not in ids
    assert watch.look() == 0
    assert watcher(help_desk, tickets, clock, text).look() == 0


def test_what_is_older_than_the_overlap_is_not_read_again(
    help_desk: HelpDesk, tickets: Tickets, clock: Clock
) -> None:
    ticket = help_desk.ticket()
    watch = watcher(help_desk, tickets, clock)
    watch.look()
    for _ in range(200):
        help_desk.say(ticket, ANA, "Hi")
        clock.seconds += 1
        if clock.seconds % 20 == 0:
            watch.look()
    watch.look()

    assert len(noted(tickets)) == 200
    assert len(watch._seen) <= 100  # the last minute's, and one look's


def test_a_time_of_next_year_hides_nothing(
    postgres_desk: HelpDesk, tickets: Tickets, clock: Clock
) -> None:
    ticket = postgres_desk.ticket()
    watch = watcher(postgres_desk, tickets, clock, BY_TIME)
    watch.look()
    with postgres_desk.engine.begin() as connection:
        later = now() + timedelta(days=365)
        strange = postgres_desk.comment(connection, ticket, ANA, "Hi", at=later)
    for _ in range(3):
        watch.look()
        clock.seconds += 100
    usual = postgres_desk.say(ticket, ANA, "Hi")
    watch.look()

    assert noted(tickets) == [strange, usual]


def test_many_rows_at_once(help_desk: HelpDesk, tickets: Tickets, clock: Clock) -> None:
    ticket = help_desk.ticket()
    watch = watcher(help_desk, tickets, clock)
    watch.look()
    row = {"ticket_id": ticket, "author_id": ANA, "body": "Hi", "internal": False}
    with help_desk.engine.begin() as connection:
        connection.execute(insert(COMMENTS), [{**row, "created_at": now()}] * 1_200)

    assert watch.look() == 1_200
