"""The words of a mail: of several forms of one text the one a person sees, without what is quoted
and what mail programs add."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.email import charsets, html, quotations, signatures
from connectors.email.parts import Leaf

LONGEST = 100_000  # characters of a text that are read


@dataclass(frozen=True)
class Body:
    """What the author wrote, and what they answer. `quoted_pictures` are the Content-IDs of images
    that stand in what is quoted, and nowhere else."""

    text: str = ""
    quoted: str = ""
    quoted_pictures: frozenset[str] = frozenset()


def read(leaves: Sequence[Leaf], *, author: str, forwards: bool, answers: bool) -> Body:
    """The words of these parts, text or HTML, in order.

    `author` is who wrote them, `forwards` says that what looks quoted is what is passed on,
    `answers` that the mail answers another one.
    """
    forms = [leaf for leaf in leaves if leaf.media_type == "text/html"]
    plain = [leaf for leaf in leaves if leaf.media_type != "text/html"]
    seen = [_visible(leaf) for leaf in forms]
    if any(each.text or each.quoted for each in seen):
        # What stands in no HTML part, such as a list's footer, has no second form.
        rest = (
            [leaf for leaf in plain if "multipart/alternative" not in leaf.inside]
            if forms
            else plain
        )
        shown = frozenset().union(*(each.pictures for each in seen))
        in_quotes = frozenset().union(*(each.quoted_pictures for each in seen))
        text = _joined([each.text for each in seen] + [_text(leaf) for leaf in rest])
        quoted = _joined([each.quoted for each in seen])
    else:
        shown = in_quotes = frozenset()
        text, quoted = _joined([_text(leaf) for leaf in plain]), ""
    parts = quotations.split(text[:LONGEST])
    quoted = _joined([parts.quoted, quoted])
    own = signatures.strip(parts.own, author)
    if forwards:
        return Body(_joined([own, parts.forwarded, quoted]), "", frozenset())
    own = _joined([own, parts.forwarded])
    if not own and not answers:
        own, quoted = quoted, ""
    return Body(own, quoted, in_quotes - shown)


def _visible(leaf: Leaf) -> html.Visible:
    text = charsets.decode(leaf.content[: html.LONGEST], leaf.charset)
    try:
        return html.read(text)
    except ValueError:
        return html.Visible("", "", frozenset(), frozenset())


def _text(leaf: Leaf) -> str:
    text = charsets.decode(leaf.content[: 4 * LONGEST], leaf.charset)
    return "".join(c if c.isprintable() or c in "\n\t" else " " for c in text.replace("\r\n", "\n"))


def _joined(texts: Sequence[str]) -> str:
    return "\n\n".join(text.strip() for text in texts if text.strip())
