"""Trains all that solved tickets teach."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.errors import DeskmateError
from assistant.knowledge.lexical import Lexical
from assistant.knowledge.retriever import Retriever
from assistant.model.attachments import AttachmentReader
from assistant.model.encoder import MultimodalEncoder
from assistant.tickets.solved import Solved
from assistant.tuning import cases, questions, screens
from assistant.tuning.verdict import Run, Verdict


def train(
    solved: Sequence[Solved],
    attachments: AttachmentReader,
    encoder: MultimodalEncoder,
    retriever: Retriever,
    lexical: Lexical,
    run: Run,
) -> tuple[list[Verdict], list[str]]:
    """Trains the adapter of questions, then the weights of screenshots, on solved tickets: each if
    there are enough of its cases. Returns the verdicts, and why a part was not trained.

    Raises DeskmateError if there are too few cases for either.
    """
    least = min(questions.LEAST, screens.LEAST)
    cases.require(len(solved), least, "solved tickets whose answer cites an article")
    asked = cases.read(solved, attachments, encoder, lexical, run)
    verdicts, reasons = [], []
    for part in ("questions", "screens"):
        try:
            if part == "questions":
                verdicts.append(questions.train(asked, encoder, retriever, lexical, run))
            else:
                verdicts.append(screens.train(asked, retriever, run))
        except DeskmateError as error:
            reasons.append(f"{part}: not trained: {error}")
    if not verdicts:
        raise DeskmateError("Nothing could be trained. " + " ".join(reasons))
    return verdicts, reasons
