"""How much waits to be done."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from assistant.tickets.database import sessions
from assistant.tickets.tables import MessageRow, NoticeRow, ReplyRow


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
