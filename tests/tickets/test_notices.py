from __future__ import annotations

import pytest

from assistant.messages import Action, Outcome
from assistant.tickets.backlog import Backlog, backlog
from assistant.tickets.repository import Tickets
from tests.tickets.conftest import message
from tests.tickets.test_outcomes import REPLY


@pytest.mark.parametrize("action", ["draft", "hand over"])
def test_what_needs_a_person_is_told_with_question_and_answer(
    tickets: Tickets, action: Action
) -> None:
    tickets.store_message(message("m1"))
    tickets.store_message(message("m2", text="It is urgent."))
    outcome = Outcome(action, "unsure", "They come by mail [1].", answer=REPLY.answer)
    tickets.outcomes.store(1, message("m2"), ["m1", "m2"], outcome)

    (stored,) = tickets.notices.take_due(60)

    notice = stored.notice
    assert (notice.kind, notice.reason) == (action, "unsure")
    assert notice.question == "Where is my invoice?\n\nIt is urgent."
    assert notice.text == "They come by mail [1]."
    assert notice.citations[0].passage.url == "/a"
    assert notice.outcome_id == tickets.outcomes.of_ticket(1)[0].id
    assert notice.ticket.id == 1


def test_nobody_is_told_of_what_went_well(tickets: Tickets) -> None:
    tickets.store_message(message())
    tickets.outcomes.store(1, message(), ["m1"], REPLY)

    assert tickets.notices.of_ticket(1) == ()


def test_a_reply_that_was_held_or_given_up_is_told(tickets: Tickets) -> None:
    tickets.store_message(message())
    reply_id = tickets.outcomes.store(1, message(), ["m1"], REPLY)
    assert reply_id is not None

    tickets.replies.record_held(reply_id, "it is Sunday")
    tickets.replies.record_failure(reply_id, "no such mailbox", None)

    kinds = [(n.notice.kind, n.notice.reason) for n in tickets.notices.of_ticket(1)]
    assert kinds == [("held", "it is Sunday"), ("failed", "no such mailbox")]


def test_a_notice_waits_until_it_was_told(tickets: Tickets) -> None:
    tickets.store_message(message())
    tickets.outcomes.store(1, message(), ["m1"], Outcome("hand over", "nothing found", "Soon."))
    assert backlog(tickets.engine) == Backlog(messages=0, replies=1, notices=1)

    (first,) = tickets.notices.take_due(60)
    assert tickets.notices.take_due(60) == ()  # somebody has it for a minute
    tickets.notices.record_failure(first.notice.id, "Slack is away", 0)
    (again,) = tickets.notices.take_due(60)
    tickets.notices.record_told(again.notice.id, "C1/17")

    assert again.notice == first.notice
    assert (first.attempts, again.attempts, again.error) == (1, 2, "Slack is away")
    assert tickets.notices.take_due(0) == ()
    assert tickets.notices.of_ticket(1)[0].told_as == "C1/17"
    assert backlog(tickets.engine).notices == tickets.notices.untold() == 0
