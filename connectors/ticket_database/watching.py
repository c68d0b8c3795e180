"""New rows, including those whose transactions end late.

A row gets its number or its time when it is written, and is seen only once its transaction ends: by
then rows after it may have been read. So each look reads again from a *floor*, the highest position
that had been read `overlap_seconds` ago, and leaves out what it has seen. A row that took its
position at the time T lies above all that was read before T, so it is found however many rows
overtook it, and however many share its time, **if it can be seen within `overlap_seconds` less one
look of T**. That is the method's bound: a transaction open for longer may be missed.

For times it holds as well where the clocks of those who write differ by up to `overlap_seconds`:
the floor is lowered by as much (by an hour more where times are local, for the hour that comes
twice in autumn), and no position counts as later than now. SQLite's times are text and are not
lowered: it has one writer at a time, on one machine. Numbers must be given in order: a PostgreSQL
sequence with CACHE above 1 gives them by connection, so name a time as the position there.

The floor is kept with each arrival in Deskmate's own database, as are the names of all rows that
came; what is read twice after a restart is known by its name.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Engine, FromClause, and_, or_, select

from connectors.ticket_database.schema import as_json, as_key, explained
from connectors.ticket_database.settings import NAME

if TYPE_CHECKING:
    from assistant.tickets.arrivals import Arrivals

PAGE = 1_000  # rows read at once; and of those there at the first start, how many are remembered


@dataclass(frozen=True)
class Stream:
    """Rows to watch. Of a stream of `changes` a row is news again whenever its position grows."""

    name: str
    source: FromClause
    id: ColumnElement[Any]
    ticket: ColumnElement[Any]
    position: ColumnElement[Any]
    only: ColumnElement[bool]
    changes: bool = False


class Watcher:
    """Watches one stream, and notes what is new among the arrivals."""

    def __init__(
        self,
        stream: Stream,
        engine: Engine,
        arrivals: Callable[[], Arrivals],
        overlap_seconds: float,
        zone: tzinfo = UTC,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._engine = engine
        self._arrivals = arrivals
        self._overlap = overlap_seconds
        self._zone = zone
        local = timedelta(hours=0 if str(zone) == "UTC" else 1)
        self._lowered = timedelta(seconds=overlap_seconds) + local
        self._clock = clock
        self._seen: dict[Any, Any] = {}  # names of rows, with their positions
        self._read: deque[tuple[float, Any]] = deque()  # when what was the highest position read
        self._floor: Any = None
        self._started = False

    def look(self) -> int:
        """Notes what is new; returns how much it was. Raises ConnectionError if the database does
        not answer: nothing is lost by that."""
        if not self._started:
            self._start()
        count, highest = 0, self._read[-1][1] if self._read else None
        with explained("the help desk's database"), self._engine.connect() as connection:
            after = None
            while rows := connection.execute(self._query(after)).all():
                for row in rows:
                    count += self._take(row)
                last = rows[-1]
                after = (last.position, last.id)
                if len(rows) < PAGE:
                    break
        if after:
            highest = _later(highest, self._capped(after[0]))
        ended = self._clock()
        self._read.append((ended, highest))
        self._raise_floor(ended)
        return count

    def _start(self) -> None:
        """Goes on where the last process stopped; the first time, with what comes from now on."""
        stream, arrivals = self._stream, self._arrivals()
        first = arrivals.find(NAME, f"start/{stream.name}")
        if first is None:
            query = self._select().order_by(stream.position.desc(), stream.id.desc()).limit(PAGE)
            with explained("the help desk's database"), self._engine.connect() as connection:
                rows = connection.execute(query.where(stream.only)).all()
            lowest = as_json(rows[-1].position) if len(rows) == PAGE else None
            old = [[as_json(row.id), as_json(row.position)] for row in rows]
            payload = {"kind": "start", "floor": lowest, "old": old}
            name = f"start/{stream.name}"
            arrivals.note(NAME, name, name, stream.name, payload)
            first = arrivals.find(NAME, name)
            arrivals.finish(NAME, name, first.payload if first else payload)
        for row_id, position in first.payload.get("old", ()) if first else ():
            self._seen[self._name(row_id, position)] = as_key(stream.position, position)
        latest = arrivals.latest(NAME, stream.name)
        floor = latest.payload.get("floor") if latest else None
        self._floor = as_key(stream.position, floor)
        self._read.clear()
        self._started = True

    def _take(self, row: Any) -> bool:
        name = self._name(as_json(row.id), as_json(row.position))
        if name in self._seen:
            return False
        payload: Mapping[str, Any] = {
            "kind": self._stream.name,
            "id": as_json(row.id),
            "ticket": as_json(row.ticket),
            "floor": as_json(self._floor) if self._floor is not None else None,
        }
        lane = f"ticket/{as_json(row.ticket)}"
        new = self._arrivals().note(NAME, name, lane, self._stream.name, payload)
        self._seen[name] = row.position
        return new

    def _name(self, row_id: Any, position: Any) -> str:
        name = f"{self._stream.name}/{row_id}"
        return f"{name}/{position}" if self._stream.changes else name

    def _select(self) -> Any:
        stream = self._stream
        return select(
            stream.id.label("id"), stream.ticket.label("ticket"), stream.position.label("position")
        ).select_from(stream.source)

    def _query(self, after: tuple[Any, Any] | None) -> Any:
        stream = self._stream
        query = self._select().where(stream.only, stream.position.is_not(None))
        if after:
            position, row_id = after
            beyond = or_(
                stream.position > position, and_(stream.position == position, stream.id > row_id)
            )
            query = query.where(beyond)
        elif self._floor is not None:
            query = query.where(stream.position >= self._floor)
        return query.order_by(stream.position, stream.id).limit(PAGE)

    def _capped(self, position: Any) -> Any:
        """No later than now: one row of next year must not hide those of this one."""
        if isinstance(position, datetime):
            now = datetime.now(self._zone)
            return min(position, now if position.tzinfo else now.replace(tzinfo=None))
        return position

    def _raise_floor(self, now: float) -> None:
        while len(self._read) > 1 and self._read[1][0] <= now - self._overlap:
            self._read.popleft()
        at, position = self._read[0]
        if at > now - self._overlap or position is None:
            return
        if isinstance(position, datetime):
            position -= self._lowered
        self._floor = _later(self._floor, position)
        below = [name for name, at in self._seen.items() if at < self._floor]
        for name in below:
            del self._seen[name]


def _later(one: Any, other: Any) -> Any:
    if one is None or other is None:
        return other if one is None else one
    return max(one, other)
