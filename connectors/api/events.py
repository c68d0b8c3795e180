"""Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): what happens
on a ticket, while it happens.

They are read from the event log, so it does not matter which process answers. However many
streams there are, one look in a quarter of a second finds out which of them have news.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.concurrency import run_in_threadpool

from assistant import Event
from assistant.logs import logger, place

LOOK_SECONDS = 0.25
SIGN_OF_LIFE_SECONDS = 15.0  # proxies close connections on which nothing comes
BACK_AFTER_MS = 1_000

log = logger("deskmate.connectors.api")


class Watch:
    """Looks which tickets have news. `newest` asks the database for the newest event of each."""

    def __init__(
        self,
        newest: Callable[[Collection[int]], Mapping[int, int]],
        ending: Callable[[], bool],
    ) -> None:
        self._newest = newest
        self.ending = ending
        self._followed: Counter[int] = Counter()
        self._known: Mapping[int, int] = {}
        self._looked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def streams(self) -> int:
        """How many streams there are."""
        return self._followed.total()

    @asynccontextmanager
    async def following(self, ticket_id: int) -> AsyncIterator[None]:
        """While this is entered, `news` may be waited for."""
        self._followed[ticket_id] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        try:
            yield
        finally:
            self._followed[ticket_id] -= 1
            self._followed += Counter()  # forgets what nobody follows

    async def news(self, ticket_id: int, after: int, seconds: float) -> None:
        """Waits for an event of this ticket after that one, or so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                while self._known.get(ticket_id, 0) <= after and not self.ending():
                    await self._looked.wait()
        except TimeoutError:
            return

    async def _look(self) -> None:
        while self._followed:
            try:
                self._known = await run_in_threadpool(self._newest, list(self._followed))
            except Exception as error:
                log.warning("failed_look", error=place(error))
            looked, self._looked = self._looked, asyncio.Event()
            looked.set()
            await asyncio.sleep(LOOK_SECONDS)


async def stream(
    watch: Watch,
    ticket_id: int,
    after: int,
    read: Callable[[int], list[tuple[Event, Mapping[str, Any]]]],
    seconds: float,
) -> AsyncIterator[str]:
    """The events of a ticket after this one, as they come, for so many seconds. `read` gives those
    after an id, each with what is told of it; it blocks."""
    ends_at = time.monotonic() + seconds
    yield f"retry: {BACK_AFTER_MS}\n\n"
    async with watch.following(ticket_id):
        while not watch.ending() and (left := ends_at - time.monotonic()) > 0:
            came = await run_in_threadpool(read, after)
            for event, told in came:
                after = event.id
                yield f"id: {event.id}\nevent: {event.kind}\ndata: {json.dumps(told)}\n\n"
            if not came:
                began = time.monotonic()
                await watch.news(ticket_id, after, min(SIGN_OF_LIFE_SECONDS, left))
                if time.monotonic() - began >= SIGN_OF_LIFE_SECONDS:
                    yield ": nothing new\n\n"
