"""What answering took is added up from the traces, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from assistant import Message, Outcome
from assistant.messages import Step
from assistant.tickets import costs
from assistant.tickets.costs import Cost
from assistant.tickets.repository import Tickets

SINCE = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def answered(tickets: Tickets, message: Callable[..., Message]) -> Callable[..., None]:
    """A message of a channel whose answer took these steps."""

    def store(name: str, connector: str, *steps: Step) -> None:
        asked = replace(message(), connector=connector, external_id=name, thread_id=name)
        ticket = tickets.store_message(asked)
        tickets.outcomes.store(ticket.id, asked, [name], Outcome("reply", "sure", "", trace=steps))

    return store


def step(milliseconds: float, **detail: Any) -> Step:
    return Step("write", milliseconds, detail)


def test_seconds_and_tokens_are_added_up_by_day_and_by_channel(
    tickets: Tickets, answered: Callable[..., None]
) -> None:
    tools = step(100, tokens_read=50, tokens_written=5)
    answered("a", "email", step(400), tools, step(500, tokens_read=900, tokens_written=95))
    answered("b", "slack", step(2_000))
    answered("c", "slack")  # nothing was timed, such as a message that was given up

    found = tickets.costs.costs(SINCE)

    assert found.every == 1
    assert found.channels == {
        "email": Cost(1, pytest.approx(1.0), 1, 950, 100),  # type: ignore[arg-type]
        "slack": Cost(1, pytest.approx(2.0)),  # type: ignore[arg-type]
    }
    assert [day.messages for day in found.days.values()] == [2]
    assert tickets.costs.costs(SINCE, "slack").all.seconds == pytest.approx(2.0)
    assert tickets.costs.costs(datetime.now(UTC)).days == {}


def test_of_many_messages_only_some_traces_are_read(
    tickets: Tickets, answered: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(costs, "SAMPLED", 4)
    for number in range(10):
        answered(str(number), "email", step(1_000))

    found = tickets.costs.costs(SINCE)

    assert found.every == 3
    assert found.all == Cost(3, pytest.approx(3.0))  # type: ignore[arg-type]
