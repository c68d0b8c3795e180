"""Deskmate's public names: what connectors, plugins and scripts import.

    from assistant import Attachment, Message, hookimpl

`Desk`, and `Folder` for its `index`, are loaded when they are first asked for, since they bring
libraries of models and formats.
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
    Box,
    Citation,
    Message,
    Notice,
    Outcome,
    Reply,
    Screen,
    ScreenLine,
    Ticket,
    Turn,
)
from assistant.tools import Tool

if TYPE_CHECKING:
    from assistant.desk import Desk
    from assistant.knowledge.sources import Folder

__version__ = "0.1.0"

__all__ = [
    "Accept",
    "Answer",
    "Article",
    "Attachment",
    "Box",
    "Citation",
    "Connector",
    "Desk",
    "DeskmateError",
    "Event",
    "Folder",
    "Hit",
    "Message",
    "Notice",
    "Outcome",
    "Passage",
    "PluginError",
    "Reply",
    "Screen",
    "ScreenLine",
    "Section",
    "SettingsError",
    "Ticket",
    "Tool",
    "Turn",
    "UndeliverableError",
    "UnreachableError",
    "UnreadableError",
    "hookimpl",
]


def __getattr__(name: str) -> Any:
    if name == "Desk":
        from assistant.desk import Desk

        return Desk
    if name == "Folder":
        from assistant.knowledge.sources import Folder

        return Folder
    raise AttributeError(f"module 'assistant' has no attribute {name!r}")
