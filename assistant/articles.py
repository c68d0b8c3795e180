"""What the company knows: articles, the passages they are split into, and the passages found.

    Article ── split ─> Passage ── search ─> Hit

Everything here is frozen, like `assistant.messages`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Audience = Literal["public", "internal"]


@dataclass(frozen=True)
class Picture:
    """An image an article shows: where it lies, and what its author wrote about it."""

    path: str
    alt: str = ""


@dataclass(frozen=True)
class Section:
    """The part of an article under one heading, without the parts under deeper headings.

    `heading_path` runs from the article's title down to this heading.
    `text` is plain text; paragraphs and list items stand on lines of their own.
    """

    heading_path: tuple[str, ...]
    text: str
    anchor: str = ""
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Article:
    """One document of the company's own knowledge, read but not yet split.

    `id` is its path below the indexed folder, or another name that stays the same between runs.
    `content_hash` covers the file and its pictures: the same hash means nothing to do. `labels` are
    the words that its author marked (bold, quoted, code): mostly what stands on the screen.
    """

    id: str
    title: str
    sections: tuple[Section, ...]
    url: str = ""
    source: str = ""
    product: str = ""
    language: str = ""
    audience: Audience = "public"
    content_hash: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Passage:
    """A piece of an article small enough to be found and cited on its own.

    `pictures` are those that this part of the article shows, `picture_text` is what was read in
    them: it helps to find the passage and is never quoted as the article's words.
    """

    id: str
    article_id: str
    heading_path: tuple[str, ...]
    text: str
    url: str = ""
    picture_text: str = ""
    source: str = ""
    product: str = ""
    language: str = ""
    audience: Audience = "public"
    pictures: tuple[Picture, ...] = ()

    @property
    def title(self) -> str:
        """The article's title."""
        return self.heading_path[0] if self.heading_path else self.article_id


@dataclass(frozen=True)
class Explanation:
    """Why a passage was found.

    `parts` maps each signal to what it added to the passage's score or, for a message with a
    screenshot, to its article's: there 0 is the mean of all articles found, and the numbers are
    log-odds. `lines` [lines] are what each line of the screenshots added to that. `words` are the
    message's words that stand in the passage, the rarest first, with their rarity.
    """

    parts: Mapping[str, float]
    lines: tuple[float, ...] = ()
    words: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Hit:
    """A passage that was found, and how: `how` maps each way of searching to the rank it gave
    (1 is best), such as `{"meaning": 1, "words": 4}`. `similarity` is the cosine of the question's
    and the passage's vectors, 0 where the passage was not found by meaning. `why` is absent where
    all that was found is ranked, and not a few passages chosen."""

    passage: Passage
    score: float
    how: Mapping[str, int] = field(default_factory=dict)
    similarity: float = 0.0
    why: Explanation | None = None
