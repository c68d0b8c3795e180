from __future__ import annotations

import numpy as np
import pytest
import torch

from assistant.knowledge.matching import SIGNALS, Matches
from assistant.knowledge.scorer import ArticleScorer
from assistant.messages import Box
from assistant.model.fusion import FEATURES, PLACE, LineWeights
from assistant.training import Example, emphasise, fit_emphasis, fit_ranking, measure

BOXES = [Box(20, 20 + 40 * row, 120, 36 + 40 * row) for row in range(8)]


def test_what_is_emphasised_is_said_and_the_rest_of_the_picture_is_what_changes() -> None:
    page = np.full((400, 300, 3), 240, np.uint8)
    random = np.random.default_rng(0)
    emphasised = 0

    for _ in range(50):
        changed, inside = emphasise(page, BOXES, random)
        assert changed.shape == page.shape
        assert inside.shape == (len(BOXES),)
        assert inside.any() == bool((changed != page).any())
        emphasised += int(inside.any())

    assert emphasised > 30
    assert (page == 240).all()


def test_emphasis_is_learned_from_the_look() -> None:
    torch.manual_seed(0)
    features = torch.randn(2_000, FEATURES)
    emphasised = (features[:, PLACE] > 1).float()
    model = LineWeights()

    fit_emphasis(model, features, emphasised, epochs=60)

    told = model.emphasised(features) > 0
    assert (told == emphasised.bool()).float().mean() > 0.95


def examples(count: int, seed: int) -> list[Example]:
    """Screens of four lines, of which the one with the highest first number names the article."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        features = torch.from_numpy(random.normal(size=(4, FEATURES)).astype(np.float32))
        lines = np.zeros((4, 5, 2), np.float32)
        named = random.permutation(5)[:4]
        lines[np.arange(4), named, 0] = 5.0
        matches = Matches(
            lines,
            np.zeros((4, 5), np.float32),
            np.arange(5),
            tuple("abcde"),
            np.zeros((5, len(SIGNALS)), np.float32),
        )
        made.append(Example(features, matches, int(named[features[:, 0].argmax()])))
    return made


def test_ranking_learns_which_lines_matter() -> None:
    known, unknown = examples(150, seed=1), examples(100, seed=2)
    lines, articles = LineWeights(), ArticleScorer()
    before = measure(lines, articles, unknown)

    fit_ranking(lines, articles, [known], epochs=8)

    after = measure(lines, articles, unknown)
    assert after.hit_at_1 > before.hit_at_1 + 0.2
    assert after.hit_at_1 > 0.8


def test_screenshots_whose_article_was_not_found_count_as_missed() -> None:
    found = examples(10, seed=3)

    every = measure(LineWeights(), ArticleScorer(), found)
    half = measure(LineWeights(), ArticleScorer(), found, missed=10)

    assert half.hit_at_5 == pytest.approx(every.hit_at_5 / 2)


def test_the_same_seed_gives_the_same_weights() -> None:
    def trained() -> torch.Tensor:
        torch.manual_seed(0)
        lines, articles = LineWeights(), ArticleScorer()
        fit_ranking(lines, articles, [examples(20, seed=4)], epochs=2)
        return articles.weights.detach()

    assert torch.equal(trained(), trained())
