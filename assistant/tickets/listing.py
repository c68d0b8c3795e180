"""The console's queues: tickets by state, filtered and searched, a page at a time.

Pages are found by the key of the last row of the page before, never by counting rows, so that the
thousandth page costs what the first does; counts stop at `MANY`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, func, or_, select, text
from sqlalchemy.orm import Session

from assistant.messages import Ticket, TicketStatus
from assistant.tickets.database import sessions
from assistant.tickets.rows import as_ticket
from assistant.tickets.tables import CitationRow, MessageRow, OutcomeRow, ReplyRow, TicketRow

MANY = 1000
PREVIEW_CHARACTERS = 160
SEARCHED = 400
"""So many of the newest matching messages are looked at for one page of tickets."""

NOBODY = "-"  # as an assignee: tickets that nobody has

_WORD = re.compile(r"[^\W_]+")
_MATCHING = {
    "sqlite": """SELECT messages.id, messages.ticket_id
        FROM message_words JOIN messages ON messages.id = message_words.rowid
        WHERE message_words MATCH :words AND message_words.rowid BETWEEN :first AND :last
        ORDER BY message_words.rowid DESC LIMIT :limit""",
    "postgresql": """SELECT id, ticket_id FROM messages
        WHERE words @@ to_tsquery('simple', :words) AND id BETWEEN :first AND :last
        ORDER BY id DESC LIMIT :limit""",
}
FIRST_LOOK, FURTHER = 50_000, 8
"""So many of the newest messages are looked at first, then so many times as many: a page of the
newest matches needs no look at all of them."""


@dataclass(frozen=True)
class Wanted:
    """Which tickets: all conditions hold that are not empty. `words` are searched in messages,
    subjects and senders, the last one also as a beginning."""

    status: TicketStatus | None = None
    connector: str = ""
    assignee: str = ""
    words: str = ""


@dataclass(frozen=True)
class Row:
    """A ticket in a list: `preview` is how its newest message begins, `confidence` that of the
    draft that waits, if one does."""

    ticket: Ticket
    updated_at: datetime
    preview: str
    confidence: float | None


@dataclass(frozen=True)
class Page:
    """Some of the tickets; `after` names where the next page begins, empty on the last."""

    rows: tuple[Row, ...]
    after: str


class Listing:
    """The lists of tickets."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect.name
        _, self._read = sessions(engine)

    def page(self, wanted: Wanted, after: str = "", limit: int = 50) -> Page:
        """The wanted tickets, those with the latest news first; of a search, those with the
        newest matching message first."""
        with self._read() as session:
            if terms := _terms(wanted.words):
                return self._search(session, wanted, terms, after, limit)
            query = _narrowed(select(TicketRow), wanted)
            query = query.order_by(TicketRow.updated_at.desc(), TicketRow.id.desc())
            if place := _place(after):
                updated_at, ticket_id = place
                query = query.where(
                    TicketRow.updated_at <= updated_at,
                    or_(TicketRow.updated_at < updated_at, TicketRow.id < ticket_id),
                )
            tickets = session.scalars(query.limit(limit + 1)).all()
            more = len(tickets) > limit
            tickets = tickets[:limit]
            key = f"{tickets[-1].updated_at.timestamp()!r}_{tickets[-1].id}" if more else ""
            return Page(_rows(session, tickets), key)

    def counts(self, statuses: Iterable[TicketStatus]) -> dict[TicketStatus, int]:
        """How many tickets stand so, up to MANY."""
        with self._read() as session:
            return {
                status: session.scalar(
                    select(func.count()).select_from(
                        select(TicketRow.id)
                        .where(TicketRow.status == status)
                        .limit(MANY)
                        .subquery()
                    )
                )
                or 0
                for status in statuses
            }

    def latest(self) -> datetime | None:
        """When there was news of any ticket last."""
        with self._read() as session:
            return session.scalar(select(func.max(TicketRow.updated_at)))

    def solved_with(self, article_id: str, but: int, limit: int = 5) -> tuple[Ticket, ...]:
        """The latest solved tickets whose sent answer cites this article, without ticket `but`."""
        query = (
            select(TicketRow)
            .join(OutcomeRow, OutcomeRow.ticket_id == TicketRow.id)
            .join(CitationRow, CitationRow.outcome_id == OutcomeRow.id)
            .join(ReplyRow, ReplyRow.outcome_id == OutcomeRow.id)
            .where(CitationRow.article_id == article_id, ReplyRow.state == "sent")
            .where(TicketRow.status == "solved", TicketRow.id != but)
            .order_by(CitationRow.outcome_id.desc())
            .limit(4 * limit)
        )
        with self._read() as session:
            rows = {row.id: row for row in session.scalars(query)}
            return tuple(as_ticket(row) for row in list(rows.values())[:limit])

    def _search(
        self, session: Session, wanted: Wanted, terms: Sequence[str], after: str, limit: int
    ) -> Page:
        last = session.scalar(func.max(MessageRow.id)) or 0
        if after.isdecimal():
            last = min(last, int(after) - 1)
        found = self._newest(session, _query(self._dialect, terms), last)
        reached: dict[int, int] = {}  # ticket id: its newest matching message
        for message_id, ticket_id in found:
            reached.setdefault(ticket_id, message_id)
        query = _narrowed(select(TicketRow).where(TicketRow.id.in_(reached)), wanted)
        tickets = sorted(session.scalars(query).all(), key=lambda row: -reached[row.id])
        shown = tickets[:limit]
        if len(tickets) > limit:
            key = str(reached[shown[-1].id])
        else:
            key = str(found[-1][0]) if len(found) == SEARCHED else ""
        return Page(_rows(session, shown), key)

    def _newest(self, session: Session, words: str, last: int) -> list[tuple[int, int]]:
        """The newest matching messages up to this one, SEARCHED at most: their ids, and their
        tickets'."""
        found: list[tuple[int, int]] = []
        look = FIRST_LOOK
        while last > 0 and len(found) < SEARCHED:
            asked = {"words": words, "first": last - look, "last": last}
            rows = session.execute(
                text(_MATCHING[self._dialect]), {**asked, "limit": SEARCHED - len(found)}
            )
            found += [(message_id, ticket_id) for message_id, ticket_id in rows]
            last, look = last - look - 1, look * FURTHER
        return found


