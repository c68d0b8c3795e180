"""Replaces secrets and personal data in a customer's message before anything else reads it.

    My card 4111 1111 1111 1111 was refused  ->  My card [card number] was refused

The text was stored as it came: the support person still sees all of it. Models, the search, traces
and logs see the replaced text, also in files of text and in what was said before. On screenshots
what is private is covered before they are stored: nobody sees it again.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection
from dataclasses import replace
from itertools import chain
from typing import get_args

from pydantic import BaseModel, ConfigDict, Field

from assistant import Attachment, Message, Ticket, Turn, hookimpl
from assistant.hooks import Show
from plugins.redaction.kinds import Kind

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
    "phone": "[phone number]",
    "name": "[name]",
}


class Redaction:
    """The plugin: `[plugins.redaction]` in deskmate.toml."""

    required = True
    permissions = frozenset({"tickets:read", "tickets:write"})

    class Settings(BaseModel):
        """What to replace. Addresses are left by default: the desk knows the sender's anyway, and
        `which account?` is often answered by one. So are names and telephone numbers, by which a
        customer is called and called back."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        kinds: tuple[Kind, ...] = Field(
            ("card", "iban", "key", "password", "national id"),
            description=f"What is replaced. Any of: {', '.join(get_args(Kind))}.",
        )
        screenshots: bool = Field(True, description="Cover it on screenshots too.")

    def __init__(self, settings: Settings) -> None:
        self.kinds = settings.kinds
        self.screenshots = settings.screenshots

    @hookimpl(tryfirst=True)
    def message_arriving(self, message: Message, show: Show) -> Message | None:
        """Covers pictures before they are stored."""
        attachments = tuple(chain(*(self._covered(a, show) for a in message.attachments)))
        if attachments == message.attachments:
            return None
        return replace(message, attachments=attachments)

    @hookimpl(tryfirst=True)
    def message_received(self, message: Message, ticket: Ticket, show: Show) -> Message | None:
        """Goes first: other plugins see the replaced text too. Pictures are looked at again, for
        those that were stored before this plugin was there."""
        changed = self.message_arriving(message, show) or message
        changed = replace(
            changed,
            text=redact(message.text, self.kinds),
            subject=redact(message.subject, self.kinds),
            attachments=tuple(self._replaced(a) for a in changed.attachments),
        )
        return None if changed == message else changed

    @hookimpl(tryfirst=True)
    def conversation_read(self, conversation: tuple[Turn, ...]) -> list[Turn]:
        """What was said before was stored as it came, too."""
        return [replace(turn, text=redact(turn.text, self.kinds)) for turn in conversation]

    def _covered(self, attachment: Attachment, show: Show) -> tuple[Attachment, ...]:
        if not self.screenshots:
            return (attachment,)
        from plugins.redaction import covering

        pictures = [
            (content, covering.private_boxes(screen.lines, self.kinds))
            for content, screen in show(attachment)
        ]
        if not any(boxes for _, boxes in pictures):
            return (attachment,)
        return tuple(covering.covered(attachment, pictures))

    def _replaced(self, attachment: Attachment) -> Attachment:
        text = _text_of(attachment)
        if text is None:
            return attachment
        seen = redact(text, self.kinds)
        return attachment if seen == text else replace(attachment, content=seen.encode())


def _text_of(attachment: Attachment) -> str | None:
    """The text of a log, a table or another file of text; None for any other file."""
    windows = attachment.content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = attachment.content.decode("utf-16" if windows else "utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def redact(text: str, kinds: Collection[Kind]) -> str:
    """`text` with each find replaced by words for its kind, such as `[card number]`."""
    from plugins.redaction.finding import find_private

    pieces, position = [], 0
    for find in find_private(text[:LONGEST], kinds):
        pieces += [text[position : find.start], WORDS[find.kind]]
        position = find.end
    pieces.append(text[position:LONGEST])
    if len(text) > LONGEST:
        pieces.append(f" [{len(text) - LONGEST:,} more characters left out]")
    return "".join(pieces)
