"""How much waits to be done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select

from assistant.tickets.arrivals import ArrivalRow
from assistant.tickets.database import sessions
from assistant.tickets.tables import MessageRow, NoticeRow, ReplyRow, TicketRow


@dataclass(frozen=True)
class Backlog:
    """Messages without an outcome, replies not yet sent, notices that staff were not told."""

    messages: int
    replies: int
    notices: int


def backlog(engine: Engine) -> Backlog:
    """What waits now; each is counted in an index of what waits."""
    conditions = {
        "messages": MessageRow.outcome_id.is_(None),
        "replies": ReplyRow.state == "intended",
        "notices": NoticeRow.state == "intended",
    }
    _, read = sessions(engine)
    with read() as session:
        counts = {
            name: session.scalar(select(func.count()).where(condition)) or 0
            for name, condition in conditions.items()
        }
    return Backlog(**counts)


@dataclass(frozen=True)
class Channel:
    """How one connector is doing: what came in and is not a message yet, replies that wait to be
    sent, the error of the one that failed last, and when there was news of a ticket."""

    arrivals: int
    replies: int
    error: str
    news_at: datetime | None


def channel(engine: Engine, connector: str) -> Channel:
    """How a connector is doing now; each is counted in an index of what waits."""
    arrived = (ArrivalRow.connector == connector, ArrivalRow.state == "waiting")
    waiting = (ReplyRow.state == "intended", TicketRow.connector == connector)
    of_replies = select(ReplyRow).join(TicketRow, TicketRow.id == ReplyRow.ticket_id)
    failed = of_replies.where(*waiting, ReplyRow.error.is_not(None))
    _, read = sessions(engine)
    with read() as session:
        reply = session.scalar(failed.order_by(ReplyRow.due_at.desc()).limit(1))
        arrival = session.scalar(
            select(ArrivalRow)
            .where(*arrived, ArrivalRow.error.is_not(None))
            .order_by(ArrivalRow.due_at.desc())
            .limit(1)
        )
        newest = select(func.max(TicketRow.updated_at)).where(TicketRow.connector == connector)
        counted = of_replies.where(*waiting).subquery()
        return Channel(
            session.scalar(select(func.count()).where(*arrived)) or 0,
            session.scalar(select(func.count()).select_from(counted)) or 0,
            (reply and reply.error) or (arrival and arrival.error) or "",
            session.scalar(newest),
        )
