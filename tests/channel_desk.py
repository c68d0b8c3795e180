"""A desk with a connector at work, as `deskmate serve` runs it: what tests of channels share."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from assistant.articles import Passage
from assistant.desk import Desk
from assistant.messages import Answer, Citation, Message, Outcome
from assistant.plugging import Plugins
from assistant.serving import parts
from assistant.serving.parts import Part
from assistant.settings import Settings

PATIENCE_SECONDS = 90.0  # a busy machine takes its time

INVOICES = Passage(
    "p1", "invoices.md", ("Download an invoice",), "Open Settings.", "https://help.example/invoices"
)


def replies_with(text: str, action: Any = "reply") -> Outcome:
    """An outcome that cites the article on invoices."""
    answer = Answer(text, (Citation(1, INVOICES, "Open Settings."),), 0.9)
    return Outcome(action, "the article says so", text, answer)


def echo(message: Message, ticket: Any, conversation: Any) -> Outcome:
    """Answers with the question, so that tests see what was asked."""
    return replies_with(f"You asked: {message.text} [1]")


def eventually(holds: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Waits until `holds()` is true, and returns what it returned."""
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return found


class ChannelDesk:
    """A desk with the connector that the plugin `name` registers for the settings `table`.

    `answer` stands in for the pipeline, unless it is None; `inbox` and `policy` are tables of
    settings. Use it as a context manager.
    """

    def __init__(
        self,
        name: str,
        plugin: object,
        data_dir: Path,
        answer: Any,
        table: dict[str, Any],
        inbox: dict[str, Any],
        **more: Any,
    ) -> None:
        plugins = Plugins()
        plugins.register(name, plugin)
        settings = Settings(
            data_dir=data_dir,
            inbox={"dead_after_seconds": 2, **inbox},
            connectors={name: table},
            **more,
        )
        self._name = name
        self.desk = Desk(settings, plugins=plugins)
        self.answer = answer
        if answer is not None:
            self.desk.pipeline = SimpleNamespace(answer=lambda *asked: self.answer(*asked))
        self.tickets = self.desk.tickets
        self.parts: list[Part] = []
        self._stop = threading.Event()

    @property
    def connector(self) -> Any:
        """The connector that the settings ask for."""
        return self.desk.connectors[self._name]

    def __enter__(self) -> Any:
        self.desk.inbox.start()
        self._run(self.connector)
        return self

    def add_worker(self) -> None:
        """Runs another connector with the same settings beside the first."""
        (another,) = self.desk.plugins.register_connectors(self.desk.settings, [])
        another.attach(self.desk)
        self._run(another)

    def _run(self, connector: Any) -> None:
        for part in parts.of_connector(connector, self.desk.inbox.accept):
            self.parts.append(part)
            part.start(self._stop)

    def state(self, name: str) -> dict[str, Any]:
        """How the connector, or a branch of it, is."""
        return next(part.state for part in self.parts if part.state["name"] == name)

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for part in self.parts:
            part.join(PATIENCE_SECONDS)
        self.desk.close()

    def settled(self) -> None:
        """Waits until nothing is waiting or under way."""
        eventually(lambda: not self.tickets.arrivals.due(self._name, limit=1))
        eventually(lambda: not self.tickets.left())
        eventually(
            lambda: (
                not any(
                    stored.state == "intended"
                    for ticket in self.tickets.list(limit=500)
                    for stored in self.tickets.replies.of_ticket(ticket.id)
                )
            )
        )
