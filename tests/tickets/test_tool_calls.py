from __future__ import annotations

import pytest

from assistant.errors import DeskmateError
from assistant.tickets.repository import Tickets
from assistant.tickets.tool_calls import ToolCall
from tests.tickets.conftest import message


def begin(tickets: Tickets, state: str = "running") -> tuple[ToolCall, bool]:
    ticket = tickets.store_message(message())
    return tickets.tool_calls.begin(
        "key",
        ticket_id=ticket.id,
        tool="order_status",
        plugin="shop",
        risk="read",
        arguments={"number": "A-1"},
        customer="kim@example.org",
        state=state,  # type: ignore[arg-type]
    )


def test_a_call_is_noted_once_by_its_key(tickets: Tickets) -> None:
    first, new = begin(tickets)
    tickets.tool_calls.finish(first.id, "done", "Shipped.")

    again, new_again = begin(tickets)

    assert (new, new_again) == (True, False)
    assert (again.id, again.state, again.result) == (first.id, "done", "Shipped.")
    assert tickets.tool_calls.of_ticket(first.ticket_id) == (again,)


def test_one_person_decides(tickets: Tickets) -> None:
    call, _ = begin(tickets, "waiting")
    assert tickets.tool_calls.waiting() == (call,)

    decided = tickets.tool_calls.decide(call.id, "Kim", approve=True)

    assert (decided.state, decided.decided_by) == ("running", "Kim")
    assert tickets.tool_calls.waiting() == ()
    with pytest.raises(DeskmateError, match="tool call 1: it is running"):
        tickets.tool_calls.decide(call.id, "Ann", approve=False)


def test_a_call_that_there_is_not_is_said(tickets: Tickets) -> None:
    with pytest.raises(DeskmateError, match="there is none of this number"):
        tickets.tool_calls.decide(99, "Kim", approve=True)
