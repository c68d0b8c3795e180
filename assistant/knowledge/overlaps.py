"""Articles that say the same, and articles that may disagree.

Two passages are duplicates if their vectors nearly coincide. They may disagree if they are about
the same thing and hold two sentences of mostly the same words, of which one has other numbers or
denies what the other says. That is a hint for people and no proof: words are compared, not meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from assistant.articles import Passage
from assistant.knowledge.sentences import sentences
from assistant.knowledge.words import content_words, covered

SAME, RELATED = 0.95, 0.6
"""From which cosine on passages are duplicates, and about the same thing."""

SAME_WORDS = 0.6
MOST = 20
BLOCK = 1_000

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_STEP = re.compile(r"^\s*(?:\d{1,3}[.)]|[-*•])\s+")
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|neither|nor|nobody|nothing|cannot|without|\w+n['’]t)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Overlap:
    """Two passages of different articles: the one's sentence and the other's, and what differs."""

    kind: Literal["duplicate", "may disagree"]
    cosine: float
    first: Passage
    second: Passage
    first_words: str
    second_words: str
    differs: str = ""


def find(pages: Iterable[tuple[list[Passage], NDArray[np.float32]]]) -> list[Overlap]:
    """The overlaps among all passages with their vectors [passages, dim], given in pages; what may
    disagree comes first. At most MOST of each kind."""
    passages: list[Passage] = []
    blocks = []
    for own, vectors in pages:
        passages += own
        blocks.append(vectors)
    if not passages:
        return []
    same: list[Overlap] = []
    differ: list[Overlap] = []
    for one, other, cosine in _near(passages, np.concatenate(blocks)):
        if found := disagreement(one, other):
            differ.append(Overlap("may disagree", cosine, one, other, *found))
        elif cosine >= SAME:
            same.append(Overlap("duplicate", cosine, one, other, one.text, other.text))
    differ.sort(key=lambda overlap: -overlap.cosine)
    same.sort(key=lambda overlap: -overlap.cosine)
    return [*differ[:MOST], *same[:MOST]]


def _near(
    passages: list[Passage], vectors: NDArray[np.float32]
) -> Iterator[tuple[Passage, Passage, float]]:
    """Pairs of passages of different articles, in one language, with a cosine of at least
    RELATED; the nearest twenty of each passage."""
    for start in range(0, len(passages), BLOCK):
        cosines = vectors[start : start + BLOCK] @ vectors.T  # [block, passages]
        for row, own in enumerate(cosines):
            own[: start + row + 1] = 0.0  # each pair once
            best = np.argpartition(-own, min(20, len(own) - 1))[:20]
            for column in best[own[best] >= RELATED]:
                one, other = passages[start + row], passages[column]
                if one.article_id != other.article_id and one.language == other.language:
                    yield one, other, float(own[column])


def disagreement(one: Passage, other: Passage) -> tuple[str, str, str] | None:
    """A sentence of each passage that mostly share their words and may disagree, and how they
    differ; None if there is no such pair."""
    for a in sentences(one.text):
        for b in sentences(other.text):
            first, second = _STEP.sub("", a), _STEP.sub("", b)
            if first == second or _shared(first, second) < SAME_WORDS:
                continue
            numbers, others = _NUMBER.findall(first), _NUMBER.findall(second)
            if numbers and others and sorted(numbers) != sorted(others):
                return a, b, f"{', '.join(numbers)} beside {', '.join(others)}"
            if bool(_NEGATION.search(first)) != bool(_NEGATION.search(second)):
                return a, b, "only one of them denies it"
    return None


def _shared(first: str, second: str) -> float:
    """Which share of each sentence's words stands in the other at least, numbers left out; 0 for
    sentences of fewer than three words."""
    first, second = _NUMBER.sub(" ", first), _NUMBER.sub(" ", second)
    if min(len(content_words(first)), len(content_words(second))) < 3:
        return 0.0
    return min(covered(first, second), covered(second, first))
