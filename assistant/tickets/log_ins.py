"""Who is logged in to the console, from where, until when; and who failed to.

Of a session's token only the hash is kept: whoever reads the database cannot use it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, ForeignKey, Index, String, UniqueConstraint, delete, func, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.tickets.database import sessions
from assistant.tickets.people import Person, PersonRow, as_person
from assistant.tickets.tables import Table

SEEN_EVERY = timedelta(minutes=1)  # so often at most a session's use is written down


class SessionRow(Table):
    __tablename__ = "sessions"
    __table_args__ = (UniqueConstraint("token_hash"), Index("ix_sessions_person_id", "person_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    address: Mapped[str]
    browser: Mapped[str]
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class FailedLogInRow(Table):
    __tablename__ = "failed_log_ins"
    __table_args__ = (Index("ix_failed_log_ins_at", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    address: Mapped[str]
    at: Mapped[datetime]


@dataclass(frozen=True)
class LogIn:
    """One browser in which somebody is logged in."""

    id: int
    address: str
    browser: str
    created_at: datetime
    seen_at: datetime


class LogIns:
    """All sessions. Each ends `longest` after its log-in, or when it is idle for so long."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def begin(self, person_id: int, address: str, browser: str, longest: timedelta) -> str:
        """Begins a session and returns its token; forgets those that ended."""
        token, now = secrets.token_urlsafe(32), datetime.now(UTC)
        row = SessionRow(token_hash=_hash(token), person_id=person_id, address=address)
        row.browser, row.created_at, row.seen_at = browser[:300], now, now
        row.expires_at = now + longest
        with self._write.begin() as session:
            session.execute(delete(SessionRow).where(SessionRow.expires_at < now))
            session.add(row)
        return token

    def person(self, token: str, idle: timedelta) -> tuple[Person, int] | None:
        """Whose session this is, and its number; None if it ended or never was."""
        now = datetime.now(UTC)
        query = (
            select(SessionRow, PersonRow)
            .join(PersonRow, PersonRow.id == SessionRow.person_id)
            .where(SessionRow.token_hash == _hash(token), SessionRow.expires_at > now)
            .where(SessionRow.seen_at > now - idle, PersonRow.disabled_at.is_(None))
        )
        with self._read() as session:
            found = session.execute(query).first()
            if found is None:
                return None
            row, person = found[0], as_person(found[1])
        if now - row.seen_at > SEEN_EVERY:
            with self._write.begin() as session:
                if (mine := session.get(SessionRow, row.id)) is not None:
                    mine.seen_at = now
        return person, row.id

    def of_person(self, person_id: int) -> tuple[LogIn, ...]:
        """Where a person is logged in, latest first."""
        query = select(SessionRow).where(
            SessionRow.person_id == person_id, SessionRow.expires_at > datetime.now(UTC)
        )
        with self._read() as session:
            return tuple(
                LogIn(row.id, row.address, row.browser, row.created_at, row.seen_at)
                for row in session.scalars(query.order_by(SessionRow.seen_at.desc()))
            )

    def end(self, person_id: int, session_id: int | None = None, *, but: int = 0) -> None:
        """Ends one of a person's sessions, or all of them except the one numbered `but`."""
        statement = delete(SessionRow).where(SessionRow.person_id == person_id)
        statement = statement.where(
            SessionRow.id == session_id if session_id else SessionRow.id != but
        )
        with self._write.begin() as session:
            session.execute(statement)

    def note_failure(self, name: str, address: str, forget: timedelta) -> None:
        """Notes that a log-in failed; failures older than `forget` are forgotten."""
        now = datetime.now(UTC)
        with self._write.begin() as session:
            session.execute(delete(FailedLogInRow).where(FailedLogInRow.at < now - forget))
            session.add(FailedLogInRow(name=name, address=address, at=now))

    def failures(self, name: str, address: str, within: timedelta) -> tuple[int, int]:
        """How many log-ins failed lately for this name, and from this address."""
        since = datetime.now(UTC) - within
        query = select(
            func.count().filter(FailedLogInRow.name == name),
            func.count().filter(FailedLogInRow.address == address),
        ).where(FailedLogInRow.at > since)
        with self._read() as session:
            of_name, of_address = session.execute(query).one()
            return of_name, of_address

    def forgive(self, name: str) -> None:
        """Forgets the failures of a name: its person logged in."""
        with self._write.begin() as session:
            session.execute(delete(FailedLogInRow).where(FailedLogInRow.name == name))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
