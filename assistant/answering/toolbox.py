"""Calls tools for a message, within their terms: risk, time, rate, once for each key, and noted.

What a tool returned becomes a passage: it is ranked among the others, cited like them, and answers
are checked against it.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from assistant.answering.question import Question
from assistant.articles import Passage
from assistant.errors import DeskmateError, SettingsError
from assistant.messages import Message, Ticket
from assistant.plugging import Faults, Plugins
from assistant.tickets.tool_calls import CallState, ToolCall, ToolCalls
from assistant.tools import Tool

MAX_CALLS = 8
"""Calls for one message."""

LONGEST_RESULT = 4_000
RULE_LIMIT_S = 2.0


@dataclass(frozen=True)
class ToolResult:
    """What came of one call: `text` is what the tool said, or why it did not.

    done      it told something
    empty     it has nothing to tell
    failed    it was to be called, and did not end well
    waiting   for a person's approval, as the call `call_id`
    refused   it may not be called so: by a person's decision, or since the call makes no sense
    """

    tool: str
    state: Literal["done", "empty", "failed", "waiting", "refused"]
    text: str
    title: str = ""
    call_id: int | None = None

    @property
    def passage(self) -> Passage:
        """The result as something that can be cited."""
        # Named by what it says: sentences' vectors are remembered by passage.
        mark = hashlib.sha256(self.text.encode()).hexdigest()[:16]
        source = f"tool:{self.tool}"
        return Passage(f"{source}:{mark}", source, (self.title,), self.text, source=source)


Call = Callable[[str, Mapping[str, Any]], ToolResult]
"""Calls a tool by its name with these arguments."""

Choose = Callable[[Question, Sequence[Tool], Call], None]
"""Lets a chat model call what it needs for a question."""


class Toolbox:
    """The tools of a desk. `allowed` names those with risk write that no person need approve;
    `choose` is a chat model's choice, without which rules alone decide."""

    def __init__(
        self,
        tools: Sequence[Tool],
        plugins: Plugins,
        calls: Callable[[], ToolCalls],
        allowed: Collection[str] = (),
        choose: Choose | None = None,
    ) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._plugins = plugins
        self._calls = calls
        self._allowed = frozenset(allowed)
        self._choose = choose
        self._lock = threading.Lock()
        self._called: dict[str, deque[float]] = {name: deque() for name in self._tools}
        for name in self._allowed:
            if name not in self._tools or self._tools[name].risk != "write":
                what = "its risk is not write" if name in self._tools else "there is no such tool"
                writing = ", ".join(t.name for t in tools if t.risk == "write") or "none"
                raise SettingsError(f"tools.allowed: {name!r}: {what}. It may name: {writing}.")

    def __len__(self) -> int:
        return len(self._tools)

    def __iter__(self) -> Iterator[Tool]:
        return iter(self._tools.values())

    def gather(
        self, question: Question, message: Message, ticket: Ticket, faults: Faults
    ) -> list[ToolResult]:
        """Calls what the rules of reading tools ask for, then what a chat model chooses."""
        gathered: list[ToolResult] = []

        def call(name: str, arguments: Mapping[str, Any]) -> ToolResult:
            if len(gathered) >= MAX_CALLS:
                return ToolResult(name, "refused", f"not called: {MAX_CALLS} calls are the most")
            result = self.call(name, arguments, message, ticket, faults)
            if result not in gathered:
                gathered.append(result)
            return result

        words = question.encoding.text
        for tool in self._tools.values():
            if (rule := tool.rule) is None:
                continue
            arguments = self._plugins.caller.call(
                tool.plugin,
                f"rule of {tool.name}",
                lambda rule=rule: rule(words),  # type: ignore[misc]
                faults,
                limit_s=RULE_LIMIT_S,
                secrets=self._plugins.secrets_of(tool.plugin),
            )
            if isinstance(arguments, Mapping):
                call(tool.name, arguments)
        if self._choose and self._tools:
            self._choose(question, tuple(self._tools.values()), call)
        return gathered

    def call(
        self,
        name: str,
        arguments: Mapping[str, Any],
        message: Message,
        ticket: Ticket,
        faults: Faults,
    ) -> ToolResult:
        """One call, or why it was not made. Nothing is noted for a ticket that is not stored
        (number 0), and nothing but reading is done for it."""
        tool = self._tools.get(name)
        if tool is None:
            return ToolResult(name, "refused", "there is no such tool")
        if wrong := _wrong(tool, arguments):
            return ToolResult(name, "refused", wrong)
        key = _key(message, name, arguments)
        free = tool.risk == "read" or name in self._allowed
        if not ticket.id:
            if not free or tool.risk != "read":
                return ToolResult(name, "failed", "only for messages that came through a connector")
            state, text = self._run(tool, arguments, message.sender, key, faults)
            return _result(tool, state, text)
        stored, new = self._calls().begin(
            key,
            ticket_id=ticket.id,
            tool=name,
            plugin=tool.plugin,
            risk=tool.risk,
            arguments=arguments,
            customer=message.sender,
            state="running" if free else "waiting",
        )
        if not new and not (tool.risk == "read" and stored.state in ("running", "failed")):
            return _again(tool, stored)
        if stored.state == "waiting":
            return _result(tool, "waiting", "a person is asked to approve this", stored.id)
        return self._finish(tool, stored, faults)

    def approve(self, call_id: int, who: str) -> ToolResult:
        """Makes a call that waited, for the person `who` who approves it.

        Raises DeskmateError if it does not wait, or its tool is no longer there.
        """
        waiting = {call.id: call for call in self._calls().waiting()}
        if call_id in waiting and waiting[call_id].tool not in self._tools:
            raise DeskmateError(
                f"tool call {call_id}: no running plugin has the tool {waiting[call_id].tool}."
            )
        stored = self._calls().decide(call_id, who, approve=True)
        return self._finish(self._tools[stored.tool], stored, [])

    def refuse(self, call_id: int, who: str) -> None:
        """Never makes a call that waited. Raises DeskmateError if it does not wait."""
        self._calls().decide(call_id, who, approve=False)

    def _finish(self, tool: Tool, stored: ToolCall, faults: Faults) -> ToolResult:
        state, text = self._run(tool, stored.arguments, stored.customer, stored.key, faults)
        self._calls().finish(stored.id, state, text)
        return _result(tool, state, text, stored.id)

    def _run(
        self,
        tool: Tool,
        arguments: Mapping[str, Any],
        customer: str,
        key: str,
        faults: Faults,
    ) -> tuple[CallState, str]:
        if not self._in_rate(tool):
            return "failed", f"not called: {tool.per_minute} calls a minute are the most"
        given = {"customer": customer, "idempotency_key": key}
        filled = {name: given[name] for name in injected(tool) if name in given}
        own: Faults = []
        said = self._plugins.caller.call(
            tool.plugin,
            f"tool {tool.name}",
            lambda: _text(tool.tool.invoke({**arguments, **filled})),
            own,
            limit_s=tool.limit_s,
            secrets=self._plugins.secrets_of(tool.plugin),
        )
        faults += own
        return ("failed", own[0].error) if own else ("done", said or "")

    def _in_rate(self, tool: Tool) -> bool:
        with self._lock:
            called, now = self._called[tool.name], time.monotonic()
            while called and called[0] < now - 60:
                called.popleft()
            if len(called) >= tool.per_minute:
                return False
            called.append(now)
            return True


