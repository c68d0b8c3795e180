from __future__ import annotations

import pytest

from assistant.messages import Message
from assistant.tickets import listing
from assistant.tickets.listing import NOBODY, Wanted
from assistant.tickets.repository import Tickets
from tests.tickets.conftest import message


def store(tickets: Tickets, number: int, text: str, **more: str) -> Message:
    stored = message(f"m{number}", thread_id=f"t{number}", text=text, **more)
    tickets.store_message(stored)
    return stored


def found(tickets: Tickets, **wanted: str) -> list[int]:
    return [row.ticket.id for row in tickets.listing.page(Wanted(**wanted)).rows]  # type: ignore[arg-type]


def test_pages_follow_each_other_without_gaps_and_doubles(tickets: Tickets) -> None:
    for number in range(1, 8):
        store(tickets, number, "hello")

    pages, after = [], ""
    while True:
        page = tickets.listing.page(Wanted(), after, limit=3)
        pages.append([row.ticket.id for row in page.rows])
        if not (after := page.after):
            break

    assert pages == [[7, 6, 5], [4, 3, 2], [1]]


def test_a_search_is_for_all_words_and_the_last_one_may_be_a_beginning(tickets: Tickets) -> None:
    store(tickets, 1, "The invoice of October is wrong", sender="Kim <kim@example.org>")
    store(tickets, 2, "Where are my invoices?", subject="October")
    store(tickets, 3, "Hello")

    assert found(tickets, words="october inv") == [2, 1]
    assert found(tickets, words="kim@example wrong") == [1]
    assert found(tickets, words="invoice november") == []


@pytest.mark.parametrize(
    "words", ['"', "a AND", "text:x", "'; DROP TABLE x", "(", "*", "é^2", "a:*"]
)
def test_no_search_is_a_wrong_one(words: str, tickets: Tickets) -> None:
    store(tickets, 1, "Hello")

    assert found(tickets, words=words) in ([], [1])


@pytest.mark.parametrize("first_look", [1, 2, 50_000])
def test_a_search_goes_on_where_its_page_ended(
    tickets: Tickets, first_look: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "FIRST_LOOK", first_look)
    for number in range(1, 6):
        store(tickets, number, "invoice")

    first = tickets.listing.page(Wanted(words="invoice"), limit=3)
    second = tickets.listing.page(Wanted(words="invoice"), first.after, limit=3)

    assert [row.ticket.id for row in (*first.rows, *second.rows)] == [5, 4, 3, 2, 1]
    assert second.after == ""


def test_words_that_were_changed_or_taken_back_are_not_found(tickets: Tickets) -> None:
    first, second = store(tickets, 1, "apples"), store(tickets, 2, "pears")

    tickets.history.change(first.connector, first.external_id, "cherries")
    tickets.history.withdraw(second.connector, second.external_id)

    assert found(tickets, words="apples") == found(tickets, words="pears") == []
    assert found(tickets, words="cherries") == [1]


def test_filters_hold_together(tickets: Tickets) -> None:
    for number in (1, 2, 3):
        store(tickets, number, "hello")
    tickets.teamwork.assign(1, "ben", "kim")
    tickets.hand_over(1, "kim")
    tickets.hand_over(2, "kim")

    assert found(tickets, status="handed over", assignee="kim") == [1]
    assert found(tickets, assignee=NOBODY) == [2, 3]
    assert found(tickets, connector="slack") == []
    assert tickets.listing.counts(["handed over", "open"]) == {"handed over": 2, "open": 1}


def test_a_message_of_megabytes_is_stored_and_found_by_its_beginning(tickets: Tickets) -> None:
    store(tickets, 1, "needle " + "x" * 3_000_000)

    assert found(tickets, words="needle") == [1]
