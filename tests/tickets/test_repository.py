from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select

from assistant.errors import DeskmateError
from assistant.messages import Attachment, Outcome
from assistant.tickets.repository import Tickets
from assistant.tickets.tables import BlobRow
from tests.tickets.conftest import message

PICTURE = Attachment("image/png", "error.png", b"\x89PNG\x00\xff")


def test_a_message_opens_a_ticket_and_comes_back_as_it_was(tickets: Tickets) -> None:
    sent = message(
        subject="Invoice", attachments=(PICTURE,), language="en", product="app", audience="internal"
    )

    ticket = tickets.store_message(sent)

    assert tickets.message("email", "m1") == sent
    assert (ticket.status, ticket.customer, ticket.subject) == ("open", sent.sender, "Invoice")
    assert tickets.list("open") == (ticket,) == tickets.list()
    assert tickets.ticket(ticket.id) == ticket


def test_storing_a_message_again_changes_nothing(tickets: Tickets) -> None:
    tickets.store_message(message(attachments=(PICTURE,)))
    tickets.store_message(message(attachments=(PICTURE,), text="redelivered"))

    (stored,) = tickets.messages(1)
    assert stored.text == "Where is my invoice?"
    assert stored.attachments == (PICTURE,)


def test_equal_attachments_are_stored_once(tickets: Tickets) -> None:
    copy = Attachment("image/png", "copy.png", PICTURE.content)

    tickets.store_message(message("m1", attachments=(PICTURE, copy)))
    tickets.store_message(message("m2", thread_id="t2", attachments=(PICTURE,)))

    with tickets.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(BlobRow)) == 1
    assert tickets.message("email", "m1").attachments == (PICTURE, copy)


def test_many_at_once_store_each_message_once(tickets: Tickets) -> None:
    messages = [message(f"m{i}", thread_id=f"t{i % 3}", attachments=(PICTURE,)) for i in range(12)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(tickets.store_message, messages * 4))

    assert len(tickets.list()) == 3
    assert sum(len(tickets.messages(ticket.id)) for ticket in tickets.list()) == 12


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Danke! 👩‍💻🎉 ありがとう שלום", "Danke! 👩‍💻🎉 ありがとう שלום"),
        ("before\x00after", "before\ufffdafter"),
        ("lone \ud83d surrogate", "lone \ufffd surrogate"),
        ("long " * 1_000_000, "long " * 1_000_000),
    ],
    ids=["emoji", "NUL", "surrogate", "long"],
)
def test_any_text_can_be_stored(tickets: Tickets, text: str, stored: str) -> None:
    tickets.store_message(message(text=text, subject=text[:50], sender=text[:50]))

    assert tickets.message("email", "m1").text == stored


def test_a_name_with_nul_is_found_again(tickets: Tickets) -> None:
    tickets.store_message(message("m\x001"))
    tickets.store_message(message("m\x001"))

    assert tickets.message("email", "m\x001").external_id == "m\ufffd1"


def test_ids_too_long_for_an_index_are_refused_with_the_way_out(tickets: Tickets) -> None:
    with pytest.raises(DeskmateError, match="Shorten it with a hash"):
        tickets.store_message(message("x" * 501))


def test_times_are_in_utc_whatever_their_timezone(tickets: Tickets) -> None:
    tokyo = datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=9)))

    tickets.store_message(message(sent_at=tokyo))

    stored = tickets.message("email", "m1").sent_at
    assert stored == tokyo
    assert stored.tzinfo == UTC


def test_waiting_lists_what_has_no_outcome_oldest_first(tickets: Tickets) -> None:
    for name in ("m1", "m2", "m3"):
        tickets.store_message(message(name))
    refusal = Outcome("refuse", "spam", "")
    tickets.outcomes.store(1, message("m1"), ["m1"], refusal)

    ticket, waiting = tickets.waiting("email", "m3")

    assert ticket.id == 1
    assert [w.message.external_id for w in waiting] == ["m2", "m3"]
    assert [(i, m.external_id) for i, m in tickets.left()] == [(1, "m3")]


def test_a_message_that_comes_again_for_another_conversation_stays_in_its_ticket(
    tickets: Tickets,
) -> None:
    tickets.store_message(message("m1"))
    tickets.store_message(message("m2", thread_id="t2"))

    again = tickets.store_message(message("m1", thread_id="t3"))
    and_again = tickets.store_message(message("m1", thread_id="t2"))

    assert (again.thread_id, and_again.thread_id) == ("t1", "t1")
    assert {ticket.thread_id for ticket in tickets.list()} == {"t1", "t2"}


def test_a_new_message_reopens_an_answered_or_solved_ticket(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    tickets.solutions.mark(1, "ana")

    assert tickets.store_message(message("m2")).status == "open"


def test_a_ticket_that_a_person_has_stays_with_that_person(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    tickets.hand_over(1, "ana", "knows the customer")

    ticket = tickets.store_message(message("m2"))

    assert (ticket.status, ticket.owner) == ("handed over", "ana")
    assert tickets.solutions.mark(1, "ana").owner is None
    assert [(e.who, e.action, e.detail) for e in tickets.audit.of_ticket(1)] == [
        ("ana", "hand over", "knows the customer"),
        ("ana", "solve", ""),
    ]


def test_a_conversation_holds_both_sides_in_order(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    tickets.outcomes.store(1, message("m1"), ["m1"], Outcome("reply", "found", "In your mail."))
    tickets.store_message(message("m2", text="It is not."))
    tickets.replies.write(1, "ana", "I have sent it again.")

    turns = tickets.conversation(1)

    assert [(turn.author, turn.text) for turn in turns] == [
        ("customer", "Where is my invoice?"),
        ("assistant", "In your mail."),
        ("customer", "It is not."),
        ("staff", "I have sent it again."),
    ]
    assert len(tickets.conversation(1, without=["m2"])) == 3


def test_feedback_is_kept_for_an_outcome_or_the_ticket(tickets: Tickets) -> None:
    tickets.store_message(message())
    tickets.outcomes.store(1, message(), ["m1"], Outcome("refuse", "spam", ""))

    tickets.feedback.add(1, True, "kim")
    tickets.feedback.add(1, False, "ana", "not spam", outcome_id=1)

    assert [
        (f.helpful, f.author, f.comment, f.outcome_id) for f in tickets.feedback.of_ticket(1)
    ] == [
        (True, "kim", "", None),
        (False, "ana", "not spam", 1),
    ]


def test_what_does_not_exist_is_named(tickets: Tickets) -> None:
    with pytest.raises(DeskmateError, match="ticket 7: no such ticket"):
        tickets.ticket(7)
    with pytest.raises(DeskmateError, match="ticket 7: no such ticket"):
        tickets.feedback.add(7, True, "kim")
    with pytest.raises(DeskmateError, match="email:m9 is not in the database"):
        tickets.message("email", "m9")
