"""What answering took: seconds of processing, and the tokens of chat models that count them.

Both stand in the traces, which are long. Of many messages only every nth trace is read, and what it
says is taken for the others too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Engine,
    Select,
    case,
    column,
    func,
    select,
    true,
    type_coerce,
)

from assistant.tickets.database import sessions
from assistant.tickets.quality import day_of, of_channel
from assistant.tickets.tables import OutcomeRow, TraceRow

SAMPLED = 1_000
"""So many traces at most are read, more or less."""


@dataclass(frozen=True)
class Cost:
    """What so many messages took; `counted` is how many of them a chat model counted tokens for."""

    messages: int = 0
    seconds: float = 0.0
    counted: int = 0
    tokens_read: int = 0
    tokens_written: int = 0

    def __add__(self, other: Cost) -> Cost:
        both = zip(vars(self).values(), vars(other).values(), strict=True)
        return Cost(*(a + b for a, b in both))


@dataclass(frozen=True)
class Costs:
    """What answering took since some day, by day and by channel, from one message in `every`."""

    days: dict[date, Cost]
    channels: dict[str, Cost]
    every: int

    @property
    def all(self) -> Cost:
        """All days together."""
        return sum(self.days.values(), Cost())


class CostLog:
    """What answering all tickets took, or one channel's."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = engine.dialect.name
        _, self._read = sessions(engine)

    def costs(self, since: datetime, channel: str = "") -> Costs:
        """What answering took since then; `channel` is a connector's name, or empty for all."""
        days: dict[date, Cost] = {}
        channels: dict[str, Cost] = {}
        with self._read() as session:
            count = session.scalar(
                select(func.count()).select_from(OutcomeRow).where(OutcomeRow.created_at >= since)
            )
            every = -(-(count or 0) // SAMPLED) or 1
            for day, connector, *numbers in session.execute(self._sampled(since, channel, every)):
                on, cost = date.fromisoformat(str(day)), Cost(*(n or 0 for n in numbers))
                days[on] = days.get(on, Cost()) + cost
                channels[connector] = channels.get(connector, Cost()) + cost
        return Costs(dict(sorted(days.items())), dict(sorted(channels.items())), every)

    def _sampled(self, since: datetime, channel: str, every: int) -> Select[Any]:
        unpacked = func.json_each if self._dialect == "sqlite" else func.json_array_elements
        step = unpacked(TraceRow.steps).table_valued(column("value", JSON))
        taken = type_coerce(step.c.value, JSON)["milliseconds"].as_float()

        def tokens(name: str) -> Any:
            return type_coerce(step.c.value, JSON)["detail", name].as_integer()

        ids = OutcomeRow.id
        counted = case((tokens("tokens_read").is_not(None), ids))
        query = (
            select(
                day_of(self._dialect, OutcomeRow.created_at),
                OutcomeRow.connector,
                func.count(ids.distinct()),
                func.sum(taken) / 1_000,
                func.count(counted.distinct()),
                func.sum(tokens("tokens_read")),
                func.sum(tokens("tokens_written")),
            )
            .join(TraceRow, TraceRow.outcome_id == ids)
            .join(step, true())
            .where(OutcomeRow.created_at >= since, ids % every == 0)
            .group_by("day", OutcomeRow.connector)
        )
        return of_channel(query, OutcomeRow, channel)
