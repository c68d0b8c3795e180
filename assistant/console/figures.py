"""The figures of the page Quality: what is drawn, and what other thresholds would have done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from assistant.console.plots import Plot, amounts, bars, curve, shares
from assistant.tickets.costs import Cost, Costs
from assistant.tickets.quality import Day, Figures
from assistant.tickets.verdicts import BINS, Bin

ENOUGH = 20
"""Fewer judged answers are not drawn as curves: they would say more than is known."""

BUCKETS = 10

LONGEST_IN_DAYS = 31
"""Longer periods are drawn by week."""

Summed = TypeVar("Summed", Day, Cost)


@dataclass(frozen=True)
class Preview:
    """How last month's answers would end: numbers of replies, drafts and hand-overs as it was, and
    as it would be; of the replies that people judged, how many were right."""

    before: tuple[int, int, int]
    after: tuple[int, int, int]
    right: int
    judged: int

    @property
    def interval(self) -> tuple[float, float]:
        """Between which shares of right replies the true one lies, with 95 % confidence."""
        return wilson(self.right, self.judged)


def plots(found: Figures, since: datetime) -> list[Plot]:
    """The figures by day, of a long period by week."""
    labels, groups = _spans(found.days, Day(), since)

    def share(part: Callable[[Day], int], whole: Callable[[Day], int]) -> list[float | None]:
        return [part(day) / whole(day) if whole(day) else None for day in groups]

    def counts(name: str) -> list[int]:
        return [getattr(day, name) for day in groups]

    return [
        bars(
            "How messages ended",
            labels,
            {
                "replied": counts("replied"),
                "drafted": counts("drafted"),
                "handed over": counts("handed_over"),
            },
        ),
        shares(
            "Solved without a person",
            labels,
            {"of tickets that began then": share(lambda d: d.alone, lambda d: d.tickets)},
            "A ticket counts as solved when the customer says so, or a week after the last answer:"
            " the newest days still rise.",
        ),
        bars(
            "What people did with drafts",
            labels,
            {
                "sent as it was": counts("sent_unchanged"),
                "changed, then sent": counts("sent_changed"),
                "discarded": counts("discarded"),
            },
        ),
        shares(
            "Satisfaction",
            labels,
            {"thumbs up": share(lambda d: d.helpful, lambda d: d.helpful + d.not_helpful)},
        ),
    ]


def costs(found: Costs, since: datetime) -> list[Plot]:
    """What a message took by day, of a long period by week; tokens only where some were counted."""
    labels, groups = _spans(found.days, Cost(), since)
    drawn = [
        amounts(
            "Seconds of processing a message",
            labels,
            {"seconds": [c.seconds / c.messages if c.messages else None for c in groups]},
        )
    ]
    if found.all.counted:
        drawn.append(
            amounts(
                "Tokens a message",
                labels,
                {
                    "read": [c.tokens_read / c.counted if c.counted else None for c in groups],
                    "written": [
                        c.tokens_written / c.counted if c.counted else None for c in groups
                    ],
                },
                "Of messages for which a chat model was asked and counted.",
            )
        )
    return drawn


def trust(judged: Sequence[Bin]) -> list[Plot]:
    """Whether confidences can be believed, and how many answers would be wrong if only the more
    confident ones were sent (El-Yaniv and Wiener, 2010)."""
    if sum(one.right + one.wrong for one in judged) < ENOUGH:
        return []
    buckets: list[list[float]] = [[0.0, 0.0, 0.0] for _ in range(BUCKETS)]
    for one in judged:
        bucket = buckets[min(BUCKETS - 1, int(one.confidence * BUCKETS))]
        count = one.right + one.wrong
        bucket[0] += count
        bucket[1] += one.right
        bucket[2] += (one.confidence + 0.5 / BINS) * count
    calibration = [(sums / n, right / n) for n, right, sums in buckets if n]
    risk, count, wrong = [], 0, 0
    total = sum(one.right + one.wrong for one in judged)
    by_confidence: dict[float, tuple[int, int]] = {}
    for one in judged:
        n, w = by_confidence.get(one.confidence, (0, 0))
        by_confidence[one.confidence] = (n + one.right + one.wrong, w + one.wrong)
    for _, (n, w) in sorted(by_confidence.items(), reverse=True):
        count, wrong = count + n, wrong + w
        if count >= ENOUGH:
            risk.append((count / total, wrong / count))
    return [
        curve(
            "Calibration",
            "said",
            "were right",
            calibration,
            "On the line, answers are right as often as their confidence says.",
            diagonal=True,
        ),
        curve(
            "Risk and coverage",
            "of answers",
            "are wrong",
            risk,
            "If only the most confident answers were sent: how many of them would be wrong.",
        ),
    ]


def preview(answers: Sequence[Bin], reply_at: float, draft_at: float) -> Preview:
    """What would have become of these answers. Drafts that wait for another reason than their
    confidence stay drafts; what was handed over for its confidence is a draft at most, since its
    sentences were not all checked."""
    before, after = [0, 0, 0], [0, 0, 0]
    right = judged = 0
    for one in answers:
        if one.kind == "other":
            continue
        was = 0 if one.kind == "reply" else 2 if one.kind == "hand over" else 1
        if one.confidence < draft_at:
            now = 2
        elif one.confidence >= reply_at and one.kind in ("reply", "draft"):
            now = 0
        else:
            now = 1
        before[was] += one.answers
        after[now] += one.answers
        if now == 0:
            right += one.right
            judged += one.right + one.wrong
    return Preview(tuple(before), tuple(after), right, judged)  # type: ignore[arg-type]


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    if not n:
        return 0.0, 1.0
    z, share = 1.96, right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def _spans(
    found: Mapping[date, Summed], nothing: Summed, since: datetime
) -> tuple[list[str], list[Summed]]:
    """The days since then, or their weeks if they are many, each with the label of its first day.
    Weeks end today, so that the last is a whole one; the first may be shorter."""
    first, last = since.date(), datetime.now(UTC).date()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    length = 7 if len(days) > LONGEST_IN_DAYS else 1
    begin = len(days) % length
    spans = [days[:begin]] if begin else []
    spans += [days[n : n + length] for n in range(begin, len(days), length)]
    sums = [sum((found.get(day, nothing) for day in span), nothing) for span in spans]
    return [f"{span[0]:%d %b}" for span in spans], sums
