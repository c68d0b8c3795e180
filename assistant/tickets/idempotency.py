"""Requests that are made again under one name, and answered once.

The IETF's draft of the Idempotency-Key header
(https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/): the first answer is
kept, and given again for the same name and the same content. An answer may hold a conversation's
token; so it is encrypted with the name, of which a hash is kept: who has the database has neither.
"""

from __future__ import annotations

import base64
import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from cryptography.fernet import Fernet
from sqlalchemy import Engine, String, delete
from sqlalchemy.orm import Mapped, mapped_column

from assistant.tickets.database import insert_once, sessions
from assistant.tickets.tables import Table

ABANDONED = timedelta(seconds=30)
"""After this long, whoever began a request has died over it, and it may be made again."""


class RequestRow(Table):
    """`name` is a hash of it, `answer` is null while the request is worked on, and `seed` is what
    its new ids are made of."""

    __tablename__ = "idempotent_requests"

    caller: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[str] = mapped_column(String(64))
    seed: Mapped[str] = mapped_column(String(36))
    answer: Mapped[bytes | None]
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
        now, hashed = datetime.now(UTC), _sha256(name).hex()
        seed = str(uuid.uuid4())
        values = {"content": content, "seed": seed, "answer": None, "begun_at": now}
        with self._write.begin() as session:
            if insert_once(session, RequestRow, caller=caller, name=hashed, **values):
                return Request("new", seed)
            row = session.get_one(RequestRow, (caller, hashed), with_for_update=True)
            if row.content != content:
                return Request("other content", row.seed)
            if row.answer is None and row.begun_at > now - ABANDONED:
                return Request("unfinished", row.seed)
            if row.answer is not None:
                answer = json.loads(_cipher(name).decrypt(row.answer))
                return Request("answered", row.seed, answer)
            row.begun_at = now
            return Request("new", row.seed)

    def finish(self, caller: str, name: str, answer: Mapping[str, Any]) -> None:
        """Keeps the answer."""
        with self._write.begin() as session:
            row = session.get_one(RequestRow, (caller, _sha256(name).hex()))
            row.answer = _cipher(name).encrypt(json.dumps(dict(answer)).encode())

    def refuse(self, caller: str, name: str) -> None:
        """Nothing was done: the name is free, for another content as well."""
        named = (RequestRow.caller == caller, RequestRow.name == _sha256(name).hex())
        with self._write.begin() as session:
            session.execute(delete(RequestRow).where(*named))

    def abandon(self, caller: str, name: str) -> None:
        """It failed, and a part of it may be done: it may be made again at once, and then makes the
        same."""
        with self._write.begin() as session:
            row = session.get_one(RequestRow, (caller, _sha256(name).hex()))
            row.begun_at = datetime.now(UTC) - ABANDONED

    def clear(self, before: datetime) -> int:
        """Forgets the requests that were begun before then; returns how many."""
        old = delete(RequestRow).where(RequestRow.begun_at < before).returning(RequestRow.name)
        with self._write.begin() as session:
            return len(session.scalars(old).all())


def _cipher(name: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(_sha256(f"answer to {name}")))


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
