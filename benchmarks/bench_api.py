"""How fast is a message acknowledged by the HTTP API, beside a bare Starlette that stores one row?

Each acknowledgement of Deskmate's says that key, limit and body were checked and that the message
is stored and enqueued. The peer, `starlette+sqlite`, reads the same JSON and commits it to SQLite
with the same journal: what no API that loses nothing can do without.

`burst`: as many as 8 connections bring, one after the other; the models answer them meanwhile.
`busy`: 20 messages a second, on time whatever comes back (no coordinated omission), while the
models are busy with those of the burst.

    python -m benchmarks.bench_api --share 0.05     a short form, which publishes nothing
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np

from assistant import Desk
from assistant.knowledge.sources import Folder
from assistant.settings import Knowledge, Settings
from benchmarks import data, service
from benchmarks.results import Results

BURST = 1_000
CONNECTIONS = 8
BUSY = 400
PER_SECOND = 20


@contextmanager
def deskmate(folder: Path) -> Iterator[tuple[str, str]]:
    """`deskmate serve` with the example help centre; its address and a key."""
    with Desk(Settings(data_dir=folder / "data", knowledge=Knowledge(read_pictures=False))) as desk:
        desk.index(Folder(data.HELP_CENTRE / "articles", source="help"))
        key = desk.tickets.api_keys.create("bench", ["messages:write"], per_minute=1_000_000)
    (folder / "deskmate.toml").write_text('data_dir = "data"\n[connectors.api]\n')
    port = service.free_port()
    process = service.start(folder, port)
    try:
        yield f"http://127.0.0.1:{port}/api/messages", key
    finally:
        process.send_signal(signal.SIGKILL)  # what is not answered yet is not measured here
        process.wait()


def peer(file: str, port: str) -> None:
    """The bare server, in a process of its own."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    def store(body: bytes) -> None:
        with sqlite3.connect(file, timeout=30) as database:
            database.execute("INSERT INTO messages VALUES (?)", (body,))

    async def post(request: Request) -> JSONResponse:
        await run_in_threadpool(store, await request.body())
        return JSONResponse({}, 202)

    with sqlite3.connect(file) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE messages (body)")
    application = Starlette(routes=[Route("/messages", post, methods=["POST"])])
    uvicorn.run(application, port=int(port), access_log=False, log_level="error")


@contextmanager
def starlette(folder: Path) -> Iterator[tuple[str, str]]:
    """The peer; its address, and a key that it does not look at."""
    port = service.free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.bench_api", "--peer", folder / "peer.sqlite", str(port)]
    )
    url = f"http://127.0.0.1:{port}/messages"
    while True:
        try:
            httpx.post(url, json={})
            break
        except httpx.ConnectError:
            time.sleep(0.1)
    try:
        yield url, "none"
    finally:
        process.kill()
        process.wait()


async def post(client: httpx.AsyncClient, url: str, text: str, due: float) -> float:
    """Brings a message; returns the milliseconds since it was due until it was acknowledged."""
    answer = await client.post(url, json={"text": text})
    assert answer.status_code == 202, answer.text
    return (time.perf_counter() - due) * 1_000


async def burst(url: str, key: str, texts: list[str]) -> tuple[float, list[float]]:
    """Messages a second, and the milliseconds of each acknowledgement."""
    rest = iter(texts)

    async def connection(client: httpx.AsyncClient) -> list[float]:
        return [await post(client, url, text, time.perf_counter()) for text in rest]

    async with httpx.AsyncClient(headers=_bearer(key), timeout=60) as client:
        began = time.perf_counter()
        took = await asyncio.gather(*(connection(client) for _ in range(CONNECTIONS)))
        seconds = time.perf_counter() - began
    return len(texts) / seconds, [each for one in took for each in one]


async def busy(url: str, key: str, texts: list[str]) -> list[float]:
    """The milliseconds of each acknowledgement at a steady rate."""
    async with httpx.AsyncClient(headers=_bearer(key), timeout=60) as client:
        began, tasks = time.perf_counter(), []
        for number, text in enumerate(texts):
            due = began + number / PER_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(post(client, url, text, due)))
        return list(await asyncio.gather(*tasks))


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--peer", nargs=2)
    arguments = parser.parse_args()
    if arguments.peer:
        peer(*arguments.peer)
        return
    results = Results("api", ["starlette", "uvicorn", "httpx", "dbos"])
    questions = [case.text for case in data.help_centre() if case.text]
    texts = [questions[n % len(questions)] for n in range(max(BURST, BUSY))]
    bursts, steady = (int(count * arguments.share) for count in (BURST, BUSY))
    for system, run in (("deskmate", deskmate), ("starlette+sqlite", starlette)):
        with tempfile.TemporaryDirectory() as folder, run(Path(folder)) as (url, key):
            rate, took = asyncio.run(burst(url, key, texts[:bursts]))
            results.add("burst", system, "messages/s", rate, n=bursts)
            for percent in (50, 99):
                value = float(np.percentile(took, percent))
                results.add("burst", system, f"ack p{percent} ms", value, n=bursts)
            took = asyncio.run(busy(url, key, texts[:steady]))
            for percent in (50, 99):
                value = float(np.percentile(took, percent))
                results.add("busy", system, f"ack p{percent} ms", value, n=steady)
    if arguments.share == 1.0:
        results.publish()
    else:
        for row in results.rows:
            print(row)


if __name__ == "__main__":
    main()
