"""Do the console's pages stay fast with 100,000 tickets and a million messages?

A year of a busy company in SQLite and in PostgreSQL, an index of 2,000 articles and 20,000
passages, and each page asked for again and again over HTTP, by one person at a time, as nobody
caches anything. `p95 ms` is from request to the last byte on loopback, `kB` what came, without
pictures. `empty page` is Starlette's own answer of two bytes, from the same server: what HTTP alone
costs here. The targets are 200 ms and 100 kB. `slowest page` is the slowest of all of these.

PostgreSQL is reached by DESKMATE_TEST_POSTGRES_URL; without it, SQLite is measured alone.
"""

from __future__ import annotations

import os
import re
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
from sqlalchemy import make_url
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from assistant import Desk
from assistant.console import passwords
from assistant.console.app import console
from assistant.plugging import Plugins
from assistant.serving import children, web
from assistant.settings import Settings
from assistant.tickets.database import connect, upgrade
from benchmarks.full_desk import Maker, fill, fill_index
from benchmarks.results import Results

TICKETS = int(os.environ.get("DESKMATE_BENCH_TICKETS", "100000"))
ROUNDS = 40
AGENTS, AGENT_ROUNDS = 20, 15
ARTICLES, PASSAGES = 2_000, 10
PASSWORD = "correct horse battery"


def pages() -> Mapping[str, Callable[[int], str]]:
    """The pages, each with its address in a round: what is looked at changes."""
    words = Maker(1).words

    def ticket(n: int) -> int:
        return max(1, TICKETS - 1 - n * TICKETS // (ROUNDS + 10))

    return {
        "empty page": lambda n: "/empty",
        "inbox": lambda n: "/",
        "inbox/all": lambda n: "/?queue=all",
        "inbox/solved, one channel": lambda n: "/?queue=solved&channel=slack",
        "inbox/mine": lambda n: "/?queue=all&assignee=kim",
        "search/common word": lambda n: f"/?words={words[n % 5]}",
        "search/rare word": lambda n: f"/?words={words[-1 - n]}",
        "search/one ticket": lambda n: f"/?words=case{ticket(n)}",
        "ticket": lambda n: f"/tickets/{ticket(n)}",
        "ticket/what changes": lambda n: f"/tickets/{ticket(n)}/now",
        "ticket/around": lambda n: f"/tickets/{ticket(n)}/around",
        "audit log": lambda n: "/audit",
        "audit log/one person": lambda n: "/audit?who=kim",
        "users": lambda n: "/users",
        "settings": lambda n: "/settings",
        "account": lambda n: "/account",
        "knowledge": lambda n: "/knowledge",
        "knowledge/search": lambda n: f"/knowledge?words={words[n]}",
        "knowledge/article": lambda n: f"/knowledge/article?id=help/{n}.md",
        "knowledge/try": lambda n: "/knowledge/try",
        "knowledge/gaps": lambda n: "/knowledge/gaps",
        "knowledge/overlaps": lambda n: "/knowledge/overlaps",
        "quality/7 days": lambda n: "/quality?days=7",
        "quality/30 days": lambda n: "/quality?days=30",
        "quality/90 days": lambda n: "/quality?days=90",
        "quality/one channel": lambda n: "/quality?days=30&channel=slack",
        "quality/trust": lambda n: "/quality/trust?days=90",
        "quality/cost": lambda n: "/quality/cost?days=90",
        "quality/preview": lambda n: f"/quality/preview?reply_at=0.{60 + n % 30}&draft_at=0.3",
    }


def main() -> None:
    results = Results("console", ["starlette", "jinja2", "sqlalchemy", "pygal"])
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        measure(results, "SQLite", f"sqlite:///{data / 'tickets.sqlite'}", data / "sqlite")
        if server := os.environ.get("DESKMATE_TEST_POSTGRES_URL"):
            with _database(server) as url:
                measure(results, "PostgreSQL", url, data / "postgresql")
    results.publish()


def measure(results: Results, system: str, url: str, data: Path) -> None:
    """Fills a database and measures each page."""
    begun = time.perf_counter()
    engine = connect(url)
    upgrade(engine)
    fill(engine, TICKETS)
    engine.dispose()
    print(f"{system}: filled in {time.perf_counter() - begun:.0f} s", flush=True)
    settings = Settings(data_dir=data, database_url=url)
    with Desk(settings, plugins=Plugins()) as desk, _served(desk) as address:
        fill_index(desk.lexical, ARTICLES, PASSAGES)
        slowest = 0.0
        with _logged_in(address) as visitor:
            for name, path in pages().items():
                times, sizes = [], []
                for number in range(ROUNDS + 3):
                    taken, size = _get(visitor, path(number))
                    if number >= 3:
                        times.append(taken)
                        sizes.append(size)
                who = "starlette" if name == "empty page" else f"deskmate/{system}"
                results.add(name, f"{who}", "p50 ms", statistics.median(times), n=ROUNDS)
                results.add(name, f"{who}", "p95 ms", _p95(times), n=ROUNDS)
                results.add(name, f"{who}", "kB", max(sizes) / 1e3, n=ROUNDS)
                slowest = max(slowest, _p95(times))
                print(f"{name}: {_p95(times):.0f} ms, {max(sizes) / 1e3:.0f} kB", flush=True)
        results.add("slowest page", f"deskmate/{system}", "p95 ms", slowest)
        _together(results, system, address)


def _together(results: Results, system: str, address: str) -> None:
    """Twenty agents at once, each going from the inbox to a ticket and back, without a pause."""

    def work(agent: int) -> list[float]:
        with _logged_in(address) as visitor:
            taken = []
            for number in range(AGENT_ROUNDS):
                ticket = 1 + (agent * 997 + number * 131) % TICKETS
                for path in ("/", f"/tickets/{ticket}", f"/tickets/{ticket}/now"):
                    taken.append(_get(visitor, path)[0])
            return taken

    begun = time.perf_counter()
    with ThreadPoolExecutor(AGENTS) as pool:
        times = [one for own in pool.map(work, range(AGENTS)) for one in own]
    seconds = time.perf_counter() - begun
    task = f"{AGENTS} agents at once"
    results.add(task, f"deskmate/{system}", "p95 ms", _p95(times), n=len(times))
    results.add(task, f"deskmate/{system}", "pages/s", len(times) / seconds, n=len(times))


def _get(visitor: httpx.Client, path: str) -> tuple[float, int]:
    begun = time.perf_counter()
    answer = visitor.get(path)
    taken = 1_000 * (time.perf_counter() - begun)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    return taken, len(answer.content)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[18]


@contextmanager
def _served(desk: Desk) -> Iterator[str]:
    server = web.Server("127.0.0.1", children.free_port())
    app, _ = console(desk, server.address, lambda: "ready")
    empty = Route("/empty", lambda request: PlainTextResponse("ok"))
    desk.tickets.people.add("chief", "admin", "bench", password=passwords.hashed(PASSWORD, "chief"))
    server.start(Starlette(routes=[empty, Mount("/", app)]))
    try:
        yield server.address
    finally:
        server.stop()


@contextmanager
def _logged_in(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as visitor:
        answer = visitor.post("/log-in", data={"name": "chief", "password": PASSWORD})
        assert answer.status_code == 303, answer.status_code
        assert not re.search("log-in", answer.headers["location"])
        yield visitor


@contextmanager
def _database(server: str) -> Iterator[str]:
    name = f"deskmate_bench_{uuid.uuid4().hex[:8]}"
    at = make_url(server).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(at, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with psycopg.connect(at, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


if __name__ == "__main__":
    main()
