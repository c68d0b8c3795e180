"""The connector: what the desk holds."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from assistant import Accept, Reply, Ticket
from connectors.api.handlers import NAME, PREFIX
from connectors.api.settings import ApiSettings, read

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from assistant import Desk

HOUR_SECONDS = 3600.0
KEEP_REQUESTS = timedelta(days=1)


class ApiConnector:
    """The HTTP API as a channel. The desk gives itself with `attach`."""

    name = NAME
    prefix = PREFIX

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        self._stopping = threading.Event()

    def read_settings(self, table: Mapping[str, Any]) -> ApiSettings:
        """The checked settings of a table [connectors.api]. Raises SettingsError."""
        return read(table)

    def attach(self, desk: Desk) -> None:
        """The desk whose tickets these are."""
        self._desk = desk

    def run(self, accept: Accept, stop: threading.Event) -> None:
        """Messages come by HTTP; this forgets requests that nobody makes again."""
        self._stopping.clear()
        while not stop.is_set():
            self._desk.tickets.idempotency.clear(datetime.now(UTC) - KEEP_REQUESTS)
            stop.wait(HOUR_SECONDS)
        self._stopping.set()

    def routes(self, accept: Accept) -> Sequence[BaseRoute]:
        """All of the API."""
        from connectors.api.service import Service

        return Service(self._desk, accept, self._settings, self._stopping).routes()

    def send(self, reply: Reply) -> str:
        """Nothing has to travel: once it is recorded as sent, whoever follows the ticket has it."""
        return reply.id

    def find_sent(self, reply: Reply) -> str | None:
        """Sending it again changes nothing."""
        return reply.id

    def follow(self, ticket: Ticket, step: str) -> None:
        """Tells whoever follows the ticket."""
        self._desk.tickets.events.step(ticket.id, step)
