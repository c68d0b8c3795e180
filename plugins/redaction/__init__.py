"""Replaces secrets and personal data in a customer's message before anything else reads it.

    My card 4111 1111 1111 1111 was refused  ->  My card [card number] was refused

The message was stored as it came before plugins run: the support person still sees all of it.
Models, the search, traces and logs see the replaced text. Attachments are left as they are.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import get_args

from pydantic import BaseModel, ConfigDict, Field

from assistant import Message, Ticket, hookimpl
from plugins.redaction.finding import Kind, find_private

LONGEST = 100_000
"""Characters that are searched, which bounds the time. Models read far fewer; the rest is dropped
from what they see, since it would go on unsearched."""

WORDS: dict[Kind, str] = {
    "card": "[card number]",
    "iban": "[IBAN]",
    "key": "[key]",
    "password": "[password]",
    "national id": "[national ID]",
    "email": "[e-mail address]",
}


class Redaction:
    """The plugin: `[plugins.redaction]` in deskmate.toml."""

    required = True
    permissions = frozenset({"tickets:read", "tickets:write"})

    class Settings(BaseModel):
        """What to replace. Addresses are left by default: the desk knows the sender's anyway, and
        `which account?` is often answered by one."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        kinds: tuple[Kind, ...] = Field(
            ("card", "iban", "key", "password", "national id"),
            description=f"What is replaced. Any of: {', '.join(get_args(Kind))}.",
        )

    def __init__(self, settings: Settings) -> None:
        self.kinds = settings.kinds

    @hookimpl(tryfirst=True)
    def message_received(self, message: Message, ticket: Ticket) -> Message | None:
        """Goes first: other plugins see the replaced text too."""
        text, subject = redact(message.text, self.kinds), redact(message.subject, self.kinds)
        if (text, subject) == (message.text, message.subject):
            return None
        return replace(message, text=text, subject=subject)


def redact(text: str, kinds: Collection[Kind]) -> str:
    """`text` with each find replaced by words for its kind, such as `[card number]`."""
    pieces, position = [], 0
    for find in find_private(text[:LONGEST], kinds):
        pieces += [text[position : find.start], WORDS[find.kind]]
        position = find.end
    pieces.append(text[position:LONGEST])
    if len(text) > LONGEST:
        pieces.append(f" [{len(text) - LONGEST:,} more characters left out]")
    return "".join(pieces)
