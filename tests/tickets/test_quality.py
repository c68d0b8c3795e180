"""Figures are counted from what really happened to tickets, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from assistant import Answer, Message, Outcome
from assistant.errors import DeskmateError
from assistant.tickets.repository import Tickets

SINCE = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def settled(tickets: Tickets, message: Callable[..., Message]) -> Callable[..., int]:
    """A customer's message with an outcome; returns the outcome's number."""

    def settle(name: str, action: str, confidence: float, reason: str = "") -> int:
        asked = replace(message(), external_id=name, thread_id=name)
        ticket = tickets.store_message(asked)
        answer = Answer("Open the settings and press the blue button.", (), confidence)
        outcome = Outcome(action, reason or f"confidence {confidence}", answer.text, answer)  # type: ignore[arg-type]
        tickets.outcomes.store(ticket.id, asked, [name], outcome)
        return tickets.outcomes.of_ticket(ticket.id)[-1].id

    return settle


def test_drafts_count_by_what_people_did_with_them(
    tickets: Tickets, settled: Callable[..., int]
) -> None:
    tickets.replies.approve(settled("a", "draft", 0.6), "kim")
    text = "Open the settings and press the green button."
    tickets.replies.approve(settled("b", "draft", 0.5), "kim", text)
    tickets.replies.discard(settled("c", "draft", 0.4), "kim")
    settled("d", "draft", 0.4)

    found = tickets.quality.figures(SINCE)

    assert (found.all.drafted, found.all.decided) == (4, 3)
    assert (found.all.sent_unchanged, found.all.sent_changed, found.all.discarded) == (1, 1, 1)
    assert found.edits == {"nothing": 1, "up to a tenth": 0, "up to a third": 1, "more": 0}
    assert list(found.channels) == ["test"]
    assert tickets.quality.figures(SINCE, "other").days == {}
    bins = {one.confidence: (one.right, one.wrong) for one in tickets.verdicts.bins(SINCE)}
    assert bins == {0.6: (1, 0), 0.5: (0, 1), 0.4: (0, 1)}


def test_hand_overs_count_by_reason_and_thumbs_judge_replies(
    tickets: Tickets, settled: Callable[..., int]
) -> None:
    settled("a", "hand over", 0.1, "the passages found hardly match “x” (confidence 0.10)")
    settled("b", "hand over", 0.1, "the customer asks for a person")
    reply = settled("c", "reply", 0.9, "supported")
    ticket = tickets.outcomes.get(reply).ticket_id
    tickets.feedback.add(ticket, False, "ann", outcome_id=reply)

    found = tickets.quality.figures(SINCE)

    assert found.reasons == {
        "What was found hardly matches": 1,
        "The customer asked for a person": 1,
    }
    assert (found.all.helpful, found.all.not_helpful) == (0, 1)
    assert found.waits["not yet"] == 3
    judged = {one.kind: (one.right, one.wrong) for one in tickets.verdicts.bins(SINCE)}
    assert judged["reply"] == (0, 1)
    assert judged["hand over"] == (0, 0)


def test_a_ticket_is_solved_alone_if_no_person_had_a_hand_in_it(
    tickets: Tickets, settled: Callable[..., int]
) -> None:
    for name in ("a", "b"):
        outcome = tickets.outcomes.get(settled(name, "reply" if name == "a" else "draft", 0.9))
        if name == "b":
            tickets.replies.approve(outcome.id, "kim")
        (reply,) = tickets.replies.of_ticket(outcome.ticket_id)
        tickets.replies.record_sent(reply.reply.id, name)
        tickets.solutions.mark(outcome.ticket_id, "ann")

    found = tickets.quality.figures(SINCE)

    assert (found.all.tickets, found.all.alone) == (2, 1)
    assert found.waits["1 minute"] == 2


def test_chosen_thresholds_hold_until_they_are_taken_back(tickets: Tickets) -> None:
    assert tickets.thresholds.chosen() is None
    with pytest.raises(DeskmateError, match="drafts do not begin above replies"):
        tickets.thresholds.choose(0.3, 0.5, "lee")

    tickets.thresholds.choose(0.8, 0.3, "lee")
    chosen = tickets.thresholds.chosen()
    assert chosen
    assert (chosen.reply_at, chosen.draft_at, chosen.who) == (0.8, 0.3, "lee")
    tickets.thresholds.forget("lee")

    assert tickets.thresholds.chosen() is None
    assert [e.detail for e in tickets.audit.page(action="set thresholds")] == [
        "as in the settings",
        "replies from 0.8, drafts from 0.3",
    ]
