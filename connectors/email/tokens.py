"""Our mark in mails that leave: a ticket's number, signed.

It stands in the Message-ID, which mail programs give back in References, and in the text, which
people quote. HMAC-SHA256 (RFC 2104), cut to 80 bits: nobody finds another ticket's by guessing.
A customer's mark and the one on mails to staff are signed for different purposes, so that one is of
no use as the other.

    <deskmate.reply.42.7c9a….UQZ3X4KDF2PLM6WA@example.com>      Message-ID
    [DM-42-UQZ3X4KDF2PLM6WA]                                     in the text
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Purpose = Literal["reply", "staff"]

BITS = 80
MOST = 200  # marks in one text that are looked at
_MESSAGE_ID = re.compile(
    r"<deskmate\.(reply|staff)\.(\d{1,18})\.([\w-]{1,80})\.([A-Z2-7]{16})@[^<>\s]{1,255}>"
)
_IN_TEXT = re.compile(r"\[D([MS])-(\d{1,18})-([A-Z2-7]{16})\]")
_LETTERS: dict[Purpose, str] = {"reply": "M", "staff": "S"}


@dataclass(frozen=True)
class Mark:
    """A mark that is ours: the ticket's number, and whether it went to a customer or to staff.
    `about` is the id of the reply or notice, where it was in a Message-ID."""

    ticket_id: int
    purpose: Purpose
    about: str = ""


class Tokens:
    """Signs and checks. `keys` are the desk's secret keys: the first signs, all are good."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = [
            hmac.digest(key.encode(), b"deskmate e-mail tokens", hashlib.sha256) for key in keys
        ]

    def message_id(self, purpose: Purpose, ticket_id: int, about: str, domain: str) -> str:
        """The Message-ID of a mail: the same for the same reply or notice."""
        signature = self._sign(self._keys[0], f"id {purpose} {ticket_id} {about}")
        return f"<deskmate.{purpose}.{ticket_id}.{about}.{signature}@{domain}>"

    def in_text(self, purpose: Purpose, ticket_id: int) -> str:
        """The mark for a mail's text."""
        signature = self._sign(self._keys[0], f"text {purpose} {ticket_id}")
        return f"[D{_LETTERS[purpose]}-{ticket_id}-{signature}]"

    def of_message_id(self, message_id: str) -> Mark | None:
        """What this Message-ID says, if it is one of ours."""
        found = _MESSAGE_ID.fullmatch(message_id)
        if not found:
            return None
        purpose: Purpose = "reply" if found[1] == "reply" else "staff"
        if self._signed(f"id {purpose} {found[2]} {found[3]}", found[4]):
            return Mark(int(found[2]), purpose, found[3])
        return None

    def in_texts(self, *texts: str) -> Iterator[Mark]:
        """All marks of ours in these texts, in order."""
        for text in texts:
            for letter, number, signature in _IN_TEXT.findall(text)[:MOST]:
                purpose: Purpose = "reply" if letter == "M" else "staff"
                if self._signed(f"text {purpose} {number}", signature):
                    yield Mark(int(number), purpose)

    def _signed(self, what: str, signature: str) -> bool:
        return any(hmac.compare_digest(self._sign(key, what), signature) for key in self._keys)

    @staticmethod
    def _sign(key: bytes, what: str) -> str:
        digest = hmac.digest(key, what.encode(), hashlib.sha256)
        return base64.b32encode(digest[: BITS // 8]).decode()


def without_marks(text: str) -> str:
    """The text without marks: nobody gets another one's from us."""
    return _IN_TEXT.sub("", text)
