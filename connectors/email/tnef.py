"""winmail.dat: what Outlook sometimes wraps a mail's files and words in (TNEF, MS-OXTNEF)."""

from __future__ import annotations

from collections.abc import Iterator
from mimetypes import guess_type

from connectors.email.parts import Leaf

MOST_FILES = 50
LONGEST = 60_000_000  # bytes
TYPES = ("application/ms-tnef", "application/vnd.ms-tnef")


def is_tnef(leaf: Leaf) -> bool:
    """Whether this part is such a wrapping."""
    return leaf.media_type in TYPES or leaf.filename.lower() == "winmail.dat"


def leaves(leaf: Leaf) -> Iterator[Leaf]:
    """What is wrapped, as parts; nothing if it cannot be read."""
    from tnefparse import TNEF

    if len(leaf.content) > LONGEST:
        return
    try:
        opened = TNEF(leaf.content, do_checksum=False)
        html, plain = opened.htmlbody, opened.body
        files = [(file.long_filename() or file.name, file.data) for file in opened.attachments]
    except Exception:  # a parser of a binary format: what it raises has no end
        return
    for media_type, words in (("text/html", html), ("text/plain", plain)):
        if words:
            content = words.encode("utf-8") if isinstance(words, str) else bytes(words)
            yield _leaf(leaf, media_type, "", content)
            break
    for name, content in files[:MOST_FILES]:
        yield _leaf(leaf, guess_type(name)[0] or "application/octet-stream", name, bytes(content))


def _leaf(around: Leaf, media_type: str, filename: str, content: bytes) -> Leaf:
    return Leaf(
        media_type=media_type,
        charset=None,
        filename=filename,
        content_id="",
        attached=bool(filename),
        method="",
        inside=(*around.inside, around.media_type),
        content=content,
    )
