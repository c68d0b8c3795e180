from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from assistant.answering import policy
from assistant.answering.grounding import Check
from assistant.answering.policy import Policy
from assistant.answering.question import Question
from assistant.messages import Answer, AttachmentReport, Citation, Labels

POLICY = Policy(reply_at=0.75, draft_at=0.35)
GOOD, BAD = Check("It is so.", True), Check("It is not so.", False, "it cites nothing")
UNREAD = AttachmentReport("a.pdf", "application/pdf", False, "files of that kind are not read")
READ = AttachmentReport("a.png", "image/png", True, "1 line of text")
ASKED, FOUND = "How do I export an invoice?", ("Press Export.",)

CASES = {
    # what was asked, found, checked, attached, confidence: action, reason
    "good": (ASKED, FOUND, [GOOD], [], 0.9, "reply", "supported by its sources"),
    "good, with a picture": (ASKED, FOUND, [GOOD], [READ], 0.9, "reply", "0.90"),
    "just sure enough": (ASKED, FOUND, [GOOD], [], 0.75, "reply", "supported"),
    "not quite sure": (ASKED, FOUND, [GOOD], [], 0.74, "draft", "replies need 0.75"),
    "hardly sure": (ASKED, FOUND, [GOOD], [], 0.34, "hand over", "export invoice"),
    "unsupported": (ASKED, FOUND, [GOOD, BAD], [], 0.99, "draft", "“It is not so.”: it cites"),
    "unread": (ASKED, FOUND, [GOOD], [UNREAD], 0.99, "draft", "a.pdf was not read: files of"),
    "no answer": (ASKED, FOUND, [], [], 0.0, "hand over", "do not settle “export invoice”"),
    "nothing found": (ASKED, (), [], [], 0.0, "hand over", "no passage was found for “export"),
    "nothing said": ("Hello!", FOUND, [GOOD], [], 0.99, "ask", "nothing that could be looked for"),
    "only a file": ("", FOUND, [GOOD], [UNREAD], 0.99, "hand over", "only attachments came"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_happens_and_why(case: str, question: Callable[..., Question]) -> None:
    asked, found, checks, attached, confidence, action, reason = CASES[case]
    answer = Answer("It is so. [1]" if checks else "", (), confidence)

    decision = POLICY.decide(question(asked, *found), answer, checks, attached)

    assert (decision.action, reason in decision.reason) == (action, True), decision.reason


@pytest.mark.parametrize(("strangeness", "action"), [(0.99, "hand over"), (0.98, "reply")])
def test_what_is_out_of_scope_is_not_answered_by_guess(
    question: Callable[..., Question], strangeness: float, action: str
) -> None:
    asked = question(ASKED, *FOUND)
    labels = Labels("export", 0.9, strangeness)
    labelled = replace(asked, encoding=replace(asked.encoding, labels=labels))

    decision = POLICY.decide(labelled, Answer("It is so. [1]", (), 0.9), [GOOD], [])

    assert decision.action == action


@pytest.mark.parametrize("confidence", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("checks", [[], [BAD], [GOOD, BAD]])
@pytest.mark.parametrize("found", [(), FOUND])
def test_nothing_without_support_is_ever_sent(
    question: Callable[..., Question],
    confidence: float,
    checks: Sequence[Check],
    found: tuple[str, ...],
) -> None:
    everything = Policy(reply_at=0.0, draft_at=0.0)

    decision = everything.decide(question(ASKED, *found), Answer("x", (), confidence), checks, [])

    assert decision.action in ("draft", "hand over")


def rarity(words: Sequence[str]) -> dict[str, float]:
    return dict.fromkeys(words, 1.0)


def measured(question: Question) -> policy.Signals:
    citation = Citation(1, question.hits[0].passage, "")
    return policy.signals(question, Answer("x [1]", (citation,), 0.0), rarity)


def test_a_passage_with_the_questions_words_makes_it_surer(
    question: Callable[..., Question],
) -> None:
    good = measured(question(ASKED, "To export an invoice, press Export.", "Other"))
    bad = measured(question(ASKED, "The weather is fine.", "Other"))

    assert good.coverage == 1.0
    assert bad.coverage == 0.0
    assert policy.confidence(good) > policy.confidence(bad)
    assert all(0 <= policy.confidence(signals) <= 1 for signals in (good, bad))


def test_hits_of_a_plugin_with_no_score_can_be_measured(
    question: Callable[..., Question],
) -> None:
    from dataclasses import replace

    asked = question(ASKED, "To export an invoice, press Export.")
    asked = replace(asked, hits=(replace(asked.hits[0], score=0.0, how={}),))

    assert 0 <= policy.confidence(measured(asked)) <= 1
