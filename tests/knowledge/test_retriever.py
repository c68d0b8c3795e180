from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.articles import Article, Hit, Passage
from assistant.desk import Desk
from assistant.knowledge.lexical import Filter, Lexical
from assistant.knowledge.retriever import Retriever
from assistant.knowledge.scorer import ArticleScorer
from assistant.knowledge.store import Store
from assistant.messages import Box, Encoding, ScreenLine
from tests.knowledge.index_process import DIM, encode


def search(desk: Desk, text: str, filter: Filter | None = None, limit: int = 5) -> list[Hit]:
    return desk.retriever.search(desk.encoder.encode(text), filter or Filter(), limit=limit)


@pytest.mark.parametrize(
    ("question", "article"),
    [
        ("Where is my bill?", "help/invoices.md"),
        ("KT-4031", "help/sync-errors.md"),
        ("there is no space left for my files", "help/sync-errors.md"),
        ("I cannot sign in any more", "help/password.md"),
        ("what does it cost", "help/plans.md"),
    ],
)
def test_the_article_that_helps_is_found_first(desk: Desk, question: str, article: str) -> None:
    assert search(desk, question)[0].passage.article_id == article


def test_a_hit_says_how_it_was_found(desk: Desk) -> None:
    first, *others = search(desk, "What does error KT-4031 mean?")

    assert first.how["meaning"] == 1
    assert first.how["words"] == 1
    assert 0.4 < first.similarity <= 1
    assert all(first.score >= other.score for other in others)


def test_what_stands_in_a_picture_is_found(desk: Desk) -> None:
    hit = search(desk, "Quota exceeded. Upload stopped")[0]

    assert hit.passage.article_id == "help/sync-errors.md"
    assert "Quota exceeded" in hit.passage.picture_text
    assert "Quota exceeded" not in hit.passage.text


def test_customers_never_see_internal_articles(desk: Desk) -> None:
    question = "Staff may refund up to 200 euros without asking the manager"

    public = search(desk, question, Filter("public"), limit=50)
    internal = search(desk, question, Filter("internal"), limit=50)

    assert all(hit.passage.audience == "public" for hit in public)
    assert internal[0].passage.article_id == "help/refunds.md"


def test_as_many_hits_come_as_were_asked_for(desk: Desk) -> None:
    assert len(search(desk, "the account", limit=2)) == 2


def test_nothing_fits_a_source_that_does_not_exist(desk: Desk) -> None:
    assert search(desk, "invoice", Filter(source="wiki")) == []


@pytest.fixture
def halves(tmp_path: Path) -> Iterator[tuple[Store, Lexical]]:
    store, lexical = Store(tmp_path, model="hash", dim=DIM), Lexical(tmp_path / "words.sqlite")
    yield store, lexical
    store.close()
    lexical.close()


def test_an_article_that_is_removed_while_it_is_found_is_gone(
    halves: tuple[Store, Lexical],
) -> None:
    store, lexical = halves
    passages = [Passage(f"{name}#1", name, ("Refunds",), f"Up to {name}.") for name in "ab"]
    for passage in passages:
        lexical.put(Article(passage.article_id, "Refunds", ()), [passage])
    store.put(passages, encode(["x", "y"]))
    retriever = Retriever(store, lexical, ArticleScorer())
    lines = (ScreenLine("Refunds", Box(0, 0, 10, 10), 10, 0.9),)
    asked = Encoding(encode(["x"])[0], "Refunds", lines=lines, weights=(1.0,))

    hits = retriever.candidates(asked, Filter(), None)
    lexical.remove("a")
    matches = retriever.matches(asked, hits, Filter())
    lexical.remove("b")

    assert matches is not None
    assert matches.articles == ("b",)
    assert retriever.matches(asked, hits, Filter()) is None
    assert retriever.search(asked, Filter(), limit=5) == []


def test_while_an_article_becomes_public_its_old_words_stay_internal(
    halves: tuple[Store, Lexical],
) -> None:
    store, lexical = halves
    old = Passage("p", "a", ("Refunds",), "Up to 200 euros.", source="s", audience="internal")
    lexical.put(Article("a", "Refunds", (), source="s", audience="internal"), [old])

    # The run was killed after it wrote the vectors and before it wrote the words.
    store.put([replace(old, audience="public")], encode(["x"]))

    asked = Encoding(encode(["x"])[0], "euros")
    assert Retriever(store, lexical, ArticleScorer()).search(asked, Filter("public"), limit=5) == []
    assert (
        len(Retriever(store, lexical, ArticleScorer()).search(asked, Filter("internal"), limit=5))
        == 1
    )
