"""Bytes -> text, and what stands at a text file's top: encodings, front matter, plain text."""

from __future__ import annotations

import codecs
import re
import tomllib
from typing import Any

import yaml

from assistant.errors import UnreadableError
from assistant.knowledge.outline import Outline

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMED_BY_PAGE = re.compile(
    rb"""<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*["']?([\w-]+)""", re.I
)
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_LONGEST_FRONT_MATTER = 64_000
_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\r?\n(.*?)^\1[ \t]*\r?$\n?", re.S | re.M)


def decode(content: bytes, *, html: bool = False) -> str:
    """A text file's text: by its byte order mark, as UTF-8, as the page itself says, or in the
    encoding that its bytes suggest most.

    Raises UnreadableError when the bytes are no text.
    """
    try:
        for mark, encoding in _MARKS:
            if content.startswith(mark):
                return content.decode(encoding)
        head = content[:8192]
        if len(_BINARY.findall(head)) > len(head) / 100:
            raise UnreadableError("is no text: it holds binary data")
        named = _NAMED_BY_PAGE.search(content[:2048]) if html else None
        for encoding in ("utf-8", named.group(1).decode() if named else "utf-8"):
            try:
                return content.decode(encoding)
            except (UnicodeDecodeError, LookupError):
                continue
        return _guessed(content)
    except UnicodeDecodeError as error:
        raise UnreadableError(
            f"is no text in {error.encoding}, which its first bytes announce; save it as UTF-8"
        ) from error


def _guessed(content: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(content[:200_000]).best()
    # On short Western texts the guess is often a neighbour of cp1252, such as cp1250.
    encoding = (
        best.encoding if best and best.alphabets and not _is_latin(best.alphabets) else "cp1252"
    )
    return content.decode(encoding, "replace")


def _is_latin(alphabets: list[str]) -> bool:
    return not any(
        name.startswith(("Cyrillic", "Greek", "Hebrew", "Arabic", "CJK", "Hiragana", "Katakana",
                         "Hangul", "Thai"))
        for name in alphabets
    )  # fmt: skip


def split_front_matter(text: str) -> tuple[dict[str, str], str]:
    """What the front matter says (YAML or, between `+++`, TOML), and the text after it.

    Keys are in lower case; values that are no single word, number or sentence are left. YAML with
    mistakes is read line by line, so that one colon too many does not hide an audience.
    """
    match = _FRONT_MATTER.match(text.lstrip("\ufeff"))
    if not match or len(match.group(2)) > _LONGEST_FRONT_MATTER:
        return {}, text
    try:
        if match.group(1) == "+++":
            said: Any = tomllib.loads(match.group(2))
        else:
            said = yaml.safe_load(match.group(2))
    except (yaml.YAMLError, tomllib.TOMLDecodeError, ValueError, RecursionError):
        lines = re.findall(r"^([\w-]+)[ \t]*[:=][ \t]*(.+?)[ \t]*$", match.group(2), re.M)
        said = {key: value.strip("\"'") for key, value in lines}
    if not isinstance(said, dict):
        # A thematic break, text, and another one: no front matter at all.
        return {}, text
    metadata = {
        str(key).lower(): str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in said.items()
        if isinstance(value, (str, int, float, bool))
    }
    return metadata, text.lstrip("\ufeff")[match.end() :]


def read_text(text: str) -> Outline:
    """The outline of plain text: paragraphs, and a first line that stands alone as its title."""
    outline = Outline()
    paragraphs = re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").strip("\n"))
    first = paragraphs[0].strip() if paragraphs else ""
    if (
        len(paragraphs) > 1
        and "\n" not in first
        and len(first.split()) <= 12
        and first[-1:] not in ".!"
    ):
        outline.heading(1, first)
        paragraphs = paragraphs[1:]
    for paragraph in paragraphs:
        outline.block(paragraph.strip("\n"))
    return outline
