from __future__ import annotations

import numpy as np
import pytest

from assistant.articles import Passage
from assistant.knowledge.overlaps import disagreement, find


def passage(article: str, text: str, language: str = "en") -> Passage:
    return Passage(f"{article}#0", article, (article,), text, language=language)


@pytest.mark.parametrize(
    ("first", "second", "differs"),
    [
        (
            "The Team plan allows at most 10 devices for each user.",
            "It is our best plan. It allows at most 15 devices for each user.",
            "10 beside 15",
        ),
        (
            "The Free plan includes version history.",
            "The Free plan does not include version history.",
            "only one of them denies it",
        ),
    ],
)
def test_other_numbers_and_denials_may_disagree(first: str, second: str, differs: str) -> None:
    found = disagreement(passage("a", first), passage("b", second))

    assert found
    assert found[2] == differs


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("The Team plan allows 10 devices.", "The Team plan allows 10 devices."),
        ("1. Open the settings of billing.", "2. Open the settings of billing."),
        ("The Team plan allows 10 devices.", "An invoice is made after 30 days."),
        ("Version 2.", "Version 3."),
    ],
)
def test_the_same_and_something_else_do_not(first: str, second: str) -> None:
    assert disagreement(passage("a", first), passage("b", second)) is None


def test_near_passages_of_two_articles_are_duplicates_and_of_one_are_not() -> None:
    text = "Press Forgot password on the sign-in page."
    passages = [
        passage("a", text),
        passage("b", text),
        passage("c", text, "de"),
        passage("a", text),
    ]
    vectors = np.ones((4, 1), np.float32)

    found = find([(passages[:2], vectors[:2]), (passages[2:], vectors[2:])])

    pairs = [(one.kind, one.first.article_id, one.second.article_id) for one in found]
    assert sorted(pairs) == [("duplicate", "a", "b"), ("duplicate", "b", "a")]
