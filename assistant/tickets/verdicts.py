"""What people made of the assistant's answers, by the confidence it gave them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, and_, case, func, select

from assistant.tickets.database import sessions
from assistant.tickets.quality import of_channel
from assistant.tickets.tables import FeedbackRow, OutcomeRow, ReplyRow

SMALL_EDIT = 0.1
"""A draft counts as right if at most this share of its words was changed before it was sent."""

BINS = 100
"""Confidences are counted in whole hundredths."""


@dataclass(frozen=True)
class Bin:
    """Answers of one confidence, in hundredths: how they ended and why, how many there are, and
    what people made of them."""

    kind: str
    confidence: float
    answers: int
    right: int
    wrong: int


class Verdicts:
    """The verdicts on all tickets' answers."""

    def __init__(self, engine: Engine) -> None:
        _, self._read = sessions(engine)

    def bins(self, since: datetime, channel: str = "") -> tuple[Bin, ...]:
        """The answers since then by confidence. A draft is right if it was sent with small changes
        at most, and wrong if it was sent with greater ones or discarded; a reply is right or wrong
        as its customer's thumb said. All others are neither."""
        # Rounded down, so that a threshold in hundredths falls between two bins; SQLite has a
        # floor only where it was built with one.
        confidence = func.round(OutcomeRow.confidence * BINS - 0.5 + 1e-6).label("hundredths")
        draft_right = and_(
            OutcomeRow.draft_state == "approved",
            func.coalesce(ReplyRow.changed_share, 0) <= SMALL_EDIT,
        )
        draft_wrong = OutcomeRow.draft_state.in_(("approved", "discarded")) & ~draft_right
        query = (
            select(
                _kind().label("kind"),
                confidence,
                func.count(),
                func.sum(case((draft_right, 1), else_=0)),
                func.sum(case((draft_wrong, 1), else_=0)),
            )
            .select_from(OutcomeRow)
            .outerjoin(
                ReplyRow,
                and_(ReplyRow.outcome_id == OutcomeRow.id, OutcomeRow.draft_state.is_not(None)),
            )
            .where(OutcomeRow.created_at >= since, OutcomeRow.confidence.is_not(None))
            .group_by("kind", "hundredths")
        )
        thumbs = (
            select(
                confidence,
                func.sum(case((FeedbackRow.helpful, 1), else_=0)),
                func.sum(case((FeedbackRow.helpful, 0), else_=1)),
            )
            .join(OutcomeRow, OutcomeRow.id == FeedbackRow.outcome_id)
            .where(
                FeedbackRow.created_at >= since,
                OutcomeRow.created_at >= since,
                OutcomeRow.action == "reply",
                OutcomeRow.confidence.is_not(None),
            )
            .group_by("hundredths")
        )
        with self._read() as session:
            thumbed = {
                value: (right, wrong)
                for value, right, wrong in session.execute(of_channel(thumbs, OutcomeRow, channel))
            }
            found = []
            for kind, value, answers, right, wrong in session.execute(
                of_channel(query, OutcomeRow, channel)
            ):
                if kind == "reply":
                    right, wrong = thumbed.get(value, (0, 0))
                found.append(Bin(kind, float(value) / BINS, answers, int(right), int(wrong)))
            return tuple(sorted(found, key=lambda one: (one.confidence, one.kind)))


def _kind() -> ColumnElement[str]:
    """How an answer ended, and whether its confidence decided that."""
    return case(
        (OutcomeRow.action == "reply", "reply"),
        (OutcomeRow.reason.like("confidence %"), "draft"),
        (OutcomeRow.action == "draft", "draft for another reason"),
        (OutcomeRow.reason.like("the passages found hardly%"), "hand over"),
        else_="other",
    )
