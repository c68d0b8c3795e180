"""A message's encoding to ranked passages: meaning and words, fused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import torch
from torch import Tensor

from assistant.articles import Explanation, Hit
from assistant.knowledge import explanation
from assistant.knowledge.lexical import Filter, Lexical
from assistant.knowledge.matching import Candidate, Matches, match
from assistant.knowledge.scorer import PARTS, ArticleScorer
from assistant.knowledge.store import Store
from assistant.messages import Encoding

CANDIDATES = 200
"""How deep each ranking is read before they are fused."""

RRF_K = 20


class Retriever:
    """Finds passages by three rankings, fused by reciprocal rank (Cormack, Clarke and Büttcher,
    2009): passages by their vectors, passages by their words, and whole articles by their words.

    A passage's score is the sum of 1 / (20 + rank) over the rankings that found it or, for the
    third, its article. For a message with a screenshot, `scorer` then ranks the articles found.
    """

    def __init__(self, store: Store, lexical: Lexical, scorer: ArticleScorer) -> None:
        self._store = store
        self._lexical = lexical
        self.scorer = scorer

    def search(self, encoding: Encoding, filter: Filter, *, limit: int | None) -> list[Hit]:
        """The best `limit` passages (None: all candidates) that `filter` allows, best first; each
        says by which ranking it was found, at which rank. The scores of hits for a screenshot are
        probabilities: the articles' best ones add up to 1."""
        if not encoding.lines:
            hits = self.candidates(encoding, filter, limit)
            return hits if limit is None else self._explained(encoding, hits)
        hits = self.candidates(encoding, filter, None)
        matches = self.matches(encoding, hits, filter)
        if matches is None:
            return []
        hits = self._scored(hits, matches, encoding.weights)[:limit]
        return hits if limit is None else self._explained(encoding, hits, matches)

    def candidates(self, encoding: Encoding, filter: Filter, limit: int | None) -> list[Hit]:
        """The best `limit` passages by the fused rankings alone (None: all that were found)."""
        how: dict[str, dict[str, int]] = defaultdict(dict)
        article_of: dict[str, str] = {}
        similarity: dict[str, float] = {}
        nearest = self._store.search(encoding.vector, filter, limit=CANDIDATES)
        for rank, (passage, article, cosine) in enumerate(nearest, 1):
            how[passage]["meaning"] = rank
            similarity[passage] = cosine
            article_of[passage] = article
        labels = [line.text for line in encoding.lines]
        worded = self._lexical.search_passages(
            encoding.text, filter, labels=labels, limit=CANDIDATES
        )
        for rank, (passage, article) in enumerate(worded, 1):
            how[passage]["words"] = rank
            article_of[passage] = article
        articles = self._lexical.search_articles(
            encoding.text, filter, labels=labels, limit=CANDIDATES
        )
        article_rank = {article: rank for rank, article in enumerate(articles, 1)}
        for passage, article in article_of.items():
            if article in article_rank:
                how[passage]["article's words"] = article_rank[article]

        scores = {passage: sum(_reciprocal(ranks).values()) for passage, ranks in how.items()}
        best = sorted(scores, key=lambda passage: (-scores[passage], passage))[:limit]
        passages = self._lexical.passages(best)
        return [
            Hit(passages[id_], scores[id_], how[id_], similarity.get(id_, 0.0))
            for id_ in best
            # The vector store is written first: while an article that becomes public is indexed,
            # its old words are still internal.
            if id_ in passages and filter.shows(passages[id_])
        ]

    def _scored(
        self, hits: Sequence[Hit], matches: Matches, line_weights: Sequence[float]
    ) -> list[Hit]:
        """The hits of a screenshot, the most probable article's first; within an article as they
        came."""
        with torch.inference_mode():
            scores = self.scorer(torch.tensor(line_weights), matches)  # [articles]
        probability = dict(zip(matches.articles, scores.softmax(0).tolist(), strict=True))
        ordered = sorted(
            (hit for hit in hits if hit.passage.article_id in probability),
            key=lambda hit: (
                -probability[hit.passage.article_id],
                hit.passage.article_id,
                -hit.score,
            ),
        )
        return [
            replace(hit, score=probability[article] * hit.score / best)
            for article, group in groupby(ordered, lambda hit: hit.passage.article_id)
            for own in [list(group)]
            for best in [own[0].score]
            for hit in own
        ]

    def _explained(
        self, encoding: Encoding, hits: Sequence[Hit], matches: Matches | None = None
    ) -> list[Hit]:
        """The hits, each with why it was found."""
        passages = [hit.passage for hit in hits]
        words = explanation.shared_words(encoding.text, passages, self._lexical.rarity)
        if matches is None:
            return [
                replace(hit, why=Explanation(_reciprocal(hit.how), (), own))
                for hit, own in zip(hits, words, strict=True)
            ]
        weights = torch.tensor(encoding.weights)
        of_article: dict[str, tuple[dict[str, float], tuple[float, ...]]] = {}
        for article in dict.fromkeys(passage.article_id for passage in passages):
            parts, lines = explanation.contributions(
                self.scorer, weights, matches, matches.articles.index(article)
            )
            of_article[article] = (
                dict(zip(PARTS, _rounded(parts), strict=True)),
                tuple(_rounded(lines)),
            )
        return [
            replace(hit, why=Explanation(*of_article[hit.passage.article_id], own))
            for hit, own in zip(hits, words, strict=True)
        ]

    def matches(self, encoding: Encoding, hits: Sequence[Hit], filter: Filter) -> Matches | None:
        """What the scorer is given for a screenshot: its lines beside the passages found.

        Articles that were removed from the index since they were found are left out; None if none
        is left."""
        lengths = self._lexical.lengths(list({hit.passage.article_id for hit in hits}))
        hits = [hit for hit in hits if hit.passage.article_id in lengths]
        if not hits:
            return None
        asked: dict[str, float] = {}
        if encoding.asked_vector is not None:
            nearest = self._store.search(encoding.asked_vector, filter, limit=CANDIDATES)
            asked = {passage: cosine for passage, _, cosine in nearest}
        # What is not among the nearest is not nearer than the last of them.
        floor = min((hit.similarity for hit in hits if hit.similarity), default=0.0)
        asked_floor = min(asked.values(), default=0.0)
        return match(
            [line.text for line in encoding.lines],
            encoding.asked,
            [
                Candidate(
                    hit.passage,
                    hit.similarity or floor,
                    asked.get(hit.passage.id, asked_floor),
                )
                for hit in hits
            ],
            lengths,
            self._lexical.rarity,
            self._lexical.marked,
        )


def _reciprocal(ranks: Mapping[str, int]) -> dict[str, float]:
    return {ranking: 1 / (RRF_K + rank) for ranking, rank in ranks.items()}


def _rounded(values: Tensor) -> list[float]:
    return [round(value, 4) for value in values.tolist()]
