"""The figures of the page Quality: what is drawn, and what other thresholds would have done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from assistant.console.plots import Plot, bars, curve, shares
from assistant.tickets.quality import Day, Figures
from assistant.tickets.verdicts import BINS, Bin

ENOUGH = 20
"""Fewer judged answers are not drawn as curves: they would say more than is known."""

BUCKETS = 10


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
    """The figures by day."""
    labels, groups = _days(found, since)

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


def _days(found: Figures, since: datetime) -> tuple[list[str], list[Day]]:
    """The days since then, each with its label."""
    first, last = since.date(), datetime.now(UTC).date()
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return [f"{day:%d %b}" for day in days], [found.days.get(day, Day()) for day in days]
