"""`deskmate serve` as an operator has it: real processes, real signals."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.tickets.database import connect, upgrade
from tests.channel_desk import eventually
from tests.e2e.company import Company, Running

QUESTION = "How do I download an invoice?"
SECRET = "hush-hush"


@pytest.fixture(scope="module")
def company(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A company of which one channel is always down."""
    folder = tmp_path_factory.mktemp("company")
    data = shutil.copytree(indexed, folder / "data")
    return Company.found(folder, Path(data), "broken")


@pytest.fixture(scope="module")
def running(company: Company) -> Iterator[Running]:
    """It serves, and has answered three messages, one of which gave trouble."""
    with company.serve() as running:
        running.wait(lambda: running.get("/healthz")[0] == 200)
        assert running.get("/readyz") == (503, "loading\n")
        assert running.get("/connectors/broken/hello")[0] == 503
        running.wait_until_ready()
        company.write("one", f"{QUESTION} My word is {SECRET}", "t1")
        company.write("two", f"Do you deliver pizza to {SECRET}?", "t2")
        company.write("three", f"{QUESTION} trouble {SECRET}", "t3")
        running.wait(lambda: len(company.replies()) == 3)
        yield running


def test_the_channel_that_is_down_is_shown_and_the_other_goes_on(running: Running) -> None:
    health = running.health()

    assert health["parts"]["broken"]["error"].startswith("ConnectionError at deskmate_trouble.py:")
    assert running.wait(lambda: running.health()["parts"]["broken"]["restarts"] > 0)
    assert health["parts"]["folder"]["state"] == "up"
    assert health["parts"]["folder"]["restarts"] == 0
    assert running.wait(lambda: running.health()["status"] == "degraded")


def test_metrics_count_what_happened(running: Running) -> None:
    for line in (
        'deskmate_messages_accepted_total{connector="folder"} 3.0',
        'deskmate_outcomes_total{action="reply"} 2.0',
        'deskmate_outcomes_total{action="hand over"} 1.0',
        'deskmate_sends_total{connector="folder",result="sent"} 3.0',
        'deskmate_step_seconds_count{step="encode"} 3.0',
        'deskmate_part_up{kind="connector",name="folder"} 1.0',
        "deskmate_waiting_messages 0.0",
        "deskmate_waiting_notices 1.0",
    ):
        eventually(lambda line=line: line in running.get("/metrics")[1])
    assert "deskmate_models_load_seconds 0.0" not in running.get("/metrics")[1]


def test_a_connector_is_reached_by_http(running: Running) -> None:
    assert running.get("/connectors/broken/hello") == (200, "hello from broken")


def test_logs_name_tickets_and_hold_none_of_the_customers_words(running: Running) -> None:
    (accepted, *_) = running.events("accepted_message")
    stored = {event["ticket"]: event["action"] for event in running.events("stored_outcome")}

    assert accepted["message"].startswith("folder:")
    assert sorted(stored.values()) == ["hand over", "reply", "reply"]
    assert running.events("failed_hook")[0]["plugin"] == "trouble"
    log = running.log.read_text()
    for word in (SECRET, "invoice", "pizza", "ann@example.com", "Billing"):
        assert word not in log


def test_what_is_being_answered_is_finished_before_the_end(tmp_path: Path, data_dir: Path) -> None:
    company = Company.found(tmp_path, data_dir)
    with company.serve() as running:
        running.wait_until_ready()
        company.write("slow", f"{QUESTION} slowly", "t1")
        running.wait((tmp_path / "begun").exists)

        running.process.send_signal(signal.SIGTERM)
        running.wait(lambda: running.get("/readyz") == (503, "stopping\n"))
        company.write("late", QUESTION, "t2")
        (tmp_path / "go").touch()

        assert running.process.wait(60) == 0
    assert list(company.replies()) == ["t1"]
    assert (tmp_path / "messages/late.json").exists()
    assert running.events("stopped")


def test_a_second_signal_ends_it_at_once(tmp_path: Path, data_dir: Path) -> None:
    company = Company.found(tmp_path, data_dir)
    with company.serve() as running:
        running.wait_until_ready()
        company.write("slow", f"{QUESTION} slowly", "t1")
        running.wait((tmp_path / "begun").exists)

        running.process.send_signal(signal.SIGINT)
        running.wait(lambda: running.get("/readyz") == (503, "stopping\n"))

        assert running.end(signal.SIGINT) == -signal.SIGINT


@pytest.fixture
def with_workers(
    tmp_path: Path, data_dir: Path, postgres_url: str
) -> Iterator[tuple[Company, Running]]:
    """A company on PostgreSQL whose service has one worker more; that is at work already."""
    engine = connect(postgres_url)
    upgrade(engine)
    engine.dispose()
    company = Company.found(tmp_path, data_dir)
    with company.serve("--workers", "1", DESKMATE_DATABASE_URL=postgres_url) as running:
        running.wait_until_ready()
        running.wait(lambda: len(running.events("became_ready")) == 2)
        yield company, running


def test_a_worker_that_is_killed_is_started_again_and_no_message_is_lost(
    with_workers: tuple[Company, Running],
) -> None:
    company, running = with_workers
    first, second = (event["pid"] for event in running.events("became_ready"))
    worker = second if first == running.process.pid else first
    for number in range(6):
        company.write(f"m{number}", f"{QUESTION} {number} slowly", f"t{number}")
    running.wait((company.folder / "begun").exists)
    running.wait(lambda: company.accepted() == 6)

    os.kill(worker, signal.SIGKILL)
    (company.folder / "go").touch()

    running.wait(lambda: running.health()["parts"]["desk-2"]["restarts"] == 1)
    running.wait(lambda: len(company.replies()) == 6)
    running.wait(lambda: len(running.events("became_ready")) == 3)
    error = running.health()["parts"]["desk-2"]["error"]
    assert error == "it ended with exit code -9"
    assert running.end(signal.SIGINT) == 0
    assert _processes_below(company.folder) == []


def test_workers_and_chroma_end_with_a_service_that_is_killed(
    with_workers: tuple[Company, Running],
) -> None:
    company, running = with_workers
    assert len(_processes_below(company.folder)) == 3

    running.process.send_signal(signal.SIGKILL)
    running.process.wait()

    deadline = time.monotonic() + 60
    while left := _processes_below(company.folder):
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.1)


def test_the_index_can_be_renewed_while_several_processes_use_it(
    with_workers: tuple[Company, Running], help_centre: Path
) -> None:
    company, _ = with_workers
    command = [sys.executable, "-m", "assistant", "index", str(help_centre), "--source", "help"]

    done = subprocess.run(
        command, cwd=company.folder, env=company.environment(), capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert "0 added, 0 changed, 5 unchanged" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--workers", "2"], "is SQLite, which serves one process. Set database_url to PostgreSQL"),
        (["--only", "slak"], "--only slak: no such connector. There are: folder, workers."),
    ],
)
def test_what_cannot_be_is_said_at_once(
    tmp_path: Path, data_dir: Path, options: list[str], said: str
) -> None:
    company = Company.found(tmp_path, data_dir)

    with company.serve(*options) as running:
        assert running.process.wait(60) == 2

    assert said in running.log.read_text()


def _processes_below(folder: Path) -> list[int]:
    """The processes that work in this folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve() == folder:
                found.append(int(process.name))
        except OSError:  # it ended meanwhile
            continue
    return found
