"""HTTP: health, readiness, metrics, and what connectors receive.

/healthz            200 while the process lives, with the state of every part
/readyz             200 while messages are answered; 503 before and after
/metrics            for Prometheus
/connectors/NAME/   a connector's own routes, unless it has a prefix of its own
/                   the console
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import uvicorn
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.errors import SettingsError
from assistant.tickets.backlog import Backlog

Phase = Literal["loading", "ready", "stopping"]

STOP_SECONDS = 5  # for requests that are under way

_LINE_BREAK = re.compile(r"[\r\n]")


def app(
    phase: Callable[[], Phase],
    parts: Callable[[], Sequence[Mapping[str, Any]]],
    backlog: Callable[[], Backlog],
    routes: Mapping[str, Sequence[BaseRoute]],
    version: str,
    console: ASGIApp | None = None,
) -> Starlette:
    """The application. `routes` are those of connectors, by the path under which they are."""
    registry = _registry(backlog)

    def healthz(request: Request) -> Response:
        states = parts()
        well = all(state["state"] != "failed" for state in states)
        body = {"status": "ok" if well else "degraded", "phase": phase(), "version": version}
        return JSONResponse({**body, "parts": list(states)})

    def readyz(request: Request) -> Response:
        now = phase()
        return PlainTextResponse(now + "\n", 200 if now == "ready" else 503)

    def metrics(request: Request) -> Response:
        return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            *(Mount(path, _WhileReady(Router(own), phase)) for path, own in routes.items()),
            *([Mount("/", console)] if console else []),
        ],
        middleware=[Middleware(_InOneLine)],
    )


class Server:
    """Serves an application in a thread of its own."""

    def __init__(self, host: str, port: int) -> None:
        """Takes the port, so that a taken one is known before anything is loaded.

        Raises SettingsError if it cannot be had.
        """
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self._socket = socket.create_server((host, port), family=family)
        except OSError as error:
            raise SettingsError(
                f"http.host = {host!r}, http.port = {port}: {os.strerror(error.errno or 0)}."
                " Set another port, or 0 for none."
            ) from error
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    def start(self, application: ASGIApp) -> None:
        """Begins to answer."""
        self._uvicorn = uvicorn.Server(
            uvicorn.Config(
                application,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        arguments = {"sockets": [self._socket]}
        self._thread = threading.Thread(
            target=self._uvicorn.run, kwargs=arguments, name="http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Answers what was asked, and no more."""
        self._uvicorn.should_exit = True
        self._thread.join(2 * STOP_SECONDS)
        self._socket.close()


class _WhileReady:
    """Passes requests on while messages are answered; else the answer is 503, and whoever
    delivers comes again."""

    def __init__(self, application: ASGIApp, phase: Callable[[], Phase]) -> None:
        self._application = application
        self._phase = phase

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        application = self._application
        if self._phase() != "ready":
            # RFC 9457, since who is answered so is a program.
            problem = {"title": "Service Unavailable", "status": 503, "detail": self._phase()}
            media_type, headers = "application/problem+json", {"Retry-After": "10"}
            application = JSONResponse(problem, 503, headers, media_type)
        await application(scope, receive, send)


class _InOneLine:
    """Marks line breaks in a path (%0A) as wrong characters. Starlette's patterns end at them, so
    that no part would be asked, and each has answers of its own for what it does not know."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if "path" in scope:
            scope = {**scope, "path": _LINE_BREAK.sub("\N{REPLACEMENT CHARACTER}", scope["path"])}
        await self._app(scope, receive, send)


class _BacklogCollector(Collector):
    """What waits, counted in the ticket database whenever Prometheus asks."""

    def __init__(self, backlog: Callable[[], Backlog]) -> None:
        self._backlog = backlog

    def describe(self) -> Iterator[Metric]:
        """Nothing, so that making the registry does not ask the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """What waits now."""
        for name, count in vars(self._backlog()).items():
            text = f"{name.capitalize()} that wait: without outcome, unsent, untold."
            yield GaugeMetricFamily(f"deskmate_waiting_{name}", text, value=count)


def _registry(backlog: Callable[[], Backlog]) -> CollectorRegistry:
    """Everything there is to tell: of all processes together, if several write to one folder."""
    registry = CollectorRegistry()
    registry.register(_BacklogCollector(backlog))
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    return registry
