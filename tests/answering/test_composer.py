from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.answering import grounding
from assistant.answering.composer import Composer
from assistant.answering.question import Question
from assistant.articles import Hit, Passage
from assistant.desk import Desk
from assistant.knowledge.sentences import sentences
from assistant.messages import Answer, Encoding
from assistant.model.text import TokenVectors


def encode_tokens(texts: Sequence[str]) -> list[TokenVectors]:
    """A token for each word, with a vector that is always the same for it."""
    result = []
    for text in texts:
        words = list(re.finditer(r"\S+", text))
        spans = np.array([match.span() for match in words], dtype=np.int64).reshape(-1, 2)
        rows = [np.random.default_rng(len(m.group())).normal(size=8) for m in words]
        result.append(TokenVectors(np.array(rows, dtype=np.float32).reshape(-1, 8), spans))
    return result


def compose(asked: str, *texts: str) -> Answer:
    composer = Composer(encode_tokens, lambda words: dict.fromkeys(words, 1.0))
    hits = tuple(
        Hit(Passage(f"p{n}", f"a{n}", (f"Title {n}",), text), 1.0 / (n + 1), {"words": n + 1}, 0.5)
        for n, text in enumerate(texts)
    )
    vector = np.random.default_rng(1).normal(size=8).astype(np.float32)
    return composer.compose(Question(asked, Encoding(vector / np.linalg.norm(vector), asked), hits))


def said(answer: Answer) -> list[str]:
    """The answer's sentences without marks."""
    return sentences(re.sub(r"\s*\[\d+\]", "", answer.text))


STEPS = """\
Invoices are made each month.

To download an invoice:

1. Open Settings > Billing.
2. Choose the month.
3. Press Download PDF.

They are sent by e-mail too."""


def test_steps_come_whole_and_in_order_with_the_line_before_them() -> None:
    answer = compose("Where do I choose the month?", STEPS)

    assert answer.text == (
        "To download an invoice:\n1. Open Settings > Billing.\n2. Choose the month.\n"
        "3. Press Download PDF. [1]"
    )


def test_each_citation_quotes_what_it_supports() -> None:
    answer = compose("What does the Team plan cost?", "The Team plan costs 12 euros. Cats purr.")

    (citation,) = answer.citations
    assert citation.number == 1
    assert "The Team plan costs 12 euros." in citation.quote.split("\n")
    assert citation.passage.article_id == "a0"


def test_items_of_a_list_stay_on_lines_of_their_own() -> None:
    text = "These keys work:\n- Ctrl+C copies\n- Ctrl+V pastes"

    lines = compose("Which keys copy and paste?", text).text.split("\n")

    assert "- Ctrl+V pastes [1]" in lines
    assert not any("copies - Ctrl" in line for line in lines)


def test_without_passages_there_is_no_answer() -> None:
    assert compose("Anything?") == Answer("", (), 0.0)


def test_a_passage_without_words_is_passed_over() -> None:
    answer = compose("What does it cost?", " \n", "It costs 12 euros.")

    assert [citation.passage.article_id for citation in answer.citations] == ["a1"]


ALPHABET = st.sampled_from("ab1 .!?:\n-*0x")
TEXT = st.one_of(
    st.text(ALPHABET, max_size=120),
    st.text(max_size=80),
    st.lists(
        st.sampled_from(
            ["1. Open it.", "2) Press “OK”", "It costs $9.99 (e.g. now).", "- Item", "v2.1 is new!",
             "See [2] there.", "Dr. No came.", "ปิดแล้ว", "終わりました。次です。", "\u00a0", "**Bold** text", ""]  # noqa: E501
        ),
        max_size=8,
    ).map("\n".join),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXT, min_size=1, max_size=4), asked=st.text(max_size=40))
def test_every_sentence_of_an_answer_stands_in_a_passage_it_cites(
    texts: list[str], asked: str
) -> None:
    answer = compose(asked, *texts)

    for block, citation in zip(answer.text.split("\n\n"), answer.citations, strict=False):
        quoted = citation.quote.split("\n")
        assert all(sentence in citation.passage.text for sentence in quoted)
        words = re.sub(r"\s+", "", block.removesuffix(f"[{citation.number}]"))
        assert words == re.sub(r"\s+", "", citation.quote)


@pytest.mark.parametrize(
    "asked",
    ["How do I download an invoice?", "KT-4031", "What does Team cost?", "password link", "Kite"],
)
def test_what_it_says_passes_the_check(desk: Desk, asked: str) -> None:
    answer = desk.ask(asked, audience="internal").answer

    assert answer is not None
    assert all(check.supported for check in grounding.check(answer))
    for sentence in said(answer):
        assert any(sentence in citation.passage.text for citation in answer.citations)


def test_passages_are_encoded_once() -> None:
    calls: list[int] = []

    def counting(texts: Sequence[str]) -> list[TokenVectors]:
        calls.append(len(texts))
        return encode_tokens(texts)

    composer = Composer(counting, lambda words: dict.fromkeys(words, 1.0))
    hit = Hit(Passage("p", "a", ("T",), "It costs 12 euros."), 1.0, {})
    asked = Question("cost", Encoding(np.ones(8, dtype=np.float32), "cost"), (hit,))

    first, second = composer.compose(asked), composer.compose(asked)

    assert first == second
    assert sum(calls) == 1
