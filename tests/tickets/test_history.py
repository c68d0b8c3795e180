from __future__ import annotations

from assistant.messages import Attachment, Message, Outcome
from assistant.tickets.repository import Tickets
from tests.tickets.conftest import message

REPLY = Outcome("reply", "sure", "Under Invoices.")


def texts(tickets: Tickets) -> list[tuple[str, str]]:
    return [(turn.author, turn.text) for turn in tickets.conversation(1)]


def settle(tickets: Tickets, question: Message, outcome: Outcome = REPLY) -> str | None:
    ticket, burst = tickets.waiting(question.connector, question.external_id)
    names = [waiting.message.external_id for waiting in burst]
    return tickets.outcomes.store(ticket.id, question, names, outcome)


def test_what_was_said_before_is_read_and_not_answered(tickets: Tickets) -> None:
    before = [message("m1", text="It fails"), message("m2", text="Which?", author="staff")]

    tickets.history.add(before)
    tickets.history.add(before)
    ticket = tickets.store_message(message("m3", text="All of them"))

    assert texts(tickets) == [
        ("customer", "It fails"),
        ("staff", "Which?"),
        ("customer", "All of them"),
    ]
    assert [w.message.external_id for w in tickets.waiting("email", "m3")[1]] == ["m3"]
    assert (ticket.status, ticket.owner) == ("open", None)


def test_an_edit_before_the_answer_changes_what_is_answered(tickets: Tickets) -> None:
    tickets.store_message(message("m1", text="My invoce"))

    done = tickets.history.change("email", "m1", "My invoice")

    assert done == "changed"
    assert tickets.message("email", "m1").text == "My invoice"


def test_an_edit_during_or_after_the_answer_comes_too_late(tickets: Tickets) -> None:
    question = message("m1", text="My invoce")
    tickets.store_message(question)
    tickets.begin_answer("email", "m1")
    during = tickets.history.change("email", "m1", "My invoice")
    settle(tickets, question)

    after = tickets.history.change("email", "m1", "My invoice")

    assert (during, after) == ("too late", "too late")
    assert tickets.history.change("email", "m9", "?") == "unknown"
    assert tickets.message("email", "m1").text == "My invoce"


def test_a_deleted_message_is_forgotten_and_not_answered(tickets: Tickets) -> None:
    secret = Attachment("image/png", "passport.png", b"1")
    question = message("m1", text="My password is tulip", attachments=(secret,))
    tickets.store_message(question)

    tickets.history.withdraw("email", "m1")
    tickets.history.withdraw("email", "m1")
    tickets.store_message(question)

    (stored,) = tickets.messages(1)
    assert (stored.text, stored.attachments) == ("", ())
    assert tickets.conversation(1) == ()
    assert tickets.waiting("email", "m1")[1] == ()


def test_a_message_deleted_while_it_is_answered_gets_no_reply(tickets: Tickets) -> None:
    question = message("m1")
    tickets.store_message(question)
    _, burst = tickets.waiting("email", "m1")

    tickets.history.withdraw("email", "m1")
    reply_id = tickets.outcomes.store(1, burst[0].message, ["m1"], REPLY)

    assert reply_id is None
    assert tickets.replies.of_ticket(1) == ()


def test_a_draft_or_unsent_reply_goes_with_the_last_of_its_messages(tickets: Tickets) -> None:
    for name in ("m1", "m2"):
        tickets.store_message(message(name))
    reply_id = settle(tickets, message("m2"))
    assert reply_id is not None

    tickets.history.withdraw("email", "m1")
    one_left = tickets.replies.get(reply_id).state
    tickets.history.withdraw("email", "m2")

    assert (one_left, tickets.replies.get(reply_id).state) == ("intended", "discarded")


def test_a_reply_that_may_be_under_way_is_not_discarded(tickets: Tickets) -> None:
    tickets.store_message(message("m1"))
    reply_id = settle(tickets, message("m1"))
    assert reply_id is not None
    joined_at = tickets.workers.join("worker", 30)
    tickets.replies.begin_attempt(reply_id, "worker", joined_at, 60)

    tickets.history.withdraw("email", "m1")

    assert tickets.replies.get(reply_id).state == "intended"
