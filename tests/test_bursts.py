from __future__ import annotations

from typing import Any

import pytest

from assistant.bursts import MOMENT_SECONDS, one_question, quiet_seconds, seems_finished
from assistant.messages import Message


def message(text: str, **changes: Any) -> Message:
    return Message("chat", "m1", "t1", "kim@example.org", text, **changes)


@pytest.mark.parametrize(
    "text",
    [
        "How do I download an invoice?",
        "Hi! Why does my export stop? It worked before",
        "My export stops with KT-4031 after the update to version seven",
        "Can I talk to a human?",
    ],
)
def test_a_question_in_whole_is_answered_after_a_moment(text: str) -> None:
    assert seems_finished(message(text))
    assert quiet_seconds(message(text), in_a_row=False, longest=5) == MOMENT_SECONDS


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello",
        "Good morning everybody!",
        "Can you help me?",
        "It says KT-4031",
        "How do I void an invoice? I tried the following:",
        "When I press the button Download in Settings, Billing …",
    ],
)
def test_more_is_waited_for_where_it_is_likely_to_come(text: str) -> None:
    assert not seems_finished(message(text))
    assert quiet_seconds(message(text), in_a_row=False, longest=5) == 5


def test_who_writes_piece_by_piece_is_waited_for() -> None:
    asked = message("How do I download an invoice?")

    assert quiet_seconds(asked, in_a_row=True, longest=5) == 5


def test_nobody_waits_where_the_operator_wants_no_wait() -> None:
    assert quiet_seconds(message("Hello"), in_a_row=True, longest=0) == 0
    assert quiet_seconds(message("Where is my last invoice?"), in_a_row=False, longest=0) == 0


def test_a_mail_has_its_subject_among_its_words() -> None:
    assert seems_finished(message("It does not work?", subject="Download of invoices"))


def test_a_burst_shows_internal_passages_only_if_all_its_senders_may_see_them() -> None:
    staff, customer = message("a", audience="internal"), message("b", audience="public")

    assert one_question([staff, staff]).audience == "internal"
    assert one_question([customer, staff]).audience == "public"
