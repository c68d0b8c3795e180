from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from assistant import Desk
from assistant.articles import Passage
from assistant.messages import Answer, Attachment, Citation, Message, Outcome
from assistant.model.encoder import MultimodalEncoder
from assistant.settings import Settings
from assistant.tickets.repository import Tickets
from assistant.tickets.solved import solved_questions
from assistant.tuning import questions, screens, tickets
from assistant.tuning.verdict import Run, write_report
from tests.pictures import png

WHERE = ("on my telephone", "at work", "since Monday", "in the new office", "for our team")
ASKED = {
    "help/invoices.md": ("the bill for last month", "a PDF for our books", "what we paid in May"),
    "help/password.md": ("signing in again", "a code that I forgot", "a link that ran out"),
    "help/plans.md": ("two devices more", "what twelve people cost", "older versions of a file"),
    "help/sync-errors.md": ("KT-4031", "files that do not go up", "a quota that is used up"),
}
FORMS = ("I need {} {}", "Can you help me with {} {}?", "{} {} does not work for me")


def solve(tickets: Tickets, number: int, text: str, article: str, screenshot: bytes | None) -> None:
    """A ticket that an answer from `article` solved."""
    files = (Attachment("image/png", "screen.png", screenshot),) if screenshot else ()
    asked = Message("test", f"m{number}", f"t{number}", "ann", text, attachments=files)
    passage = Passage(f"p{number}", article, ("Title",), "Do this.")
    answer = Answer("Do this. [1]", (Citation(1, passage, "Do this."),), 0.9)
    ticket = tickets.store_message(asked)
    reply = tickets.outcomes.store(
        ticket.id, asked, [asked.external_id], Outcome("reply", "why", answer.text, answer)
    )
    assert reply
    tickets.replies.record_sent(reply, f"sent-{number}")
    tickets.solutions.mark(ticket.id, "ana")


@pytest.fixture
def desk(data_dir: Path, encoder: MultimodalEncoder) -> Iterator[Desk]:
    """A desk with enough solved tickets, of which every fourth shows a screenshot."""
    with Desk(Settings(data_dir=data_dir)) as desk:
        vars(desk)["encoder"] = encoder
        cases = [
            (form.format(thing, where), article)
            for (article, things) in ASKED.items()
            for form, thing, where in product(FORMS, things, WHERE)
        ]
        for number, (text, article) in enumerate(cases):
            shows = png(text) if number % 4 == 0 else None
            solve(desk.tickets, number, text, article, shows)
        yield desk


def test_both_parts_are_measured_on_articles_that_they_were_not_made_from(desk: Desk) -> None:
    run = Run(desk.live)
    solved = list(solved_questions(desk.engine))
    assert len(solved) >= questions.LEAST
    assert sum(bool(each.attachments) for each in solved) >= screens.LEAST

    verdicts, reasons = tickets.train(
        solved, desk.pipeline.attachments, desk.encoder, desk.retriever, desk.lexical, run
    )

    assert reasons == []
    assert [verdict.part for verdict in verdicts] == ["questions", "screens"]
    for verdict in verdicts:
        assert 0 < verdict.cases < len(solved) / 2
        assert (desk.live.load(verdict.part) is not None) == verdict.live
    report = write_report(verdicts, reasons, desk.live.folder).read_text()
    assert "## questions: " in report
    assert "## screens: " in report
