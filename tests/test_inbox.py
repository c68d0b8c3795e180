from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from assistant import bursts, upkeep
from assistant import inbox as inbox_module
from assistant.errors import DatabaseError
from assistant.inbox import Inbox, send_pause
from assistant.messages import (
    Attachment,
    Message,
    Notice,
    Outcome,
    PluginFault,
    Reply,
    Ticket,
    Turn,
)
from assistant.queues import workflow_database_url
from assistant.tickets.database import connect, open_engine, upgrade
from assistant.tickets.repository import Tickets
from tests.recording import RecordingConnector, StaffedConnector

Open = Callable[..., Inbox]


@pytest.fixture
def tickets(sqlite_url: str) -> Iterator[Tickets]:
    engine = open_engine(sqlite_url)
    yield Tickets(engine)
    engine.dispose()


@pytest.fixture
def channel(tmp_path: Path) -> RecordingConnector:
    return RecordingConnector(tmp_path / "sent.jsonl")


@pytest.fixture
def open_inbox(channel: RecordingConnector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens an inbox that is stopped after the test; pauses are short."""
    monkeypatch.setattr(inbox_module, "ANSWER_PAUSES", (0.01, 0.01))
    opened = []

    def open_(tickets: Tickets, answer: Any = None, **options: Any) -> Inbox:
        inbox = Inbox(
            tickets,
            answer or echo,
            options.pop("connectors", {channel.name: channel}),
            options.pop("reply_hold", lambda reply: None),
            worker=options.pop("worker", "worker"),
            workflow_url=workflow_database_url(str(tickets.engine.url)),
            **{"quiet_seconds": 0, "dead_after_seconds": 1, **options},
        )
        inbox.start()
        opened.append(inbox)
        return inbox

    yield open_
    for inbox in opened:
        inbox.stop()


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


def echo(message: Message, ticket: Ticket, conversation: tuple[Turn, ...]) -> Outcome:
    return Outcome("reply", "echoed", f"You said: {message.text}")


def message(external_id: str = "m1", text: str = "Hello", **changes: Any) -> Message:
    values = {"thread_id": "t1", "sender": "kim@example.org", **changes}
    return Message("email", external_id, text=text, **values)


def eventually(holds: Callable[[], object], seconds: float = 20) -> None:
    """Waits until `holds()` is true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def is_answered(tickets: Tickets, external_id: str) -> bool:
    return tickets.outcomes.of_message("email", external_id) is not None


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


def test_a_customer_who_waits_too_long_is_told_so_once(
    tickets: Tickets,
    channel: RecordingConnector,
    open_inbox: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upkeep, "OFTEN_SECONDS", 0.1)
    go = threading.Event()

    def answer(*asked: Any) -> Outcome:
        go.wait(20)
        return echo(*asked)

    open_inbox(tickets, answer, tell_after_seconds=0.5).accept(message())
    eventually(channel.sent)
    time.sleep(1)
    go.set()
    eventually(lambda: len(channel.sent()) == 2)

    assert channel.texts() == [upkeep.DELAYED_TEXT, "You said: Hello"]


def test_a_note_of_a_delay_that_a_plugin_holds_is_dropped_and_no_person_is_asked(
    tickets: Tickets, channel: RecordingConnector, open_inbox: Open
) -> None:
    tickets.store_message(message())
    (reply_id,) = tickets.delays.tell(0, "It takes longer.")

    def answer(*asked: Any) -> Outcome:
        eventually(lambda: tickets.replies.get(reply_id).state == "discarded")
        return echo(*asked)

    hold = lambda reply: "holiday" if "longer" in reply.text else None  # noqa: E731
    open_inbox(tickets, answer, reply_hold=hold)
    eventually(channel.sent)

    assert channel.texts() == ["You said: Hello"]
    assert tickets.ticket(1).status == "answered"


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


def test_what_was_stored_but_not_enqueued_is_found_at_the_start(
    tickets: Tickets, channel: RecordingConnector, open_inbox: Open
) -> None:
    tickets.store_message(message("m1", "one"))
    tickets.store_message(message("m2", "two", thread_id="t2"))

    open_inbox(tickets)
    eventually(lambda: len(channel.sent()) == 2)

    assert sorted(channel.texts()) == ["You said: one", "You said: two"]


def test_a_message_whose_workflow_broke_is_taken_up_again(
    tickets: Tickets,
    channel: RecordingConnector,
    open_inbox: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upkeep, "SWEEP_SECONDS", 0.2)
    store = tickets.outcomes.store
    broken = iter([True, False])

    def store_or_break(*arguments: Any) -> str | None:
        if next(broken, False):
            raise DatabaseError("the disk is full")
        return store(*arguments)

    monkeypatch.setattr(tickets.outcomes, "store", store_or_break)
    open_inbox(tickets).accept(message())
    eventually(channel.sent)

    assert channel.texts() == ["You said: Hello"]


def test_a_message_accepted_before_the_start_is_answered_after_it(
    tickets: Tickets, channel: RecordingConnector
) -> None:
    inbox = Inbox(
        tickets,
        echo,
        {channel.name: channel},
        lambda reply: None,
        worker="worker",
        workflow_url=workflow_database_url(str(tickets.engine.url)),
        quiet_seconds=0,
    )
    inbox.accept(message())

    inbox.start()
    eventually(channel.sent)
    inbox.stop()

    assert channel.texts() == ["You said: Hello"]


def test_work_goes_on_after_a_restart(
    tickets: Tickets, channel: RecordingConnector, open_inbox: Open
) -> None:
    inbox = open_inbox(tickets, quiet_seconds=2)
    inbox.accept(message())
    inbox.stop()
    before = channel.sent()

    inbox.start()
    eventually(channel.sent)

    assert before == []
    assert channel.texts() == ["You said: Hello"]


def test_a_name_that_no_database_can_hold_is_still_answered(
    database_url: str, channel: RecordingConnector, open_inbox: Open
) -> None:
    engine = connect(database_url)
    upgrade(engine)

    open_inbox(Tickets(engine)).accept(message("m\x00\ud800"))
    eventually(channel.sent)

    assert channel.texts() == ["You said: Hello"]