def _narrowed(query: Select[TicketRow], wanted: Wanted) -> Select[TicketRow]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status:
        conditions.append(TicketRow.status == wanted.status)
    if wanted.connector:
        conditions.append(TicketRow.connector == wanted.connector)
    if wanted.assignee:
        nobody = wanted.assignee == NOBODY
        conditions.append(TicketRow.assignee == (None if nobody else wanted.assignee))
    return query.where(*conditions)


def _rows(session: Session, tickets: Sequence[TicketRow]) -> tuple[Row, ...]:
    ids = [ticket.id for ticket in tickets]
    newest = (
        select(func.max(MessageRow.id))
        .where(MessageRow.ticket_id.in_(ids))
        .group_by(MessageRow.ticket_id)
    )
    preview = func.substr(MessageRow.text, 1, PREVIEW_CHARACTERS)
    words = select(MessageRow.ticket_id, preview).where(MessageRow.id.in_(newest))
    drafts = select(OutcomeRow.ticket_id, OutcomeRow.confidence).where(
        OutcomeRow.ticket_id.in_(ids), OutcomeRow.draft_state == "waiting"
    )
    said: dict[int, Any] = dict(session.execute(words).all())
    sure: dict[int, Any] = dict(session.execute(drafts.order_by(OutcomeRow.id)).all())
    return tuple(
        Row(as_ticket(row), row.updated_at, said.get(row.id, ""), sure.get(row.id))
        for row in tickets
    )


def _terms(words: str) -> list[str]:
    return _WORD.findall(words)[:12]


def _query(dialect: str, terms: Sequence[str]) -> str:
    """All words, the last one as a beginning. Words are letters and digits only, so that nothing in
    them means anything to the search."""
    if dialect == "sqlite":
        return " ".join(f'"{term}"' for term in terms) + "*"
    return " & ".join(terms) + ":*"


def _place(after: str) -> tuple[datetime, int] | None:
    """Where a page begins: moment and id of the row before it; None if `after` is no key."""
    moment, _, ticket_id = after.partition("_")
    try:
        return datetime.fromtimestamp(float(moment), UTC), int(ticket_id)
    except (ValueError, OverflowError, OSError):
        return None
