"""The page Quality over HTTP: periods and cost."""

from __future__ import annotations

import re

from assistant import Outcome
from assistant.messages import Step
from benchmarks.full_desk import fill
from tests.console.visitor import Visitor
from tests.console_desk import ConsoleDesk


def test_a_long_period_is_drawn_by_week(office: ConsoleDesk, visitor: Visitor) -> None:
    fill(office.desk.engine, 200)
    office.add("vera", "viewer")
    visitor.log_in("vera")

    month, quarter = visitor.get("/quality?days=30"), visitor.get("/quality?days=90")

    dated = re.compile(r'<th scope="row">\d\d [A-Z][a-z][a-z]</th>')
    plots = month.text.count('<figure class="plot">')
    assert len(dated.findall(month.text)) == plots * 30
    assert len(dated.findall(quarter.text)) == plots * 13
    assert len(quarter.content) < 100_000


def cost_of(office: ConsoleDesk, visitor: Visitor, *steps: Step) -> str:
    """The part of the page about cost, after an answer that took these steps."""
    message = office.receive("How do I pay?")
    outcome = Outcome("reply", "sure", "By card.", trace=steps)
    office.tickets.outcomes.store(1, message, [message.external_id], outcome)
    office.add("vera", "viewer")
    visitor.log_in("vera")
    return visitor.get("/quality/cost").text


def test_cost_is_told_in_seconds_and_never_in_money(office: ConsoleDesk, visitor: Visitor) -> None:
    page = cost_of(office, visitor, Step("read", 500.0), Step("write", 1_000.0))

    assert "no amount is shown" in page
    assert "There is no chat model" in page
    assert '<th scope="row">window</th><td class="right">1.5</td>' in page
    assert "Tokens a message" not in page


def test_tokens_are_told_where_a_chat_model_counted_them(
    office: ConsoleDesk, visitor: Visitor
) -> None:
    step = Step("write", 1_000.0, {"tokens_read": 1_200, "tokens_written": 80})

    page = cost_of(office, visitor, step)

    assert "Tokens a message" in page
    assert '<td class="right">1,280</td>' in page
