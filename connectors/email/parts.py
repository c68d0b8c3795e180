"""A mail's parts, one after the other, decoded.

The standard library takes the mail apart; what it can be attacked with is taken out of its reach
before: long headers (`headers.Capped`), endless parts, and megabytes of base64, which it would go
through line by line: these are lifted out and decoded at once.
"""

from __future__ import annotations

import binascii
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message as Part
from email.parser import BytesParser
from mimetypes import guess_extension, guess_type
from typing import Any

from connectors.email.headers import Capped, decode

MOST = 100
DEEPEST = 20  # parts within parts
LIFTED_BYTES = 4_000  # base64 of at least this length is lifted out
LONGEST_NAME = 150  # characters of a file's name

_BASE64 = rb"[A-Za-z0-9+/=\r\n]"
# Looked for only where a run begins, or each of its bytes would be tried.
_RUN = re.compile(rb"(?<!%b)%b{%d,}+" % (_BASE64, _BASE64, LIFTED_BYTES))
_IN_NAMES = re.compile(r"[\x00-\x1f\x7f<>:\"|?*]|.*[/\\]")

_SAYS_NOTHING = ("application/octet-stream", "application/binary", "image/jpg")


@dataclass(frozen=True)
class Leaf:
    """A part that has no parts. `inside` are the types of the parts around it, the outermost first;
    `method` is a calendar entry's."""

    media_type: str
    charset: str | None
    filename: str
    content_id: str
    attached: bool
    method: str
    inside: tuple[str, ...]
    content: bytes


class _TooManyError(Exception):
    pass


class Opened:
    """A mail taken apart; of more than MOST parts, the first ones.

    `fault` then says so. Raises, and so does `leaves`, for what the standard library trips over,
    RecursionError, ValueError, LookupError, TypeError or AttributeError.
    """

    def __init__(self, raw: bytes) -> None:
        self._lifted: list[bytes] = []
        # Nobody can write it into a mail beforehand.
        self._mark = secrets.token_hex(8).encode()
        self._made: list[Part] = []
        self.fault = ""
        small = _RUN.sub(self._lift, raw)
        try:
            self.message: Part = BytesParser(self._part, policy=Capped()).parsebytes(small)
        except _TooManyError:
            self.fault = f"only the first {MOST} parts of the mail were read"
            # The very first one the standard library only makes to see how it is made.
            self.message = self._made[1]

    def leaves(self) -> Iterator[Leaf | Part]:
        """All parts without parts, in order; of a mail within the mail, its own headers come
        first, as the standard library's part."""
        yield from self._leaves(self.message, ())

    def _leaves(self, part: Part, inside: tuple[str, ...]) -> Iterator[Leaf | Part]:
        media_type = part.get_content_type()
        payload: Any = part.get_payload()
        if isinstance(payload, list) and media_type.startswith(("multipart/", "message/")):
            if len(inside) >= DEEPEST:
                return
            whole = media_type in ("message/rfc822", "message/global")
            for each in payload:
                if whole:
                    yield each
                yield from self._leaves(each, (*inside, media_type))
            return
        if media_type.startswith("multipart/"):  # it says so, and is not
            media_type = "text/plain"
        disposition = (part.get_content_disposition() or "").lower()
        yield Leaf(
            media_type=media_type,
            charset=_charset(part),
            filename=_filename(part),
            content_id=str(part.get("content-id", "")).strip().strip("<>"),
            attached=disposition == "attachment",
            method=str(part.get_param("method", "") or ""),
            inside=inside,
            content=self._content(part),
        )

    def _part(self, policy: Any = None) -> Part:
        if len(self._made) == MOST:
            raise _TooManyError
        self._made.append(Part(policy))
        return self._made[-1]

    def _lift(self, found: re.Match[bytes]) -> bytes:
        """Keeps a run of base64 and leaves a mark in its place. The run may begin within the line
        before, or with the end of a header."""
        run: bytes = found.group()
        begin = re.match(rb"[^\n]{0,200}\n(?:\r?\n)?", run)
        end = run.rfind(b"\n") + 1
        start = begin.end() if begin else 0
        if (
            end - start < LIFTED_BYTES // 2
            or b"\n\n" in run[start:end]
            or b"\n\r\n" in run[start:end]
        ):
            return run
        self._lifted.append(run[start:end])
        number = b"%d" % (len(self._lifted) - 1)
        return run[:start] + self._mark + b"-" + number + b"\r\n" + run[end:]

    def _restored(self, payload: bytes) -> bytes:
        pattern = self._mark + rb"-(\d+)\r?\n?"
        return re.sub(pattern, lambda found: self._lifted[int(found.group(1))], payload)

    def _content(self, part: Part) -> bytes:
        encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
        if encoding == "base64":
            text = part.get_payload()
            raw = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else b""
            return _from_base64(self._restored(raw))
        payload = part.get_payload(decode=True)
        return self._restored(payload) if isinstance(payload, bytes) else b""


def _from_base64(content: bytes) -> bytes:
    try:
        return binascii.a2b_base64(content)
    except binascii.Error:  # cut short, for instance
        kept = re.sub(rb"[^A-Za-z0-9+/]", b"", content)
        try:
            return binascii.a2b_base64(kept[: len(kept) // 4 * 4])
        except binascii.Error:
            return b""


def _charset(part: Part) -> str | None:
    try:
        return part.get_content_charset()
    except (LookupError, UnicodeError, ValueError):
        return None


def _filename(part: Part) -> str:
    try:
        name = decode(part.get_filename() or "")
    except (LookupError, UnicodeError, ValueError, TypeError):
        name = ""
    return _IN_NAMES.sub("", name).strip(" .")[-LONGEST_NAME:]


def named(leaf: Leaf) -> tuple[str, str]:
    """A file's media type and name, each guessed from the other where it says nothing."""
    media_type, name = leaf.media_type, leaf.filename
    guessed = guess_type(name)[0] or media_type
    if media_type in _SAYS_NOTHING or (media_type == "text/plain" and guessed.startswith("image/")):
        media_type = guessed
    if not name:
        name = media_type.partition("/")[0] + (guess_extension(media_type) or "")
    return media_type, name
