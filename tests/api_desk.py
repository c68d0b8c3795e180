"""A desk with its HTTP API at work, on a port of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx

from assistant.articles import Passage
from assistant.desk import Desk
from assistant.messages import Answer, Citation, Message, Outcome, Ticket
from assistant.plugging import Plugins
from assistant.serving import web
from assistant.settings import Settings
from assistant.tickets.backlog import backlog
from connectors.api import plugin

PATIENCE_SECONDS = 30.0
EVERYTHING = ("messages:write", "tickets:read", "knowledge:read", "feedback:write")
INVOICES = Passage(
    "p1", "invoices.md", ("Download an invoice",), "Open Settings.", "https://help.example/invoices"
)


def replies_with(text: str, action: Any = "reply") -> Outcome:
    """An outcome that cites the article on invoices."""
    answer = Answer(text, (Citation(1, INVOICES, "Open Settings."),), 0.9)
    return Outcome(action, "the article says so", text, answer)


def echo(message: Message, ticket: Ticket, conversation: Any, begins: Any) -> Outcome:
    """Answers with the question, in two steps."""
    begins("search")
    begins("write")
    return replies_with(f"You asked: {message.text} [1]")


def eventually(holds: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Waits until `holds()` is true, and returns what it returned."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return found


class ApiDesk:
    """Answers requests at `url`. `answer` stands in for the pipeline, if it is given; `plugins` are
    further ones, `tables` settings of plugins, and `more` settings of the connector."""

    def __init__(
        self,
        data_dir: Path,
        answer: Any = echo,
        plugins: dict[str, Any] | None = None,
        tables: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        loaded = Plugins(tables or {})
        for name, one in {"api": plugin, **(plugins or {})}.items():
            loaded.register(name, one)
        options = Settings(
            data_dir=data_dir,
            inbox={"quiet_seconds": 0.1, "dead_after_seconds": 2},
            connectors={"api": more},
            **(settings or {}),
        )
        self.desk = Desk(options, plugins=loaded)
        self.answer = answer
        if answer is not None:
            self.desk.pipeline = SimpleNamespace(answer=lambda *asked: self.answer(*asked))  # type: ignore[assignment]
        self.tickets = self.desk.tickets
        self.phase: web.Phase = "ready"
        self._stop = threading.Event()

    def __enter__(self) -> ApiDesk:
        desk = self.desk
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._server = web.Server("127.0.0.1", port)
        self.url = self._server.address
        desk.inbox.start()
        self._threads = [
            threading.Thread(target=each.run, args=(desk.inbox.accept, self._stop), daemon=True)
            for each in desk.connectors.values()
        ]
        for thread in self._threads:
            thread.start()
        api: Any = desk.connectors["api"]
        application = web.app(
            lambda: self.phase,
            list,
            lambda: backlog(desk.engine),
            {api.prefix: api.routes(desk.inbox.accept)},
            "1.0",
        )
        self._server.start(application)
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._server.stop()
        self.desk.close()

    def key(self, *scopes: str, **more: Any) -> str:
        """A new key; without scopes, one that may do everything with its own conversations."""
        return self.tickets.api_keys.create("test", scopes or EVERYTHING, **more)

    def client(self, key: str | None = None, **headers: str) -> httpx.Client:
        """A client with this key or token, or with a new key."""
        bearer = {"Authorization": f"Bearer {self.key() if key is None else key}"}
        return httpx.Client(
            base_url=f"{self.url}/api", headers={**bearer, **headers}, timeout=PATIENCE_SECONDS
        )

    def reply(self, ticket_id: int, number: int = 1) -> str:
        """The text of the first reply on a ticket, or of a later one; waits until it is sent."""

        def sent() -> list[str]:
            found = self.tickets.replies.of_ticket(ticket_id)
            return [stored.reply.text for stored in found if stored.state == "sent"]

        eventually(lambda: len(sent()) >= number)
        return sent()[number - 1]
