"""Which articles a question is about: the ranking that benchmarks and golden questions measure."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import UnreadableError
from assistant.knowledge.lexical import Filter
from assistant.knowledge.retriever import Retriever
from assistant.messages import Attachment
from assistant.model.attachments import read_screens
from assistant.model.encoder import MultimodalEncoder


@dataclass(frozen=True)
class Ranking:
    """Articles, best first, with their scores, and the milliseconds that ranking them took.

    `unread` says which screenshots could not be read, and why.
    """

    articles: tuple[str, ...]
    scores: tuple[float, ...]
    milliseconds: float
    unread: tuple[str, ...] = ()


def rank(
    encoder: MultimodalEncoder,
    retriever: Retriever,
    text: str,
    screenshots: Sequence[Path] = (),
    *,
    limit: int = 20,
) -> Ranking:
    """The best `limit` articles for a question, each standing where its best passage does."""
    start = time.perf_counter()
    screens, unread = [], []
    for path in screenshots:
        try:
            screens += read_screens(Attachment.of(path).content, encoder.reader.read)[0]
        except UnreadableError as error:
            unread.append(f"{path}: {error}")
    encoding = encoder.encode(text, screens)
    best: dict[str, float] = {}
    for hit in retriever.search(encoding, Filter("internal"), limit=None):
        best.setdefault(hit.passage.article_id, hit.score)
    milliseconds = (time.perf_counter() - start) * 1_000
    ranked = tuple(best)[:limit]
    return Ranking(ranked, tuple(best[id_] for id_ in ranked), milliseconds, tuple(unread))
