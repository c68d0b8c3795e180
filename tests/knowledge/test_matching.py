from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from assistant.articles import Passage
from assistant.knowledge.matching import SIGNALS, Candidate, Matches, match
from assistant.knowledge.scorer import PARTS, ArticleScorer


def passage(article: str, title: str, text: str) -> Passage:
    return Passage(f"{article}#{len(text)}", article, (title,), text)


PASSAGES = [
    passage("billing.md", "Change your plan", "Press Change plan and choose one."),
    passage("billing.md", "Change your plan", "The price is due at once."),
    passage("invoices.md", "Download invoices", "Each invoice stands under Invoices."),
]


def rarity(phrases: Sequence[str]) -> dict[str, float]:
    return {phrase: 1.0 + phrase.count(" ") for phrase in phrases}


def marked(labels: Sequence[str]) -> dict[str, tuple[float, frozenset[str]]]:
    known = {"change plan": (3.0, frozenset({"billing.md", "elsewhere.md"}))}
    return {label: known[label] for label in labels if label in known}


def matched(*lines: str, asked: str = "") -> Matches:
    candidates = [Candidate(each, 0.1 * n, 0.0) for n, each in enumerate(PASSAGES, 1)]
    lengths = {"billing.md": 900, "invoices.md": 400}
    return match(lines, asked, candidates, lengths, rarity, marked)


def signal(matches: Matches, article: str, name: str) -> float:
    return float(matches.signals[matches.articles.index(article), SIGNALS.index(name)])


def test_a_line_matches_by_its_words_in_whatever_form() -> None:
    words = matched("Invoice", "Change").lines[:, :, 0]

    assert words[0, 2] > 0
    assert words[1, 0] > 0
    assert words[0, 0] == words[1, 2] == 0


def test_a_label_matches_where_it_stands_as_a_whole() -> None:
    labels = matched("Change plan", "plan change", "price").lines[:, :, 1]

    assert labels[0].tolist() == [2.0, 0.0, 0.0]
    assert labels[1].tolist() == [0.0, 0.0, 0.0]
    assert labels[2].tolist() == [0.0, 0.5, 0.0]


def test_a_label_that_an_article_marks_matches_there_only() -> None:
    matches = matched("Change plan", "Invoices")

    assert matches.articles == ("billing.md", "invoices.md")
    assert matches.marked.tolist() == [[3.0, 0.0], [0.0, 0.0]]


def test_an_article_has_the_cosine_of_its_nearest_passage_and_its_length() -> None:
    matches = matched("Save")

    assert signal(matches, "billing.md", "meaning") == pytest.approx(0.2)
    assert signal(matches, "invoices.md", "length") == pytest.approx(math.log(400))


def test_a_title_is_covered_by_the_words_on_the_screen() -> None:
    matches = matched("Download", "your invoices")

    assert signal(matches, "invoices.md", "title") == pytest.approx(2 / 4)
    assert signal(matches, "billing.md", "title") == 0


def test_what_the_customer_wrote_counts_apart_from_the_screen() -> None:
    matches = matched("Save", asked="where are my invoices?")

    assert signal(matches, "invoices.md", "asked words") > 0
    assert signal(matches, "invoices.md", "words") == 0


def test_a_line_that_weighs_more_decides() -> None:
    scorer = ArticleScorer()
    matches = matched("Change plan", "Invoices")

    first = scorer(torch.tensor([1.0, 0.01]), matches)
    second = scorer(torch.tensor([0.01, 1.0]), matches)

    assert (first - second)[matches.articles.index("billing.md")] > 0
    assert (first - second)[matches.articles.index("invoices.md")] < 0


def test_each_part_is_standardised_over_the_articles() -> None:
    parts = ArticleScorer().parts(torch.ones(2), matched("Change plan", "Invoices"))

    assert parts.shape == (2, len(PARTS))
    assert parts.mean(0).abs().max() < 1e-5
    assert torch.isfinite(parts).all()


def test_a_single_article_scores_without_a_spread() -> None:
    candidates = [Candidate(PASSAGES[2], 0.3, 0.0)]
    matches = match(["Invoices"], "", candidates, {"invoices.md": 400}, rarity, marked)

    assert torch.isfinite(ArticleScorer()(torch.ones(1), matches)).all()
    assert np.isfinite(matches.lines).all()
