"""News as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

Any process may change a ticket, so the database is asked once a second, for as long as somebody
looks; a page that is told fetches its parts anew.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable

import anyio
from starlette.concurrency import run_in_threadpool

from assistant.console.calls import Call

EVERY_SECONDS = 1.0
BEAT_EVERY = 8  # rounds: a sign of life to the browser, and from it

NEWS = "event: news\ndata: \n\n"
BEAT = ": \n\n"


def digest(fingerprint: str) -> str:
    """A fingerprint as an address can bring it."""
    return hashlib.sha256(fingerprint.encode()).hexdigest()[:16]


async def news(
    call: Call,
    fingerprint: Callable[[], str],
    beat: Callable[[], None] = lambda: None,
    leave: Callable[[], None] = lambda: None,
) -> AsyncIterator[str]:
    """An event whenever `fingerprint` changes, until the browser leaves, its session ends or the
    service stops. `beat` is called at the start and every few seconds, `leave` at the end.

    The address may bring the fingerprint that the page shows, as `known`: what changed before the
    browser began to listen is news too.
    """
    before, rounds = call.asked("known"), 0
    try:
        while call.office.phase() != "stopping":
            if rounds % BEAT_EVERY == 0:
                if await run_in_threadpool(call.office.session, call.request) is None:
                    return
                await run_in_threadpool(beat)
                yield BEAT
            now = digest(await run_in_threadpool(fingerprint))
            if before and now != before:
                yield NEWS
            before, rounds = now, rounds + 1
            await asyncio.sleep(EVERY_SECONDS)
    finally:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(leave)
