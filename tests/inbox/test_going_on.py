"""What waits is taken up again, and customers who wait are told."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import Any

import pytest
from dbos._sys_db import SystemDatabase
from sqlalchemy.exc import OperationalError

from assistant import queues, upkeep
from assistant.errors import DatabaseError
from assistant.inbox import Inbox
from assistant.messages import Outcome
from assistant.queues import workflow_database_url
from assistant.tickets.repository import Tickets
from tests.inbox.conftest import Open, echo, eventually, message
from tests.recording import RecordingConnector


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


def test_what_the_queue_could_not_note_the_end_of_keeps_nobody_waiting(
    tickets: Tickets,
    channel: RecordingConnector,
    open_inbox: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upkeep, "OFTEN_SECONDS", 0.1)
    monkeypatch.setattr(queues, "STRANDED_SECONDS", 0.5)
    note_end = SystemDatabase.update_workflow_outcome
    full = iter([True, True])  # the end of the answer, and of the sending

    def note_or_fail(*arguments: Any, **more: Any) -> bool:
        if next(full, False):
            raise OperationalError("UPDATE", {}, sqlite3.OperationalError("disk is full"))
        return note_end(*arguments, **more)

    monkeypatch.setattr(SystemDatabase, "update_workflow_outcome", note_or_fail)
    inbox = open_inbox(tickets)
    inbox.accept(message())
    eventually(channel.sent)
    inbox.accept(message("m2", "And again"))
    eventually(lambda: len(channel.sent()) == 2)

    assert channel.texts() == ["You said: Hello", "You said: And again"]


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
