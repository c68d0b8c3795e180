"""Why a passage was found: what each signal, each line of a screenshot and each word added."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from assistant.articles import Passage
from assistant.knowledge.lexical import searchable
from assistant.knowledge.matching import Matches, Rarity
from assistant.knowledge.scorer import ArticleScorer, spread
from assistant.knowledge.words import content_words

MAX_WORDS = 8
"""So many of a passage's words are named."""


def contributions(
    scorer: ArticleScorer, line_weights: Tensor, matches: Matches, article: int
) -> tuple[Tensor, Tensor]:
    """What each of the scorer's parts [parts] and each line [lines] added to an article's score.

    `line_weights` are [lines], `article` is a row of `matches.articles`. The score is a weighted
    sum, so the parts add up to it; 0 is the mean of all articles compared. What lines add to it is
    a sum over them or the greatest of such sums: each line's share times the gradient divides it
    among them without a rest (Euler's theorem; gradient × input: Shrikumar et al., 2016,
    arXiv:1605.01713). What the screen as a whole adds (its meaning, the title's words on it) is not
    divided.
    """
    with torch.inference_mode(False), torch.enable_grad():
        shares = (line_weights / line_weights.sum()).clone().requires_grad_()
        numbers = scorer.numbers(shares, matches)  # [articles, parts]
        above = numbers[article] - numbers.mean(0)
        parts = above * scorer.weights / spread(numbers).detach()  # [parts]
        (gradient,) = torch.autograd.grad(parts.sum(), shares)
    return parts.detach(), shares.detach() * gradient


def shared_words(text: str, passages: Sequence[Passage], rarity: Rarity) -> list[dict[str, float]]:
    """For each passage the words of `text` that stand in it, the rarest first, each with its
    rarity: at most MAX_WORDS, none that stands everywhere."""
    asked = content_words(text)  # stems to words
    found = [content_words(searchable(passage)).keys() & asked.keys() for passage in passages]
    rare = rarity([asked[stem].lower() for stem in asked if any(stem in own for own in found)])
    named = []
    for own in found:
        weights = {asked[stem]: rare[asked[stem].lower()] for stem in own}
        ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
        named.append({word: weight for word, weight in ordered[:MAX_WORDS] if weight > 0})
    return named
