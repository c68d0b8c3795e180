from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.exc import StatementError

from assistant.tickets.repository import Tickets


def note(tickets: Tickets, external_id: str, conversation: str = "t1", sender: str = "kim") -> bool:
    return tickets.arrivals.note("chat", external_id, conversation, sender, {"text": external_id})


def test_what_comes_twice_is_noted_once(tickets: Tickets) -> None:
    news = [note(tickets, "a"), note(tickets, "a"), note(tickets, "b")]

    assert news == [True, False, True]
    assert [a.external_id for a in tickets.arrivals.due("chat")] == ["a", "b"]
    assert tickets.arrivals.due("email") == ()


def test_what_comes_at_once_and_twice_is_noted_once(tickets: Tickets) -> None:
    names = [str(number % 20) for number in range(60)]

    with ThreadPoolExecutor(12) as pool:
        news = list(pool.map(partial(note, tickets), names))

    assert sum(news) == 20
    assert {arrival.external_id for arrival in tickets.arrivals.due("chat")} == set(names)


def test_what_cannot_be_noted_hinders_nothing_that_comes_with_it(tickets: Tickets) -> None:
    def try_to_note(number: int) -> bool:
        content: Any = object() if number % 5 == 0 else None
        try:
            return tickets.arrivals.note("chat", str(number), "t1", "kim", {}, content)
        except (StatementError, TypeError):
            return False

    with ThreadPoolExecutor(12) as pool:
        news = list(pool.map(try_to_note, range(40)))

    assert news == [number % 5 != 0 for number in range(40)]


def test_what_is_done_keeps_its_name_and_not_its_words(tickets: Tickets) -> None:
    note(tickets, "a")

    tickets.arrivals.finish("chat", "a")

    latest = tickets.arrivals.latest("chat", "kim")
    assert tickets.arrivals.due("chat") == ()
    assert not tickets.arrivals.waits("chat", "t1")
    assert latest is not None
    assert (latest.external_id, latest.payload) == ("a", {})
    assert tickets.arrivals.find("chat", "a") == latest
    assert not note(tickets, "a")


def test_what_fails_comes_again_later(tickets: Tickets) -> None:
    note(tickets, "a")
    note(tickets, "b")

    tickets.arrivals.postpone("chat", "a", "TimeoutError", 60)
    tickets.arrivals.postpone("chat", "b", "TimeoutError", -1)

    (due,) = tickets.arrivals.due("chat")
    assert (due.external_id, due.attempts) == ("b", 1)
    assert tickets.arrivals.waits("chat", "t1")


def test_only_what_is_old_and_done_is_forgotten(tickets: Tickets) -> None:
    note(tickets, "a")
    note(tickets, "b")
    tickets.arrivals.finish("chat", "a")
    soon = datetime.now(UTC) + timedelta(seconds=5)

    before = tickets.arrivals.clear("chat", soon - timedelta(days=7))
    after = tickets.arrivals.clear("chat", soon)

    assert (before, after) == (0, 1)
    assert tickets.arrivals.find("chat", "a") is None
    assert tickets.arrivals.find("chat", "b") is not None


def test_what_is_given_up_keeps_its_name_and_the_reason(tickets: Tickets) -> None:
    note(tickets, "a")
    note(tickets, "b")

    tickets.arrivals.give_up("chat", "a", "TimeoutError: no answer")

    (given_up,) = tickets.arrivals.given_up()
    assert (given_up.connector, given_up.external_id) == ("chat", "a")
    assert given_up.error == "TimeoutError: no answer"
    assert [arrival.external_id for arrival in tickets.arrivals.due("chat")] == ["b"]
    assert not note(tickets, "a")

    tickets.arrivals.clear("chat", datetime.now(UTC) + timedelta(seconds=5))
    assert tickets.arrivals.given_up() == ()
