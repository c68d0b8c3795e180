from __future__ import annotations

from dataclasses import replace

import pytest

from assistant.answering.remarks import asks_for_person, decide
from assistant.messages import Attachment, Message, Turn, now

ANSWERED = (
    Turn("customer", "Why does my export stop?", now()),
    Turn("assistant", "Press Continue. [1]", now()),
)


def said(text: str) -> Message:
    return Message("email", "2", "t1", "kim@example.org", text)


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, that worked",
        "Thanks that worked!",
        "ok that helped thanks",
        "That worked, thank you so much 🎉",
        "It’s working now",
        "works",
        "Solved, thanks",
        "perfect, that fixed it",
        "That solved my problem. Thank you very much! Have a nice day",
        "Hi,\n\nall sorted now - many thanks for your help.\n\nBest regards,\nKim Lee",
    ],
)
def test_a_customer_confirms(text: str) -> None:
    outcome = decide(said(text), ANSWERED)

    assert outcome is not None
    assert (outcome.action, outcome.text) == ("solve", "")


@pytest.mark.parametrize(
    "text",
    [
        "Thanks, that worked but now the import fails",
        "that worked?",
        "That did not work",
        "It doesn't work, thanks",
        "not solved",
        "It worked yesterday",
        "this worked until today",
        "It all worked before the update",
        "Thanks, that worked. One more question: how do I cancel",
        "it works now but only on my phone",
        "everything works except sync",
        "The export works and the import fails",
        "It works now, the invoice is wrong though",
        "That helped a bit",
        "Thanks. Still broken",
        "Thanks but no",
        "is it fixed now?",
        "Thanks, it works now.\n\nBest,\nKim\nPS: the invoice is wrong",
    ],
)
def test_near_misses_are_answered(text: str) -> None:
    assert decide(said(text), ANSWERED) is None


@pytest.mark.parametrize("text", ["Thanks", "thx 👍", "Perfect, thank you!", "Great!", "ok"])
def test_thanks_alone_are_neither_answered_nor_taken_for_a_solution(text: str) -> None:
    outcome = decide(said(text), ANSWERED)

    assert outcome is not None
    assert (outcome.action, outcome.text) == ("ignore", "")


def test_nothing_is_confirmed_before_something_was_answered() -> None:
    assert decide(said("It works"), ()) is None
    assert decide(said("Thanks"), ANSWERED[:1]) is None


def test_a_screenshot_may_say_more_than_the_words() -> None:
    picture = Attachment("image/png", "now.png", b"1")

    assert decide(replace(said("Thanks, that worked"), attachments=(picture,)), ANSWERED) is None


@pytest.mark.parametrize(
    "text",
    [
        "Can I talk to a human?",
        "I want to speak to a real person please",
        "human please",
        "agent",
        "Please connect me to an agent",
        "I'd like to talk to someone from your team about this",
        "That is not what I asked. Let me talk to a person!",
        "How can I speak with a representative?",
        "get me a human",
    ],
)
def test_a_customer_asks_for_a_person(text: str) -> None:
    outcome = decide(said(text), ())

    assert outcome is not None
    assert outcome.action == "hand over"
    assert outcome.text.startswith("Of course: a person")


@pytest.mark.parametrize(
    "text",
    [
        "How do I add a person to my team?",
        "Can an agent be assigned to an invoice?",
        "My client wants to talk to a person",
        "How do I set the user agent",
        "I want a person removed from my workspace",
        "How can I chat with someone in my workspace who is a guest?",
    ],
)
def test_a_question_about_persons_is_a_question(text: str) -> None:
    assert not asks_for_person(text)
