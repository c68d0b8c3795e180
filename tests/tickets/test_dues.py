from __future__ import annotations

from datetime import UTC, datetime, timedelta

import time_machine

from assistant.messages import Outcome
from assistant.tickets.repository import Tickets
from tests.tickets.conftest import message
from tests.tickets.test_outcomes import REPLY

HOUR = timedelta(hours=1)


def test_what_a_fast_clock_wrote_waits_a_minute_and_not_an_hour(tickets: Tickets) -> None:
    with time_machine.travel(datetime.now(UTC) + HOUR):
        tickets.store_message(message())
        reply_id = tickets.outcomes.store(1, message(), ["m1"], REPLY)
        tickets.store_message(message("m2", thread_id="t2"))
        no_answer = Outcome("hand over", "nothing found", "A colleague will answer you.")
        tickets.outcomes.store(2, message("m2", thread_id="t2"), ["m2"], no_answer)
        tickets.arrivals.note("email", "m3", "t3", "ann@example.com", {})
    assert tickets.replies.take_due(60) == tickets.notices.take_due(60) == ()

    brought = tickets.dues.bring_forward(60)

    assert brought == 4  # two replies, a notice, and what came in
    assert not tickets.replies.take_due(60), "somebody may be sending it"
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=61)):
        assert reply_id in [stored.reply.id for stored in tickets.replies.take_due(60)]
        assert len(tickets.notices.take_due(60)) == 1
        assert len(tickets.arrivals.due("email")) == 1


def test_what_is_due_soon_stays_as_it_is(tickets: Tickets) -> None:
    tickets.store_message(message())
    tickets.outcomes.store(1, message(), ["m1"], REPLY)

    assert tickets.dues.bring_forward(60) == 0
    assert len(tickets.replies.take_due(60)) == 1


def test_the_newest_event_shows_by_which_clock_was_written(tickets: Tickets) -> None:
    assert tickets.dues.newest_event_at() is None

    tickets.store_message(message())

    newest = tickets.dues.newest_event_at()
    assert newest
    assert abs(datetime.now(UTC) - newest) < timedelta(minutes=1)
