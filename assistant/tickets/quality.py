"""How well the assistant does: figures over time and by channel, counted by the database.

Everything is counted from the rows that work leaves behind; nothing is counted twice or ahead, so
that figures and tickets cannot disagree.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, case, func, select

from assistant.tickets.database import sessions
from assistant.tickets.solutions import ASSISTANT
from assistant.tickets.tables import FeedbackRow, OutcomeRow, ReplyRow, TicketRow

AT_ONCE = 3
"""So many queries are asked at the same time, as none needs another one's answer."""

WAITS: tuple[tuple[str, float], ...] = (
    ("1 minute", 60),
    ("10 minutes", 600),
    ("1 hour", 3_600),
    ("8 hours", 8 * 3_600),
    ("1 day", 86_400),
    ("longer", float("inf")),
)
"""How long customers wait for the first answer, in seconds at most."""

EDITS: tuple[tuple[str, float], ...] = (
    ("nothing", 0.0),
    ("up to a tenth", 0.1),
    ("up to a third", 1 / 3),
    ("more", 1.0),
)
"""Which share of a draft's words was changed before it was sent."""

REASONS: tuple[tuple[str, str], ...] = (
    ("The articles do not settle it", "the sources do not settle%"),
    ("Nothing was found", "no passage was found%"),
    ("What was found hardly matches", "the passages found hardly%"),
    ("Out of scope", "the message looks out of scope%"),
    ("The attachment could not be read", "only attachments came%"),
    ("The customer asked for a person", "%asks for a person%"),
    ("A person has the ticket already", "ticket % is with %"),
)
"""Why tickets are handed over, and how the reason is worded: see `answering.policy`."""


