from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.articles import Article, Picture, Section
from assistant.knowledge.passages import split

LONG = "Every word of this sentence counts as one of ten. " * 5


def article(*sections: Section, **fields: str) -> Article:
    return Article(id="a.md", title="T", sections=sections, **fields)  # type: ignore[arg-type]


def test_sections_become_passages_that_link_to_their_heading():
    passages = split(
        article(Section(("T",), LONG), Section(("T", "Pay"), LONG, anchor="pay"), url="https://x/a")
    )

    assert [(p.heading_path, p.url, p.title) for p in passages] == [
        (("T",), "https://x/a", "T"),
        (("T", "Pay"), "https://x/a#pay", "T"),
    ]


def test_passages_inherit_what_holds_for_the_article():
    (passage,) = split(
        replace(
            article(Section(("T",), "Text.")),
            source="help",
            product="Pro",
            language="de",
            audience="internal",
        )
    )

    assert (passage.source, passage.product, passage.language, passage.audience) == (
        "help",
        "Pro",
        "de",
        "internal",
    )


def test_tiny_neighbours_are_joined_under_the_heading_they_share():
    passages = split(
        article(
            Section(("T", "FAQ", "How long?"), "A day."),
            Section(("T", "FAQ", "How much?"), "Nothing."),
            Section(("T", "Contact"), LONG),
        )
    )

    assert [(p.heading_path, p.text) for p in passages[:1]] == [
        (("T", "FAQ"), "How long?\nA day.\n\nHow much?\nNothing.")
    ]
    assert passages[1].heading_path == ("T", "Contact")


def test_a_heading_without_text_is_not_lost():
    passages = split(article(Section(("T", "Login screen"), "")))

    assert [p.text for p in passages] == ["Login screen"]


def test_long_sections_are_cut_between_sentences_and_repeat_the_last_ones():
    text = " ".join(f"Sentence number {i} says a few more words." for i in range(60))

    passages = split(article(Section(("T",), text)), max_words=80)

    assert all(len(p.text.split()) <= 80 for p in passages)
    for before, after in pairwise(passages):
        assert after.text.split("\n")[0] in before.text
        assert before.text.endswith(".")


def test_the_steps_of_one_list_stay_together_where_they_fit():
    steps = "\n".join(f"{i}. Do the thing number {i} now." for i in range(1, 9))

    passages = split(article(Section(("T",), f"{LONG}\n\n{steps}")), max_words=90)

    assert any(steps in p.text for p in passages)


def test_text_without_spaces_is_bounded_too():
    passages = split(article(Section(("T",), "設定を開く。" * 500)), max_words=100)

    assert all(len(p.text) <= 220 for p in passages)
    assert "".join(p.text for p in passages).count("設定") >= 500


def test_pictures_are_read_once_with_the_first_passage_that_shows_them():
    picture = Picture("/a.png", alt="Login page")
    section = Section(("T",), LONG * 5, pictures=(picture,))
    seen: list[Picture] = []

    passages = split(
        article(section), max_words=80, read_picture=lambda p: seen.append(p) or "E-mail\nPassword"
    )

    assert passages[0].picture_text == "Login page\nE-mail\nPassword"
    assert all(p.picture_text == "" for p in passages[1:])
    assert seen == [picture]


def test_ids_stay_when_nothing_changes_and_differ_between_articles():
    one = article(Section(("T",), LONG), Section(("T", "B"), LONG))

    assert [p.id for p in split(one)] == [p.id for p in split(one)]
    assert {p.id for p in split(one)}.isdisjoint(p.id for p in split(replace(one, id="b.md")))
    assert all(len(p.id) == 32 for p in split(one))


texts = st.text(alphabet="ab c.\n-1é。設🙂", max_size=600) | st.text(max_size=200)
headings = st.lists(st.sampled_from(["A", "B", "C"]), max_size=3).map(lambda h: ("T", *h))
sections = st.builds(Section, heading_path=headings, text=texts, anchor=st.just("x"))


@given(st.lists(sections, max_size=6), st.integers(min_value=10, max_value=60))
def test_no_word_is_lost_and_limits_hold(parts: list[Section], max_words: int):
    passages = split(article(*parts), max_words=max_words)

    everything = "".join("".join(p.text.split()) for p in passages)
    for section in parts:
        for word in section.text.split():
            assert len(word) > max_words or word in everything
    assert all(len(p.text.split()) <= max_words for p in passages)
    assert all(len(p.text) <= 8 * max_words for p in passages)
    assert len({p.id for p in passages}) == len(passages)


@pytest.mark.parametrize("text", ["x" * 100_000, "word " * 50_000, "- a\n" * 20_000, "\n" * 50_000])
def test_enormous_sections_keep_all_their_characters(text: str):
    passages = split(article(Section(("T",), text)))

    assert sum(p.text.count("x") for p in passages) >= text.count("x")
    assert sum(p.text.count("word") for p in passages) >= text.count("word")
    assert all(len(p.text.split()) <= 180 for p in passages)
