"""The tool contract: what a plugin lets the desk look up or do.

A tool is a LangChain tool, which has a name, a description and typed arguments, together with what
the desk must know before it calls one. Arguments that neither a model nor a rule may choose are
marked with LangChain's `InjectedToolArg`; the desk fills them in by their names:

    customer         who wrote the message, as the connector says: `message.sender`
    idempotency_key  the same for the same call of the same message, also after a crash

What a tool returns is text. It becomes a passage that an answer may cite, so write sentences; the
empty text says that there is nothing to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

Risk = Literal["read", "write", "approval"]

Rule = Callable[[str], Mapping[str, Any] | None]
"""From a customer's words to the arguments to call the tool with, or None if they do not ask
for it."""


@dataclass(frozen=True)
class Tool:
    """One tool and its terms.

    risk        read: changes nothing, may be called for any message. write: changes something,
                called without a person only if the operator names it in `tools.allowed`. approval:
                a person approves each call, whatever the settings say
    rule        calls the tool without a chat model; only for risk read
    title       the heading of the passage that its result becomes; empty: its name, in words
    limit_s     seconds one call may take
    per_minute  calls a minute, in one process; further ones are refused
    plugin      set by the desk
    """

    tool: BaseTool
    risk: Risk = "approval"
    rule: Rule | None = None
    title: str = ""
    limit_s: float = 10.0
    per_minute: int = 60
    plugin: str = ""

    @property
    def name(self) -> str:
        """The tool's name, unique on a desk."""
        return self.tool.name
