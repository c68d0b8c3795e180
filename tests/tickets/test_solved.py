from __future__ import annotations

from assistant.articles import Passage
from assistant.messages import Answer, Attachment, Citation, Outcome
from assistant.tickets.repository import Tickets
from assistant.tickets.solved import solved_questions
from tests.tickets.conftest import message

CITED = Outcome(
    "reply",
    "why",
    "Press Download [1].",
    Answer(
        "Press Download [1].",
        (
            Citation(1, Passage("p1", "help/invoices.md", ("Invoices",), "Press Download."), "…"),
            Citation(2, Passage("p2", "help/plans.md", ("Plans",), "The Team plan."), "…"),
        ),
        0.9,
    ),
)


def answered(tickets: Tickets, name: str = "m1", outcome: Outcome = CITED) -> None:
    file = Attachment("image/png", "screen.png", b"pixels")
    asked = message(name, attachments=(file,))
    ticket = tickets.store_message(asked)
    reply = tickets.outcomes.store(ticket.id, asked, [name], outcome)
    assert reply
    tickets.replies.record_sent(reply, "<r@example.org>")


def test_a_solved_ticket_gives_its_question_and_the_article_cited_first(tickets: Tickets) -> None:
    answered(tickets)
    tickets.solutions.mark(1, "ana")

    (solved,) = solved_questions(tickets.engine)

    assert solved.text == "Where is my invoice?"
    assert solved.article_id == "help/invoices.md"
    assert [file.content for file in solved.attachments] == [b"pixels"]


def test_a_ticket_that_is_not_solved_teaches_nothing(tickets: Tickets) -> None:
    answered(tickets)

    assert list(solved_questions(tickets.engine)) == []


def test_a_thumb_down_teaches_nothing(tickets: Tickets) -> None:
    answered(tickets)
    tickets.solutions.mark(1, "ana")
    tickets.feedback.add(1, False, "kim@example.org")

    assert list(solved_questions(tickets.engine)) == []


def test_an_answer_that_a_person_wrote_after_it_is_what_solved_it(tickets: Tickets) -> None:
    answered(tickets)
    reply = tickets.replies.write(1, "ana", "I did it for you.")
    tickets.replies.record_sent(reply, "<r2@example.org>")
    tickets.solutions.mark(1, "ana")

    assert list(solved_questions(tickets.engine)) == []
