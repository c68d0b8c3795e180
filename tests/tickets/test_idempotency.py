from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from assistant.tickets import idempotency
from assistant.tickets.repository import Tickets


def test_one_of_many_at_once_does_the_work(tickets: Tickets) -> None:
    requests = tickets.idempotency

    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(lambda _: requests.begin("ann", "key", "hash"), range(8)))

    states = [request.state for request in begun]
    assert (states.count("new"), states.count("unfinished")) == (1, 7)


def test_the_answer_is_given_again_for_the_same_content_only(tickets: Tickets) -> None:
    requests = tickets.idempotency
    requests.begin("ann", "key", "hash")
    requests.finish("ann", "key", {"ticket": 1})

    again = requests.begin("ann", "key", "hash")

    assert (again.state, again.answer) == ("answered", {"ticket": 1})
    assert requests.begin("ann", "key", "other").state == "other content"
    assert requests.begin("bob", "key", "other").state == "new"


def test_who_died_over_a_request_leaves_it_to_the_next_with_the_same_seed(
    tickets: Tickets, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tickets.idempotency.begin("ann", "key", "hash")
    monkeypatch.setattr(idempotency, "ABANDONED", timedelta(0))

    assert tickets.idempotency.begin("ann", "key", "hash") == first


def test_a_name_that_is_forgotten_stands_for_something_new(tickets: Tickets) -> None:
    first = tickets.idempotency.begin("ann", "key", "hash")

    assert tickets.idempotency.clear(datetime.now(UTC) + timedelta(days=1)) == 1
    again = tickets.idempotency.begin("ann", "key", "hash")

    assert (again.state, again.seed != first.seed) == ("new", True)


def test_what_was_refused_leaves_its_name_free(tickets: Tickets) -> None:
    tickets.idempotency.begin("ann", "key", "hash")

    tickets.idempotency.refuse("ann", "key")

    assert tickets.idempotency.begin("ann", "key", "other").state == "new"


def test_what_failed_may_be_made_again_at_once_under_the_same_names(tickets: Tickets) -> None:
    first = tickets.idempotency.begin("ann", "key", "hash")

    tickets.idempotency.abandon("ann", "key")

    assert tickets.idempotency.begin("ann", "key", "hash") == first