def injected(tool: Tool) -> frozenset[str]:
    """The names of the arguments that the desk fills in."""
    every, chosen = _model(tool.tool.args_schema), _model(tool.tool.tool_call_schema)
    if every is None or chosen is None:
        return frozenset()
    return frozenset(every.model_fields) - frozenset(chosen.model_fields)


def _wrong(tool: Tool, arguments: Mapping[str, Any]) -> str:
    """Why a tool cannot be called with these arguments; empty if it can. That is the caller's
    mistake, not the plugin's."""
    schema = tool.tool.tool_call_schema
    if model := _model(schema):
        known: Collection[str] = model.model_fields
        try:
            model.model_validate(dict(arguments))
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    else:  # JSON schema, as of an MCP server, which checks the values for itself
        described: Mapping[str, Any] = schema if isinstance(schema, dict) else {}
        known = described.get("properties", {})
        for needed in described.get("required", []):
            if needed not in arguments:
                return f"the argument {needed} is missing"
    unknown = [name for name in arguments if name not in known]
    return f"there is no argument {unknown[0]}" if unknown else ""


def _model(schema: Any) -> type[BaseModel] | None:
    return schema if isinstance(schema, type) and issubclass(schema, BaseModel) else None


def _key(message: Message, tool: str, arguments: Mapping[str, Any]) -> str:
    """The same for the same call of the same message, across crashes and processes."""
    named = json.dumps([message.key, tool, arguments], sort_keys=True, default=str)
    return hashlib.sha256(named.encode()).hexdigest()


def _again(tool: Tool, stored: ToolCall) -> ToolResult:
    """A call that was noted before: its result, without calling again."""
    if stored.state == "running":  # the process died meanwhile
        text = "it was begun before, and nobody knows whether it was done"
        return _result(tool, "failed", text, stored.id)
    return _result(tool, stored.state, stored.result, stored.id)


def _result(tool: Tool, state: CallState, text: str, call_id: int | None = None) -> ToolResult:
    title = tool.title or re.sub(r"[_-]+", " ", tool.name).capitalize()
    if state == "running":
        raise AssertionError("a call that has not ended has no result")
    shown = "empty" if state == "done" and not text.strip() else state
    return ToolResult(tool.name, shown, text, title, call_id)


def _text(value: Any) -> str:
    """What a tool returned as text, of bounded length."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_RESULT else text[:LONGEST_RESULT] + " …"
