from __future__ import annotations

from dataclasses import dataclass

import pytest

from assistant.errors import DeskmateError
from assistant.tuning.cases import require, split_by_article


@dataclass(frozen=True)
class About:
    article_id: str
    number: int


def test_no_article_is_both_learned_from_and_measured_on() -> None:
    cases = [About(f"article-{number % 20}", number) for number in range(200)]

    training, validation = split_by_article(cases)

    assert {c.article_id for c in training}.isdisjoint(c.article_id for c in validation)
    assert len(training) + len(validation) == 200
    assert 40 <= len(validation) <= 60


def test_the_split_does_not_depend_on_the_order() -> None:
    cases = [About(f"article-{number % 7}", number) for number in range(50)]

    _, once = split_by_article(cases)
    _, again = split_by_article(cases[::-1])

    assert {c.article_id for c in once} == {c.article_id for c in again}


def test_too_few_cases_are_an_error_that_says_how_many_are_needed() -> None:
    with pytest.raises(DeskmateError, match="3 solved tickets, and at least 40 are needed"):
        require(3, 40, "solved tickets")