@dataclass(frozen=True)
class Day:
    """What came and went on one day, or in all of several: numbers of tickets and of drafts.

    `alone` are tickets that began then and were solved without a person having a hand in it.
    """

    tickets: int = 0
    alone: int = 0
    replied: int = 0
    drafted: int = 0
    handed_over: int = 0
    sent_unchanged: int = 0
    sent_changed: int = 0
    discarded: int = 0
    helpful: int = 0
    not_helpful: int = 0

    def __add__(self, other: Day) -> Day:
        return Day(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def decided(self) -> int:
        """Drafts that a person sent or discarded."""
        return self.sent_unchanged + self.sent_changed + self.discarded


@dataclass(frozen=True)
class Figures:
    """The figures since some day: by day and by channel, first answers by how long they took, and
    hand-overs by their reason."""

    days: dict[date, Day]
    channels: dict[str, Day]
    waits: dict[str, int]
    reasons: dict[str, int]
    edits: dict[str, int]

    @property
    def all(self) -> Day:
        """All days together."""
        return sum(self.days.values(), Day())


class Quality:
    """The figures of all tickets, or of one channel's."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect.name
        _, self._read = sessions(engine)

    def figures(self, since: datetime, channel: str = "") -> Figures:
        """The figures since then; `channel` is a connector's name, or empty for all."""
        days: defaultdict[str, Counter[str]] = defaultdict(Counter)
        channels: defaultdict[str, Counter[str]] = defaultdict(Counter)
        edits = {label: 0 for label, _ in EDITS}

        def add(day: Any, connector: str, count: int, *names: str) -> None:
            for counted in (days[str(day)], channels[connector]):
                for name in names:
                    counted[name] += count

        asked = (
            self._tickets(since, channel),
            self._outcomes(since, channel),
            self._sent(since, channel),
            self._thumbs(since, channel),
            self._waits(since, channel),
            self._reasons(since, channel),
        )
        with ThreadPoolExecutor(AT_ONCE) as pool:
            tickets, outcomes, sent, thumbs, waits, reasons = pool.map(self._rows, asked)
        for day, connector, alone, count in tickets:
            add(day, connector, count, "tickets", *(["alone"] if alone else []))
        for day, connector, name, count in outcomes:
            add(day, connector, count, *_COUNTED[name])
        for day, connector, author, edit, count in sent:
            add(day, connector, count, "sent_changed" if author == "staff" else "sent_unchanged")
            edits[edit] += count
        for day, connector, helpful, count in thumbs:
            add(day, connector, count, "helpful" if helpful else "not_helpful")
        waited = dict(waits)
        return Figures(
            {date.fromisoformat(day): Day(**days[day]) for day in sorted(days)},
            {name: Day(**channels[name]) for name in sorted(channels)},
            {label: waited.get(label, 0) for label in (*dict(WAITS), "not yet")},
            dict(reasons),
            edits,
        )

    def _rows(self, query: Select[Any]) -> list[Any]:
        with self._read() as session:
            return [tuple(row) for row in session.execute(query)]

    def _tickets(self, since: datetime, channel: str) -> Select[Any]:
        touched = (
            select(ReplyRow.id)
            .where(ReplyRow.ticket_id == TicketRow.id, ReplyRow.approved_by.is_not(None))
            .exists()
        )
        alone = case((TicketRow.solved_by == ASSISTANT, case((touched, 0), else_=1)), else_=0)
        query = (
            select(
                day_of(self._dialect, TicketRow.created_at),
                TicketRow.connector,
                alone.label("alone"),
                func.count(),
            )
            .where(TicketRow.created_at >= since)
            .group_by("day", TicketRow.connector, "alone")
        )
        return of_channel(query, TicketRow, channel)

    def _outcomes(self, since: datetime, channel: str) -> Select[Any]:
        day = day_of(self._dialect, OutcomeRow.created_at)
        decided = OutcomeRow.draft_state.in_(("approved", "discarded"))
        name = case((decided, OutcomeRow.draft_state), else_=OutcomeRow.action).label("name")
        query = (
            select(day, OutcomeRow.connector, name, func.count())
            .where(OutcomeRow.created_at >= since)
            .where(OutcomeRow.action.in_(("reply", "draft", "hand over")))
            .group_by("day", OutcomeRow.connector, "name")
        )
        return of_channel(query, OutcomeRow, channel)

    def _sent(self, since: datetime, channel: str) -> Select[Any]:
        """Drafts that were sent, by who wrote what was sent and by how much of it was changed."""
        day = day_of(self._dialect, OutcomeRow.created_at)
        share = func.coalesce(ReplyRow.changed_share, 0)
        edit = case(*((share <= most, label) for label, most in EDITS[:-1]), else_=EDITS[-1][0])
        query = (
            select(day, OutcomeRow.connector, ReplyRow.author, edit.label("edit"), func.count())
            .select_from(OutcomeRow)
            .join(ReplyRow, ReplyRow.outcome_id == OutcomeRow.id)
            .where(OutcomeRow.created_at >= since, OutcomeRow.draft_state == "approved")
            .group_by("day", OutcomeRow.connector, ReplyRow.author, "edit")
        )
        return of_channel(query, OutcomeRow, channel)

    def _thumbs(self, since: datetime, channel: str) -> Select[Any]:
        day = day_of(self._dialect, FeedbackRow.created_at)
        query = (
            select(day, TicketRow.connector, FeedbackRow.helpful, func.count())
            .join(TicketRow, TicketRow.id == FeedbackRow.ticket_id)
            .where(FeedbackRow.created_at >= since)
            .group_by("day", TicketRow.connector, FeedbackRow.helpful)
        )
        return of_channel(query, TicketRow, channel)

    def _waits(self, since: datetime, channel: str) -> Select[Any]:
        first = (
            select(func.min(ReplyRow.sent_at))
            .where(ReplyRow.ticket_id == TicketRow.id)
            .correlate(TicketRow)
            .scalar_subquery()
        )
        seconds = self._seconds(TicketRow.created_at, first).label("seconds")
        began = select(seconds).where(TicketRow.created_at >= since)
        # Else the first reply would be looked for once for each of the limits.
        answered = of_channel(began, TicketRow, channel).cte("answered")
        answered = answered.prefix_with("MATERIALIZED")
        name = case(
            (answered.c.seconds.is_(None), "not yet"),
            *((answered.c.seconds <= limit, label) for label, limit in WAITS[:-1]),
            else_=WAITS[-1][0],
        )
        return select(name.label("name"), func.count()).group_by("name")

    def _reasons(self, since: datetime, channel: str) -> Select[Any]:
        name = case(
            *((OutcomeRow.reason.like(words), label) for label, words in REASONS),
            else_="Something else",
        )
        query = (
            select(name.label("name"), func.count())
            .where(OutcomeRow.created_at >= since, OutcomeRow.action == "hand over")
            .group_by("name")
            .order_by(func.count().desc())
        )
        return of_channel(query, OutcomeRow, channel)

    def _seconds(self, begin: Any, end: Any) -> ColumnElement[Any]:
        if self._dialect == "sqlite":
            return (func.julianday(end) - func.julianday(begin)) * 86_400
        return func.extract("epoch", end - begin)


_COUNTED = {
    "reply": ("replied",),
    "draft": ("drafted",),
    "hand over": ("handed_over",),
    "discarded": ("drafted", "discarded"),
    "approved": ("drafted",),
}
"""What each way for a message to end counts as."""


def day_of(dialect: str, moment: Any) -> ColumnElement[Any]:
    """The day of a moment, in UTC. It is grouped by under its name: an expression with bound values
    is another one for PostgreSQL each time it stands in a query."""
    if dialect == "sqlite":
        return func.substr(moment, 1, 10).label("day")
    return func.date(func.timezone("UTC", moment)).label("day")


def of_channel(
    query: Select[Any], table: type[TicketRow] | type[OutcomeRow], channel: str
) -> Select[Any]:
    """A query that reads `table`, narrowed to a channel if one is named."""
    return query.where(table.connector == channel) if channel else query
