"""How good a ranking is, and how sure a difference between two systems is."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import ir_measures
import numpy as np
from ir_measures import Success, nDCG
from numpy.typing import NDArray

PerCase = NDArray[np.float64]
"""A value for each case, in the order of the cases."""

_MEASURES = {"hit@1": Success @ 1, "hit@5": Success @ 5, "nDCG@10": nDCG @ 10}


def quality(
    ranked: Sequence[Sequence[str]], relevant: Sequence[Collection[str]]
) -> dict[str, PerCase]:
    """hit@1, hit@5 and nDCG@10 of each case (ir-measures, which computes as trec_eval does).

    `ranked` are the articles found for each case, best first; `relevant` those that are right.
    """
    qrels = {str(case): dict.fromkeys(right, 1) for case, right in enumerate(relevant)}
    # trec_eval sorts by score and breaks ties by name, so ranks are given as scores.
    run = {
        str(case): {article: -float(rank) for rank, article in enumerate(articles)}
        for case, articles in enumerate(ranked)
    }
    values = {name: np.zeros(len(ranked)) for name in _MEASURES}
    names = {measure: name for name, measure in _MEASURES.items()}
    for metric in ir_measures.iter_calc(list(_MEASURES.values()), qrels, run):
        values[names[metric.measure]][int(metric.query_id)] = metric.value
    return values


def bootstrap_interval(
    ours: PerCase, theirs: PerCase, *, samples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """The 95 % interval of the mean of `theirs - ours` over the same cases, by the paired
    bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13)."""
    differences = theirs - ours
    rows = np.random.default_rng(seed).integers(len(differences), size=(samples, len(differences)))
    low, high = np.percentile(differences[rows].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)
