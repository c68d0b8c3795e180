"""What waits for its time, when the time itself was wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, select, update

from assistant.tickets.arrivals import ArrivalRow
from assistant.tickets.database import sessions
from assistant.tickets.deliveries import DeliveryRow
from assistant.tickets.events import EventRow
from assistant.tickets.tables import NoticeRow, ReplyRow


class Dues:
    """Everything that is due at a time: replies, notices, webhooks, and what came in."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def newest_event_at(self) -> datetime | None:
        """When something happened last, by the clock of that moment."""
        with self._read() as session:
            query = select(EventRow.created_at).order_by(EventRow.id.desc()).limit(1)
            return session.scalar(query)

    def bring_forward(self, seconds: float) -> int:
        """Has nothing wait for longer than `seconds` from now; returns how much did. What a
        process works on right now is due again so late at the earliest, so that nobody else
        begins with it."""
        latest, brought = datetime.now(UTC) + timedelta(seconds=seconds), 0
        with self._write.begin() as session:
            for table, waits in (
                (ReplyRow, ReplyRow.state == "intended"),
                (NoticeRow, NoticeRow.state == "intended"),
                (DeliveryRow, DeliveryRow.state == "intended"),
                (ArrivalRow, ArrivalRow.state == "waiting"),
            ):
                too_late = waits, table.due_at > latest
                late = update(table).where(*too_late).values(due_at=latest)
                brought += len(session.scalars(late.returning(table.due_at)).all())
        return brought
