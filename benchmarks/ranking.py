"""Runs systems over the same cases, and compares what they found with what is right."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.data import Case
from benchmarks.metrics import bootstrap_interval, quality
from benchmarks.results import Results

Rank = Callable[[Case], Sequence[str]]
"""The articles for a case, best first."""


@dataclass(frozen=True)
class Run:
    """What a system found for each case, and how long each took in milliseconds."""

    ranked: list[list[str]]
    milliseconds: list[float]


def run(rank: Rank, cases: Sequence[Case]) -> Run:
    """Asks a system for each case, one after the other; the first case is asked once before."""
    rank(cases[0])
    ranked, milliseconds = [], []
    for case in cases:
        start = time.perf_counter()
        articles = rank(case)
        milliseconds.append((time.perf_counter() - start) * 1_000)
        ranked.append(list(articles))
    return Run(ranked, milliseconds)


def run_text(rank: Callable[[str], Sequence[str]], cases: Sequence[Case]) -> Run:
    """As `run`, for a system that takes the text alone."""
    return run(lambda case: rank(case.text), cases)


def compare(
    results: Results,
    task: str,
    cases: Sequence[Case],
    runs: Mapping[str, Run],
    *,
    time_metric: str = "ms p50",
) -> None:
    """Adds each system's quality and speed; all others are compared to `deskmate`."""
    relevant = [case.relevant for case in cases]
    ours = quality(runs["deskmate"].ranked, relevant)
    for system, found in runs.items():
        for metric, values in quality(found.ranked, relevant).items():
            results.add(
                task,
                system,
                metric,
                float(values.mean()),
                n=len(cases),
                interval=None if system == "deskmate" else bootstrap_interval(ours[metric], values),
            )
        results.add(task, system, time_metric, float(np.median(found.milliseconds)))
