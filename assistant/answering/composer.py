"""The embedded default writer: an answer of the passages' own sentences and steps.

It adds no word of its own, so nothing it says can be missing from the sources; what remains to be
decided is whether those sentences answer the question, and that is the policy's work.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.answering.question import Question
from assistant.articles import Passage
from assistant.knowledge.sentences import sentences
from assistant.knowledge.words import content_words
from assistant.messages import Answer, Citation
from assistant.model.text import TokenVectors

Rarity = Callable[[Sequence[str]], dict[str, float]]
"""Gives each word's weight, higher for words that stand in fewer passages."""

MAX_SENTENCES = 3
NEAR_BEST = 0.7
"""A further sentence is taken if it scores at least this share of the best one."""

REMEMBERED_PASSAGES = 4_096

_STEP = re.compile(r"\s*\d{1,4}[.)]\s+\S")
_ITEM = re.compile(r"\s*(?:\d{1,4}[.)]|[-*•])\s+\S")
_ENDS = (".", "!", "?", "…", "。", "！", "？")


@dataclass(frozen=True)
class _Sentences:
    """A passage's sentences in order and their vectors of length 1 [sentences, dim]."""

    texts: list[str]
    vectors: NDArray[np.float32]


class Composer:
    """Chooses sentences by meaning and by rare words shared with the question.

    A sentence's vector is the mean of its tokens' vectors in the whole passage's context (late
    chunking, arXiv:2409.04701); passages asked for often are remembered.
    """

    def __init__(
        self, encode_tokens: Callable[[Sequence[str]], list[TokenVectors]], rarity: Rarity
    ) -> None:
        self._encode_tokens = encode_tokens
        self._rarity = rarity
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Sentences] = OrderedDict()

    def compose(self, question: Question) -> Answer:
        """An answer from the best hit and the others of its article; empty if there are none.

        A sentence of another article may be near the question and about something else.
        """
        worded = [hit.passage for hit in question.hits if sentences(hit.passage.text)]
        if not worded:
            return Answer("", (), 0.0)
        passages = [p for p in worded if p.article_id == worded[0].article_id]
        blocks: list[tuple[Passage, list[str]]] = []
        lead_best = 0.0
        for passage, (texts, scores) in zip(
            passages, self._scores(question, passages), strict=True
        ):
            best = float(scores.max(initial=0.0))
            if not blocks:
                blocks.append((passage, _chosen(texts, scores)))
                lead_best = best
            elif best > lead_best and len(blocks) < 2:
                picked = [texts[int(scores.argmax())]]
                if not set(picked) & set(blocks[0][1]):
                    blocks.append((passage, picked))
        return _written(blocks)

    def _scores(
        self, question: Question, passages: Sequence[Passage]
    ) -> list[tuple[list[str], NDArray[np.float32]]]:
        """Each passage's sentences and their scores [sentences]."""
        asked = content_words(question.text or question.encoding.text)
        weights = self._rarity(list(asked.values()))
        total = sum(weights.values()) or 1.0
        result = []
        for own in self._sentences(passages):
            shared = np.array(
                [
                    sum(weights[asked[stem]] for stem in asked.keys() & content_words(text).keys())
                    for text in own.texts
                ],
                dtype=np.float32,
            )
            similarity = own.vectors @ question.encoding.vector  # [sentences]
            result.append((own.texts, similarity + shared / total))
        return result

    def _sentences(self, passages: Sequence[Passage]) -> list[_Sentences]:
        with self._lock:
            known = {p.id: self._known[p.id] for p in passages if p.id in self._known}
        new = [passage for passage in passages if passage.id not in known]
        texts = [" > ".join(passage.heading_path) + "\n" + passage.text for passage in new]
        for passage, text, tokens in zip(new, texts, self._encode_tokens(texts), strict=True):
            own = sentences(passage.text)
            known[passage.id] = _Sentences(
                own, _pooled(own, text, len(text) - len(passage.text), tokens)
            )
        with self._lock:
            for id_, value in known.items():
                self._known[id_] = value
                self._known.move_to_end(id_)
            while len(self._known) > REMEMBERED_PASSAGES:
                self._known.popitem(last=False)
        return [known[passage.id] for passage in passages]


def _pooled(own: Sequence[str], text: str, start: int, tokens: TokenVectors) -> NDArray[np.float32]:
    """The mean vector, of length 1, of each sentence's tokens [sentences, dim]; zero for
    sentences beyond the model's window."""
    vectors = np.zeros((len(own), tokens.vectors.shape[1]), dtype=np.float32)
    for row, sentence in enumerate(own):
        start = text.index(sentence, start)
        end = start + len(sentence)
        inside = (tokens.spans[:, 0] >= start) & (tokens.spans[:, 1] <= end)  # [tokens]
        inside &= tokens.spans[:, 1] > tokens.spans[:, 0]  # leaves out [CLS] and [SEP]
        start = end
        if inside.any():
            mean = tokens.vectors[inside].mean(axis=0)
            vectors[row] = mean / np.linalg.norm(mean)
    return vectors


def _chosen(texts: Sequence[str], scores: NDArray[np.float32]) -> list[str]:
    """The sentences to say, in their own order: a passage's steps together with the line that
    introduces them, or else the best few sentences."""
    steps = [row for row, text in enumerate(texts) if _STEP.match(text)]
    if len(steps) > 1:
        first, last = steps[0], steps[-1]
        return list(texts[max(0, first - 1) : last + 1])
    order = np.argsort(-scores, kind="stable")[:MAX_SENTENCES]
    least = min(scores[order[0]], NEAR_BEST * scores[order[0]])
    return [texts[row] for row in sorted(order) if scores[row] >= least]


def _written(blocks: Sequence[tuple[Passage, list[str]]]) -> Answer:
    """The blocks as text, each with its citation at its end."""
    texts, citations = [], []
    for number, (passage, chosen) in enumerate(blocks, 1):
        lines: list[str] = []
        for sentence in chosen:
            # What is no whole sentence, such as a row or a list's item, keeps a line of its own.
            if lines and lines[-1].endswith(_ENDS) and not _ITEM.match(sentence):
                lines[-1] += f" {sentence}"
            else:
                lines.append(sentence)
        texts.append("\n".join(lines) + f" [{number}]")
        citations.append(Citation(number, passage, "\n".join(chosen)))
    return Answer("\n\n".join(texts), tuple(citations), 0.0)
