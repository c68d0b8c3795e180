"""A desk at work with its console open, for tests in a real browser."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from assistant import Attachment, Message, Reply, hookimpl
from assistant.console import passwords
from assistant.console.app import console
from assistant.desk import Desk
from assistant.messages import Ticket
from assistant.plugging import Plugins
from assistant.serving import children, web
from assistant.settings import Settings
from assistant.tickets.people import Role

PASSWORD = "correct horse battery"
_HASHED = passwords.hashed(PASSWORD, "somebody")


class Window:
    """A channel that keeps what is sent to it."""

    name = "window"

    def __init__(self) -> None:
        self.sent: list[Reply] = []

    def run(self, accept: Any, stop: threading.Event) -> None:
        stop.wait()

    def send(self, reply: Reply) -> str:
        self.sent.append(reply)
        return reply.id

    def find_sent(self, reply: Reply) -> str | None:
        return next((one.id for one in self.sent if one.id == reply.id), None)

    def test(self, to: str) -> str:
        self.sent.append(Reply("test", 0, self.name, "", to, "Test", "This is a test."))
        return f"Sent to {to}."

    @hookimpl
    def register_connectors(self, settings: Settings) -> Sequence[Any]:
        return [self]


class Panel:
    """A plugin that shows something beside each ticket."""

    html = "<p>Plan: <strong>Team</strong>, 12 seats</p>"

    @hookimpl
    def console_panels(self, ticket: Ticket) -> Sequence[tuple[str, str]]:
        return [("Customer's plan", self.html)]


class ConsoleDesk:
    """The desk and its console's address. With `working`, messages are answered and sent."""

    def __init__(self, data_dir: Path, encoder: Any = None, working: bool = False, **more: Any):
        self.window, self.panel = Window(), Panel()
        plugins = Plugins()
        plugins.register("window", self.window)
        plugins.register("panel", self.panel)
        values: dict[str, Any] = {
            "data_dir": data_dir,
            "policy": {"reply_at": 1.0, "draft_at": 0.05},
            "inbox": {"quiet_seconds": 0.1, "worker_name": "desk"},
        }
        self.desk = Desk(Settings(**{**values, **more}), plugins=plugins)
        if encoder is not None:
            self.desk.encoder = encoder
        self.tickets = self.desk.tickets
        self.phase = "ready"
        self._working = working
        self._numbers = itertools.count(1)
        port = children.free_port()
        self._server = web.Server("127.0.0.1", port)
        self.address = self._server.address
        self.parts: list[dict[str, Any]] = [
            {"kind": "connector", "name": "window", "state": "up", "restarts": 0, "error": ""}
        ]
        app, self.setup = console(self.desk, self.address, lambda: self.phase, lambda: self.parts)
        self._server.start(app)

    def __enter__(self) -> ConsoleDesk:
        if self._working:
            apart(self.desk.inbox.start)
        return self

    def __exit__(self, *error: object) -> None:
        self.phase = "stopping"
        self._server.stop()
        apart(self.desk.close)

    def add(self, name: str, role: Role = "agent") -> None:
        """Somebody who logs in with PASSWORD."""
        self.tickets.people.add(name, role, "test", password=_HASHED)

    def message(self, text: str, subject: str = "", **more: Any) -> Message:
        """A customer's message, in a conversation of its own unless `thread` names one; with
        `pictures` and other `files`."""
        number = next(self._numbers)
        pictures = tuple(
            Attachment("image/png", f"screen-{n}.png", content)
            for n, content in enumerate(more.get("pictures", ()), 1)
        )
        return Message(
            "window",
            f"m{number}",
            more.get("thread") or f"t{number}",
            more.get("sender", "ann@example.com"),
            text,
            subject,
            attachments=(*pictures, *more.get("files", ())),
        )

    def receive(self, text: str, subject: str = "", **more: Any) -> Message:
        """A customer writes; a desk that works answers it."""
        message = self.message(text, subject, **more)
        store = self.desk.inbox.accept if self._working else self.tickets.store_message
        apart(lambda: store(message))
        return message


def apart(work: Callable[[], Any]) -> None:
    """Runs `work` in another thread: Playwright keeps an event loop in this one, and DBOS does not
    work beside one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
