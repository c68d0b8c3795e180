from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.testclient import TestClient

from assistant.errors import SettingsError
from assistant.serving import web
from assistant.tickets.backlog import Backlog


class Company:
    """What the application is told about the service."""

    def __init__(self) -> None:
        self.phase: web.Phase = "loading"
        self.parts: list[dict[str, Any]] = []


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
def client(company: Company) -> Iterator[TestClient]:
    async def take(request: Request) -> Response:
        return PlainTextResponse(f"took {(await request.body()).decode()}")

    def unknown(request: Request) -> Response:
        return PlainTextResponse(f"sales does not know {request.path_params['rest']}", 404)

    routes: dict[str, Sequence[BaseRoute]] = {
        "/connectors/email/sales": [
            Route("/events", take, methods=["POST"]),
            Route("/{rest:path}", unknown, methods=["POST"]),
        ]
    }
    application = web.app(
        lambda: company.phase, lambda: company.parts, lambda: Backlog(3, 2, 1), routes, "1.0"
    )
    with TestClient(application) as client:
        yield client


def test_the_process_is_healthy_from_the_beginning_and_ready_later(
    client: TestClient, company: Company
) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    loading = client.get("/readyz")
    company.phase = "ready"
    ready = client.get("/readyz")
    company.phase = "stopping"
    stopping = client.get("/readyz")

    said = [(answer.status_code, answer.text) for answer in (loading, ready, stopping)]
    assert said == [(503, "loading\n"), (200, "ready\n"), (503, "stopping\n")]


def test_a_part_that_failed_is_shown_and_does_not_make_the_process_ill(
    client: TestClient, company: Company
) -> None:
    company.parts = [{"kind": "connector", "name": "mail", "state": "failed", "restarts": 3}]

    health = client.get("/healthz")

    assert health.status_code == 200
    assert health.json()["status"] == "degraded"
    assert health.json()["parts"] == company.parts


def test_metrics_tell_what_waits(client: TestClient) -> None:
    text = client.get("/metrics").text

    assert "deskmate_waiting_messages 3.0" in text
    assert "deskmate_waiting_notices 1.0" in text
    assert "# TYPE deskmate_step_seconds histogram" in text


def test_a_connector_receives_by_http_while_messages_are_answered(
    client: TestClient, company: Company
) -> None:
    before = client.post("/connectors/email/sales/events", content="one")
    company.phase = "ready"
    ready = client.post("/connectors/email/sales/events", content="two")
    company.phase = "stopping"
    after = client.post("/connectors/email/sales/events", content="three")

    assert [answer.status_code for answer in (before, ready, after)] == [503, 200, 503]
    assert (ready.text, before.headers["Retry-After"]) == ("took two", "10")


def test_a_line_break_in_a_path_is_no_way_round_the_part_that_it_names(
    client: TestClient, company: Company
) -> None:
    company.phase = "ready"

    answer = client.post("/connectors/email/sales/other%0A")

    assert answer.status_code == 404
    assert answer.text == "sales does not know other�"


def test_a_port_that_is_taken_is_said_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]

        with pytest.raises(SettingsError, match=rf"http.port = {port}: Address already in use"):
            web.Server("127.0.0.1", port)


def test_the_server_answers_and_stops(company: Company) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = web.Server("127.0.0.1", port)
    server.start(web.app(lambda: "ready", list, lambda: Backlog(0, 0, 0), {}, "1.0"))

    with urllib.request.urlopen(f"{server.address}/readyz") as answer:
        assert answer.read() == b"ready\n"

    server.stop()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{server.address}/readyz")
