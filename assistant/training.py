"""Trains what the package brings: which lines of a screenshot matter, and how articles are scored.

Two steps. First `fit_emphasis`: pictures are dimmed, framed or tinted by rule around some of their
lines, and the network learns to tell these lines. Then `fit_ranking`: the weights of lines and the
scorer learn together, by cross-entropy over the articles that were found for each screenshot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assistant.knowledge.matching import Matches
from assistant.knowledge.scorer import ArticleScorer
from assistant.messages import Box
from assistant.model.fusion import LineWeights

KINDS = ("none", "spotlight", "dialog", "frame", "tint")
SHARES = (0.15, 0.45, 0.15, 0.15, 0.1)
_DIMMING = np.array([[0, 0, 0], [107, 94, 89], [64, 26, 26]], np.float32)
_FRAMES = ((30, 20, 220), (20, 60, 235), (0, 140, 240), (90, 0, 230))
_TINTS = np.array(
    [[0.6, 0.95, 1], [1, 0.87, 0.8], [0.87, 0.85, 0.85], [0.95, 0.4, 0.25], [0.85, 0.85, 1]],
    np.float32,
)  # all in blue, green, red


@dataclass(frozen=True)
class Example:
    """A screenshot: its lines' features [lines, 24], how they match passages, and the row of the
    article that it is about."""

    features: Tensor
    matches: Matches
    target: int


@dataclass(frozen=True)
class Metrics:
    """Shares of screenshots whose article stands first, and among the first five."""

    hit_at_1: float
    hit_at_5: float


def emphasise(
    pixels: NDArray[np.uint8], boxes: Sequence[Box], random: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """A copy of a picture [height, width, 3] in which a place around one of its lines is emphasised
    as the authors of help articles do it, and which lines [lines] stand in that place: none, if it
    holds more than half of them."""
    height, width = pixels.shape[:2]
    seed = boxes[int(random.integers(len(boxes)))]
    kind = random.choice(KINDS, p=SHARES)
    left, top, right, bottom = _place(seed, kind, (height, width), random)
    inside = np.array(
        [
            left < (box.left + box.right) / 2 < right and top < (box.top + box.bottom) / 2 < bottom
            for box in boxes
        ]
    )
    if kind == "none" or inside.mean() > 0.5:
        return pixels, np.zeros(len(boxes), np.bool_)
    changed = pixels.astype(np.float32)
    place = (slice(top, bottom), slice(left, right))
    if kind == "tint":
        changed[place] *= random.choice(_TINTS)
    elif kind == "frame":
        thickness = int(random.integers(2, 6))
        framed = np.zeros((height, width), np.bool_)
        framed[place] = True
        framed[top + thickness : bottom - thickness, left + thickness : right - thickness] = False
        changed[framed] = _FRAMES[int(random.integers(len(_FRAMES)))]
    else:
        strength = random.uniform(0.1, 0.65)
        changed = changed * (1 - strength) + random.choice(_DIMMING) * strength
        changed[place] = pixels[place]
    return changed.astype(np.uint8), inside


def _place(
    seed: Box, kind: str, size: tuple[int, int], random: np.random.Generator
) -> tuple[int, int, int, int]:
    """A rectangle (left, top, right, bottom) around a line: close to it or, for a dialog, large."""
    height, width = size
    if kind == "dialog":
        wide, high = random.uniform(0.2, 0.6) * width, random.uniform(0.15, 0.6) * height
        left = (seed.left + seed.right) / 2 - wide * random.uniform(0.3, 0.7)
        top = (seed.top + seed.bottom) / 2 - high * random.uniform(0.1, 0.9)
        right, bottom = left + wide, top + high
        left, top = min(left, seed.left - 4), min(top, seed.top - 4)
        right, bottom = max(right, seed.right + 4), max(bottom, seed.bottom + 4)
    else:
        line = max(6.0, seed.bottom - seed.top)
        grown = line * random.choice([0.4, 1, 2.5, 6], p=[0.4, 0.3, 0.2, 0.1])
        left = seed.left - grown * random.uniform(0.6, 2.5)
        top = seed.top - grown * random.uniform(0.5, 1.2)
        right = seed.right + grown * random.uniform(0.6, 2.5)
        bottom = seed.bottom + grown * random.uniform(0.5, 1.2)
    left, top = max(0, int(left)), max(0, int(top))
    return left, top, max(left + 4, min(width, int(right))), max(top + 4, min(height, int(bottom)))


def fit_emphasis(
    model: LineWeights,
    features: Tensor,
    emphasised: Tensor,
    *,
    epochs: int = 10,
    batch: int = 512,
    seed: int = 0,
) -> None:
    """Teaches `model.emphasis` which lines are emphasised: features [lines, 24], emphasised
    [lines] 0 or 1. Sets the means and deviations by which features are standardised."""
    torch.manual_seed(seed)
    model.mean.copy_(features.mean(0))
    model.deviation.copy_(features.std(0) + 1e-4)
    optimizer = torch.optim.AdamW(model.emphasis.parameters(), lr=3e-3, weight_decay=0.01)
    for _ in range(epochs):
        for rows in torch.randperm(len(features)).split(batch):  # type: ignore[no-untyped-call]
            loss = nn.functional.binary_cross_entropy_with_logits(
                model.emphasised(features[rows]), emphasised[rows]
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()


def fit_ranking(
    lines: LineWeights,
    articles: ArticleScorer,
    products: Sequence[Sequence[Example]],
    *,
    epochs: int = 10,
    seed: int = 0,
) -> None:
    """Teaches `lines.weight` and the scorer which article each screenshot is about. A product with
    four times as many screenshots counts twice."""
    random = np.random.default_rng(seed)
    parameters = [*lines.weight.parameters(), *articles.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    mean_size = sum(map(len, products)) / len(products)
    weighted = [
        ((mean_size / len(product)) ** 0.5, example) for product in products for example in product
    ]
    for _ in range(epochs):
        for step, row in enumerate(random.permutation(len(weighted)), 1):
            weight, example = weighted[row]
            scores = articles(lines(example.features), example.matches)
            loss = weight * nn.functional.cross_entropy(scores, torch.tensor(example.target))
            loss = loss + 0.002 * sum((each**2).sum() for each in parameters)
            loss.backward()
            if step % 8 == 0:
                optimizer.step()
                optimizer.zero_grad()
        schedule.step()


@torch.no_grad()
def measure(
    lines: LineWeights, articles: ArticleScorer, examples: Sequence[Example], missed: int = 0
) -> Metrics:
    """Ranks the articles of each example; `missed` further ones were not found at all."""
    ranks = []
    for example in examples:
        scores = articles(lines(example.features), example.matches)
        # Its own score is among them; what ties with it stands before it.
        ranks.append(int((scores >= scores[example.target]).sum()) - 1)
    total = len(examples) + missed
    return Metrics(sum(rank < 1 for rank in ranks) / total, sum(rank < 5 for rank in ranks) / total)
