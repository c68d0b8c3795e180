"""The API as `deskmate serve` serves it."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path

import httpx

from assistant.desk import Desk
from assistant.model.encoder import MultimodalEncoder
from assistant.plugging import Plugins
from assistant.serving import serve
from assistant.settings import Http, Settings
from connectors.api import plugin
from tests.api_desk import eventually


def answers(url: str, status: int) -> bool:
    try:
        return httpx.get(url).status_code == status
    except httpx.ConnectError:
        return False


def test_it_stands_at_api_answers_when_ready_and_lets_the_service_stop(
    data_dir: Path, encoder: MultimodalEncoder
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    plugins = Plugins()
    plugins.register("api", plugin)
    settings = Settings(data_dir=data_dir, http=Http(port=port), connectors={"api": {}})
    url, stop = f"http://127.0.0.1:{port}", threading.Event()
    with Desk(settings, plugins=plugins) as desk:
        desk.encoder = encoder
        key = desk.tickets.api_keys.create("test", ["messages:write", "tickets:read"])
        service = threading.Thread(target=serve, args=(desk, stop), daemon=True)
        service.start()
        eventually(lambda: answers(f"{url}/readyz", 200))

        assert answers(f"{url}/api/health", 200)
        assert answers(f"{url}/connectors/api/health", 404)
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
            ticket = client.post("/api/messages", json={"text": "What does KT-4031 mean?"}).json()
            with client.stream("GET", ticket["events"]) as stream:
                said = ""
                for line in stream.iter_lines():
                    said += line
                    if "reply.sent" in said and line.startswith("data: "):
                        break
                metrics = client.get("/metrics").text
                began = time.monotonic()
                stop.set()
                service.join(30)  # an open stream does not hold it up

    assert "disk quota" in said
    assert 'deskmate_api_requests_total{operation="postMessage",status="202"}' in metrics
    assert not service.is_alive()
    assert time.monotonic() - began < 20
