from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from assistant.tickets.repository import Tickets
from tests.tickets.conftest import message

WANTED = {"shop": ("message.received",)}


def test_an_event_is_taken_by_one_process_and_again_after_a_crash(tickets: Tickets) -> None:
    tickets.deliveries.plan(WANTED)
    for number in range(20):
        tickets.store_message(message(f"m{number}"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: tickets.deliveries.plan(WANTED), range(4)))
        taken = pool.map(lambda _: tickets.deliveries.take_due("shop", 0.0, 5), range(4))
    numbers = [delivery.event.id for one in taken for delivery in one]
    again = tickets.deliveries.take_due("shop", 60.0, 50)

    # `again_after` is 0, as if each process had died over what it took.
    assert len(set(numbers)) == 20
    assert {delivery.event.id for delivery in again} >= set(numbers)
    assert tickets.deliveries.take_due("shop", 60.0) == ()


def test_only_the_kinds_that_an_endpoint_wants(tickets: Tickets) -> None:
    wanted = {"all": ("message.received", "ticket.solved"), "solved": ("ticket.solved",)}
    tickets.deliveries.plan(wanted)
    tickets.store_message(message("m1"))
    tickets.solutions.mark(1, "kim")

    tickets.deliveries.plan(wanted)

    told = {name: tickets.deliveries.take_due(name, 60) for name in wanted}
    assert [each.event.kind for each in told["solved"]] == ["ticket.solved"]
    assert len(told["all"]) == 2


def test_what_is_delivered_or_given_up_is_not_due(tickets: Tickets) -> None:
    tickets.deliveries.plan(WANTED)
    for number in range(3):
        tickets.store_message(message(f"m{number}"))
    tickets.deliveries.plan(WANTED)
    taken = one, two, three = tickets.deliveries.take_due("shop", 0.0)

    tickets.deliveries.record_delivered(one)
    tickets.deliveries.record_failure(two, "answered 500", None)
    tickets.deliveries.record_failure(three, "answered 500", 0.0)

    (due,) = tickets.deliveries.take_due("shop", 60.0)
    assert (due.event, due.attempt) == (taken[2].event, 2)
    states = {("shop", "delivered"): 1, ("shop", "failed"): 1, ("shop", "intended"): 1}
    assert tickets.deliveries.counts() == states
    assert tickets.deliveries.retry("shop") == 2


def test_deliveries_are_forgotten_with_their_events(tickets: Tickets) -> None:
    tickets.deliveries.plan(WANTED)
    tickets.store_message(message("m1"))
    tickets.deliveries.plan(WANTED)

    tickets.events.clear(datetime.now(UTC) + timedelta(days=1))

    assert tickets.deliveries.counts() == {}
