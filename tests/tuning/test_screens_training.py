from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from assistant.errors import DeskmateError
from assistant.knowledge.matching import SIGNALS, Matches
from assistant.model.fusion import FEATURES
from assistant.model.live import Live
from assistant.training import Example
from assistant.tuning import screens
from assistant.tuning.screens import ScreenCase
from assistant.tuning.verdict import Run


def cases(count: int, *, learnable: bool) -> list[ScreenCase]:
    """Screens of four lines in which the line with the highest third number names the article; or
    nothing does."""
    random = np.random.default_rng(0)
    made = []
    for number in range(count):
        features = torch.from_numpy(random.normal(size=(4, FEATURES)).astype(np.float32))
        lines = np.zeros((4, 5, 2), np.float32)
        named = random.permutation(5)[:4]
        lines[np.arange(4), named] = 5.0
        nothing = np.zeros((5, len(SIGNALS)), np.float32)
        target = named[features[:, 2].argmax()] if learnable else random.integers(5)
        matches = Matches(
            lines, np.zeros(lines.shape[:2], np.float32), np.arange(5), tuple("abcde"), nothing
        )
        made.append(ScreenCase(Example(features, matches, int(target)), f"article-{number % 12}"))
    return made


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(Live(tmp_path / "trained", "all-MiniLM-L6-v2"))


def test_weights_that_do_better_on_articles_they_never_saw_are_taken_into_use(run: Run) -> None:
    verdict = screens.fit_cases(cases(120, learnable=True), run)

    assert verdict.live
    assert verdict.after > verdict.before + 0.1
    trained = run.live.load("screens")
    assert trained is not None
    shipped = screens.weights(None).state_dict()
    assert not torch.equal(trained["lines.weight.weight"], shipped["lines.weight.weight"])
    assert list(run.live.folder.iterdir()) == [run.live.file("screens")]


def test_weights_that_learned_nothing_are_not_taken_into_use(run: Run) -> None:
    verdict = screens.fit_cases(cases(120, learnable=False), run)

    assert not verdict.live
    assert run.live.load("screens") is None


def test_the_next_weights_have_to_beat_the_ones_in_use(run: Run) -> None:
    known = cases(120, learnable=True)
    first = screens.fit_cases(known, run)

    second = screens.fit_cases(known, run)

    assert second.before == first.after
    assert not second.live


def test_articles_of_one_kind_cannot_be_split(run: Run) -> None:
    alone = [ScreenCase(case.example, "one") for case in cases(50, learnable=True)]

    with pytest.raises(DeskmateError, match="about one article"):
        screens.fit_cases(alone, run)
