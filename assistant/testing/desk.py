"""A desk in memory, for the tests of plugins: no models, no index, no database, no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from assistant.articles import Hit, Passage
from assistant.connecting import Connector
from assistant.hooks import Show
from assistant.messages import (
    Action,
    Answer,
    Citation,
    Message,
    Outcome,
    PluginFault,
    Reply,
    Ticket,
    Turn,
    now,
)
from assistant.plugging import Plugins
from assistant.settings import Settings
from assistant.tools import Tool

T = TypeVar("T")


@dataclass
class PluginDesk:
    """Takes messages along the moments at which plugins act, and records what they did.

        desk = PluginDesk()
        desk.add("shout", Shout, {"mark": "!"})
        assert desk.receive("hello").text == "HELLO!"

    A fault fails the test at once, unless `strict` is False; then it stands in `faults`. `show` is
    what plugins look at pictures with; by default they see none.
    """

    strict: bool = True
    show: Show = lambda attachment: ()
    plugins: Plugins = field(default_factory=Plugins)
    faults: list[PluginFault] = field(default_factory=list)
    recorded: list[tuple[str, Any]] = field(default_factory=list)
    ticket: Ticket = field(
        default_factory=lambda: Ticket(1, "test", "thread", "ann@example.com", "", "open", now())
    )

    def add(self, name: str, plugin: object, settings: Mapping[str, Any] | None = None) -> None:
        """Registers a module, an object, or a class with its table of settings, all granted.

        Raises PluginError or SettingsError with what is wrong, as `deskmate plugins check` would.
        """
        self.plugins.table(name, settings or {})
        self.plugins.register(name, plugin)

    def arrive(self, message: Message | str) -> Message:
        """`message_arriving`: the message as it is stored."""
        arriving = self.plugins.message_arriving(_message(message), self.show, self.faults, [])
        return self._did("message_arriving", arriving)

    def receive(self, message: Message | str) -> Message:
        """`message_received`: the message as plugins leave it. Text comes from ann@example.com."""
        received = self.plugins.message_received(
            _message(message), self.ticket, self.faults, self.show
        )
        return self._did("message_received", received)

    def recall(self, *texts: str) -> tuple[Turn, ...]:
        """`conversation_read`, for what the customer said before: as models may read it."""
        said = tuple(Turn("customer", text, now()) for text in texts)
        made = self.plugins.conversation_read(_message(""), said, self.faults)
        return self._did("conversation_read", made)

    def find(self, message: Message | str, *passages: Passage | str) -> tuple[Hit, ...]:
        """`message_received`, then `passages_found` with a hit for each of these, best first."""
        hits = [Hit(passage, 1.0 / n) for n, passage in enumerate(_passages(passages), 1)]
        received = self.receive(message)
        return self._did("passages_found", self.plugins.passages_found(received, hits, self.faults))

    def draft(self, text: str, *passages: Passage | str) -> Answer:
        """`answer_drafted`, for an answer of this text that cites these passages."""
        cited = tuple(Citation(n, p, p.text) for n, p in enumerate(_passages(passages), 1))
        message = Message("test", "1", "thread", "ann@example.com", "")
        return self._did(
            "answer_drafted",
            self.plugins.answer_drafted(message, Answer(text, cited, 0.9), self.faults),
        )

    def decide(self, action: Action, text: str = "", message: Message | str = "") -> Outcome:
        """`outcome_decided`, for a message that came to this."""
        outcome = Outcome(action, "as decided", text)
        return self._did(
            "outcome_decided",
            self.plugins.outcome_decided(_message(message), self.ticket, outcome, self.faults),
        )

    def send(self, text: str) -> str | None:
        """`reply_sending`: why the reply is held back, as `plugin: reason`, or None."""
        reply = Reply("r1", self.ticket.id, "test", "thread", "ann@example.com", "Re:", text)
        return self._did("reply_sending", self.plugins.reply_sending(reply, self.faults))

    def solve(self) -> None:
        """`ticket_solved`."""
        self.plugins.ticket_solved(self.ticket, self.faults)
        self._did("ticket_solved", None)

    def tools(self, **settings: Any) -> dict[str, Tool]:
        """`register_tools`: the tools by name. Call one with `tools["name"].tool.invoke({…})`."""
        made = self.plugins.register_tools(Settings(**settings), self.faults)
        return {tool.name: tool for tool in self._did("register_tools", made)}

    def connectors(self, **tables: Mapping[str, Any]) -> dict[str, Connector]:
        """`register_connectors` with these tables `[connectors.NAME]`: the connectors by name."""
        settings = Settings(connectors={name: dict(table) for name, table in tables.items()})
        made = self.plugins.register_connectors(settings, self.faults)
        return {one.name: one for one in self._did("register_connectors", made)}

    def articles(self, **settings: Any) -> Sequence[Any]:
        """`register_sources`: all articles of all sources."""
        made = self.plugins.register_sources(Settings(**settings), self.faults)
        return [article for source in self._did("register_sources", made) for article in source]

    def _did(self, hook: str, result: T) -> T:
        self.recorded.append((hook, result))
        if self.strict and self.faults:
            fault = self.faults[0]
            raise AssertionError(f"plugin {fault.plugin}, {fault.hook}: {fault.error}")
        return result


def _message(given: Message | str) -> Message:
    if isinstance(given, str):
        return Message("test", "1", "thread", "ann@example.com", given)
    return given


def _passages(given: Sequence[Passage | str]) -> list[Passage]:
    return [
        passage
        if isinstance(passage, Passage)
        else Passage(f"p{number}", f"article-{number}.md", (f"Article {number}",), passage)
        for number, passage in enumerate(given, 1)
    ]
