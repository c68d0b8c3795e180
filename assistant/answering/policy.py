"""Reply, draft, ask or hand over: what happens with an answer, and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.answering.grounding import Check
from assistant.answering.question import Question
from assistant.knowledge.words import content_words
from assistant.messages import Action, Answer, AttachmentReport


@dataclass(frozen=True)
class Decision:
    """An action and the reason for it, in one sentence for the desk's own people."""

    action: Action
    reason: str


@dataclass(frozen=True)
class Signals:
    """What the confidence of an answer is made of, each from about 0 to 1.

    similarity  cosine of the question and the passage cited first
    coverage    share of the question's words, weighted by rarity, that stand in what is cited
    agreement   1 if meaning and words both put the first passage first, 0.5 if one does
    margin      how far the first article stands before the next, as a share of its score
    screenshot  1 if the question has no words of its own
    """

    similarity: float
    coverage: float
    agreement: float
    margin: float
    screenshot: float


# Learned by `python -m benchmarks.fit_confidence`.
_INTERCEPT = -4.18
_WEIGHTS = Signals(similarity=4.01, coverage=0.90, agreement=2.24, margin=2.73, screenshot=0.03)


def signals(
    question: Question, answer: Answer, rarity: Callable[[Sequence[str]], dict[str, float]]
) -> Signals:
    """Measures an answer that cites at least one passage, to a question with at least one hit."""
    cited = "\n".join(
        "\n".join(
            [*citation.passage.heading_path, citation.passage.text, citation.passage.picture_text]
        )
        for citation in answer.citations
    )
    asked = content_words(question.text or question.encoding.text)
    weights = rarity(list(asked.values()))
    found = content_words(cited).keys()
    coverage = sum(weights[word] for stem, word in asked.items() if stem in found)
    lead = next(
        (hit for hit in question.hits if hit.passage.id == answer.citations[0].passage.id),
        question.hits[0],
    )
    other = next(
        (h.score for h in question.hits if h.passage.article_id != lead.passage.article_id), 0.0
    )
    return Signals(
        similarity=lead.similarity,
        coverage=coverage / (sum(weights.values()) or 1.0),
        agreement=sum(lead.how.get(name) == 1 for name in ("meaning", "words")) / 2,
        margin=max(0.0, (lead.score - other) / lead.score) if lead.score > 0 else 0.0,
        screenshot=float(not question.text),
    )


def confidence(measured: Signals) -> float:
    """The probability, from 0 to 1, that an answer with these signals is to the point."""
    logit = _INTERCEPT + sum(
        weight * getattr(measured, name) for name, weight in vars(_WEIGHTS).items()
    )
    return 1 / (1 + math.exp(-logit))


@dataclass(frozen=True)
class Policy:
    """`reply_at` and `draft_at` are confidences, from 0 to 1."""

    reply_at: float
    draft_at: float

    def decide(
        self,
        question: Question,
        answer: Answer,
        checks: Sequence[Check],
        attachments: Sequence[AttachmentReport],
    ) -> Decision:
        """The first of these that applies, so that nothing is said without support:
        nothing to go on: ask; out of scope, nothing found or said: hand over; a sentence without
        support, an attachment not read, or less confidence than `reply_at`: draft; less than
        `draft_at`: hand over; else reply."""
        unread = [report for report in attachments if not report.read]
        if not content_words(question.encoding.text):
            if unread:
                return Decision("hand over", f"only attachments came, and {_named(unread)}")
            return Decision("ask", "the message says nothing that could be looked for")
        labels = question.encoding.labels
        if labels and not labels.in_scope:
            return Decision(
                "hand over",
                f"the message looks out of scope: stranger than {labels.out_of_scope:.0%} of the"
                " messages that are known",
            )
        if not question.hits:
            return Decision("hand over", f"no passage was found for {_looked_for(question)}")
        if not checks:  # no answer, or one of nothing but marks
            return Decision("hand over", f"the sources do not settle {_looked_for(question)}")
        if answer.confidence < self.draft_at:
            return Decision(
                "hand over",
                f"the passages found hardly match {_looked_for(question)}"
                f" (confidence {answer.confidence:.2f}, drafts need {self.draft_at:.2f})",
            )
        unsupported = [check for check in checks if not check.supported]
        if unsupported:
            first = unsupported[0]
            return Decision("draft", f"not supported: “{first.sentence}”: {first.why}")
        if unread:
            return Decision("draft", _named(unread))
        if answer.confidence < self.reply_at:
            return Decision(
                "draft",
                f"confidence {answer.confidence:.2f}, replies need {self.reply_at:.2f}",
            )
        return Decision("reply", f"supported by its sources, confidence {answer.confidence:.2f}")


def _looked_for(question: Question) -> str:
    words = list(content_words(question.text or question.encoding.text).values())
    return "“" + " ".join(words[:12]) + ("” …" if len(words) > 12 else "”")


def _named(unread: Sequence[AttachmentReport]) -> str:
    return "; ".join(f"{report.filename} was not read: {report.note}" for report in unread)
