"""What the articles do not answer: questions that are alike, and what staff said to them.

Nothing here is written by a model: an outline holds customers' and colleagues' own sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.knowledge.sentences import sentences
from assistant.knowledge.words import content_words

ALIKE = 0.55
"""Questions count as about one thing from this cosine of their vectors on."""

SMALLEST = 2
MOST = 15
QUOTED = 5
"""So many questions, and so many sentences of staff, stand in an outline."""

NEAR = 0.35
"""A sentence of staff belongs to a question from this cosine on."""

Encode = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True)
class Quote:
    """Words that somebody wrote, and the ticket they stand in."""

    ticket_id: int
    text: str


@dataclass(frozen=True)
class Gap:
    """Questions about one thing: the one in their middle, `tickets` that ask it, and for an
    article's outline how customers put it and what staff answered."""

    question: str
    tickets: tuple[int, ...]
    asked: tuple[Quote, ...]
    answered: tuple[Quote, ...]

    @property
    def outline(self) -> str:
        """The outline as Markdown, each line a quotation."""
        lines = [f"# {self.question}", "", "## What customers ask", ""]
        lines += [f"- {quote.text} (ticket {quote.ticket_id})" for quote in self.asked]
        lines += ["", "## What we answered", ""]
        lines += [f"- {quote.text} (ticket {quote.ticket_id})" for quote in self.answered]
        return "\n".join(lines if self.answered else [*lines, "Nobody has answered this yet."])


def find(
    questions: Sequence[Quote],
    staff_answers: Callable[[Sequence[int]], Sequence[Quote]],
    encode: Encode,
) -> list[Gap]:
    """The gaps, the one that most tickets ask about first, MOST of them. `staff_answers` gives what
    staff wrote in tickets."""
    questions = [quote for quote in questions if content_words(quote.text)]
    if not questions:
        return []
    vectors = encode([quote.text for quote in questions])  # [questions, dim]
    found: list[Gap] = []
    for members in communities(vectors):
        tickets = tuple(dict.fromkeys(questions[row].ticket_id for row in members))
        if len(tickets) < SMALLEST:
            continue
        middle = vectors[members].mean(0)  # [dim]
        nearest = sorted(members, key=lambda row: -float(vectors[row] @ middle))
        asked = tuple(_short(questions[row]) for row in nearest[:QUOTED])
        answered = _said(staff_answers(tickets), middle, encode)
        found.append(Gap(asked[0].text, tickets, asked, answered))
        if len(found) == MOST:
            break
    return sorted(found, key=lambda gap: -len(gap.tickets))


def communities(vectors: NDArray[np.float32]) -> list[list[int]]:
    """Rows of `vectors` [rows, dim], of length 1, that belong together: again and again the row
    with most others within ALIKE of it, and these (sphere exclusion; Butina, 1999)."""
    near = vectors @ vectors.T >= ALIKE  # [rows, rows]
    left = np.ones(len(vectors), bool)
    found: list[list[int]] = []
    while left.any():
        counts = (near & left).sum(1) * left  # [rows]
        members = np.flatnonzero(near[counts.argmax()] & left)
        left[members] = False
        found.append([int(row) for row in members])
    return found


def _said(
    answers: Sequence[Quote], middle: NDArray[np.float32], encode: Encode
) -> tuple[Quote, ...]:
    """The sentences of staff that come nearest to the questions, in the order in which they stand
    in their answers."""
    said = [
        Quote(answer.ticket_id, sentence)
        for answer in answers
        for sentence in sentences(answer.text)
        if len(content_words(sentence)) >= 3
    ]
    said = list({quote.text: quote for quote in said}.values())
    if not said:
        return ()
    cosines = encode([quote.text for quote in said]) @ middle / np.linalg.norm(middle)
    best = [row for row in np.argsort(-cosines)[:QUOTED] if cosines[row] >= NEAR]
    return tuple(said[row] for row in sorted(best))


def _short(quote: Quote, longest: int = 200) -> Quote:
    """The beginning of what was asked, on one line."""
    words = " ".join(quote.text.split())
    return Quote(quote.ticket_id, words if len(words) <= longest else words[:longest] + " …")
