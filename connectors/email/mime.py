"""A mail's bytes as what travels: words, files, who wrote it and in answer to what.

Run this in the child process of `guard`: that bounds what the rest cannot.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message as Part
from email.parser import BytesHeaderParser
from email.utils import parsedate_to_datetime

from assistant import Attachment
from connectors.email import bodies, charsets, headers, kinds, parts, tnef
from connectors.email.address import Address
from connectors.email.address import parse as parse_addresses
from connectors.email.bodies import Body
from connectors.email.headers import Headers
from connectors.email.kinds import Kind
from connectors.email.parts import Leaf

MOST_FILES = 20
LONGEST_HEAD = 100_000  # bytes of which headers are read when the rest cannot be
MOST_REFERENCES = 50
SMALL_PIXELS = 5_000  # the area of a picture in the text that is no screenshot but a logo
UNREAD = "it could not be taken apart"

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,300}>")
_FORWARDS = re.compile(r"(?:fwd?|wg|tr|rv|enc|doorst|vs|vb|pd|i|转发)\s*[:：]", re.IGNORECASE)
_REPORTED = ("message/rfc822", "message/global", "text/rfc822-headers")
_NOT_FOR_PEOPLE = {
    "application/pgp-signature",
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
    "message/delivery-status",
    "text/calendar",
    "text/vcard",
    "text/x-vcard",
}


@dataclass(frozen=True)
class Mail:
    """A mail as it is understood.

    `text` is what the author wrote this time, with what they forward; `quoted` what they answer.
    `answers` are the Message-IDs it names, those it answers directly first. `returned` are those of
    the mails that a bounce or report is about. `fault` says in one clause why it could not be read,
    if it could not.
    """

    message_id: str
    answers: tuple[str, ...]
    author: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    subject: str
    sent_at: datetime | None
    kind: Kind
    text: str
    quoted: str
    attachments: tuple[Attachment, ...]
    returned: tuple[str, ...]
    headers: Headers = field(repr=False)
    fault: str = ""


def parse(raw: bytes) -> Mail:
    """A mail, whatever it is: what cannot be read is said in `fault`."""
    try:
        return _parsed(parts.Opened(raw))
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError):
        return unread(raw, UNREAD)


def unread(raw: bytes, fault: str) -> Mail:
    """A mail of which only the headers are read, and for this reason nothing else."""
    head = BytesHeaderParser(policy=headers.Capped()).parsebytes(raw[:LONGEST_HEAD])
    read = headers.read(head)
    kind = kinds.kind_of(read, head.get_content_type(), "", ())
    return _mail(read, kind, Body(), (), (), fault)


def _parsed(opened: parts.Opened) -> Mail:
    words: list[Leaf] = []
    files: list[Leaf] = []
    types: set[str] = set()
    returned: list[str] = []
    for leaf in opened.leaves():
        if isinstance(leaf, Part):  # the headers of a mail within this one
            returned += _ids(headers.decode(leaf.get("message-id", "")))
            continue
        if leaf.media_type != "text/calendar" or leaf.method:
            types.add(leaf.media_type)
        types.update(leaf.inside)
        if leaf.media_type == "text/rfc822-headers":
            returned += _header_ids(leaf.content)
        elif leaf.media_type.startswith("text/") and not leaf.attached and not leaf.filename:
            words.append(leaf)
        else:
            files.append(leaf)
    read = headers.read(opened.message)
    report_type = str(opened.message.get_param("report-type", "") or "").lower()
    kind = kinds.kind_of(read, opened.message.get_content_type(), report_type, types)
    if kind in ("bounce", "report"):
        words = [leaf for leaf in words if not any(kind in _REPORTED for kind in leaf.inside)]
        files = []
    more = [inner for leaf in files if tnef.is_tnef(leaf) for inner in tnef.leaves(leaf)]
    words += [leaf for leaf in more if leaf.media_type in ("text/plain", "text/html") and not words]
    files = [leaf for leaf in [*files, *more] if not tnef.is_tnef(leaf) and leaf not in words]
    body = bodies.read(
        [leaf for leaf in words if leaf.media_type != "text/calendar"],
        author=headers.first(read, "from"),
        forwards=bool(_FORWARDS.match(headers.first(read, "subject"))),
        answers=bool(headers.first(read, "in-reply-to")),
    )
    return _mail(read, kind, body, tuple(_files(files, body)), tuple(returned), opened.fault)


def _mail(
    read: Headers,
    kind: Kind,
    body: Body,
    attachments: tuple[Attachment, ...],
    returned: tuple[str, ...],
    fault: str,
) -> Mail:
    def addresses(name: str) -> tuple[Address, ...]:
        return parse_addresses(", ".join(headers.every(read, name)))

    references = _ids(" ".join(headers.every(read, "references")))
    answers = [*_ids(headers.first(read, "in-reply-to")), *reversed(references)]
    own = _ids(headers.first(read, "message-id"))
    return Mail(
        message_id=own[0] if own else "",
        answers=tuple(dict.fromkeys(answers))[:MOST_REFERENCES],
        author=next(iter(addresses("from") or addresses("sender")), None),
        reply_to=addresses("reply-to"),
        to=addresses("to"),
        cc=addresses("cc"),
        subject=headers.first(read, "subject"),
        sent_at=_date(headers.first(read, "date")),
        kind=kind,
        text=body.text,
        quoted=body.quoted,
        attachments=attachments,
        returned=returned,
        headers=read,
        fault=fault,
    )


def _files(leaves: Sequence[Leaf], body: Body) -> Iterator[Attachment]:
    """What a person attached or put into the text; not what only stands in what they quote, nor
    the small pictures of signatures."""
    kept = [
        leaf
        for leaf in leaves
        if leaf.media_type not in _NOT_FOR_PEOPLE
        and not leaf.media_type.startswith("multipart/")
        and not (leaf.content_id and leaf.content_id in body.quoted_pictures)
        and not (leaf.content_id and not leaf.attached and _is_small(leaf))
    ]
    for leaf in kept[:MOST_FILES]:
        media_type, name = parts.named(leaf)
        yield Attachment(media_type, name, leaf.content)
    if left := kept[MOST_FILES:]:
        reason = f"only the first {MOST_FILES} files of a mail are read"
        yield Attachment("", f"{len(left)} more files", b"", reason)


def _is_small(leaf: Leaf) -> bool:
    """Whether it is a picture too small to be a screenshot; its size is read, not its pixels."""
    if not leaf.media_type.startswith("image/"):
        return False
    from PIL import Image

    try:
        with Image.open(io.BytesIO(leaf.content)) as image:
            return image.width * image.height < SMALL_PIXELS
    except Exception:  # whatever a broken picture raises: it is read, or reported, later
        return False


def _ids(text: str) -> list[str]:
    return _MESSAGE_ID.findall(text)


def _header_ids(content: bytes) -> list[str]:
    text = charsets.decode(content[:LONGEST_HEAD], None)
    head = BytesHeaderParser(policy=headers.Capped()).parsebytes(text.encode())
    return _ids(headers.decode(head.get("message-id", "")))


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
