from __future__ import annotations

import pytest
import torch

from assistant.articles import Passage
from assistant.desk import Desk
from assistant.knowledge.explanation import contributions, shared_words
from assistant.knowledge.lexical import Filter
from assistant.knowledge.matching import Candidate, Matches, match
from assistant.knowledge.retriever import RRF_K
from assistant.knowledge.scorer import PARTS, ArticleScorer
from assistant.messages import Box, Screen, ScreenLine

LINES = ("Change plan", "Invoices", "Help", "each invoice")
WEIGHTS = torch.tensor([1.0, 0.5, 0.2, 0.7])


def passage(article: str, text: str) -> Passage:
    return Passage(f"{article}#{len(text)}", article, (article,), text)


PASSAGES = (
    passage("plans", "Press Change plan and choose one."),
    passage("plans", "The price is due at once."),
    passage("invoices", "Each invoice stands under Invoices."),
    passage("team", "Write to us for help."),
)


@pytest.fixture
def matches() -> Matches:
    candidates = [Candidate(each, 0.1 * n, 0.0) for n, each in enumerate(PASSAGES)]
    lengths = {"plans": 900, "invoices": 400, "team": 90}
    return match(
        LINES,
        "",
        candidates,
        lengths,
        rarity=lambda phrases: dict.fromkeys(phrases, 2.0),
        marked=lambda labels: {"change plan": (3.0, frozenset({"plans"}))},
    )


@pytest.mark.parametrize("article", ["plans", "invoices", "team"])
def test_the_parts_add_up_to_the_score(matches: Matches, article: str) -> None:
    row = matches.articles.index(article)
    scorer = ArticleScorer.trained()

    parts, _ = contributions(scorer, WEIGHTS, matches, row)

    assert parts.shape == (len(PARTS),)
    assert parts.sum().item() == pytest.approx(scorer(WEIGHTS, matches)[row].item(), abs=1e-4)


@pytest.mark.parametrize("article", ["plans", "invoices", "team"])
def test_the_lines_share_out_without_a_rest_what_lines_add(matches: Matches, article: str) -> None:
    row = matches.articles.index(article)

    parts, lines = contributions(ArticleScorer.trained(), WEIGHTS, matches, row)

    of_lines = [number for number, part in enumerate(PARTS) if "," in part]
    assert lines.sum().item() == pytest.approx(parts[of_lines].sum().item(), abs=1e-4)


def test_a_line_adds_to_the_article_that_has_its_words_and_takes_from_others(
    matches: Matches,
) -> None:
    def added(article: str) -> list[float]:
        row = matches.articles.index(article)
        return contributions(ArticleScorer(), WEIGHTS, matches, row)[1].tolist()

    assert added("plans")[0] == max(added("plans")) > 0
    assert added("invoices")[0] < 0 < added("invoices")[3]


def test_the_words_that_a_passage_shares_are_named_rarest_first() -> None:
    rarity = {"invoices": 3.0, "each": 0.0, "stands": 1.0, "price": 2.0}

    named = shared_words(
        "Where stands the invoices' price?",
        PASSAGES,
        lambda phrases: {phrase: rarity.get(phrase, 5.0) for phrase in phrases},
    )

    assert list(named[1].items()) == [("price", 2.0)]
    assert named[3] == {}


def test_a_hit_for_words_is_explained_by_its_rankings(desk: Desk) -> None:
    encoding = desk.encoder.encode("How do I download an invoice?")

    hit = desk.retriever.search(encoding, Filter(), limit=3)[0]

    assert hit.why is not None
    assert sum(hit.why.parts.values()) == pytest.approx(hit.score)
    assert hit.why.parts["words"] == pytest.approx(1 / (RRF_K + hit.how["words"]))
    assert "invoice" in hit.why.words
    assert hit.why.lines == ()


def test_a_hit_for_a_screenshot_is_explained_by_its_lines(desk: Desk) -> None:
    lines = tuple(
        ScreenLine(text, Box(10, top, 200, top + 20), 20, 0.9)
        for text, top in (("Welcome back", 10), ("Download an invoice", 60))
    )
    encoding = desk.encoder.encode("", [Screen(lines, 400, 300)])

    hit = desk.retriever.search(encoding, Filter(), limit=3)[0]

    assert hit.passage.article_id == "help/invoices.md"
    assert hit.why is not None
    assert hit.why.lines[1] > abs(hit.why.lines[0])
    assert set(hit.why.parts) == set(PARTS)
