"""Our signed marks."""

from __future__ import annotations

from connectors.email.tokens import Mark, Tokens, without_marks

TOKENS = Tokens(["key one"])


def test_a_message_id_says_its_ticket_and_is_always_the_same() -> None:
    message_id = TOKENS.message_id("reply", 42, "some-reply", "example.com")

    assert message_id == TOKENS.message_id("reply", 42, "some-reply", "example.com")
    assert TOKENS.of_message_id(message_id) == Mark(42, "reply", "some-reply")


def test_another_ticket_cannot_be_named_with_the_same_signature() -> None:
    message_id = TOKENS.message_id("reply", 42, "some-reply", "example.com")
    text = TOKENS.in_text("reply", 42)

    assert TOKENS.of_message_id(message_id.replace(".42.", ".43.")) is None
    assert list(TOKENS.in_texts(text.replace("-42-", "-43-"))) == []


def test_a_customers_mark_is_of_no_use_as_staffs() -> None:
    message_id = TOKENS.message_id("reply", 42, "x", "example.com")
    text = TOKENS.in_text("reply", 42)

    assert TOKENS.of_message_id(message_id.replace("reply", "staff")) is None
    assert list(TOKENS.in_texts(text.replace("DM", "DS"))) == []


def test_marks_are_found_in_quoted_text() -> None:
    quoted = f"> Sources:\n> {TOKENS.in_text('reply', 42)}\n"

    assert list(TOKENS.in_texts("no mark", quoted)) == [Mark(42, "reply")]


def test_marks_of_an_older_key_are_good() -> None:
    newer = Tokens(["key two", "key one"])

    assert list(newer.in_texts(TOKENS.in_text("reply", 42))) == [Mark(42, "reply")]
    assert list(Tokens(["key two"]).in_texts(TOKENS.in_text("reply", 42))) == []


def test_marks_are_taken_out_of_what_is_passed_on() -> None:
    assert without_marks(f"Hello {TOKENS.in_text('staff', 1)}") == "Hello "
