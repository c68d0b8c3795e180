"""Deskmate's public names: what connectors, plugins and scripts import.

    from assistant import Attachment, Message, hookimpl

`Desk` is loaded when it is first asked for, since it brings the models' libraries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant.articles import Article, Hit, Passage, Section
from assistant.connecting import Accept, Connector
from assistant.errors import (
    DeskmateError,
    PluginError,
    SettingsError,
    UndeliverableError,
    UnreachableError,
    UnreadableError,
)
from assistant.events import Event
from assistant.hooks import hookimpl
from assistant.messages import (
    Answer,
    Attachment,
    Citation,
    Message,
    Notice,
    Outcome,
    Reply,
    Ticket,
)
from assistant.tools import Tool

if TYPE_CHECKING:
    from assistant.desk import Desk

__version__ = "0.1.0"

__all__ = [
    "Accept",
    "Answer",
    "Article",
    "Attachment",
    "Citation",
    "Connector",
    "Desk",
    "DeskmateError",
    "Event",
    "Hit",
    "Message",
    "Notice",
    "Outcome",
    "Passage",
    "PluginError",
    "Reply",
    "Section",
    "SettingsError",
    "Ticket",
    "Tool",
    "UndeliverableError",
    "UnreachableError",
    "UnreadableError",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    if name == "Desk":
        from assistant.desk import Desk

        return Desk
    raise AttributeError(f"module 'assistant' has no attribute {name!r}")
