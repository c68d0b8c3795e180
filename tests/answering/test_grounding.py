from __future__ import annotations

from collections.abc import Callable

import pytest

from assistant.answering import grounding
from assistant.articles import Passage
from assistant.messages import Answer, Citation

SOURCE = """\
The Team plan costs 12 euros per user and month. It allows at most 15 devices for each user.
Error 0x80070005 means that access was denied. Never delete your account to solve it.
Free accounts have version history for three days.
Write to help@kite.example or visit https://kite.example/help for the "Usage report".
The first item is items[0].

1. Open Settings > Billing
2. Choose the month
3. Press Download PDF"""


@pytest.fixture
def why(passage: Callable[..., Passage]) -> Callable[[str], list[str]]:
    """Why sentences of an answer from SOURCE, which is [1], and another passage, which is [2],
    are not supported; empty if all are."""
    cited = (
        Citation(1, passage(SOURCE), ""),
        Citation(2, passage("The Pro plan costs 20 euros."), ""),
    )

    def check(text: str) -> list[str]:
        return [c.why for c in grounding.check(Answer(text, cited, 0.0)) if not c.supported]

    return check


SUPPORTED = [
    "The Team plan costs 12 euros per user and month. [1]",
    "The Team plan costs 12 euros per user and month [1].",
    "the team plan costs 12 euros per user and month. [1]",
    "**The Team plan** costs 12 euros per user and month. [1]",
    "The Team plan is 12 euros per user each month. [1]",
    "Up to 15 devices are allowed for each user. [1]",
    "Error 0x80070005 means access was denied. [1]",
    "You should never delete your account to solve it. [1]",
    "To press Download PDF, choose the month. [1]",
    "To download:\n1. Open Settings > Billing\n2. Choose the month\n3. Press Download PDF [1]",
    "2. Press **Download PDF** [1]",
    "The Team plan costs 12 euros per user and month. It allows at most 15 devices for each user. "
    "[1]",
    "The Team plan costs 12 euros [1], the Pro plan costs 20 euros [2].",
    "The first item is items[0]. [1]",
    "Visit https://kite.example/help. [1]",
    "Free accounts have version history for three days. [1] 🙂",
]


@pytest.mark.parametrize("text", SUPPORTED)
def test_what_the_sources_say_is_supported(why: Callable[[str], list[str]], text: str) -> None:
    assert why(text) == []


NOT_SUPPORTED = {
    "The Team plan costs 13 euros per user and month. [1]": "'13'",
    "The Team plan costs 1 euro per user and month. [1]": "'1'",
    "The Team plan costs 1.2 euros per user and month. [1]": "'1.2'",
    "The Team plan costs 12.50 euros per user and month. [1]": "'12.50'",
    "The Team plan costs $12 per user and month. [1]": "'$12'",
    "The Team plan costs 12 € per user and month. [1]": "'12 €'",
    "It allows at most 5 devices for each user. [1]": "'5'",
    "Error 0x80070006 means that access was denied. [1]": "'0x80070006'",
    "Error 0x8007000 means that access was denied. [1]": "'0x8007000'",
    "Free accounts have version history for four days. [1]": "'four'",
    "Write to sales@kite.example for the report. [1]": "sales@kite.example",
    "Visit https://kite.example/login for help. [1]": "https://kite.example/login",
    'Visit for the "Error report". [1]': "'Error report'",
    "Press **Export PDF**. [1]": "'Export PDF'",
    "Press `Save PDF`. [1]": "'Save PDF'",
    "To download, open the month in Reports. [1]": "'Reports'",
    "Delete your account to solve it. [1]": "denies something",
    "The Team plan does not cost 12 euros per user and month. [1]": "denies something",
    "It never allows at most 15 devices for each user. [1]": "denies something",
    "Our support is friendly, quick and always ready. [1]": "of its words",
    "No. [1]": "denies something",
    "The Team plan costs 12 euros per user and month.": "cites nothing",
    "The Team plan costs 12 euros per user and month. [3]": "cites nothing",
    "The Team plan costs 12 euros per user and month. [2]": "'Team'",
    "The Team plan costs 12 euros per user and month. [1]\n\nAsk us any time.": "cites nothing",
    "1. Open Settings > Billing\n2. Choose the year\n3. Press Download PDF 9 [1]": "'9'",
    "ยินดีต้อนรับ [1]": "of its words",
}


@pytest.mark.parametrize("text", NOT_SUPPORTED)
def test_what_they_do_not_say_is_not(why: Callable[[str], list[str]], text: str) -> None:
    (reason,) = why(text)

    assert NOT_SUPPORTED[text] in reason


def test_one_bad_sentence_among_good_ones_is_found(why: Callable[[str], list[str]]) -> None:
    text = (
        "The Team plan costs 12 euros per user and month. [1] It allows at most 50 devices. [1]"
        " The Pro plan costs 20 euros. [2]"
    )

    assert why(text) == ["'50' does not stand in what it cites"]


@pytest.mark.parametrize("text", ["", "[1]", "[1]\n\n[1]", "…", "* [1]"])
def test_what_says_nothing_has_nothing_to_check(text: str, passage: Callable[..., Passage]) -> None:
    assert grounding.check(Answer(text, (Citation(1, passage(SOURCE), ""),), 0.0)) == []
