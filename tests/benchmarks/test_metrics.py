from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("ir_measures", reason="the benchmarks need the extra: pip install '.[bench]'")

from benchmarks.metrics import bootstrap_interval, quality


def test_quality_of_the_right_article_at_the_first_third_and_seventh_place() -> None:
    ranked = [["right", "b"], ["a", "b", "right"], [*"abcdef", "right"]]

    values = quality(ranked, [{"right"}] * 3)

    assert values["hit@1"].tolist() == [1, 0, 0]
    assert values["hit@5"].tolist() == [1, 1, 0]
    assert values["nDCG@10"] == pytest.approx([1, 1 / math.log2(4), 1 / math.log2(8)])


def test_an_article_that_is_not_found_and_an_empty_ranking_score_nothing() -> None:
    values = quality([["a", "b"], []], [{"right"}, {"right"}])

    assert {metric: found.tolist() for metric, found in values.items()} == {
        "hit@1": [0, 0],
        "hit@5": [0, 0],
        "nDCG@10": [0, 0],
    }


def test_values_stay_in_the_order_of_the_cases_beyond_ten() -> None:
    ranked = [["right"] if case in (2, 11) else ["wrong"] for case in range(12)]

    hits = quality(ranked, [{"right"}] * 12)["hit@1"]

    assert np.flatnonzero(hits).tolist() == [2, 11]


def test_nothing_below_the_tenth_place_counts_for_ndcg() -> None:
    values = quality([[*"abcdefghij", "right"]], [{"right"}])

    assert values["nDCG@10"].tolist() == [0]


def test_the_interval_of_a_constant_difference_is_that_difference() -> None:
    ours = np.array([0.0, 1.0, 0.5, 0.25])

    assert bootstrap_interval(ours, ours - 0.25) == (-0.25, -0.25)


def test_the_interval_holds_the_normal_approximation_of_many_cases() -> None:
    differences = np.array([1.0, 0.0, 0.0, 0.0] * 100)  # mean 0.25, standard error 0.0217

    low, high = bootstrap_interval(np.zeros(400), differences)

    assert low == pytest.approx(0.25 - 1.96 * 0.0217, abs=0.01)
    assert high == pytest.approx(0.25 + 1.96 * 0.0217, abs=0.01)


def test_the_interval_is_the_same_in_every_run() -> None:
    ours, theirs = np.array([1.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0])

    assert bootstrap_interval(ours, theirs) == bootstrap_interval(ours, theirs)
