"""A desk at work erases what is older than it may be and nothing else, and lets nobody wait since
its clock was wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import create_engine, update

from assistant.inbox import Inbox
from assistant.messages import Attachment, Message, Outcome, Ticket, Turn
from assistant.queues import workflow_database_url
from assistant.settings import Privacy
from assistant.tickets.database import connect, open_engine, upgrade
from assistant.tickets.repository import Tickets
from assistant.tickets.tables import AuditRow, TicketRow
from tests.recording import RecordingConnector
from tests.slack_desk import eventually

LONG_AGO = datetime.now(UTC) - timedelta(days=31)
NAMES = ("old-and-solved", "old-and-open", "new-and-solved")


@pytest.fixture
def tickets(database_url: str) -> Iterator[Tickets]:
    upgrade(connect(database_url))
    engine = open_engine(database_url)
    yield Tickets(engine)
    engine.dispose()


@pytest.fixture
def work(tickets: Tickets, tmp_path: Path) -> Callable[..., None]:
    """Lets an inbox work with these settings until something holds."""
    channel = RecordingConnector(tmp_path / "sent.jsonl")

    def run(
        until: Callable[[], object], messages: tuple[Message, ...] = (), **options: Any
    ) -> None:
        url = tickets.engine.url.render_as_string(hide_password=False)
        inbox = Inbox(
            tickets, echo, {channel.name: channel}, lambda reply: None, worker="worker",
            workflow_url=workflow_database_url(url), dead_after_seconds=1,
            **{"quiet_seconds": 0, **options},
        )  # fmt: skip
        inbox.start()
        try:
            for message in messages:
                inbox.accept(message)
            eventually(until)
        finally:
            inbox.stop()

    return run


def echo(message: Message, ticket: Ticket, conversation: tuple[Turn, ...]) -> Outcome:
    return Outcome("reply", "echoed", f"You said: {message.text}")


@pytest.fixture
def year(tickets: Tickets, work: Callable[..., None]) -> None:
    """Three answered tickets: one that was solved long ago, one that has been open for as long, and
    one that was solved just now."""
    messages = tuple(
        Message(
            "email", name, name, "ann@example.com", f"words of {name}",
            attachments=(Attachment("text/plain", f"{name}.txt", f"file of {name}".encode()),),
        )
        for name in NAMES
    )  # fmt: skip
    work(lambda: all(ticket.status == "answered" for ticket in tickets.list()), messages)
    numbers = {ticket.thread_id: ticket.id for ticket in tickets.list()}
    tickets.solutions.mark(numbers["old-and-solved"], "kim")
    tickets.solutions.mark(numbers["new-and-solved"], "kim")
    tickets.hand_over(numbers["old-and-open"], "kim", "it takes long")
    old = TicketRow.id.in_([numbers["old-and-solved"], numbers["old-and-open"]])
    with tickets.engine.begin() as connection:
        connection.execute(update(TicketRow).where(old).values(updated_at=LONG_AGO))
    tickets.audit.note("kim", "look", "long ago")
    with tickets.engine.begin() as connection:
        note = update(AuditRow).where(AuditRow.detail == "long ago")
        connection.execute(note.values(created_at=LONG_AGO))


def left(tickets: Tickets) -> set[str]:
    return {ticket.thread_id for ticket in tickets.list()}


def workflows(tickets: Tickets) -> str:
    """Everything that the queues remember."""
    url = tickets.engine.url.render_as_string(hide_password=False)
    engine = create_engine(workflow_database_url(url))
    schema = "dbos." if engine.dialect.name == "postgresql" else ""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(f"SELECT * FROM {schema}workflow_status").all()
    engine.dispose()
    return repr(rows)


@pytest.mark.usefixtures("year")
def test_tickets_that_were_solved_long_ago_are_erased_and_no_others(
    tickets: Tickets, work: Callable[..., None]
) -> None:
    erased: list[int] = []
    (gone,) = (t.id for t in tickets.list() if t.thread_id == "old-and-solved")
    kept = {t.id: (t, tickets.messages(t.id)) for t in tickets.list() if t.id != gone}

    work(lambda: erased == [gone], keep=Privacy(keep_tickets_days=30), erased=erased.append)

    assert {t.id: (t, tickets.messages(t.id)) for t in tickets.list()} == kept
    files = {message.attachments[0].content for _, (message,) in kept.values()}
    assert files == {b"file of old-and-open", b"file of new-and-solved"}
    remembered = workflows(tickets)
    assert "email:old-and-solved" not in remembered
    assert "email:old-and-open" in remembered
    assert "long ago" in {entry.detail for entry in tickets.audit.page()}  # it may stay for ever


@pytest.mark.usefixtures("year")
def test_the_audit_log_has_a_limit_of_its_own(tickets: Tickets, work: Callable[..., None]) -> None:
    others = {e.detail for e in tickets.audit.page()} - {"long ago"}

    def forgotten() -> bool:
        return "long ago" not in {entry.detail for entry in tickets.audit.page()}

    work(forgotten, keep=Privacy(keep_audit_days=30))

    assert others <= {entry.detail for entry in tickets.audit.page()}
    assert left(tickets) == set(NAMES)


@pytest.mark.usefixtures("year")
def test_nothing_is_erased_a_day_too_early(tickets: Tickets, work: Callable[..., None]) -> None:
    keep = Privacy(keep_tickets_days=32, keep_audit_days=30)

    # The sweep looks at tickets first: once it came to the audit log, it has passed them.
    work(lambda: "long ago" not in {e.detail for e in tickets.audit.page()}, keep=keep)

    assert left(tickets) == set(NAMES)


QUESTION = Message("email", "m1", "t1", "ann@example.com", "Where do I find my last invoice?")


def is_answered(tickets: Tickets) -> bool:
    return [ticket.status for ticket in tickets.list()] == ["answered"]


def test_a_message_does_not_wait_for_as_long_as_the_clock_is_set_back(
    tickets: Tickets, work: Callable[..., None]
) -> None:
    set_right = False
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)) as clock:

        def set_right_and_look() -> bool:
            nonlocal set_right
            if tickets.list() and not set_right:
                clock.shift(timedelta(hours=-1))
                set_right = True
            return is_answered(tickets)

        work(set_right_and_look, (QUESTION,), quiet_seconds=2)


def test_nor_if_the_process_ended_meanwhile(tickets: Tickets, work: Callable[..., None]) -> None:
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=1)):
        work(lambda: True, (QUESTION,), quiet_seconds=2)
    assert not is_answered(tickets)

    work(lambda: is_answered(tickets))
