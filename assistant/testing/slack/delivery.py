"""Events, interactions and commands on their way to the app, through Socket Mode or HTTP.

An event that is not acknowledged is delivered again after the pauses of `retry_after`; interactions
and commands are delivered once, as Slack does.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.websockets import WebSocket, WebSocketDisconnect

from assistant.testing.slack.workspaces import Json

Kind = Literal["events_api", "interactive", "slash_commands"]

ACKNOWLEDGE_SECONDS = 3.0
LOOK_SECONDS = 0.02


@dataclass
class Delivery:
    """One thing on its way. Times are `time.monotonic()`; `answer` is what the app sent back with
    its acknowledgement."""

    kind: Kind
    payload: Json
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    attempts: int = 0
    first_sent: float | None = None
    last_sent: float = 0.0
    acknowledged_at: float | None = None
    answer: Json | None = None
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def seconds(self) -> float | None:
        """From the first delivery to the acknowledgement; None while there is none."""
        if self.acknowledged_at is None or self.first_sent is None:
            return None
        return self.acknowledged_at - self.first_sent


class Deliveries:
    """Everything on its way to one app. `http` is where it is posted, with the signing secret; if
    it is None, it goes through Socket Mode."""

    def __init__(self, retry_after: Sequence[float]) -> None:
        self.http: tuple[str, str] | None = None
        self.all: list[Delivery] = []
        self.connections: list[WebSocket] = []
        self._retry_after = tuple(retry_after)
        self._waiting: list[Delivery] = []
        self._sent: dict[str, Delivery] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._posting: set[asyncio.Task[None]] = set()

    def send(self, kind: Kind, payload: Json) -> Delivery:
        """Sends it as soon as somebody listens; may be called from any thread."""
        delivery = Delivery(kind, payload)
        self.all.append(delivery)
        self._call(lambda: self._waiting.append(delivery))
        return delivery

    def again(self, delivery: Delivery) -> None:
        """Delivers it once more although it was acknowledged: the acknowledgement got lost."""

        def forget() -> None:
            delivery.acknowledged_at = None
            delivery.done.clear()
            delivery.last_sent = 0.0
            self._waiting.append(delivery)

        self._call(forget)

    def disconnect(self, *, warn: bool) -> None:
        """Ends all sockets; with `warn`, asks the app to connect anew before."""

        async def end(socket: WebSocket) -> None:
            if warn:
                await socket.send_text(json.dumps({"type": "disconnect", "reason": "warning"}))
                await asyncio.sleep(0.2)
            await socket.close()

        def end_all() -> None:
            for socket in list(self.connections):
                self.connections.remove(socket)
                self._background(end(socket))

        self._call(end_all)

    async def run(self) -> None:
        """Delivers until it is cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            now = time.monotonic()
            for delivery in list(self._waiting):
                if self._is_due(delivery, now):
                    self._deliver(delivery, now)
            await asyncio.sleep(LOOK_SECONDS)

    async def listen(self, socket: WebSocket) -> None:
        """Serves one connection of the app's Socket Mode client."""
        await socket.accept()
        await socket.send_text(json.dumps({"type": "hello", "num_connections": 1}))
        self.connections.append(socket)
        try:
            while True:
                answer = json.loads(await socket.receive_text())
                self._acknowledge(answer["envelope_id"], answer.get("payload"))
        except WebSocketDisconnect:
            pass
        finally:
            if socket in self.connections:
                self.connections.remove(socket)

    def _is_due(self, delivery: Delivery, now: float) -> bool:
        if delivery.acknowledged_at is not None:
            self._waiting.remove(delivery)
            return False
        if delivery.attempts == 0:
            return self.http is not None or bool(self.connections)
        if delivery.kind != "events_api" or delivery.attempts > len(self._retry_after):
            self._waiting.remove(delivery)
            return False
        return now >= delivery.last_sent + self._retry_after[delivery.attempts - 1]

    def _deliver(self, delivery: Delivery, now: float) -> None:
        if not self.http and not self.connections:
            return
        delivery.first_sent = delivery.first_sent or now
        delivery.last_sent = now
        delivery.attempts += 1
        self._sent[delivery.id] = delivery
        work = self._post(delivery) if self.http else self._write(delivery)
        self._background(work)

    async def _write(self, delivery: Delivery) -> None:
        envelope: Json = {
            "type": delivery.kind,
            "envelope_id": delivery.id,
            "payload": delivery.payload,
            "accepts_response_payload": delivery.kind != "events_api",
        }
        if delivery.kind == "events_api":
            envelope["retry_attempt"] = delivery.attempts - 1
            envelope["retry_reason"] = "timeout" if delivery.attempts > 1 else ""
        try:
            await self.connections[-1].send_text(json.dumps(envelope))
        except (WebSocketDisconnect, RuntimeError, IndexError):
            return  # it comes again

    async def _post(self, delivery: Delivery) -> None:
        assert self.http is not None
        request = signed_request(*self.http, delivery)

        def post() -> tuple[int, bytes]:
            try:
                with urllib.request.urlopen(request, timeout=ACKNOWLEDGE_SECONDS) as response:  # noqa: S310
                    return response.status, response.read()
            except urllib.error.HTTPError as error:
                return error.code, b""
            except (OSError, TimeoutError):
                return 0, b""

        status, body = await asyncio.to_thread(post)
        if status == 200:
            answer = json.loads(body) if body.startswith(b"{") else None
            self._acknowledge(delivery.id, answer)

    def _acknowledge(self, envelope_id: str, answer: Json | None) -> None:
        delivery = self._sent[envelope_id]
        delivery.acknowledged_at = time.monotonic()
        delivery.answer = answer
        delivery.done.set()

    def _background(self, work: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        task = self._loop.create_task(work)
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)

    def _call(self, function: Callable[[], None]) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(function)


def signed_request(url: str, signing_secret: str, delivery: Delivery) -> urllib.request.Request:
    """The delivery as an HTTP request that Slack signed
    (https://docs.slack.dev/authentication/verifying-requests-from-slack)."""
    if delivery.kind == "events_api":
        body, media_type = json.dumps(delivery.payload), "application/json"
    else:
        fields = delivery.payload
        if delivery.kind == "interactive":
            fields = {"payload": json.dumps(delivery.payload)}
        body, media_type = urllib.parse.urlencode(fields), "application/x-www-form-urlencoded"
    now = str(int(time.time()))
    signed = hmac.new(signing_secret.encode(), f"v0:{now}:{body}".encode(), hashlib.sha256)
    headers = {
        "Content-Type": media_type,
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": f"v0={signed.hexdigest()}",
    }
    if delivery.attempts > 1:
        headers["X-Slack-Retry-Num"] = str(delivery.attempts - 1)
        headers["X-Slack-Retry-Reason"] = "http_timeout"
    return urllib.request.Request(url, body.encode(), headers)  # noqa: S310
