"""How the lines of a screen match passages: the numbers that articles are scored by."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from assistant.articles import Passage
from assistant.knowledge import terms
from assistant.knowledge.lexical import searchable
from assistant.knowledge.words import FUNCTION_WORDS, stem

K1, B = 1.2, 0.75
"""BM25's constants (Robertson and Zaragoza, 2009)."""

SIGNALS = ("meaning", "words", "title", "length", "asked meaning", "asked words")

Rarity = Callable[[Sequence[str]], Mapping[str, float]]
"""Words or phrases to their inverse document frequencies over all passages."""

Marked = Callable[[Sequence[str]], Mapping[str, tuple[float, frozenset[str]]]]
"""Labels to how rarely articles mark them, and the ids of those that do."""


@dataclass(frozen=True)
class Matches:
    """A screen's lines beside the passages of the articles that may be about it.

    lines       [lines, passages, 2]: BM25 of a line's words in a passage; rarity of the line as a
                whole, if it is a label that stands in the passage
    marked      [lines, articles]: rarity of the line, if the article marks it (bold, quoted …)
    article_of  [passages], the row of each passage's article
    articles    their ids
    signals     [articles, 6], as SIGNALS names them: the greatest cosine of the whole query and a
                passage; BM25 of all the lines' words in the best passage; the share of the title's
                words, weighted by rarity, that stand on the screen; log of the article's length;
                and, where the customer wrote something too, the greatest cosine and BM25 of that
    """

    lines: NDArray[np.float32]
    marked: NDArray[np.float32]
    article_of: NDArray[np.int64]
    articles: tuple[str, ...]
    signals: NDArray[np.float32]


@dataclass(frozen=True)
class _Terms:
    counts: Counter[str]
    length: int
    padded: str


@dataclass(frozen=True)
class Candidate:
    """A passage with the cosines of it and the whole query, and of it and the customer's words."""

    passage: Passage
    similarity: float
    asked_similarity: float


def match(
    lines: Sequence[str],
    asked: str,
    candidates: Sequence[Candidate],
    lengths: Mapping[str, int],
    rarity: Rarity,
    marked: Marked,
) -> Matches:
    """Matches a screen's lines and what its sender `asked` with passages, one at least.

    `lengths` are the numbers of characters of the articles, by their ids.
    """
    passages = [candidate.passage for candidate in candidates]
    texts = [*map(_words, lines), _words(asked)]
    stems = [list(dict.fromkeys(_stems(text))) for text in texts]
    labels = [terms.label(line) for line in lines]
    headings = {passage.article_id: _words(passage.heading_path[0]) for passage in passages}
    titles = {article: frozenset(_stems(heading)) for article, heading in headings.items()}
    spelled = {stem(word): word for text in [*texts, *headings.values()] for word in text}
    rarities = rarity([*spelled.values(), *dict.fromkeys(filter(None, labels))])
    rare = {stemmed: rarities[word] for stemmed, word in spelled.items()}

    contents = [_terms(searchable(passage)) for passage in passages]
    words = _bm25(stems, contents, rare)  # [lines + 1, passages]
    found = np.zeros((len(lines), len(passages)), np.float32)
    for row, label in enumerate(labels):
        if label:
            # A single word says less than several in this order.
            rarity_of_label = rarities[label] * (1 if " " in label else 0.5)
            found[row] = [rarity_of_label * (f" {label} " in each.padded) for each in contents]

    articles = tuple(titles)
    row_of = {article: row for row, article in enumerate(articles)}
    article_of = np.array([row_of[passage.article_id] for passage in passages], np.int64)
    on_screen = frozenset(word for text in stems for word in text)
    by_passage = np.array(
        [
            [candidate.similarity for candidate in candidates],
            words[:-1].sum(0),
            [candidate.asked_similarity for candidate in candidates],
            words[-1],
        ],
        np.float32,
    )
    best = np.full((len(articles), len(by_passage)), -np.inf, np.float32)
    np.maximum.at(best, article_of, by_passage.T)
    covered = [_covered(titles[article], on_screen, rare) for article in articles]
    known = marked(list(dict.fromkeys(filter(None, labels))))
    marks = np.zeros((len(lines), len(articles)), np.float32)
    for row, label in enumerate(labels):
        weight, marking = known.get(label, (0.0, frozenset()))
        marks[row] = [weight * (article in marking) for article in articles]
    length = [math.log(lengths[article]) for article in articles]
    return Matches(
        np.stack([words[:-1], found], axis=2),
        marks,
        article_of,
        articles,
        np.column_stack([best[:, :2], covered, length, best[:, 2:]]).astype(np.float32),
    )


def _bm25(
    texts: Sequence[Sequence[str]], contents: Sequence[_Terms], rare: Mapping[str, float]
) -> NDArray[np.float32]:
    """BM25 of each text's stems in each passage [texts, passages]."""
    scores = np.zeros((len(texts), len(contents)), np.float32)
    mean_length = sum(each.length for each in contents) / len(contents) or 1.0
    rows: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        for word in text:
            rows.setdefault(word, []).append(row)
    for column, each in enumerate(contents):
        norm = K1 * (1 - B + B * each.length / mean_length)
        for word in rows.keys() & each.counts.keys():
            count = each.counts[word]
            scores[rows[word], column] += rare[word] * count * (K1 + 1) / (count + norm)
    return scores


def _covered(title: frozenset[str], words: frozenset[str], rare: Mapping[str, float]) -> float:
    # The 2 keeps a title of one word from being covered at once.
    return sum(rare[word] for word in title & words) / (sum(rare[word] for word in title) + 2)


@lru_cache(maxsize=20_000)
def _terms(text: str) -> _Terms:
    words = _words(text)
    stems = _stems(words)
    return _Terms(Counter(stems), len(stems), f" {' '.join(words)} ")


def _words(text: str) -> list[str]:
    return terms.words(terms.spaced(text))


def _stems(words: Sequence[str]) -> list[str]:
    return [stem(word) for word in words if word not in FUNCTION_WORDS]
