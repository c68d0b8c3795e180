"""Trains which lines of a screenshot matter, and how articles are scored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from assistant.knowledge.retriever import Retriever
from assistant.knowledge.scorer import ArticleScorer
from assistant.model import fusion, losses
from assistant.model.adapter import Adapter
from assistant.model.fitting import fit
from assistant.model.fusion import LineWeights
from assistant.training import Example
from assistant.tuning import cases
from assistant.tuning.cases import EVERYTHING, Question
from assistant.tuning.verdict import Run, Verdict, settle

LEAST = 40
RATE, BATCH, EPOCHS, PATIENCE = 0.01, 8, 20, 5
STAY = 0.02
"""The penalty on leaving the weights one starts from: few tickets must not undo what was learned
elsewhere (L2-SP; Li, Grandvalet and Davoine, 2018, arXiv:1802.01483)."""


@dataclass(frozen=True)
class ScreenCase:
    """A screenshot matched with the articles that were found, and the right one of them."""

    example: Example
    article_id: str


def train(questions: Sequence[Question], retriever: Retriever, run: Run) -> Verdict:
    """Trains the weights of lines and articles on questions with a screenshot.

    Raises DeskmateError if there are too few of them.
    """
    shown = [question for question in questions if question.encoding.lines]
    cases.require(len(shown), LEAST, "solved tickets with a screenshot")
    state = run.live.load("questions")
    adapter = None if state is None else Adapter.restored(state)
    matched = []
    for number, question in enumerate(shown, 1):
        if case := _matched(question, retriever, adapter):
            matched.append(case)
        run.told("matching screenshots", number, len(shown))
    cases.require(len(matched), LEAST, "screenshots whose article was among those found")
    return fit_cases(matched, run)


def fit_cases(matched: Sequence[ScreenCase], run: Run) -> Verdict:
    """Trains on screenshots that are matched already. Raises DeskmateError if all are about one
    article."""
    training, validation = cases.split_by_article(matched)
    cases.require_both(training, validation, "solved tickets with a screenshot")
    model = weights(None)
    start = {name: value.clone() for name, value in model.state_dict().items()}
    # What emphasis looks like is known; what it is worth is learned.
    learning = [own for name, own in model.named_parameters() if "emphasis" not in name]
    begun = [value.detach().clone() for value in learning]

    def loss(batch: Sequence[ScreenCase]) -> Tensor:
        own = [losses.ranking(_scores(model, c.example), c.example.target) for c in batch]
        moved = [((new - old) ** 2).sum() for new, old in zip(learning, begun, strict=True)]
        return torch.stack(own).mean() + STAY * torch.stack(moved).sum()

    history = fit(
        model,
        torch.optim.Adam(learning, lr=RATE),
        cases.batches_of(training, BATCH),
        loss,
        lambda: float(np.mean(reciprocal_ranks(model, validation))),
        epochs=EPOCHS,
        patience=PATIENCE,
        seed=run.seed,
        checkpoint=run.checkpoint("screens"),
        run=cases.name_of((_name(case) for case in matched), start, run.seed),
        told=lambda done, total: run.told("screenshots", done, total),
    )
    verdict = Verdict.of(
        "screens",
        "mean reciprocal rank",
        reciprocal_ranks(weights(run.live.load("screens")), validation),
        reciprocal_ranks(model, validation),
        history,
    )
    return settle(run, verdict, model.state_dict())


def weights(state: Mapping[str, Tensor] | None) -> nn.ModuleDict:
    """The weights of lines and articles: as in `state`, or those that the package brings."""
    model = nn.ModuleDict({"lines": LineWeights.trained(), "articles": ArticleScorer.trained()})
    if state is not None:
        model.load_state_dict(state)
    return model


@torch.no_grad()
def reciprocal_ranks(model: nn.ModuleDict, validation: Sequence[ScreenCase]) -> list[float]:
    """1 by the rank of each right article; what ties with one stands before it."""
    found = []
    for case in validation:
        scores = _scores(model, case.example)
        found.append(1 / int((scores >= scores[case.example.target]).sum()))
    return found


def _name(case: ScreenCase) -> str:
    return case.article_id + hashlib.sha256(case.example.features.numpy().tobytes()).hexdigest()


def _scores(model: nn.ModuleDict, example: Example) -> Tensor:
    scores: Tensor = model["articles"](model["lines"](example.features), example.matches)
    return scores


def _matched(
    question: Question, retriever: Retriever, adapter: Adapter | None
) -> ScreenCase | None:
    encoding = adapter.applied(question.encoding) if adapter else question.encoding
    hits = retriever.candidates(encoding, EVERYTHING, None)
    if question.article_id not in {hit.passage.article_id for hit in hits}:
        return None
    matches = retriever.matches(encoding, hits, EVERYTHING)
    if matches is None or question.article_id not in matches.articles:
        return None  # it was removed from the index in the meantime
    features = torch.cat([fusion.features(screen) for screen in question.screens])
    target = matches.articles.index(question.article_id)
    return ScreenCase(Example(features, matches, target), question.article_id)
