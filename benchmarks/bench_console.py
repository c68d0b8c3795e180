"""How fast are the console's pages with 100,000 tickets and 1,000,000 messages?

The database is filled with tickets of ten messages each: words drawn by a Zipf-like law, a fifth of
the tickets with a draft that waits, its trace and its citation. Pages are fetched one after the
other over HTTP from a console in this process; the time is the server's and the wire's together.
A task is a page; `p95 ms` is over REQUESTS fetches, each of another ticket or another search, and
`kB` the largest of them. Nothing answers messages meanwhile. With DESKMATE_TEST_POSTGRES_URL it is
measured on PostgreSQL too, in a database of its own.
"""

from __future__ import annotations

import os
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import Engine, insert, make_url, text

from assistant.console import passwords
from assistant.console.app import console
from assistant.desk import Desk
from assistant.plugging import Plugins
from assistant.serving import children, web
from assistant.settings import Settings
from assistant.tickets.database import connect, upgrade
from assistant.tickets.tables import CitationRow, MessageRow, OutcomeRow, TicketRow, TraceRow
from benchmarks.results import Results

TICKETS, PER_TICKET = 100_000, 10
REQUESTS = 100
BATCH = 2_000  # tickets
STATUSES = ("needs review", "handed over", "open", "answered", "solved")
PASSWORD = "a long benchmark word"


def main() -> None:
    results = Results("console", ["sqlalchemy", "starlette", "jinja2"])
    with tempfile.TemporaryDirectory() as folder:
        for system, url in _databases(Path(folder)):
            began = time.perf_counter()
            engine = connect(url)
            upgrade(engine)
            _fill(engine)
            engine.dispose()
            print(f"{system}: filled in {time.perf_counter() - began:.0f} s", flush=True)
            settings = Settings(data_dir=Path(folder), database_url=url)
            with Desk(settings, plugins=Plugins()) as desk, _client(desk) as client:
                for task, paths in _pages().items():
                    times, sizes = _measure(client, paths)
                    p95 = statistics.quantiles(times, n=20)[18]
                    results.add(task, f"deskmate/{system}", "p95 ms", p95, n=len(times))
                    results.add(task, f"deskmate/{system}", "kB", max(sizes) / 1_000, n=len(sizes))
    results.publish()


def _databases(folder: Path) -> Iterator[tuple[str, str]]:
    yield "sqlite", f"sqlite:///{folder / 'deskmate.sqlite'}"
    if server := os.environ.get("DESKMATE_TEST_POSTGRES_URL"):
        name = f"deskmate_bench_{uuid.uuid4().hex[:8]}"
        url = make_url(server).set(drivername="postgresql")
        with psycopg.connect(url.render_as_string(False), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
            yield "postgresql", url.set(database=name).render_as_string(False)
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@contextmanager
def _client(desk: Desk) -> Iterator[httpx.Client]:
    server = web.Server("127.0.0.1", children.free_port())
    application, _ = console(desk, server.address, lambda: "ready")
    server.start(application)
    desk.tickets.people.add("lead", "admin", "bench", password=passwords.hashed(PASSWORD, "lead"))
    with httpx.Client(base_url=server.address, timeout=60) as client:
        client.post("/log-in", data={"name": "lead", "password": PASSWORD})
        yield client
    server.stop()


def _pages() -> dict[str, list[str]]:
    chosen = random.Random(2)
    tickets = [chosen.randint(1, TICKETS) for _ in range(REQUESTS)]
    words = [_word(chosen) for _ in range(REQUESTS)]
    return {
        "inbox": ["/"] * REQUESTS,
        "all tickets": ["/?queue=all"] * REQUESTS,
        "mine": ["/?queue=all&assignee=kim7"] * REQUESTS,
        "search, common words": [f"/?words={word}" for word in words],
        "search, two words": [
            f"/?words={one}+{two}" for one, two in zip(words, words[::-1], strict=True)
        ],
        "search, a rare word": [f"/?words=reference{ticket}x3" for ticket in tickets],
        "search, no match": ["/?words=nobodywrotethis"] * REQUESTS,
        "ticket": [f"/tickets/{ticket}" for ticket in tickets],
        "ticket, similar": [f"/tickets/{ticket}/around" for ticket in tickets],
        "audit": ["/audit"] * REQUESTS,
        "users": ["/users"] * REQUESTS,
    }


def _measure(client: httpx.Client, paths: list[str]) -> tuple[list[float], list[int]]:
    times, sizes = [], []
    for path in [paths[0], *paths]:
        began = time.perf_counter()
        answer = client.get(path)
        times.append(1_000 * (time.perf_counter() - began))
        sizes.append(len(answer.content))
        assert answer.status_code == 200, path
    return times[1:], sizes[1:]


def _word(chosen: random.Random) -> str:
    """One of 20,000 words; the hundredth is a hundred times rarer than the first."""
    return f"word{int(20_000 ** chosen.random())}"


def _fill(engine: Engine) -> None:
    chosen, start = random.Random(1), datetime.now(UTC) - timedelta(days=365)
    for first in range(1, TICKETS + 1, BATCH):
        rows: dict[type, list[dict[str, object]]] = {
            table: [] for table in (TicketRow, OutcomeRow, TraceRow, CitationRow, MessageRow)
        }
        for number in range(first, first + BATCH):
            at = start + timedelta(seconds=300 * number)
            status = STATUSES[number % len(STATUSES)]
            rows[TicketRow].append(
                {
                    "id": number, "connector": ("email", "slack")[number % 2],
                    "thread_id": f"t{number}", "customer": f"c{number % 9_000}@example.com",
                    "subject": " ".join(_word(chosen) for _ in range(5)), "status": status,
                    "assignee": f"kim{number % 40}", "created_at": at, "updated_at": at,
                }
            )  # fmt: skip
            rows[OutcomeRow].append(
                {
                    "id": number, "message_key": f"k{number}", "ticket_id": number,
                    "action": "draft", "reason": "confidence 0.5, replies need 0.75",
                    "text": "Open the settings. [1]", "answer_text": "Open the settings. [1]",
                    "confidence": 0.5, "created_at": at,
                    "draft_state": "waiting" if status == "needs review" else "approved",
                }
            )  # fmt: skip
            steps = [{"name": "search", "milliseconds": 9.0, "detail": {}}]
            rows[TraceRow].append(
                {"outcome_id": number, "steps": steps, "hits": [], "attachments": []}
            )
            rows[CitationRow].append(
                {
                    "outcome_id": number, "number": 1, "passage_id": "p", "url": "",
                    "article_id": f"a{number % 500}", "heading_path": ["Settings"],
                    "passage_text": "Open the settings. " * 20, "quote": "Open the settings.",
                }
            )  # fmt: skip
            rows[MessageRow] += [
                {
                    "ticket_id": number, "connector": "email", "external_id": f"{number}-{part}",
                    "sender": f"c{number % 9_000}@example.com", "author": "customer",
                    "subject": "", "audience": "public", "sent_at": at, "received_at": at,
                    "text": " ".join(_word(chosen) for _ in range(25))
                    + f" reference{number}x{part}",
                    "attempts": 1, "outcome_id": number,
                }
                for part in range(PER_TICKET)
            ]  # fmt: skip
        with engine.begin() as connection:
            for table, values in rows.items():
                connection.execute(insert(table), values)
    with engine.begin() as connection:
        connection.execute(text("ANALYZE"))


if __name__ == "__main__":
    main()
