"""What does it take to run Deskmate? `deskmate serve` as a process of its own, with the default
settings and models, the index of the example help centre, SQLite, and one connector, that of
`examples/connector-folder`.

`start` is from the start of the process until `/readyz` says ready, with files that the system has
read before: `s` is the median of the starts, `s max` the slowest. `memory` is the resident memory
of the process (VmRSS): `MB ready` when it says ready, `MB after messages` once it has answered
messages with and without screenshots, `MB peak` (VmHWM) the most it ever held; the largest of all
starts. Each further process of `--workers` costs the same again, and a Chroma server beside them.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import create_engine

from assistant import Desk
from assistant.knowledge.sources import Folder
from assistant.settings import Knowledge, Settings
from assistant.tickets.backlog import backlog
from benchmarks import data
from benchmarks.results import Results

STARTS = 5
MESSAGES = 20
PATIENCE_SECONDS = 120

CONNECTOR = Path(__file__).parents[1] / "examples/connector-folder"


@dataclass(frozen=True)
class Start:
    """One start, in seconds and MB."""

    seconds: float
    ready_mb: float
    after_mb: float
    peak_mb: float


def main() -> None:
    results = Results("serve", ["torch", "transformers", "chromadb", "dbos", "starlette"])
    questions = [case for case in data.help_centre() if case.text][:MESSAGES]
    with tempfile.TemporaryDirectory() as folder:
        company = Path(folder)
        _prepare(company)
        _start(company, [])  # the first one reads the files from the disk
        starts = [_start(company, questions) for _ in range(STARTS)]
    seconds = [start.seconds for start in starts]
    results.add("start", "deskmate", "s", statistics.median(seconds), n=STARTS)
    results.add("start", "deskmate", "s max", max(seconds), n=STARTS)
    for metric, name in (
        ("MB ready", "ready_mb"),
        ("MB after messages", "after_mb"),
        ("MB peak", "peak_mb"),
    ):
        most = max(getattr(start, name) for start in starts)
        results.add("memory", "deskmate", metric, most, n=STARTS)
    results.publish()


def _prepare(company: Path) -> None:
    """A folder with the index and a connector that takes messages from files."""
    with Desk(
        Settings(data_dir=company / "data", knowledge=Knowledge(read_pictures=False))
    ) as desk:
        desk.index(Folder(data.HELP_CENTRE / "articles", source="help"))
    installed = company / "packages/deskmate_connector_folder-0.1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: folder\nVersion: 0.1.0\n")
    (installed / "entry_points.txt").write_text(
        "[deskmate.plugins]\nfolder = deskmate_connector_folder\n"
    )
    (company / "messages").mkdir()
    (company / "deskmate.toml").write_text(
        'data_dir = "data"\n[connectors.folder]\npath = "messages"\n'
        '[granted]\nfolder = ["sending"]\n'
    )


def _start(company: Path, questions: Sequence[data.Case]) -> Start:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = [str(company / "packages"), str(CONNECTOR), str(Path(__file__).parents[1])]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path),
        "DESKMATE_HTTP__PORT": str(port),
    }
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant", "serve"],
        cwd=company,
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_ready(process, port)
        seconds = time.perf_counter() - began
        ready, _ = _memory(process.pid)
        _ask(company, questions)
        after, peak = _memory(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    return Start(seconds, ready, after, peak)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz"):
                return
        except urllib.error.URLError:
            time.sleep(0.05)
    raise RuntimeError(f"deskmate serve ended with {process.returncode} before it was ready")


def _ask(company: Path, questions: Sequence[data.Case]) -> None:
    """Writes the questions as messages and waits until each has an outcome."""
    before = len(list(company.glob("messages/accepted/*.txt")))
    for number, case in enumerate(questions):
        name = f"{time.time_ns()}-{number}"
        for screen, picture in enumerate(case.screenshots, 1):
            shutil.copy(picture, company / f"messages/{name}.{screen}{picture.suffix}")
        part = company / f"messages/{name}.part"
        part.write_text(case.text)
        part.rename(part.with_suffix(".txt"))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(list(company.glob("messages/accepted/*.txt"))) < before + len(questions):
        assert time.monotonic() < deadline, "the messages were not taken"
        time.sleep(0.1)
    engine = create_engine(f"sqlite:///{company / 'data/deskmate.sqlite'}")
    while backlog(engine).messages:
        assert time.monotonic() < deadline, "the messages were not answered"
        time.sleep(0.2)
    engine.dispose()


def _memory(process_id: int) -> tuple[float, float]:
    """Resident memory now and at its peak, in MB of a million bytes (proc(5) counts 1,024)."""
    lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    now, peak = (int(values[key].split()[0]) * 1024 / 1e6 for key in ("VmRSS", "VmHWM"))
    return now, peak


if __name__ == "__main__":
    main()
