from __future__ import annotations

import numpy as np
import torch

from assistant.knowledge.matching import SIGNALS, Matches
from assistant.knowledge.scorer import ArticleScorer
from assistant.model.fusion import FEATURES, LineWeights
from benchmarks.attention import DIM, AttentiveRanker, ScreenAttention, Shown, fit, loss_of


def screens(count: int, seed: int) -> list[Shown]:
    """Screens of four lines that name one article each; the first region says which is meant."""
    random = np.random.default_rng(seed)
    unit = torch.nn.functional.normalize
    made = []
    for _ in range(count):
        regions = torch.from_numpy(random.normal(size=(4, 3)).astype(np.float32))
        named = random.permutation(5)[:4]
        lines = np.zeros((4, 5, 2), np.float32)
        lines[np.arange(4), named, 0] = 5.0
        matches = Matches(
            lines,
            np.zeros((4, 5), np.float32),
            np.arange(5),
            tuple("abcde"),
            np.zeros((5, len(SIGNALS)), np.float32),
        )
        target = int(named[regions[:, 0].argmax()])
        vectors = unit(torch.from_numpy(random.normal(size=(10, DIM)).astype(np.float32)))
        features = torch.zeros(4, FEATURES)
        shown = Shown(
            "abcde"[target],
            features,
            regions,
            vectors[:4],
            vectors[4],
            vectors[5:],
            matches,
            target,
        )
        made.append(shown)
    return made


def ranker() -> AttentiveRanker:
    torch.manual_seed(0)
    return AttentiveRanker(LineWeights(), ArticleScorer(), ScreenAttention(3, width=16))


def test_untrained_it_ranks_as_the_line_weights_alone() -> None:
    (shown,) = screens(1, seed=0)
    untrained = ranker().eval()

    scores, _ = untrained(shown)

    assert torch.equal(scores, ArticleScorer()(LineWeights()(shown.features), shown.matches))


def test_it_learns_from_the_regions_which_line_is_meant() -> None:
    model, unseen = ranker(), screens(60, seed=2)
    before = loss_of(model, unseen)

    fit(model, screens(200, seed=1), screens(40, seed=3), epochs=8, rate=3e-3)

    assert loss_of(model, unseen) < 0.8 * before


def test_training_that_helps_nothing_is_not_kept() -> None:
    model = ranker()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    held_out = screens(20, seed=4)

    gain = fit(model, screens(20, seed=5), held_out, epochs=1, rate=10.0)

    assert gain == 0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
