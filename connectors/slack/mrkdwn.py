"""Slack's text format, there and back.

https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

_LINK = re.compile(r"<([^<>|]*)(?:\|([^<>]*))?>")
_URL = re.compile(r"https?://[^\s<>|]*[^\s<>|.,;:!?)\]'\"]")


def escape(text: str) -> str:
    """Text that Slack shows as it is: nothing in it becomes a mention, a link or `@channel`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def link(url: str, words: str) -> str:
    """A link; only the words if the address is none of the web."""
    if not re.fullmatch(r"https?://[^\s<>|]+", url):
        return escape(words)
    return f"<{escape(url)}|{escape(words).replace('|', '¦')}>"


def with_links(text: str) -> str:
    """Escaped text in which addresses of the web are links."""
    pieces, position = [], 0
    for found in _URL.finditer(text):
        pieces += [escape(text[position : found.start()]), f"<{escape(found.group())}>"]
        position = found.end()
    return "".join([*pieces, escape(text[position:])])


def plain(text: str, name_of: Callable[[str], str], bot_user: str = "") -> str:
    """A post's text in words: `name_of` gives the name of a user's id; the bot's own mention is
    left out."""

    def replaced(found: re.Match[str]) -> str:
        target, label = found.group(1), found.group(2) or ""
        if target == f"@{bot_user}":
            return ""
        if target.startswith("@"):
            return f"@{label or name_of(target[1:])}"
        if target.startswith("#"):
            return f"#{label or target[1:]}"
        if target.startswith("!"):
            return label or f"@{target[1:].split('^')[0]}"
        target = target.removeprefix("mailto:")
        return target if label in ("", target) else f"{label} ({target})"

    return html.unescape(_LINK.sub(replaced, text)).strip()


def split(text: str, longest: int) -> list[str]:
    """`text` in pieces of at most so many characters, cut between paragraphs, lines, sentences or
    words, whichever comes first."""
    pieces = []
    while len(text) > longest:
        window = text[: longest + 1]
        cut = next(
            (at for mark in ("\n\n", "\n", ". ", " ") if (at := window.rfind(mark)) > longest // 3),
            longest,
        )
        cut += 1 if window[cut : cut + 2] == ". " else 0
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*pieces, text] if text else pieces
