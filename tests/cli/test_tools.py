from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import Message
from assistant.messages import Ticket
from assistant.tickets.database import open_engine
from assistant.tickets.repository import Tickets
from tests.cli.conftest import Run

SHOP = '''
from assistant import Tool, hookimpl
from langchain_core.tools import tool


@tool
def cancel_order(number: str) -> str:
    """Cancels an order."""
    if number == "A-2":
        raise ConnectionError("the shop is closed")
    return f"Order {number} was cancelled."


@hookimpl
def register_tools(settings):
    return [Tool(cancel_order, "approval")]
'''


@pytest.fixture
def tickets(tmp_path: Path) -> Iterator[Tickets]:
    """The database of a desk with a shop's tool, in which two calls wait."""
    (tmp_path / "trying").mkdir()
    (tmp_path / "trying/shop.py").write_text(SHOP)
    (tmp_path / "deskmate.toml").write_text('plugin_folder = "trying"\n')
    (tmp_path / ".deskmate").mkdir()
    engine = open_engine(f"sqlite:///{tmp_path / '.deskmate/deskmate.sqlite'}")
    tickets = Tickets(engine)
    ticket = tickets.store_message(Message("test", "1", "t", "ann", "Cancel A-1 and A-2"))
    for number in ("A-1", "A-2"):
        waits(tickets, ticket, number)
    yield tickets
    engine.dispose()


def waits(tickets: Tickets, ticket: Ticket, number: str) -> None:
    tickets.tool_calls.begin(
        f"key of {number}",
        ticket_id=ticket.id,
        tool="cancel_order",
        plugin="shop",
        risk="approval",
        arguments={"number": number},
        customer="ann",
        state="waiting",
    )


@pytest.mark.usefixtures("tickets")
def test_tools_are_listed_with_their_risk(run: Run) -> None:
    (line,) = [line for line in run("tools", "list").out.splitlines() if "cancel_order" in line]

    assert "approval" in line
    assert "Cancels an order." in line


def test_a_person_approves_and_refuses(run: Run, tickets: Tickets) -> None:
    listed = run("tools", "waiting")
    approved = run("tools", "approve", 1, "--as", "Kim")
    refused = run("tools", "refuse", 2, "--as", "Kim")

    assert '{"number": "A-1"}' in listed.out
    assert "cancel_order done: Order A-1 was cancelled." in approved.out
    assert "Refused call 2" in refused.out
    assert [call.state for call in tickets.tool_calls.of_ticket(1)] == ["done", "refused"]
    assert run("tools", "approve", 1).code == 1


def test_an_approved_call_that_fails_says_why(run: Run, tickets: Tickets) -> None:
    ran = run("tools", "approve", 2, "--as", "Kim")

    assert (ran.code, "the shop is closed" in ran.out) == (1, True)
    assert tickets.tool_calls.of_ticket(1)[1].state == "failed"
