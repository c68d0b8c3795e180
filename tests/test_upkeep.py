"""A desk at work erases what is older than it may be and nothing else, and lets nobody wait since
its clock was wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
import time_machine
from sqlalchemy import create_engine, update

from assistant import Article, Attachment, Message, Outcome, Section, Ticket, Turn, hookimpl
from assistant.desk import Desk
from assistant.model.encoder import MultimodalEncoder
from assistant.plugging import Plugins
from assistant.queues import workflow_database_url
from assistant.settings import Settings
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


class Listening:
    """A plugin that hears of erased tickets."""

    def __init__(self) -> None:
        self.erased: list[int] = []

    @hookimpl
    def ticket_erased(self, ticket_id: int) -> None:
        self.erased.append(ticket_id)


@pytest.fixture
def plugin() -> Listening:
    return Listening()


@pytest.fixture
def work(
    tickets: Tickets, tmp_path: Path, plugin: Listening, encoder: MultimodalEncoder
) -> Callable[..., None]:
    """Lets a desk work with these settings until something holds."""

    def run(
        until: Callable[[], object],
        messages: tuple[Message, ...] = (),
        quiet_seconds: float = 0,
        **privacy: int,
    ) -> None:
        url = tickets.engine.url.render_as_string(hide_password=False)
        inbox = {"dead_after_seconds": 1, "quiet_seconds": quiet_seconds}
        settings = Settings(
            data_dir=tmp_path / "data", database_url=url, inbox=inbox, privacy=privacy
        )
        plugins = Plugins()
        plugins.register("listening", plugin)
        with Desk(settings, plugins=plugins) as desk:
            desk.encoder = encoder
            desk.pipeline = SimpleNamespace(answer=echo)
            channel = RecordingConnector(tmp_path / "sent.jsonl")
            desk.connectors = {channel.name: channel}
            desk.inbox.start()
            for message in messages:
                desk.inbox.accept(message)
            eventually(until)

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


def as_article(name: str) -> Article:
    """A solved ticket as a help desk's connector makes an article of it."""
    words = (Section((name,), f"The answer to {name}."),)
    return Article(name, name, words, source="solved", audience="internal", content_hash=name)


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
    tickets: Tickets,
    work: Callable[..., None],
    plugin: Listening,
    tmp_path: Path,
    encoder: MultimodalEncoder,
) -> None:
    with Desk(Settings(data_dir=tmp_path / "data"), plugins=Plugins()) as desk:
        desk.encoder = encoder
        desk.indexer.index_articles("solved", [as_article(name) for name in NAMES])
    (gone,) = (t.id for t in tickets.list() if t.thread_id == "old-and-solved")
    kept = {t.id: (t, tickets.messages(t.id)) for t in tickets.list() if t.id != gone}

    work(lambda: plugin.erased == [gone], keep_tickets_days=30)

    assert {t.id: (t, tickets.messages(t.id)) for t in tickets.list()} == kept
    files = {message.attachments[0].content for _, (message,) in kept.values()}
    assert files == {b"file of old-and-open", b"file of new-and-solved"}
    with Desk(Settings(data_dir=tmp_path / "data"), plugins=Plugins()) as desk:
        indexed = {name for name in NAMES if desk.lexical.internal_articles(None, [name])}
        assert indexed == {"old-and-open", "new-and-solved"}
    remembered = workflows(tickets)
    assert "email:old-and-solved" not in remembered
    assert "email:old-and-open" in remembered
    assert "long ago" in {entry.detail for entry in tickets.audit.page()}  # it may stay for ever


@pytest.mark.usefixtures("year")
def test_the_audit_log_has_a_limit_of_its_own(tickets: Tickets, work: Callable[..., None]) -> None:
    others = {e.detail for e in tickets.audit.page()} - {"long ago"}

    def forgotten() -> bool:
        return "long ago" not in {entry.detail for entry in tickets.audit.page()}

    work(forgotten, keep_audit_days=30)

    assert others <= {entry.detail for entry in tickets.audit.page()}
    assert left(tickets) == set(NAMES)


@pytest.mark.usefixtures("year")
def test_nothing_is_erased_a_day_too_early(tickets: Tickets, work: Callable[..., None]) -> None:
    keep = {"keep_tickets_days": 32, "keep_audit_days": 30}

    # The sweep looks at tickets first: once it came to the audit log, it has passed them.
    work(lambda: "long ago" not in {e.detail for e in tickets.audit.page()}, **keep)

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
