from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from assistant.messages import Outcome
from assistant.tickets.repository import Tickets
from tests.tickets.conftest import message
from tests.tickets.test_outcomes import REPLY


def kinds(tickets: Tickets, ticket_id: int = 1) -> list[str]:
    return [event.kind for event in tickets.events.after(ticket_id)]


def test_what_happens_on_a_ticket_is_noted_once_and_in_order(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    tickets.store_message(message("m1"))
    tickets.events.step(1, "search")
    reply_id = tickets.outcomes.store(1, message("m1"), ["m1"], REPLY)
    assert reply_id is not None
    tickets.replies.record_sent(reply_id, "x1")
    tickets.replies.record_sent(reply_id, "x1")
    tickets.solutions.mark(1, "kim")
    tickets.hand_over(1, "kim")

    assert kinds(tickets) == [
        "message.received",
        "answer.step",
        "outcome.stored",
        "reply.sent",
        "ticket.solved",
        "ticket.handed_over",
    ]


def test_an_event_is_not_there_if_what_it_tells_did_not_happen(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    tickets.outcomes.store(1, message("m1"), ["m1"], Outcome("draft", "unsure", "Maybe."))

    tickets.outcomes.store(1, message("m1"), ["m1"], REPLY)  # the first outcome stays

    assert kinds(tickets) == ["message.received", "outcome.stored"]


def test_a_colleague_who_writes_has_the_ticket(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    tickets.store_message(message("m2", sender="Kim", author="staff"))

    assert kinds(tickets) == ["message.received", "ticket.handed_over"]


def test_the_newest_events_of_several_tickets(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    tickets.store_message(message("m2", thread_id="t2"))
    tickets.store_message(message("m3"))

    newest = tickets.events.newest([1, 2, 99])

    assert newest == {n: tickets.events.after(n)[-1].id for n in (1, 2)}


def test_who_reads_a_ticket_while_many_write_misses_no_event(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    last, seen = 0, 0
    writers = [
        threading.Thread(target=lambda: [tickets.events.step(1, "s") for _ in range(10)])
        for _ in range(4)
    ]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers) or tickets.events.newest([1])[1] > last:
        for event in tickets.events.after(1, last):
            assert event.id > last
            last, seen = event.id, seen + 1

    assert seen == 41


def test_ids_are_not_used_again_after_events_are_forgotten(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    first = tickets.events.after(1)[-1].id

    assert tickets.events.clear(datetime.now(UTC) + timedelta(days=1)) == 1
    tickets.store_message(message("m2"))

    assert tickets.events.after(1)[-1].id > first
