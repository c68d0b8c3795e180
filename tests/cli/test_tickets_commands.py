from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.articles import Passage
from assistant.messages import Answer, Citation, Message, Outcome
from assistant.tickets.database import open_engine
from assistant.tickets.repository import Tickets
from tests.cli.conftest import Run

PASSAGE = Passage("p", "help/a.md", ("Invoices [old]", "Download"), "Press Download PDF.")
ANSWER = Answer("Press Download PDF. [1]", (Citation(1, PASSAGE, PASSAGE.text),), 0.5)


@pytest.fixture
def tickets(tmp_path: Path) -> Iterator[Tickets]:
    """The database that commands find, with a ticket whose draft waits."""
    engine = open_engine(f"sqlite:///{tmp_path / '.deskmate/deskmate.sqlite'}")
    tickets = Tickets(engine)
    message = Message(
        "email", "1", "t1", "kim@example.org", "Where is [/bold] my invoice?", "Invoice [urgent]"
    )
    ticket = tickets.store_message(message)
    outcome = Outcome("draft", "confidence 0.50", ANSWER.text, ANSWER)
    tickets.outcomes.store(ticket.id, message, ["1"], outcome)
    yield tickets
    engine.dispose()


def test_tickets_are_listed_by_status(run: Run, tickets: Tickets) -> None:
    ran = run("tickets", "list")

    assert ran.code == 0
    assert "kim@example.org" in ran.out
    assert "Invoice [urgent]" in ran.out
    assert "needs review" in ran.out
    assert "kim" not in run("tickets", "list", "--status", "solved").out


def test_a_status_that_is_none_is_two(run: Run) -> None:
    assert run("tickets", "list", "--status", "lost").code == 2


def test_a_ticket_is_shown_with_its_conversation_and_what_was_done(
    run: Run, tickets: Tickets
) -> None:
    ran = run("tickets", "show", "1")

    assert ran.code == 0, ran.err
    assert "Ticket 1 · needs review · Invoice [urgent]" in ran.out
    assert "Where is [/bold] my invoice?" in ran.out
    assert "draft: confidence 0.50" in ran.out
    assert "[1] Invoices [old] › Download" in ran.out


@pytest.mark.parametrize("text", [None, "Press it twice."])
def test_a_draft_is_approved_as_it_is_or_with_other_words(
    run: Run, tickets: Tickets, text: str | None
) -> None:
    ran = run("tickets", "approve", "1", "--as", "sam", *(["--text", text] if text else []))

    assert ran.code == 0, ran.err
    (stored,) = tickets.outcomes.of_ticket(1)
    assert (stored.draft_state, stored.reply_id is not None) == ("approved", True)
    assert stored.reply_id is not None
    reply = tickets.replies.get(stored.reply_id)
    assert (reply.approved_by, reply.reply.text) == ("sam", text or ANSWER.text)


def test_a_draft_is_discarded(run: Run, tickets: Tickets) -> None:
    ran = run("tickets", "discard", "1", "--as", "sam", "--reason", "wrong [b]invoice")

    assert ran.code == 0, ran.err
    assert tickets.outcomes.of_ticket(1)[0].draft_state == "discarded"
    assert "wrong [b]invoice" in run("tickets", "show", "1").out


def test_where_no_draft_waits_that_is_said(run: Run, tickets: Tickets) -> None:
    run("tickets", "discard", "1", "--as", "sam")

    ran = run("tickets", "approve", "1", "--as", "sam")

    assert (ran.code, "Ticket 1: no draft waits" in ran.err) == (1, True)


def test_a_person_writes_takes_over_and_solves(run: Run, tickets: Tickets) -> None:
    assert run("tickets", "hand-over", "1", "--as", "sam").code == 0
    assert (tickets.ticket(1).status, tickets.ticket(1).owner) == ("handed over", "sam")

    assert run("tickets", "reply", "1", "I have sent it.", "--as", "sam").code == 0
    assert [due.reply.text for due in tickets.replies.take_due(60)] == ["I have sent it."]

    assert run("tickets", "solve", "1", "--as", "sam").code == 0
    assert tickets.ticket(1).status == "solved"


def test_a_person_gives_a_ticket_back(run: Run, tickets: Tickets) -> None:
    too_early = run("tickets", "hand-back", "1", "--as", "sam")
    assert (too_early.code, "not handed over" in too_early.err) == (1, True)

    run("tickets", "hand-over", "1", "--as", "sam")
    assert run("tickets", "hand-back", "1", "--as", "sam").code == 0

    assert (tickets.ticket(1).status, tickets.ticket(1).owner) == ("needs review", None)


def test_who_did_it_is_the_user_by_default(
    run: Run, tickets: Tickets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "robin")

    run("tickets", "hand-over", "1")

    assert tickets.ticket(1).owner == "robin"


@pytest.mark.parametrize(
    "command", ["show", "approve", "discard", "hand-over", "hand-back", "solve"]
)
def test_a_ticket_that_is_none_is_said(run: Run, tickets: Tickets, command: str) -> None:
    ran = run("tickets", command, "99")

    assert ran.code == 1, ran.err
    assert "icket 99" in ran.err
    assert "Traceback" not in ran.err
