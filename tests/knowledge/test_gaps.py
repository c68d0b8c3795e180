from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.knowledge.gaps import Quote, communities, find

SUBJECTS = ("paypal", "cat", "invoice")


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """A vector that says which subject a text names, and 0 for none."""
    return np.array([[subject in text.lower() for subject in SUBJECTS] for text in texts], "f4")


def test_questions_of_several_tickets_are_a_gap_with_what_people_wrote() -> None:
    asked = [
        Quote(1, "Can I pay by PayPal?"),
        Quote(2, "Do you take\nPayPal at all?"),
        Quote(3, "Where is the cat?"),
    ]
    said = [Quote(1, "PayPal is accepted on the Team plan. Have a nice day out there.")]

    (gap,) = find(asked, lambda tickets: said, encode)

    assert gap.tickets == (1, 2)
    assert {quote.text for quote in gap.asked} == {
        "Can I pay by PayPal?",
        "Do you take PayPal at all?",
    }
    assert gap.answered == (Quote(1, "PayPal is accepted on the Team plan."),)
    assert "- PayPal is accepted on the Team plan. (ticket 1)" in gap.outline


def test_one_ticket_that_asks_twice_is_no_gap() -> None:
    asked = [Quote(1, "Can I pay by PayPal?"), Quote(1, "PayPal please, is it possible?")]

    assert find(asked, lambda tickets: [], encode) == []


def test_an_outline_says_that_nobody_answered() -> None:
    asked = [Quote(1, "Can I pay by PayPal?"), Quote(2, "Is PayPal possible?")]

    (gap,) = find(asked, lambda tickets: [], encode)

    assert gap.outline.endswith("Nobody has answered this yet.")


def test_each_row_is_in_one_community_the_largest_first() -> None:
    vectors = encode(["cat", "paypal", "paypal", "paypal", "cat", "invoice"])

    assert communities(vectors) == [[1, 2, 3], [0, 4], [5]]
