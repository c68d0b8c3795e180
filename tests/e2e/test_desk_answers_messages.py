"""A customer writes through the folder connector of `examples/`, and the desk's process is killed
between storing the message and answering it: the next one answers, once."""

from __future__ import annotations

import signal
from pathlib import Path

from assistant.tickets.database import open_engine
from assistant.tickets.repository import Tickets
from tests.e2e.company import Company
from tests.pictures import png


def test_a_message_is_answered_once_although_the_desk_is_killed(
    tmp_path: Path, data_dir: Path
) -> None:
    company = Company.found(tmp_path, data_dir, inbox="quiet_seconds = 3.0\n")
    (tmp_path / "messages/screen.png").write_bytes(png("Upload stopped\nError KT-4031"))
    company.write("screen", "Help, my files are not uploaded any more", "t1")
    company.write("words", "How do I download an invoice?", "t2")

    with company.serve() as running:
        running.wait(lambda: company.accepted() == 2)
        running.end(signal.SIGKILL)
    assert company.replies() == {}

    with company.serve() as running:
        running.wait(lambda: len(company.replies()) == 2)
        company.write("pizza", "Do you deliver pizza to Berlin?", "t3")
        running.wait(lambda: len(company.replies()) == 3)

    sent = company.replies()
    assert "[1]" in sent["t1"]["text"]
    assert "1. Open Settings > Billing." in sent["t2"]["text"]
    assert "a person from our team takes over" in sent["t3"]["text"]
    _check_what_is_stored(Tickets(open_engine(f"sqlite:///{data_dir / 'deskmate.sqlite'}")))


def _check_what_is_stored(tickets: Tickets) -> None:
    stored = {
        ticket.thread_id: (ticket.status, tickets.outcomes.of_ticket(ticket.id))
        for ticket in tickets.list()
    }
    assert [stored[thread][0] for thread in ("t1", "t2", "t3")] == [
        "answered",
        "answered",
        "handed over",
    ]
    assert all(len(outcomes) == 1 for _, outcomes in stored.values())
    (screen,) = stored["t1"][1]
    assert [(r.filename, r.read) for r in screen.outcome.attachments] == [("screen.png", True)]
    assert screen.outcome.reason
    assert screen.outcome.answer is not None
    assert screen.outcome.answer.citations[0].passage.article_id == "help/sync-errors.md"
    assert [step.name for step in screen.outcome.trace][-2:] == ["decide", "plugins"]
