"""A desk with its Slack connector at work, beside a stand-in for Slack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assistant.messages import Ticket
from assistant.testing.slack import Slack
from connectors.slack import plugin
from tests.channel_desk import ChannelDesk, echo, eventually


class SlackDesk(ChannelDesk):
    """A desk that answers what people write in a Slack. `answer` stands in for the pipeline, if it
    is given; `more` are settings of the connector."""

    def __init__(self, slack: Slack, data_dir: Path, answer: Any = echo, **more: Any) -> None:
        self.slack = slack
        inbox = {"quiet_seconds": more.pop("quiet_seconds", 0.3)}
        others = {"policy": more.pop("policy", {}), "secret_key": more.pop("secret_key", "")}
        table = {"api_url": slack.api_url, "app_token": slack.app_token}
        table |= {} if "client_id" in more else {"bot_token": slack.team.bot_token}
        super().__init__("slack", plugin, data_dir, answer, {**table, **more}, inbox, **others)

    def __enter__(self) -> SlackDesk:
        super().__enter__()
        if self.slack.deliveries.http is None:
            eventually(lambda: self.slack.deliveries.connections)
        return self

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
        super().settled()


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
