"""A customer writes through the folder connector of `examples/`, and the desk's process is killed
between storing the message and answering it: the next one answers, once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from assistant.tickets.database import open_engine
from assistant.tickets.repository import Tickets
from tests.pictures import png

CONNECTOR = Path(__file__).parents[2] / "examples/connector-folder"
DESK = "import threading; from assistant.desk import Desk; Desk.open().run(threading.Event())"
PATIENCE_SECONDS = 120


@pytest.fixture
def company(tmp_path: Path, data_dir: Path) -> Path:
    """A folder with settings, the help centre's index, and the connector's package installed."""
    installed = tmp_path / "packages/deskmate_connector_folder-0.1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: deskmate-connector-folder\nVersion: 0.1.0\n"
    )
    (installed / "entry_points.txt").write_text(
        "[deskmate.plugins]\nfolder = deskmate_connector_folder\n"
    )
    (tmp_path / "deskmate.toml").write_text(
        f'data_dir = "{data_dir}"\n'
        '[connectors.folder]\npath = "messages"\nseconds = 0.1\n'
        "[policy]\nreply_at = 0.3\ndraft_at = 0.2\n"
        '[inbox]\nquiet_seconds = 3.0\nworker_name = "desk"\ndead_after_seconds = 2\n'
    )
    (tmp_path / "messages").mkdir()
    return tmp_path


@contextmanager
def desk(company: Path) -> Iterator[Callable[[], None]]:
    """A desk at work in a process of its own; what it gives kills it with SIGKILL."""
    path = [company / "packages", CONNECTOR, *sys.path]
    with (company / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", DESK],
            cwd=company,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, path))},
            stdout=log,
            stderr=log,
        )

        def kill() -> None:
            process.send_signal(signal.SIGKILL)
            process.wait()

        try:
            yield kill
            assert process.poll() in (None, -signal.SIGKILL), (company / "log").read_text()
        finally:
            kill()


def wait_for(company: Path, pattern: str, count: int = 1) -> list[Path]:
    """The files that match, once there are so many."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = sorted(company.glob(pattern))
        if len(found) >= count:
            return found
        time.sleep(0.02)
    raise AssertionError(f"no {count} of {pattern}: {(company / 'log').read_text()[-3000:]}")


def write(company: Path, name: str, text: str, thread: str) -> None:
    """A message appears at once, as the connector's README asks for."""
    part = company / f"messages/{name}.part"
    part.write_text(json.dumps({"text": text, "sender": "ann@example.com", "thread": thread}))
    part.rename(company / f"messages/{name}.json")


def replies(company: Path) -> dict[str, dict[str, Any]]:
    """The replies by conversation."""
    found = [json.loads(f.read_text()) for f in company.glob("messages/replies/*.json")]
    assert len({reply["thread"] for reply in found}) == len(found)  # none was sent twice
    return {reply["thread"]: reply for reply in found}


def test_a_message_is_answered_once_although_the_desk_is_killed(company: Path) -> None:
    (company / "messages/screen.png").write_bytes(png("Upload stopped\nError KT-4031"))
    write(company, "screen", "Help, my files are not uploaded any more", "t1")
    write(company, "words", "How do I download an invoice?", "t2")

    with desk(company) as kill:
        wait_for(company, "messages/accepted/*.json", count=2)
        kill()
    assert replies(company) == {}

    with desk(company):
        wait_for(company, "messages/replies/*.json", count=2)
        write(company, "pizza", "Do you deliver pizza to Berlin?", "t3")
        wait_for(company, "messages/replies/*.json", count=3)

    sent = replies(company)
    assert "[1]" in sent["t1"]["text"]
    assert "1. Open Settings > Billing." in sent["t2"]["text"]
    assert "a person from our team takes over" in sent["t3"]["text"]

    tickets = Tickets(open_engine(f"sqlite:///{company / 'data/deskmate.sqlite'}"))
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
    assert [step.name for step in screen.outcome.trace][-1] == "decide"
