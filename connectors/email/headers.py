"""Headers, cut before anything reads them.

The standard library's readers can be kept busy for seconds, and filled with gigabytes, by one long
header; so what is longer than a header may sensibly be is cut where it comes in.
"""

from __future__ import annotations

from collections.abc import Sequence
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message as Part
from email.policy import Compat32

from connectors.email import charsets

LONGEST = 2_000  # characters of one header, folded lines included
MOST = 500  # headers of one part

Headers = tuple[tuple[str, str], ...]
"""Names in lower case with decoded values, in the order of the mail."""


class Capped(Compat32):
    """The standard library's most forgiving policy; it cuts headers as they are read."""

    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        """Name and value, cut."""
        name, _, first = sourcelines[0].partition(":")
        left, lines = LONGEST, []
        for line in (first.lstrip(" \t"), *sourcelines[1:]):
            lines.append(line[:left])
            left -= len(line)
            if left <= 0:
                break
        return name[:100], "".join(lines).rstrip("\r\n")

    def header_fetch_parse(self, name: str, value: str) -> str:
        """The value as text, also where it holds bytes that should have been encoded."""
        return _eight_bit(value)


def read(part: Part) -> Headers:
    """All headers of a part, decoded."""
    return tuple((name.lower(), decode(value)) for name, value in part.raw_items())[:MOST]


def decode(value: object) -> str:
    """A header's text: encoded words decoded, folds undone, control characters gone."""
    text = str(value)[:LONGEST]
    try:
        pieces = decode_header(text) if "=?" in text else [(text, None)]
    except (HeaderParseError, ValueError):
        pieces = [(text, None)]
    joined = "".join(
        charsets.decode(piece, charset) if isinstance(piece, bytes) else _eight_bit(piece)
        for piece, charset in pieces
    )
    return " ".join("".join(c if c.isprintable() else " " for c in joined).split())


def first(headers: Headers, name: str) -> str:
    """The first header of this name, or nothing."""
    return next((value for key, value in headers if key == name), "")


def every(headers: Headers, name: str) -> tuple[str, ...]:
    """All headers of this name, the one on top first."""
    return tuple(value for key, value in headers if key == name)


def _eight_bit(text: str) -> str:
    """Bytes that should have been encoded, as the standard library keeps them, read as text."""
    if text.isascii():
        return text
    return charsets.decode(text.encode("utf-8", "surrogateescape"), None)
