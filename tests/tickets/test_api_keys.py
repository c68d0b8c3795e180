from __future__ import annotations

from dataclasses import replace

from assistant.tickets.api_keys import ApiKey
from assistant.tickets.repository import Tickets
from tests.tickets.conftest import message


def test_a_key_is_found_by_all_of_it_and_by_nothing_less(tickets: Tickets) -> None:
    keys = tickets.api_keys
    key = keys.create("shop", ["messages:write"], per_minute=5)

    found = keys.find(key)

    assert found is not None
    assert (found.name, found.scopes, found.per_minute) == ("shop", {"messages:write"}, 5)
    wrong = [key[:-1], key + "x", key.upper(), f"dk_{found.id}_", "dk_\x00_x", "", "dk"]
    assert [keys.find(each) for each in wrong] == [None] * len(wrong)
    assert keys.list()[0].used_at is not None


def test_a_conversation_begun_again_has_a_new_token_and_no_old_one(tickets: Tickets) -> None:
    keys = tickets.api_keys
    key = keys.find(keys.create("shop", ["messages:write"]))
    assert key is not None

    first = keys.begin_conversation("t1", key)
    second = keys.begin_conversation("t1", key)

    assert keys.find_conversation(first) is None
    assert keys.find_conversation(second) == (keys.list()[0], "t1")


def test_tickets_are_those_of_the_keys_own_conversations(tickets: Tickets) -> None:
    own, other, every = (
        found_key(tickets, scope) for scope in ("tickets:read", "tickets:read", "tickets:all")
    )
    for number in range(3):
        thread = f"thread{number}"
        tickets.api_keys.begin_conversation(thread, own)
        tickets.store_message(message(f"mail{number}", thread_id=thread))
        posted = message(f"api{number}", thread_id=thread)
        ticket = tickets.store_message(replace(posted, connector="api"))

    keys = tickets.api_keys
    assert [each.id for each in keys.tickets(own)] == [6, 4, 2]
    assert [each.id for each in keys.tickets(own, before=6, limit=1)] == [4]
    assert keys.tickets(own, status="solved") == ()
    assert keys.tickets(other) == ()
    assert len(keys.tickets(every)) == 6
    assert (keys.ticket(own, ticket.id), keys.ticket(other, ticket.id)) == (ticket, None)


def found_key(tickets: Tickets, scope: str) -> ApiKey:
    """A new key, as it is found."""
    found = tickets.api_keys.find(tickets.api_keys.create("test", [scope]))
    assert found is not None
    return found
