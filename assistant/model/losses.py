"""What training minimises."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

TEMPERATURE = 0.05

UNLABELLED = -100
"""Stands for the label of a text that has none for some target."""


def contrastive(
    queries: Tensor,
    passages: Tensor,
    articles: Tensor,
    hard: Tensor | None = None,
    hard_articles: Tensor | None = None,
    *,
    temperature: float = TEMPERATURE,
) -> Tensor:
    """Symmetric InfoNCE with in-batch and hard negatives.

    Each query is drawn to its own passage and away from the batch's others, and each passage to its
    own query (van den Oord, Li and Vinyals, 2018, arXiv:1807.03748; both directions as in CLIP,
    Radford et al., 2021, arXiv:2103.00020). `hard` are passages that look right and are not, found
    by BM25 (Karpukhin et al., 2020, arXiv:2004.04906); they stand beside the batch's passages for
    every query. What is of the query's own article is never a negative.

    queries, passages [batch, dim] and hard [negatives, dim] have length 1; articles [batch] and
    hard_articles [negatives] number their articles. Returns the mean loss.
    """
    own = torch.arange(len(queries))
    scores = queries @ passages.T / temperature  # [batch, batch]
    same = articles[:, None] == articles[None, :]  # [batch, batch]
    same[own, own] = False
    scores = scores.masked_fill(same, -torch.inf)
    backward = nn.functional.cross_entropy(scores.T, own)
    if hard is not None and hard_articles is not None and len(hard):
        against = queries @ hard.T / temperature  # [batch, negatives]
        known = articles[:, None] == hard_articles[None, :]
        scores = torch.cat([scores, against.masked_fill(known, -torch.inf)], dim=1)
    return (nn.functional.cross_entropy(scores, own) + backward) / 2


def classification(
    logits: Mapping[str, Tensor], labels: Mapping[str, Tensor], *, smoothing: float = 0.1
) -> Tensor:
    """Cross-entropy with smoothed labels (Szegedy et al., 2016, arXiv:1512.00567), summed over the
    targets; texts that are UNLABELLED for a target do not count for it.

    logits[target] [batch, labels of the target], labels[target] [batch].
    """
    losses = [
        nn.functional.cross_entropy(
            logits[target][known], labels[target][known], label_smoothing=smoothing
        )
        for target in logits
        if (known := labels[target] != UNLABELLED).any()
    ]
    return torch.stack(losses).sum() if losses else torch.zeros((), requires_grad=True)


def ranking(scores: Tensor, target: int) -> Tensor:
    """Cross-entropy over the articles that were found [articles] (ListNet's top-one probability;
    Cao et al., 2007): `target` is the row of the right one."""
    return -scores.log_softmax(0)[target]
