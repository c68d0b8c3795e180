"""From a message to its outcome."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from assistant import bursts
from assistant.messages import Attachment, Message, Outcome, PluginFault, Ticket, Turn
from assistant.tickets.database import connect, upgrade
from assistant.tickets.repository import Tickets
from tests.inbox.conftest import Open, echo, eventually, is_answered, message
from tests.recording import RecordingConnector


def test_a_message_is_answered_and_its_reply_sent_once(
    database_url: str, channel: RecordingConnector, open_inbox: Open
) -> None:
    engine = connect(database_url)
    upgrade(engine)
    tickets = Tickets(engine)
    inbox = open_inbox(tickets)

    for _ in range(3):
        inbox.accept(message(text="Grüße 👋"))
    eventually(lambda: tickets.replies.of_ticket(1) and tickets.replies.of_ticket(1)[0].sent_at)
    inbox.accept(message(text="Grüße 👋"))
    time.sleep(0.3)

    (reply,) = tickets.replies.of_ticket(1)
    assert channel.texts() == ["You said: Grüße 👋"]
    assert (reply.state, reply.attempts) == ("sent", 1)
    assert reply.external_id == f"<{reply.reply.id}@example.org>"
    assert tickets.ticket(1).status == "answered"


def test_a_burst_is_answered_as_one_question(
    tickets: Tickets, channel: RecordingConnector, open_inbox: Open
) -> None:
    inbox = open_inbox(tickets, quiet_seconds=0.5)
    picture = Attachment("image/png", "a.png", b"1")

    inbox.accept(message("m1", "It fails."))
    inbox.accept(message("m2", "Here:", attachments=(picture,)))
    inbox.accept(message("m3", "", attachments=(picture,)))
    eventually(channel.sent)
    time.sleep(1.5)

    assert channel.texts() == ["You said: It fails.\n\nHere:"]
    covering = {tickets.outcomes.of_message("email", name) for name in ("m1", "m2", "m3")}
    assert [stored.message_key for stored in covering if stored] == ["email:m3"]


def test_a_conversation_is_answered_in_order_and_others_at_the_same_time(
    tickets: Tickets,
    channel: RecordingConnector,
    open_inbox: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both_at_work = threading.Barrier(2, timeout=10)
    heard = {}

    def answer(message: Message, ticket: Ticket, conversation: tuple[Turn, ...]) -> Outcome:
        heard[message.text] = [turn.text for turn in conversation]
        if message.text in ("first", "other"):
            both_at_work.wait()
        return echo(message, ticket, conversation)

    monkeypatch.setattr(bursts, "TOGETHER_SECONDS", 0.0)
    inbox = open_inbox(tickets, answer)
    inbox.accept(message("m1", "first"))
    eventually(lambda: "first" in heard)
    inbox.accept(message("m2", "second"))
    inbox.accept(message("m3", "other", thread_id="t2"))
    eventually(lambda: len(channel.sent()) == 3)

    assert heard["second"] == ["first", "You said: first"]
    assert [line["text"] for line in channel.sent() if line["thread"] == "t1"] == [
        "You said: first",
        "You said: second",
    ]


def test_what_comes_while_the_answer_is_made_is_answered_with_it(
    tickets: Tickets, channel: RecordingConnector, open_inbox: Open
) -> None:
    begun, go = threading.Event(), threading.Event()

    def answer(*asked: Any) -> Outcome:
        begun.set()
        go.wait(20)
        return echo(*asked)

    inbox = open_inbox(tickets, answer)
    inbox.accept(message("m1", "It fails."))
    begun.wait(20)
    inbox.accept(message("m2", "With KT-4031."))
    go.set()
    eventually(lambda: is_answered(tickets, "m1"))
    eventually(channel.sent)

    assert channel.texts() == ["You said: It fails.\n\nWith KT-4031."]
    assert len(tickets.outcomes.of_ticket(1)) == 1


def test_an_answer_that_fails_is_tried_again(
    tickets: Tickets, channel: RecordingConnector, open_inbox: Open
) -> None:
    failures = iter([ConnectionError("model is starting"), ConnectionError("still"), None])

    def answer(*question: Any) -> Outcome:
        if error := next(failures):
            raise error
        return echo(*question)

    open_inbox(tickets, answer).accept(message())
    eventually(channel.sent)

    assert channel.texts() == ["You said: Hello"]


def test_a_message_that_cannot_be_answered_is_handed_over_with_the_error(
    tickets: Tickets, channel: RecordingConnector, open_inbox: Open
) -> None:
    def answer(*question: Any) -> Outcome:
        raise ValueError("no such model")

    open_inbox(tickets, answer).accept(message())
    eventually(channel.sent)

    (stored,) = tickets.outcomes.of_ticket(1)
    assert stored.outcome.action == "hand over"
    assert stored.outcome.reason == "answering failed: ValueError: no such model"
    assert channel.texts() == ["Thank you for your message. A colleague will answer you."]


def test_a_message_that_kills_its_workers_is_handed_over(
    tickets: Tickets, open_inbox: Open
) -> None:
    tickets.store_message(message())
    for _ in range(5):
        tickets.begin_answer("email", "m1")

    open_inbox(tickets)
    eventually(lambda: is_answered(tickets, "m1"))

    (stored,) = tickets.outcomes.of_ticket(1)
    assert stored.outcome.action == "hand over"
    assert stored.outcome.reason == "5 workers stopped while they answered it"


def test_a_ticket_that_a_person_has_is_left_to_that_person(
    tickets: Tickets, channel: RecordingConnector, open_inbox: Open
) -> None:
    tickets.store_message(message("m1"))
    tickets.hand_over(1, "ana")
    inbox = open_inbox(tickets)

    inbox.accept(message("m2"))
    eventually(lambda: is_answered(tickets, "m2"))

    stored = tickets.outcomes.of_message("email", "m2")
    assert stored is not None
    assert (stored.outcome.action, stored.outcome.reason) == ("hand over", "ticket 1 is with ana")
    assert channel.sent() == []


def test_what_plugins_make_of_a_message_is_stored_and_their_faults_are_noted(
    tickets: Tickets, open_inbox: Open
) -> None:
    def arriving(message: Message, faults: list[PluginFault], once_stored: Any) -> Message:
        once_stored.append(lambda: found.append(tickets.message("email", "m1").text))
        faults.append(PluginFault("redaction", "message_arriving", "took longer than 30 s"))
        return replace(message, text="[card number]")

    found: list[str] = []
    inbox = open_inbox(tickets, arriving=arriving)
    inbox.accept(message("m1", "4111 1111 1111 1111"))

    ticket = tickets.find("email", "t1")
    assert ticket is not None
    assert found == ["[card number]"]
    assert [fault.plugin for fault in tickets.outcomes.faults(ticket.id)] == ["redaction"]


def test_a_name_that_no_database_can_hold_is_still_answered(
    database_url: str, channel: RecordingConnector, open_inbox: Open
) -> None:
    engine = connect(database_url)
    upgrade(engine)

    open_inbox(Tickets(engine)).accept(message("m\x00\ud800"))
    eventually(channel.sent)

    assert channel.texts() == ["You said: Hello"]
