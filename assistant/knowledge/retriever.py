"""A message's encoding to ranked passages: meaning and words, fused."""

from __future__ import annotations

from collections import defaultdict

from assistant.knowledge.lexical import Filter, Lexical
from assistant.knowledge.store import Store
from assistant.messages import Encoding, Hit

CANDIDATES = 200
"""How deep each ranking is read before they are fused."""

RRF_K = 20


class Retriever:
    """Fuses three rankings by reciprocal rank (Cormack, Clarke and Büttcher, 2009): passages by
    their vectors, passages by their words, and whole articles by their words.

    A passage's score is the sum of 1 / (20 + rank) over the rankings that found it or, for the
    third, its article.
    """

    def __init__(self, store: Store, lexical: Lexical) -> None:
        self._store = store
        self._lexical = lexical

    def search(self, encoding: Encoding, filter: Filter, *, limit: int | None) -> list[Hit]:
        """The best `limit` passages (None: all candidates) that `filter` allows, best first; each
        says by which ranking it was found, at which rank."""
        how: dict[str, dict[str, int]] = defaultdict(dict)
        article_of: dict[str, str] = {}
        similarity: dict[str, float] = {}
        nearest = self._store.search(encoding.vector, filter, limit=CANDIDATES)
        for rank, (passage, article, cosine) in enumerate(nearest, 1):
            how[passage]["meaning"] = rank
            similarity[passage] = cosine
            article_of[passage] = article
        worded = self._lexical.search_passages(encoding.text, filter, limit=CANDIDATES)
        for rank, (passage, article) in enumerate(worded, 1):
            how[passage]["words"] = rank
            article_of[passage] = article
        articles = self._lexical.search_articles(encoding.text, filter, limit=CANDIDATES)
        article_rank = {article: rank for rank, article in enumerate(articles, 1)}
        for passage, article in article_of.items():
            if article in article_rank:
                how[passage]["article's words"] = article_rank[article]

        scores = {
            passage: sum(1 / (RRF_K + rank) for rank in ranks.values())
            for passage, ranks in how.items()
        }
        best = sorted(scores, key=lambda passage: (-scores[passage], passage))[:limit]
        passages = self._lexical.passages(best)
        return [
            Hit(passages[id_], scores[id_], how[id_], similarity.get(id_, 0.0))
            for id_ in best
            # The vector store is written first: while an article that becomes public is indexed,
            # its old words are still internal.
            if id_ in passages and filter.shows(passages[id_])
        ]
