"""Which webhooks are to be told of which events, and what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, ForeignKey, String, func, select, update
from sqlalchemy.orm import Mapped, mapped_column

from assistant.events import Event
from assistant.tickets.columns import partial_index
from assistant.tickets.database import insert_once, sessions
from assistant.tickets.events import EventRow, as_event
from assistant.tickets.tables import Table


class WebhookRow(Table):
    """`since` is when the endpoint was first seen: it is told of nothing older."""

    __tablename__ = "webhooks"

    endpoint: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class DeliveryRow(Table):
    """`state` is intended, delivered or failed (given up); `error` says what went wrong last."""

    __tablename__ = "deliveries"
    __table_args__ = (partial_index("ix_deliveries_due", "due_at", "state = 'intended'"),)

    event_id: Mapped[int] = mapped_column(
        ForeignKey("events.id", ondelete="CASCADE"), primary_key=True
    )
    endpoint: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    due_at: Mapped[datetime]


@dataclass(frozen=True)
class Delivery:
    """An event for an endpoint; `attempt` is which one is made now, from 1."""

    event: Event
    endpoint: str
    attempt: int


class Deliveries:
    """The deliveries to all endpoints."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def plan(self, endpoints: Mapping[str, Collection[str]], limit: int = 500) -> int:
        """Notes which endpoints are to be told of the events nobody looked at yet; each name has
        the kinds it wants. Returns how many events that were."""
        now = datetime.now(UTC)
        query = select(EventRow).where(EventRow.pending).order_by(EventRow.id).limit(limit)
        with self._write.begin() as session:
            for name in sorted(endpoints):
                insert_once(session, WebhookRow, endpoint=name, since=now)
            known = {row.endpoint: row.since for row in session.scalars(select(WebhookRow))}
            events = session.scalars(query.with_for_update(skip_locked=True)).all()
            for event in events:
                event.pending = False
                for name, kinds in endpoints.items():
                    if event.kind in kinds and event.created_at >= known[name]:
                        row = DeliveryRow(event_id=event.id, endpoint=name, state="intended")
                        row.attempts, row.due_at = 0, now
                        session.add(row)
            return len(events)

    def take_due(self, endpoint: str, again_after: float, limit: int = 20) -> tuple[Delivery, ...]:
        """What is due at an endpoint, oldest first. It is due again `again_after` seconds from
        now, so that a crash before it is delivered loses nothing."""
        now = datetime.now(UTC)
        query = (
            select(DeliveryRow, EventRow)
            .join(EventRow, EventRow.id == DeliveryRow.event_id)
            .where(DeliveryRow.endpoint == endpoint, DeliveryRow.state == "intended")
            .where(DeliveryRow.due_at <= now)
            .order_by(DeliveryRow.due_at, DeliveryRow.event_id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=DeliveryRow)
        )
        with self._write.begin() as session:
            taken = []
            for row, event in session.execute(query):
                row.attempts += 1
                row.due_at = now + timedelta(seconds=again_after)
                taken.append(Delivery(as_event(event), endpoint, row.attempts))
            return tuple(taken)

    def record_delivered(self, delivery: Delivery) -> None:
        """The endpoint took it."""
        self._update(delivery, state="delivered", error=None)

    def record_failure(self, delivery: Delivery, error: str, again_after: float | None) -> None:
        """The endpoint did not take it; it is due again in so many seconds, or given up."""
        if again_after is None:
            self._update(delivery, state="failed", error=error)
        else:
            due_at = datetime.now(UTC) + timedelta(seconds=again_after)
            self._update(delivery, due_at=due_at, error=error)

    def retry(self, endpoint: str) -> int:
        """What was given up, or waits, is due now; returns how much that is."""
        due = (
            update(DeliveryRow)
            .where(DeliveryRow.endpoint == endpoint, DeliveryRow.state != "delivered")
            .values(state="intended", attempts=0, due_at=datetime.now(UTC))
        )
        with self._write.begin() as session:
            return len(session.scalars(due.returning(DeliveryRow.event_id)).all())

    def counts(self) -> dict[tuple[str, str], int]:
        """How many deliveries there are for each endpoint and state."""
        query = select(DeliveryRow.endpoint, DeliveryRow.state, func.count())
        with self._read() as session:
            rows = session.execute(query.group_by(DeliveryRow.endpoint, DeliveryRow.state))
            return {(endpoint, state): count for endpoint, state, count in rows}

    def _update(self, delivery: Delivery, **values: object) -> None:
        named = (
            DeliveryRow.event_id == delivery.event.id,
            DeliveryRow.endpoint == delivery.endpoint,
        )
        with self._write.begin() as session:
            session.execute(update(DeliveryRow).where(*named).values(**values))
