"""Who counts as the same customer on two channels, and who does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from assistant.messages import Message
from assistant.tickets.repository import Tickets

ANA = "ana@example.com"


def said(channel: str, number: str, **changes: Any) -> Message:
    made = Message(channel, f"m{number}", f"t{number}", ANA, "Hi", verified_address=ANA)
    return replace(made, **changes)


def test_the_same_address_vouched_for_on_both_channels_is_one_customer(tickets: Tickets) -> None:
    here = tickets.store_message(said("email", "1"))
    there = tickets.store_message(said("ticket_database", "2", verified_address="Ana@Example.com"))
    tickets.store_message(said("ticket_database", "2", external_id="s", author="staff"))

    assert [ticket.id for ticket in tickets.persons.other_tickets(here)] == [there.id]
    assert [ticket.id for ticket in tickets.persons.other_tickets(there)] == [here.id]


@pytest.mark.parametrize(
    "changes",
    [
        {"verified_address": None},
        {"verified_address": "ben@example.com"},
        {"audience": "internal"},
        {"connector": "email"},
    ],
)
def test_nobody_else_is(tickets: Tickets, changes: dict[str, Any]) -> None:
    here = tickets.store_message(said("email", "1"))
    there = tickets.store_message(said("ticket_database", "2", **changes))

    assert tickets.persons.other_tickets(here) == tickets.persons.other_tickets(there) == ()


@pytest.mark.parametrize("stranger", [None, "ben@example.com"])
@pytest.mark.parametrize("in_which", ["1", "2"])
def test_one_message_of_somebody_else_parts_them(
    tickets: Tickets, stranger: str | None, in_which: str
) -> None:
    here = tickets.store_message(said("email", "1"))
    there = tickets.store_message(said("ticket_database", "2"))
    connector = "email" if in_which == "1" else "ticket_database"
    joined = said(connector, in_which, external_id="other", verified_address=stranger)
    tickets.store_message(joined)

    assert tickets.persons.other_tickets(here) == tickets.persons.other_tickets(there) == ()


def test_what_is_solved_is_over(tickets: Tickets) -> None:
    here = tickets.store_message(said("email", "1"))
    there = tickets.store_message(said("ticket_database", "2"))
    tickets.solutions.mark(there.id, "Bo")

    assert tickets.persons.other_tickets(here) == ()


def test_a_conversation_says_where_each_message_came_from(tickets: Tickets) -> None:
    here = tickets.store_message(said("email", "1"))

    assert [turn.channel for turn in tickets.conversation(here.id)] == ["email"]
