"""From an outcome to a reply that is sent, or left to a person."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant import inbox as inbox_module
from assistant.inbox import send_pause
from assistant.messages import Notice, Outcome, Reply
from assistant.tickets.repository import Tickets
from tests.inbox.conftest import Open, echo, eventually, is_answered, message
from tests.recording import RecordingConnector, StaffedConnector


@pytest.mark.parametrize("same_process", [True, False])
def test_a_draft_is_sent_when_a_person_approves_it(
    tickets: Tickets, channel: RecordingConnector, open_inbox: Open, same_process: bool
) -> None:
    inbox = open_inbox(tickets, lambda *question: Outcome("draft", "unsure", "Perhaps."))
    inbox.accept(message())
    eventually(lambda: is_answered(tickets, "m1"))
    time.sleep(0.5)
    before = channel.sent()

    reply_id = tickets.replies.approve(1, "ana", "Certainly.")
    if same_process:
        inbox.send(reply_id)
    eventually(channel.sent)

    assert before == []
    assert channel.texts() == ["Certainly."]


def test_a_reply_that_a_plugin_holds_goes_out_when_a_person_approves_it(
    tickets: Tickets, channel: RecordingConnector, open_inbox: Open
) -> None:
    inbox = open_inbox(tickets, reply_hold=lambda reply: "it holds a password")
    inbox.accept(message())
    eventually(lambda: tickets.list("needs review"))
    (held,) = tickets.replies.of_ticket(1)
    before = channel.sent()

    inbox.send(tickets.replies.approve(1, "ana"))
    eventually(channel.sent)

    assert (held.state, held.error) == ("held", "it holds a password")
    assert before == []


def chat(tickets: Tickets) -> int:
    """The ticket of a chat of the same customer."""
    ours = {"thread_id": "c1", "verified_address": "kim@example.org"}
    return tickets.store_message(replace(message("c1", **ours), connector="chat")).id


def test_an_answer_under_way_waits_when_a_person_takes_the_customer_on_another_channel(
    tickets: Tickets, channel: RecordingConnector, open_inbox: Open
) -> None:
    def answer(*asked: Any) -> Outcome:
        tickets.hand_over(chat(tickets), "ana")
        return echo(*asked)

    inbox = open_inbox(tickets, answer)
    inbox.accept(message(verified_address="kim@example.org"))
    eventually(lambda: is_answered(tickets, "m1"))
    time.sleep(0.3)

    (stored,) = tickets.outcomes.of_ticket(1)
    assert (stored.draft_state, channel.sent()) == ("waiting", [])


def test_an_answer_that_could_not_be_sent_yet_waits_as_well(
    tickets: Tickets,
    channel: RecordingConnector,
    open_inbox: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox_module, "send_pause", lambda attempt: 0.01)
    connectors: dict[str, RecordingConnector] = {}
    inbox = open_inbox(tickets, connectors=connectors)
    inbox.accept(message(verified_address="kim@example.org"))
    eventually(lambda: tickets.replies.of_ticket(1))

    tickets.hand_over(chat(tickets), "ana")
    connectors["email"] = channel
    eventually(lambda: tickets.list("needs review"))
    (held,) = tickets.replies.of_ticket(1)

    assert (held.state, channel.sent()) == ("held", [])
    assert held.error == "ticket 2 of the same customer, on chat, is with ana"
    inbox.send(tickets.replies.approve(1, "ana"))
    eventually(channel.sent)


def test_a_reply_that_was_sent_without_our_knowing_is_not_sent_again(
    tickets: Tickets,
    channel: RecordingConnector,
    open_inbox: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox_module, "send_pause", lambda attempt: 0.01)
    send = channel.send

    def send_and_hang_up(reply: Reply) -> str:
        send(reply)
        raise TimeoutError("no answer from the server")

    monkeypatch.setattr(channel, "send", send_and_hang_up)
    open_inbox(tickets).accept(message())
    eventually(lambda: tickets.list() and tickets.replies.of_ticket(1)[0:])
    eventually(lambda: tickets.replies.of_ticket(1)[0].state == "sent")

    (reply,) = tickets.replies.of_ticket(1)
    assert len(channel.sent()) == 1
    assert (reply.attempts, reply.external_id) == (2, f"<{reply.reply.id}@example.org>")


def test_a_channel_that_is_down_is_tried_again_until_it_is_up(
    tickets: Tickets,
    channel: RecordingConnector,
    open_inbox: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox_module, "send_pause", lambda attempt: 0.01)
    connectors: dict[str, RecordingConnector] = {}
    open_inbox(tickets, connectors=connectors).accept(message())
    eventually(lambda: tickets.list() and tickets.replies.of_ticket(1)[0:])
    eventually(lambda: tickets.replies.of_ticket(1)[0].attempts > 1)
    down = tickets.replies.of_ticket(1)[0]

    connectors["email"] = channel
    eventually(channel.sent)

    assert down.state == "intended"
    assert down.error == "LookupError: no connector named 'email' is configured"


def test_a_reply_that_cannot_be_sent_is_given_up_and_shown_to_a_person(
    tickets: Tickets, open_inbox: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "SEND_ATTEMPTS", 1)
    open_inbox(tickets, connectors={}).accept(message())
    eventually(lambda: tickets.list("needs review"))

    assert tickets.replies.of_ticket(1)[0].state == "failed"


def test_pauses_between_attempts_grow_and_reach_two_days() -> None:
    pauses = [send_pause(attempt) for attempt in range(1, 56)]

    waited = [pause for pause in pauses if pause is not None]
    assert waited[:3] == [10, 20, 40]
    assert max(waited) == 3600
    assert pauses[-1] is None
    assert 40 < sum(waited) / 3600 < 56


def test_who_is_slow_to_tell_staff_keeps_no_notice_from_others(
    tickets: Tickets, tmp_path: Path, open_inbox: Open
) -> None:
    telling, told = threading.Event(), threading.Event()

    class Slow(StaffedConnector):
        def notify(self, notice: Notice) -> str:
            telling.set()
            told.wait()
            return super().notify(notice)

    for name in ("m1", "m2", "m3"):
        question = message(name, thread_id=name)
        ticket = tickets.store_message(question)
        tickets.outcomes.store(ticket.id, question, [name], Outcome("hand over", "unsure", ""))
    slow = Slow(tmp_path / "slow.jsonl")
    open_inbox(tickets, connectors={"email": slow})
    telling.wait()
    others = tickets.notices.take_due(60)
    told.set()

    eventually(lambda: slow.notices)
    assert len(others) == 2
