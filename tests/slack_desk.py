"""A desk with its Slack connector at work, beside a stand-in for Slack."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from assistant.articles import Passage
from assistant.desk import Desk
from assistant.messages import Answer, Citation, Message, Outcome, Ticket
from assistant.plugging import Plugins
from assistant.settings import Settings
from assistant.testing.slack import Slack
from connectors.slack import plugin
from connectors.slack.connector import SlackConnector

PATIENCE_SECONDS = 30.0

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


class SlackDesk:
    """A desk that answers what people write in a Slack. `answer` stands in for the pipeline, if it
    is given; `more` are settings of the connector."""

    def __init__(self, slack: Slack, data_dir: Path, answer: Any = echo, **more: Any) -> None:
        self.slack = slack
        plugins = Plugins()
        plugins.register("slack", plugin)
        inbox = {"quiet_seconds": more.pop("quiet_seconds", 0.3), "dead_after_seconds": 2}
        policy = more.pop("policy", {})
        key = more.pop("secret_key", "")
        table = {"api_url": slack.api_url, "app_token": slack.app_token}
        table |= {} if "client_id" in more else {"bot_token": slack.team.bot_token}
        settings = Settings(
            data_dir=data_dir,
            inbox=inbox,
            policy=policy,
            secret_key=key,
            connectors={"slack": {**table, **more}},
        )
        self.desk = Desk(settings, plugins=plugins)
        self.answer = answer
        if answer is not None:
            self.desk.pipeline = SimpleNamespace(answer=lambda *asked: self.answer(*asked))
        self.tickets = self.desk.tickets
        self._stop = threading.Event()

    @property
    def connector(self) -> SlackConnector:
        """The connector that the settings ask for."""
        found: Any = self.desk.connectors["slack"]
        return found

    def __enter__(self) -> SlackDesk:
        self.desk.inbox.start()
        accept = self.desk.inbox.accept
        self._thread = threading.Thread(
            target=self.connector.run, args=(accept, self._stop), daemon=True
        )
        self._thread.start()
        if self.slack.deliveries.http is None:
            eventually(lambda: self.slack.deliveries.connections)
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self.desk.close()

    def reply(self, channel: str, post: dict[str, Any], number: int = 1) -> dict[str, Any]:
        """The bot's answer in the thread of a post, the first or a later one; waits for it."""

        def by_bot() -> list[dict[str, Any]]:
            return [m for m in self.slack.thread(channel, post) if "bot_id" in m]

        eventually(lambda: len(by_bot()) >= number)
        return by_bot()[number - 1]

    def ticket(self, channel: str, post: dict[str, Any]) -> Ticket:
        """The ticket of a post's thread; waits for it."""
        thread = f"{self.slack.team.id}/{channel}/{post['ts']}"
        found: Ticket = eventually(lambda: self.tickets.find("slack", thread))
        return found

    def settled(self) -> None:
        """Waits until nothing is waiting or under way."""
        eventually(lambda: all(d.acknowledged_at for d in self.slack.deliveries.all))
        eventually(lambda: not self.tickets.arrivals.due("slack", limit=1))
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


def shown(message: dict[str, Any]) -> str:
    """All that a post shows: its sections, small print and buttons."""
    lines = []
    for block in message.get("blocks", []):
        if "text" in block:
            lines.append(block["text"]["text"])
        for element in block.get("elements", []):
            text = element["text"]
            lines.append(text if isinstance(text, str) else f"[{text['text']}]")
    return "\n".join(lines)


def buttons(message: dict[str, Any]) -> list[str]:
    """The actions of a post's buttons."""
    elements = [e for b in message.get("blocks", []) for e in b.get("elements", [])]
    return [element["action_id"] for element in elements if "action_id" in element]
