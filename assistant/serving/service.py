"""Starting and stopping everything, in the order that loses nothing.

start: port, Chroma, models, queues, connectors and workers; only then ready
stop:  connectors and workers, queues (what was begun is finished), Chroma, port
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Collection
from contextlib import ExitStack
from functools import partial
from typing import Any

from sqlalchemy import make_url

from assistant import __version__, logs, metrics, tracing
from assistant.connecting import RoutingConnector
from assistant.console.app import console
from assistant.desk import Desk
from assistant.errors import SettingsError
from assistant.knowledge.store import lend, make_folder
from assistant.serving import children, memory, web
from assistant.serving.following import follow
from assistant.serving.parts import Part, of_connector
from assistant.settings import Settings
from assistant.tickets.backlog import backlog

WORKERS = "workers"  # the name that stands for no connector
CONNECTOR_STOP_SECONDS = 10.0

log = logs.logger(__name__)


class Service:
    """What `deskmate serve` runs. One per process."""

    def __init__(
        self, desk: Desk, only: Collection[str], workers: int, reload: bool = False
    ) -> None:
        """Raises SettingsError if `only` names no connector, or if the database serves one process
        and `workers` asks for more."""
        self._desk = desk
        self._names = _names(desk, only)
        self._workers = workers
        self._reload = reload
        self._phase: web.Phase = "loading"
        self._parts: list[Part] = []
        if workers and reload:
            raise SettingsError("--reload is for development, in one process: leave out --workers.")
        if workers:
            _require_server(desk.settings, workers)

    def run(self, stop: threading.Event) -> None:
        """Starts everything, waits until `stop` is set, and stops everything."""
        settings = self._desk.settings
        with ExitStack() as stack:
            if settings.http.port:
                server = web.Server(settings.http.host, settings.http.port)
                stack.callback(server.stop)
                server.start(self._application(server.address))
                log.info("opened_port", address=server.address)
            if settings.tracing:
                tracing.start(settings.model.text, settings.answering.chat_model)
                stack.callback(tracing.stop)
            if self._workers:
                self._share(stack, stop)
            stack.callback(self._join, "worker", children.STOP_SECONDS)
            self._load()
            self._desk.inbox.start()
            # From here on the way back: first nothing new comes in, then what was begun is ended.
            stack.callback(self._desk.inbox.stop)
            self._start(stop)
            stack.callback(self._stop, stop)
            self._phase = "ready"
            log.info("became_ready", connectors=",".join(self._names), workers=self._workers)
            stop.wait()
            self._phase = "stopping"
            log.info("began_stop")
        log.info("stopped")

    def _application(self, address: str) -> Any:
        desk, engine = self._desk, self._desk.engine
        office = None
        if desk.settings.console.enabled:
            address = desk.settings.console.address.rstrip("/") or address
            office, setup = console(desk, address, lambda: self._phase, self._states)
            if link := setup.link(address):
                # For the person who started this, and not for the log.
                print(f"\nCreate the first administrator here (once):\n  {link}\n", flush=True)
        return web.app(
            phase=lambda: self._phase,
            parts=self._states,
            backlog=lambda: backlog(engine),
            routes={
                # Not `desk.inbox.accept` itself: that would load the models here.
                getattr(connector, "prefix", f"/connectors/{name}"): connector.routes(
                    lambda message: desk.inbox.accept(message)
                )
                for name in self._names
                if isinstance(connector := desk.connectors[name], RoutingConnector)
            },
            version=__version__,
            console=office,
        )

    def _states(self) -> list[dict[str, Any]]:
        return [part.state for part in self._parts]

    def _share(self, stack: ExitStack, stop: threading.Event) -> None:
        """Makes the processor and the index something that several processes can use."""
        settings = self._desk.settings
        knowledge, model = settings.knowledge, settings.model
        if not knowledge.chroma_url:
            port = children.free_port()
            url = f"http://127.0.0.1:{port}"
            stack.enter_context(lend(self._desk.index_folder, url))
            ending = threading.Event()
            folder = make_folder(self._desk.index_folder / "chroma")
            server = children.chroma(folder, port)
            self._parts.append(server)
            server.start(ending)
            stack.callback(server.join, children.STOP_SECONDS)
            stack.callback(ending.set)
            children.wait_for_chroma(folder, port, stop)
            knowledge = knowledge.model_copy(update={"chroma_url": url})
        if not model.threads:
            threads = max(1, (os.cpu_count() or 1) // (self._workers + 1))
            model = model.model_copy(update={"threads": threads})
        changed = {"knowledge": knowledge, "model": model}
        self._desk.settings = settings.model_copy(update=changed)

    def _load(self) -> None:
        memory.give_back()
        began = time.monotonic()
        self._desk.warm_up()
        seconds = time.monotonic() - began
        metrics.LOAD_SECONDS.set(seconds)
        articles, passages = self._desk.lexical.counts()
        log.info("loaded_models", seconds=round(seconds, 1), articles=articles, passages=passages)
        if not passages:
            log.warning("found_empty_index", next_step="deskmate index PATH")

    def _start(self, stop: threading.Event) -> None:
        desk = self._desk
        for fault in desk.faults:
            log.error("missed_connector", plugin=fault.plugin, hook=fault.hook)
        started = [
            part
            for name in self._names
            for part in of_connector(desk.connectors[name], desk.inbox.accept)
        ]
        own = desk.settings.inbox.worker_name or f"{socket.gethostname()}-worker"
        environment = {
            "DESKMATE_KNOWLEDGE__CHROMA_URL": desk.settings.knowledge.chroma_url,
            "DESKMATE_MODEL__THREADS": str(desk.settings.model.threads),
        }
        started += [
            children.worker(f"{own}-{number}", environment)
            for number in range(2, self._workers + 2)
        ]
        started.append(Part("plugins", "plugins", partial(follow, desk, self._reload)))
        self._parts += started
        for part in started:
            part.start(stop)

    def _stop(self, stop: threading.Event) -> None:
        stop.set()  # also if something else than a signal ended the wait
        self._join("connector", CONNECTOR_STOP_SECONDS)

    def _join(self, kind: str, seconds: float) -> None:
        for part in self._parts:
            if part.state["kind"] == kind:
                part.join(seconds)


def _names(desk: Desk, only: Collection[str]) -> list[str]:
    unknown = set(only) - {*desk.connectors, WORKERS}
    if unknown:
        known = ", ".join([*desk.connectors, WORKERS])
        raise SettingsError(
            f"--only {' '.join(sorted(unknown))}: no such connector. There are: {known}."
        )
    return [name for name in desk.connectors if not only or name in only]


def _require_server(settings: Settings, workers: int) -> None:
    url = make_url(settings.resolved_database_url)
    if url.get_backend_name() == "sqlite":
        raise SettingsError(
            f"--workers {workers}: the database {url} is SQLite, which serves one process. Set"
            " database_url to PostgreSQL (postgresql://HOST/NAME) and run `deskmate db upgrade`."
        )
