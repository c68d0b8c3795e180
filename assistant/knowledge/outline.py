"""The headings, text and pictures of one document in reading order, whatever its format was.

Every reader fills an `Outline`; an outline gives the sections of an `Article`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from assistant.articles import Picture, Section

# Characters nobody sees: zero-width spaces, soft hyphens, direction marks and tag characters. They
# break words for the search, and are a known way to hide instructions in an article.
_UNSEEN = re.compile(
    "[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LONGEST_HEADING = 200
_LONGEST_LABEL = 80
_QUOTED = re.compile(r"""(?<!\w)(?:"([^"\n]{1,80})"|“([^”\n]{1,80})”|«([^»\n]{1,80})»)""")


def clean(text: str) -> str:
    """`text` without unseen characters, with plain spaces, and without space at line ends."""
    text = _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _CONTROL.sub(" ", text).replace("\u00a0", " ").replace("\u202f", " ")
    text = re.sub(r"[ \t]+\n", "\n", text)
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n").rstrip()


@dataclass
class _Part:
    """A heading and what stands under it, up to the next heading of any level."""

    level: int
    heading: str
    anchor: str
    lines: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)


class Outline:
    """What a reader found, in reading order.

    `metadata` holds what the document says about itself, such as `title`, `url` or `audience`,
    under lower-case keys. A picture's path is still as the document writes it.
    """

    def __init__(self, metadata: dict[str, str] | None = None) -> None:
        self.metadata = metadata or {}
        self._parts = [_Part(level=0, heading="", anchor="")]
        self._labels: dict[str, None] = {}

    def heading(self, level: int, text: str, anchor: str = "") -> None:
        """Starts a part under a heading; level 1 is the highest."""
        text = " ".join(clean(text).split())
        if text:
            self._parts.append(_Part(level, text[:_LONGEST_HEADING], anchor))
            if len(text) > _LONGEST_HEADING:
                self.block(text)

    def line(self, text: str) -> None:
        """Adds a line of its own, such as a list item or a table's row."""
        self._parts[-1].lines.append(text)

    def block(self, text: str) -> None:
        """Adds a paragraph, or several lines that belong together."""
        self.gap()
        self.line(text)
        self.gap()

    def gap(self) -> None:
        """Adds an empty line where there is none yet."""
        lines = self._parts[-1].lines
        if lines and lines[-1]:
            lines.append("")

    def picture(self, path: str, alt: str = "") -> None:
        """Adds a picture that is shown here."""
        self._parts[-1].pictures.append(Picture(path.strip(), " ".join(clean(alt).split())))

    def label(self, text: str) -> None:
        """Notes words of a line that its author marked, such as a button's name in bold."""
        text = " ".join(clean(text).split())
        if 0 < len(text) <= _LONGEST_LABEL:
            self._labels.setdefault(text)

    def labels(self) -> tuple[str, ...]:
        """The words that the author marked or put in quotation marks, each once."""
        text = "\n".join(line for part in self._parts for line in part.lines)
        quoted = (next(filter(None, match.groups())) for match in _QUOTED.finditer(clean(text)))
        return tuple(dict.fromkeys([*self._labels, *quoted]))

    def has_heading(self) -> bool:
        """Whether there is a heading: an article may consist of one, and of pictures."""
        return len(self._parts) > 1

    def title(self, fallback: str) -> str:
        """What the document calls itself, its first heading of the highest level, or `fallback`."""
        said = " ".join(clean(self.metadata.get("title", "")).split())
        if said:
            return said[:_LONGEST_HEADING]
        headings = [part for part in self._parts if part.heading]
        highest = min((part.level for part in headings), default=0)
        return next((part.heading for part in headings if part.level == highest), fallback)

    def sections(self, title: str) -> tuple[Section, ...]:
        """The parts as sections under `title`. A heading that only repeats the title is not a
        section of its own. Empty parts go unless they are the last word on their heading."""
        found: list[Section] = []
        path: list[tuple[int, str]] = []
        for i, part in enumerate(self._parts):
            while path and path[-1][0] >= part.level:
                path.pop()
            anchor = part.anchor
            if part.heading and (path or part.heading != title):
                path.append((part.level, part.heading))
            else:
                anchor = ""
            text = clean("\n".join(part.lines))
            is_leaf = i + 1 == len(self._parts) or self._parts[i + 1].level <= part.level
            if text or part.pictures or (path and is_leaf):
                headings = (title, *(heading for _, heading in path))
                found.append(Section(headings, text, anchor, tuple(part.pictures)))
        return tuple(found) or (Section((title,), ""),)
