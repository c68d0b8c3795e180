"""Requests that are made again under one name, and answered once.

The IETF's draft of the Idempotency-Key header
(https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/): the first answer is
kept, and given again for the same name and the same content.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Engine, String, delete
from sqlalchemy.orm import Mapped, mapped_column

from assistant.tickets.database import insert_once, sessions
from assistant.tickets.tables import Table

ABANDONED = timedelta(seconds=30)
"""After this long, whoever began a request has died over it, and it may be made again."""


class RequestRow(Table):
    """`answer` is null while the request is worked on; `seed` is what its new ids are made of."""

    __tablename__ = "idempotent_requests"

    caller: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[str] = mapped_column(String(64))
    seed: Mapped[str] = mapped_column(String(36))
    answer: Mapped[dict[str, Any] | None]
    begun_at: Mapped[datetime]


@dataclass(frozen=True)
class Request:
    """A request as it stands when it is made, again or for the first time. From the UUID `seed`
    everything is to be named that the request makes, so that after a crash it makes the same."""

    state: Literal["new", "unfinished", "answered", "other content"]
    seed: str
    answer: Mapping[str, Any] | None = None


class Idempotency:
    """The named requests of all callers."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def begin(self, caller: str, name: str, content: str) -> Request:
        """Begins a request whose content has this SHA-256, if it is new."""
        now = datetime.now(UTC)
        seed = str(uuid.uuid4())
        values = {"content": content, "seed": seed, "answer": None, "begun_at": now}
        with self._write.begin() as session:
            if insert_once(session, RequestRow, caller=caller, name=name, **values):
                return Request("new", seed)
            row = session.get_one(RequestRow, (caller, name), with_for_update=True)
            if row.content != content:
                return Request("other content", row.seed)
            if row.answer is None and row.begun_at > now - ABANDONED:
                return Request("unfinished", row.seed)
            if row.answer is not None:
                return Request("answered", row.seed, row.answer)
            row.begun_at = now
            return Request("new", row.seed)

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
