from __future__ import annotations

import io
import json
import stat
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import Attachment, Message, Outcome
from assistant.tickets.database import open_engine
from assistant.tickets.repository import Tickets
from tests.cli.conftest import Run

ANN, BEN = "ann@example.com", "ben@example.com"
FILE = Attachment("text/plain", "log.txt", b"the log that Ann sent")


@pytest.fixture
def tickets(tmp_path: Path) -> Iterator[Tickets]:
    """The database that commands find, with two tickets of Ann's and one of Ben's."""
    engine = open_engine(f"sqlite:///{tmp_path / '.deskmate/deskmate.sqlite'}")
    tickets = Tickets(engine)
    for number, sender in enumerate((ANN, ANN, BEN)):
        name = str(number)
        message = Message(
            "email", name, name, sender, f"The words of {sender}", "Help",
            attachments=(FILE,) if number == 0 else (),
        )  # fmt: skip
        ticket = tickets.store_message(message)
        tickets.outcomes.store(ticket.id, message, [name], Outcome("hand over", "it is hard", ""))
    yield tickets
    engine.dispose()


def typed(monkeypatch: pytest.MonkeyPatch, words: str) -> None:
    """What somebody types when they are asked."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{words}\n"))


def audited(tickets: Tickets, action: str) -> list[tuple[str, str]]:
    return [(entry.who, entry.detail) for entry in tickets.audit.page(action=action)]


def test_a_customers_data_is_exported_into_a_file_for_oneself(
    run: Run, tickets: Tickets, tmp_path: Path
) -> None:
    ran = run("privacy", "export", ANN.upper(), "--as", "mara", "--to", "ann.zip")

    assert (ran.code, ran.out) == (0, "Wrote ann.zip.\n")
    file = tmp_path / "ann.zip"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        data = json.loads(archive.read("data.json"))
        assert archive.read(f"files/{FILE.sha256}") == FILE.content
    assert [ticket["customer"] for ticket in data["tickets"]] == [ANN, ANN]
    assert BEN not in json.dumps(data)
    assert audited(tickets, "export customer") == [("mara", "2 tickets")]
    assert len(tickets.list()) == 3


def test_an_export_never_overwrites(run: Run, tickets: Tickets, tmp_path: Path) -> None:
    (tmp_path / "customer.zip").write_text("mine")

    ran = run("privacy", "export", ANN)

    assert ran.code != 0
    assert "customer.zip" in ran.err
    assert "--to" in ran.err
    assert (tmp_path / "customer.zip").read_text() == "mine"


def test_a_customer_is_erased_after_the_address_was_typed_again(
    run: Run, tickets: Tickets, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, ANN)

    ran = run("privacy", "erase", ANN, "--as", "mara")

    assert ran.code == 0
    assert "2 tickets, with all that belongs to them. It cannot be undone." in ran.out
    assert "Erased 2 tickets, 2 messages, 1 files and 0 articles." in ran.out
    assert [ticket.customer for ticket in tickets.list()] == [BEN]
    assert audited(tickets, "erase customer") == [("mara", "2 tickets, 1 files")]


@pytest.mark.parametrize("words", [BEN, "yes", ""])
def test_anything_else_that_is_typed_erases_nothing(
    run: Run, tickets: Tickets, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    typed(monkeypatch, words)

    ran = run("privacy", "erase", ANN)

    assert ran.code != 0
    assert "Erased" not in ran.out
    assert len(tickets.list()) == 3
    assert audited(tickets, "erase customer") == []


def test_a_script_that_says_yes_is_not_asked(run: Run, tickets: Tickets) -> None:
    ran = run("privacy", "erase", ANN, "--yes")

    assert ran.code == 0
    assert [ticket.customer for ticket in tickets.list()] == [BEN]
    again = run("privacy", "erase", ANN, "--yes")
    assert "Erased 0 tickets" in again.out


def test_what_is_no_whole_address_erases_nothing(run: Run, tickets: Tickets) -> None:
    ran = run("privacy", "erase", " ", "--yes")

    assert ran.code != 0
    assert "whole address" in ran.err
    assert len(tickets.list()) == 3
