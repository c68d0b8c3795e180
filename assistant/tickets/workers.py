"""Which processes take part, and when each was last seen."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, or_, select
from sqlalchemy.orm import Session

from assistant.clock import Jumps
from assistant.errors import DeskmateError
from assistant.tickets.columns import UtcDateTime
from assistant.tickets.database import insert_once, sessions
from assistant.tickets.tables import WorkerRow


class Workers:
    """The heartbeats of all processes that answer messages.

    Times are the database's own, so that machines whose clocks differ do not think each other
    dead.
    """

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)
        self._jumps = Jumps()
        self._trusted_from = 0.0  # monotonic seconds

    def join(self, name: str, dead_after: float) -> datetime:
        """Enters this process as the worker `name`; returns the moment, which stands for this
        life of the worker.

        Raises DeskmateError if another process of this name is alive: on this machine if its
        process is, on another if it was seen less than `dead_after` seconds ago. Seen in the
        future means that the clock was set back since.
        """
        host, process_id = socket.gethostname(), os.getpid()
        with self._write.begin() as session:
            while (row := session.get(WorkerRow, name, with_for_update=True)) is None:
                now = _now(session)
                values = {"host": host, "process_id": process_id, "joined_at": now, "seen_at": now}
                insert_once(session, WorkerRow, name=name, **values)
            now = _now(session)
            age = (now - row.seen_at).total_seconds()
            ours = row.host == host and not _other_process_lives(row.process_id)
            if not ours and abs(age) < dead_after:
                raise DeskmateError(
                    f"worker {name!r} is running already (process {row.process_id} on {row.host}, "
                    f"seen {age:.0f} s ago). Give this process an inbox.worker_name of its own."
                )
            row.host, row.process_id, row.joined_at, row.seen_at = host, process_id, now, now
            return now

    def beat(self, name: str, joined_at: datetime) -> bool:
        """Notes that the worker that joined then is alive. Returns False if it was taken for dead
        meanwhile: it has to join anew."""
        with self._write.begin() as session:
            row = living(session, name, joined_at)
            if row is not None:
                row.seen_at = _now(session)
            return row is not None

    @contextmanager
    def dead(self, dead_after: float, besides: str) -> Iterator[tuple[str, ...]]:
        """The workers other than `besides` not seen for `dead_after` seconds, to be taken over
        within the block, after which they are forgotten. When the clock was set, or this machine
        stood still, everybody looks dead: nobody is for `dead_after` seconds after that.

        No other process gets the same ones meanwhile, a worker of that name that comes back waits
        in `join`, and if this process dies within the block they are somebody else's to take.
        """
        patience = timedelta(seconds=dead_after)
        with self._write.begin() as session:
            now = _now(session)
            if abs(self._jumps.seconds(now)) > dead_after / 2:
                self._trusted_from = time.monotonic() + dead_after
            if time.monotonic() < self._trusted_from:
                yield ()
                return
            away = or_(WorkerRow.seen_at < now - patience, WorkerRow.seen_at > now + patience)
            query = select(WorkerRow).where(WorkerRow.name != besides, away)
            rows = session.scalars(query.with_for_update(skip_locked=True)).all()
            yield tuple(row.name for row in rows)
            for row in rows:
                session.delete(row)


def living(session: Session, name: str, joined_at: datetime) -> WorkerRow | None:
    """The row of the worker that joined then, locked against a takeover until the transaction
    ends; None if it was taken over."""
    query = select(WorkerRow).where(WorkerRow.name == name, WorkerRow.joined_at == joined_at)
    return session.scalar(query.with_for_update())


def _now(session: Session) -> datetime:
    if session.get_bind().dialect.name == "postgresql":
        return session.scalars(select(func.clock_timestamp(type_=UtcDateTime()))).one()
    return datetime.now(UTC)


def _other_process_lives(process_id: int) -> bool:
    """Whether this process, which is not ours, runs on this machine."""
    if process_id == os.getpid():
        return False
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
