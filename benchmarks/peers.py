"""The plain peers: BM25, a sentence model, and both fused. An article scores as its best chunk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.model import weights

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

MODEL = "all-MiniLM-L6-v2"
CHUNK_WORDS, OVERLAP_WORDS = 180, 40
RRF_K = 20


def load_model() -> SentenceTransformer:
    """Deskmate's own text model in sentence-transformers, with its defaults (float32)."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()
    return SentenceTransformer(str(weights.find(MODEL).folder), device="cpu")


def chunks(texts: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Each text in pieces of 180 words that overlap by 40, and the article each piece is of."""
    pieces, owners = [], []
    for name, text in texts.items():
        words = text.split()
        starts = range(0, max(len(words) - OVERLAP_WORDS, 1), CHUNK_WORDS - OVERLAP_WORDS)
        for start in starts:
            pieces.append(" ".join(words[start : start + CHUNK_WORDS]))
            owners.append(name)
    return pieces, owners


def best_first(scores: Sequence[float], owners: Sequence[str]) -> list[str]:
    """The owners, each by the best of its pieces' scores; those whose score is 0 are left out."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    return list(dict.fromkeys(owners[i] for i in order if scores[i] > 0))


class BM25:
    """bm25s with its defaults, English stop words and Porter's stemmer."""

    def __init__(self, pieces: Sequence[str], owners: Sequence[str]) -> None:
        import bm25s
        import snowballstemmer

        self._owners = owners
        self._stemmer = snowballstemmer.stemmer("porter").stemWords
        self._index = bm25s.BM25()
        self._index.index(self._tokens(list(pieces)), show_progress=False)

    def rank(self, query: str) -> list[str]:
        """The articles that hold words of the query, best first."""
        (tokens,) = self._tokens([query])
        known = [token for token in tokens if token in self._index.vocab_dict]
        return best_first(self._index.get_scores(known), self._owners) if known else []

    def _tokens(self, texts: list[str]) -> Any:
        import bm25s

        return bm25s.tokenize(
            texts, stopwords="en", stemmer=self._stemmer, return_ids=False, show_progress=False
        )


class MiniLM:
    """Cosine of the query's and the chunks' vectors, compared with all chunks."""

    def __init__(
        self, model: SentenceTransformer, pieces: Sequence[str], owners: Sequence[str]
    ) -> None:
        self._model, self._owners = model, owners
        self._vectors = model.encode(list(pieces), show_progress_bar=False)  # [pieces, dim]

    def rank(self, query: str) -> list[str]:
        """All articles, best first."""
        vector = self._model.encode(query, show_progress_bar=False)  # [dim]
        return best_first(1 + self._vectors @ vector, self._owners)


def fuse(rankings: Iterable[Sequence[str]]) -> list[str]:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009) with k = 20."""
    scores: dict[str, float] = defaultdict(float)
    for ranking in rankings:
        for rank, article in enumerate(ranking, 1):
            scores[article] += 1 / (RRF_K + rank)
    return sorted(scores, key=lambda article: -scores[article])


class Plain:
    """All plain peers over the same texts."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        pieces, owners = chunks(texts)
        self.bm25 = BM25(list(texts.values()), list(texts))
        self.bm25_chunks = BM25(pieces, owners)
        self.minilm = MiniLM(load_model(), pieces, owners)

    def ranks(self) -> dict[str, Callable[[str], list[str]]]:
        """How each of them ranks the articles for a query, by its name in the tables."""
        return {
            "bm25": self.bm25.rank,
            "bm25/chunks": self.bm25_chunks.rank,
            "minilm": self.minilm.rank,
            "rrf": self.fused,
        }

    def fused(self, query: str) -> list[str]:
        """BM25 over articles and over chunks, and MiniLM, fused."""
        return fuse(peer.rank(query) for peer in (self.bm25, self.bm25_chunks, self.minilm))
