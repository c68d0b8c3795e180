"""Who is told that the answer takes longer, and how often."""

from __future__ import annotations

from dataclasses import replace

from assistant.messages import Outcome
from assistant.tickets.repository import Tickets
from tests.tickets.conftest import message

TEXT = "It takes longer."
REPLY = Outcome("reply", "found", "Here you are.")


def test_who_waits_is_told_once_however_many_messages_wait(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    tickets.store_message(message("m2"))

    (reply_id,) = tickets.delays.tell(0, TEXT)

    stored = tickets.replies.get(reply_id)
    assert (stored.reply.text, stored.reply.to) == (TEXT, "kim@example.org")
    assert (stored.state, stored.tells_delay) == ("intended", True)
    assert tickets.delays.tell(0, TEXT) == ()
    assert tickets.ticket(1).status == "open"


def test_a_later_question_that_waits_is_another_matter(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    tickets.delays.tell(0, TEXT)
    tickets.outcomes.store(1, message("m1"), ["m1"], REPLY)

    tickets.store_message(message("m2"))

    assert len(tickets.delays.tell(0, TEXT)) == 1


def test_who_has_not_waited_so_long_or_is_answered_is_not_told(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    assert tickets.delays.tell(60, TEXT) == ()

    tickets.outcomes.store(1, message("m1"), ["m1"], REPLY)
    assert tickets.delays.tell(0, TEXT) == ()


def test_colleagues_and_who_is_with_a_person_are_not_told(tickets: Tickets) -> None:
    known = {"verified_address": "kim@example.org"}
    tickets.store_message(message("m1", **known))
    tickets.hand_over(1, "ana")
    tickets.store_message(replace(message("c1", **known), connector="chat"))
    tickets.store_message(message("s1", thread_id="t2", author="staff"))

    assert tickets.delays.tell(0, TEXT) == ()


def test_a_note_that_the_answer_overtook_says_so(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    (reply_id,) = tickets.delays.tell(0, TEXT)
    assert tickets.replies.silenced(reply_id) is None

    tickets.outcomes.store(1, message("m1"), ["m1"], REPLY)

    assert tickets.replies.silenced(reply_id) == "the answer came first"
