"""Posting events to endpoints, each in its own time."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx

from assistant import Accept, Event, Reply, UndeliverableError, __version__
from assistant.logs import logger, place
from plugins.webhooks.signing import headers

if TYPE_CHECKING:
    from assistant import Desk
    from assistant.tickets.deliveries import Delivery
    from plugins.webhooks import Endpoint

PAUSES_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Before each further attempt, as Standard Webhooks proposes: about three days in all."""

LOOK_SECONDS = 0.5
AT_ONCE = 10  # to one endpoint
AGAIN_AFTER_SECONDS = 120.0  # an attempt whose process died over it
GONE = 410

log = logger("deskmate.plugins.webhooks")


class Deliverer:
    """A channel on which only events go out. Each endpoint has a task of its own, so that one that
    hangs holds up no other."""

    name = "webhooks"

    def __init__(self, endpoints: Mapping[str, Endpoint], timeout_seconds: float) -> None:
        self._endpoints = endpoints
        self._timeout_seconds = timeout_seconds

    def attach(self, desk: Desk) -> None:
        """The desk on whose tickets things happen."""
        self._desk = desk

    def run(self, accept: Accept, stop: threading.Event) -> None:
        """Tells the endpoints until `stop` is set."""
        asyncio.run(self._run(stop))

    def send(self, reply: Reply) -> str:
        """There are no tickets of this channel."""
        raise UndeliverableError("webhooks carry no replies; no ticket comes through them.")

    def find_sent(self, reply: Reply) -> str | None:
        """None: there are no replies."""
        return None

    async def _run(self, stop: threading.Event) -> None:
        # What an endpoint answers is not read, and where it points to is not followed.
        async with (
            httpx.AsyncClient(follow_redirects=False) as client,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._plan(stop))
            for name, endpoint in self._endpoints.items():
                tasks.create_task(self._tell(name, endpoint, client, stop))

    async def _plan(self, stop: threading.Event) -> None:
        wanted = {name: endpoint.events for name, endpoint in self._endpoints.items()}
        while not stop.is_set():
            if not await asyncio.to_thread(self._desk.tickets.deliveries.plan, wanted):
                await asyncio.sleep(LOOK_SECONDS)

    async def _tell(
        self, name: str, endpoint: Endpoint, client: httpx.AsyncClient, stop: threading.Event
    ) -> None:
        take_due = self._desk.tickets.deliveries.take_due
        while not stop.is_set():
            due = await asyncio.to_thread(take_due, name, AGAIN_AFTER_SECONDS, AT_ONCE)
            await asyncio.gather(*(self._deliver(each, endpoint, client) for each in due))
            if not due:
                await asyncio.sleep(LOOK_SECONDS)

    async def _deliver(
        self, delivery: Delivery, endpoint: Endpoint, client: httpx.AsyncClient
    ) -> None:
        deliveries, attempt = self._desk.tickets.deliveries, delivery.attempt
        about = {"event_id": delivery.event.id, "endpoint": delivery.endpoint, "attempt": attempt}
        status, error = 0, ""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status = await _post(delivery.event, endpoint, client)
        except TimeoutError:
            error = f"no answer in {self._timeout_seconds:g} s"
        except httpx.HTTPError as failure:
            error = place(failure)
        if 200 <= status < 300:
            await asyncio.to_thread(deliveries.record_delivered, delivery)
            log.info("delivered_event", **about)
            return
        error = error or f"answered {status}"
        again = PAUSES_SECONDS[attempt - 1] if attempt <= len(PAUSES_SECONDS) else None
        again = None if status == GONE else again
        await asyncio.to_thread(deliveries.record_failure, delivery, error, again)
        log.warning("failed_event", **about, error=error, given_up=again is None)


async def _post(event: Event, endpoint: Endpoint, client: httpx.AsyncClient) -> int:
    """Posts an event; returns the status. Raises httpx.HTTPError."""
    event_id = f"evt_{event.id}"
    body = json.dumps(told(event), separators=(",", ":")).encode()
    signed = headers(endpoint.keys, event_id, int(time.time()), body)
    more = {"content-type": "application/json", "user-agent": f"Deskmate/{__version__}"}
    request = client.build_request("POST", endpoint.url, content=body, headers={**signed, **more})
    response = await client.send(request, stream=True)
    await response.aclose()
    return response.status_code


def told(event: Event) -> dict[str, Any]:
    """What an endpoint is told of an event."""
    data = {"ticket": event.ticket_id, **event.detail}
    return {"type": event.kind, "timestamp": event.at.isoformat(), "data": data}
