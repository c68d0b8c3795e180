"""Requests that are made again under one name, and answered once.

The IETF's draft of the Idempotency-Key header
(https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/): the first answer is
kept, and given again for the same name and the same content.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, String, delete
from sqlalchemy.orm import Mapped, mapped_column

from assistant.errors import DeskmateError
from assistant.tickets.database import insert_once, sessions
from assistant.tickets.tables import Table

ABANDONED = timedelta(seconds=30)
"""After this long, whoever began a request has died over it, and it may be made again."""


class RequestRow(Table):
    """`answer` is null while the request is worked on."""

    __tablename__ = "idempotent_requests"

    caller: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any] | None]
    begun_at: Mapped[datetime]


class OtherContentError(DeskmateError):
    """A name was used before, for something else."""


class UnfinishedError(DeskmateError):
    """A request of this name is being worked on."""


class Idempotency:
    """The named requests of all callers."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def begin(self, caller: str, name: str, content: str) -> Mapping[str, Any] | None:
        """Begins a request whose content has this SHA-256; returns what was answered before, or
        None if the work is to be done now.

        Raises OtherContentError and UnfinishedError.
        """
        now = datetime.now(UTC)
        values = {"content": content, "answer": None, "begun_at": now}
        with self._write.begin() as session:
            if insert_once(session, RequestRow, caller=caller, name=name, **values):
                return None
            row = session.get_one(RequestRow, (caller, name), with_for_update=True)
            if row.content != content:
                raise OtherContentError(
                    f"Idempotency-Key {name!r} was used before with another content. Take a new"
                    " key for a new request."
                )
            if row.answer is None and row.begun_at > now - ABANDONED:
                raise UnfinishedError(
                    f"The request with the Idempotency-Key {name!r} is still worked on. Ask again."
                )
            row.begun_at = now
            return row.answer

    def finish(self, caller: str, name: str, answer: Mapping[str, Any]) -> None:
        """Keeps the answer."""
        with self._write.begin() as session:
            session.get_one(RequestRow, (caller, name)).answer = dict(answer)

    def abandon(self, caller: str, name: str) -> None:
        """The request failed: it may be made again at once, with another content as well."""
        named = (RequestRow.caller == caller, RequestRow.name == name)
        with self._write.begin() as session:
            session.execute(delete(RequestRow).where(*named))

    def clear(self, before: datetime) -> int:
        """Forgets the requests that were begun before then; returns how many."""
        old = delete(RequestRow).where(RequestRow.begun_at < before).returning(RequestRow.name)
        with self._write.begin() as session:
            return len(session.scalars(old).all())
