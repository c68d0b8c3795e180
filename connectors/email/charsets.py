"""Bytes to text, whatever charset they claim to be in."""

from __future__ import annotations

import codecs

from charset_normalizer import from_bytes

SAMPLE_BYTES = 20_000
SHORT_BYTES = 60  # of less, nothing can be guessed
GOOD_FOR_ONE_BROKEN = 4  # characters beyond ASCII that make a text UTF-8 in spite of a broken one
# What mail programs write and Python does not know under that name.
_ALIASES = {
    "ansi": "cp1252",
    "cp-850": "cp850",
    "default": "utf-8",
    "default_charset": "utf-8",
    "gb2312": "gb18030",  # the superset that is meant
    "iso-8859-8-i": "iso-8859-8",
    "ks_c_5601-1987": "cp949",
    "unicode-1-1-utf-7": "utf-7",
    "us-ascii": "utf-8",
    "utf8mb4": "utf-8",
    "windows-874": "cp874",
    "x-gbk": "gbk",
    "x-sjis": "cp932",
    "x-windows-949": "cp949",
    "shift_jis": "cp932",
    "iso-8859-1": "cp1252",  # as browsers read it
    "latin-1": "cp1252",
}
_NO_TEXT = {"base64", "bz2", "hex", "quopri", "rot13", "uu", "zlib", "punycode", "idna"}


def decode(content: bytes, claimed: str | None) -> str:
    """The text. If `claimed` is no charset, or not the right one, the right one is guessed."""
    for name in (claimed or "utf-8", "utf-8"):
        codec = _codec(name)
        if codec is None:
            continue
        try:
            return content.decode(codec).removeprefix("\ufeff")
        except (UnicodeError, ValueError):
            continue
    broken = content.decode("utf-8", errors="replace")
    beyond = sum(character > "\x7f" for character in broken)
    if beyond > (1 + GOOD_FOR_ONE_BROKEN) * broken.count("\ufffd"):
        return broken
    if len(content) < SHORT_BYTES:
        return content.decode("cp1252", errors="replace")
    guess = from_bytes(content[:SAMPLE_BYTES]).best()
    return content.decode(guess.encoding if guess else "cp1252", errors="replace")


def _codec(name: str) -> str | None:
    name = name.strip().strip("'\"").lower()
    name = _ALIASES.get(name, name)
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError, UnicodeError):
        return None
    return None if found.replace("-codec", "") in _NO_TEXT else found
