from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from assistant.messages import Action, Outcome
from assistant.tickets.repository import Tickets
from tests.tickets.conftest import message

WEEK_LATER = timedelta(days=7, minutes=1)


def answer(tickets: Tickets, name: str = "m1", action: Action = "reply") -> None:
    """A message with an outcome, whose text was sent if there is one to send."""
    tickets.store_message(message(name))
    outcome = Outcome(action, "why", "Press Continue.")
    if reply_id := tickets.outcomes.store(1, message(name), [name], outcome):
        tickets.replies.record_sent(reply_id, "<r@example.org>")


def pass_time(tickets: Tickets, time: timedelta) -> list[int]:
    return [ticket.id for ticket in tickets.solutions.mark_quiet(datetime.now(UTC) + time)]


def test_an_answer_that_stays_without_a_word_for_a_week_solved_the_ticket(tickets: Tickets) -> None:
    answer(tickets)

    assert pass_time(tickets, timedelta(days=6, hours=23)) == []
    assert pass_time(tickets, WEEK_LATER) == [1]

    ticket = tickets.ticket(1)
    assert (ticket.status, ticket.solved_by) == ("solved", "assistant")
    assert tickets.audit.of_ticket(1)[-1].detail == "quiet for 7 days"
    assert pass_time(tickets, WEEK_LATER) == []


@pytest.mark.parametrize("action", ["ask", "draft", "hand over", "refuse"])
def test_a_ticket_that_was_left_without_an_answer_is_never_solved_by_time(
    tickets: Tickets, action: Action
) -> None:
    answer(tickets, action=action)

    assert pass_time(tickets, timedelta(days=365)) == []


def test_a_customer_who_came_back_is_waited_for_again(tickets: Tickets) -> None:
    answer(tickets, "m1")
    tickets.store_message(message("m2"))

    assert pass_time(tickets, WEEK_LATER) == []


def test_a_thumb_down_is_no_solution(tickets: Tickets) -> None:
    answer(tickets)
    tickets.feedback.add(1, False, "kim@example.org")
    assert pass_time(tickets, WEEK_LATER) == []

    tickets.feedback.add(1, True, "kim@example.org")
    assert pass_time(tickets, WEEK_LATER) == [1]


def test_a_reply_that_was_not_sent_solves_nothing(tickets: Tickets) -> None:
    tickets.store_message(message())
    tickets.outcomes.store(1, message(), ["m1"], Outcome("reply", "why", "Press Continue."))

    assert pass_time(tickets, WEEK_LATER) == []


def test_a_customer_confirms_and_the_assistant_solved_it(tickets: Tickets) -> None:
    answer(tickets, "m1")
    tickets.store_message(message("m2"))

    tickets.outcomes.store(1, message("m2"), ["m2"], Outcome("solve", "confirmed", ""))

    ticket = tickets.ticket(1)
    assert (ticket.status, ticket.solved_by) == ("solved", "assistant")
    entry = tickets.audit.of_ticket(1)[-1]
    assert (entry.who, entry.detail) == ("kim@example.org", "confirmed by the customer")


def test_whoever_wrote_the_last_reply_solved_it(tickets: Tickets) -> None:
    answer(tickets, "m1")
    tickets.replies.record_sent(tickets.replies.write(1, "ana", "I changed it for you."), "<r2>")

    tickets.solutions.mark(1, "ben")

    assert tickets.ticket(1).solved_by == "ana"
    assert tickets.audit.of_ticket(1)[-1].who == "ben"


def test_a_reopened_ticket_is_not_solved_by_anybody(tickets: Tickets) -> None:
    answer(tickets, "m1")
    tickets.solutions.mark(1, "ana")

    ticket = tickets.store_message(message("m2"))

    assert (ticket.status, ticket.solved_by) == ("open", None)
