"""What tools told, among the passages that were found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from assistant.answering.composer import Rarity
from assistant.answering.policy import Decision
from assistant.answering.question import Question
from assistant.answering.toolbox import ToolResult
from assistant.articles import Hit, Passage
from assistant.knowledge.words import content_words

EncodeTexts = Callable[[Sequence[str]], NDArray[np.float32]]
"""Gives texts' vectors [texts, dim] of length 1."""


def among(
    question: Question, results: Sequence[ToolResult], encode: EncodeTexts, rarity: Rarity
) -> tuple[Hit, ...]:
    """The question's hits with a hit for each result, best first.

    A result competes with the articles by the same two measures: the cosine of its vector and the
    question's, and the share of the question's words, weighted by rarity, that it has. It comes
    first if it is best in one of them, so that an order's status does not answer a complaint that
    happens to name the order. Its score stands to the best article's as their cosines do.
    """
    passages = [result.passage for result in results if result.state == "done"]
    if not passages:
        return question.hits
    texts = [f"{passage.title}\n{passage.text}" for passage in passages]
    cosines = encode(texts) @ question.encoding.vector  # [passages]
    asked = content_words(question.text or question.encoding.text)
    weights = rarity(list(asked.values()))

    def words(passage: Passage) -> float:
        own = content_words("\n".join([*passage.heading_path, passage.text])).keys()
        return sum(weights[word] for stem, word in asked.items() if stem in own)

    nearest = max((hit.similarity for hit in question.hits), default=0.0)
    most = max((words(hit.passage) for hit in question.hits), default=0.0)
    best = question.hits[0].score if question.hits else 1.0
    first: list[Hit] = []
    last: list[Hit] = []
    for passage, cosine in zip(passages, map(float, cosines), strict=True):
        by_meaning, by_words = cosine >= nearest, words(passage) >= most > 0 or not question.hits
        how = {"tool": 1, "meaning": 1 if by_meaning else 2, "words": 1 if by_words else 2}
        score = best * (cosine / nearest if nearest > 0 else 1.0)
        hit = Hit(passage, score, how, cosine)
        (first if by_meaning or by_words else last).append(hit)
    first.sort(key=lambda hit: -hit.similarity)
    return (*first, *question.hits, *last)


def kept_back(decision: Decision, results: Sequence[ToolResult]) -> Decision:
    """The decision, but no reply where a call failed or waits for a person."""
    reasons = [
        f"{result.tool} waits for approval (`deskmate tools approve {result.call_id}`)"
        if result.state == "waiting"
        else f"{result.tool} {result.state}: {result.text}"
        for result in results
        if result.state in ("waiting", "failed")
    ]
    if not reasons:
        return decision
    action = "draft" if decision.action == "reply" else decision.action
    before = [decision.reason] if decision.action != "reply" else []
    return replace(decision, action=action, reason="; ".join([*before, *reasons]))
