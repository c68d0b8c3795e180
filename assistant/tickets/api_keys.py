"""Keys of the HTTP API, and the conversations that were begun with them.

A key is `dk_ID_SECRET`, a conversation's token `dt_ID_SECRET`. Both secrets are 256 random bits, so
a plain SHA-256 of the whole is kept: what is slow on purpose is for passwords that people choose.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Engine, ForeignKey, Select, String, exists, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.articles import Audience
from assistant.errors import DeskmateError
from assistant.messages import Ticket, TicketStatus
from assistant.tickets.columns import clean
from assistant.tickets.database import insert_once, sessions
from assistant.tickets.rows import as_ticket
from assistant.tickets.tables import Table, TicketRow

Scope = Literal["messages:write", "tickets:read", "tickets:all", "knowledge:read", "feedback:write"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PUBLIC_SCOPES: tuple[Scope, ...] = ("messages:write", "knowledge:read")
"""What a key in a web page, which everybody can read there, may have."""

CONNECTOR = "api"
NOTE_USE_EVERY = timedelta(hours=1)


class ApiKeyRow(Table):
    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[list[Any]]
    origins: Mapped[list[Any]]
    audience: Mapped[Audience]
    per_minute: Mapped[int]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class ConversationRow(Table):
    """Which key began a conversation, and its token."""

    __tablename__ = "api_conversations"

    thread_id: Mapped[str] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(String(16), ForeignKey("api_keys.id"))
    sha256: Mapped[str] = mapped_column(String(64))


@dataclass(frozen=True)
class ApiKey:
    """A key. `origins` are the web pages that may use it: a key that has some is public."""

    id: str
    name: str
    scopes: frozenset[Scope]
    origins: tuple[str, ...]
    audience: Audience
    per_minute: int
    created_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    @property
    def public(self) -> bool:
        """Whether everybody can read it in a web page."""
        return bool(self.origins)


class ApiKeys:
    """All keys and conversations."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def create(
        self,
        name: str,
        scopes: Collection[str],
        *,
        origins: Collection[str] = (),
        audience: Audience = "public",
        per_minute: int = 120,
    ) -> str:
        """Makes a key and returns it; it cannot be had again.

        Raises DeskmateError for an unknown scope, and if a public key asks for more than
        `PUBLIC_SCOPES` and public articles.
        """
        if unknown := sorted(set(scopes) - set(SCOPES)):
            raise DeskmateError(f"{unknown[0]}: no such scope. There are: {', '.join(SCOPES)}.")
        for origin in origins:
            if not re.fullmatch(r"https?://[a-z0-9.\[\]:-]+", origin):
                raise DeskmateError(
                    f"{origin}: not an origin. Write it as browsers do, such as"
                    " https://shop.example, without a path."
                )
        if origins and (audience != "public" or not set(scopes) <= set(PUBLIC_SCOPES)):
            raise DeskmateError(
                "A key with origins stands in a web page, where everybody can read it: it may have"
                f" {' and '.join(PUBLIC_SCOPES)} and see public articles, no more. Each visitor's"
                " own conversation has a token beside it."
            )
        key_id = secrets.token_hex(4)
        key = f"dk_{key_id}_{secrets.token_urlsafe(32)}"
        row = ApiKeyRow(id=key_id, name=name, sha256=_sha256(key), audience=audience)
        row.scopes, row.origins, row.per_minute = sorted(scopes), sorted(origins), per_minute
        row.created_at = datetime.now(UTC)
        with self._write.begin() as session:
            session.add(row)
        return key

    def list(self) -> tuple[ApiKey, ...]:
        """Every key, revoked ones too, oldest first."""
        with self._read() as session:
            rows = session.scalars(select(ApiKeyRow).order_by(ApiKeyRow.created_at))
            return tuple(_as_key(row) for row in rows)

    def revoke(self, key_id: str) -> None:
        """From now on the key and the tokens of its conversations open nothing. Raises
        DeskmateError if there is no such key."""
        with self._write.begin() as session:
            row = session.get(ApiKeyRow, key_id)
            if row is None:
                raise DeskmateError(f"key {key_id}: no such key. `deskmate api keys list`.")
            row.revoked_at = row.revoked_at or datetime.now(UTC)

    def find(self, key: str) -> ApiKey | None:
        """The key that this is, or None if it is none, or revoked."""
        parts = key.split("_", 2)
        if len(parts) != 3 or parts[0] != "dk":
            return None
        with self._read() as session:
            row = session.get(ApiKeyRow, clean(parts[1]))
            if row is None or row.revoked_at or not hmac.compare_digest(row.sha256, _sha256(key)):
                return None
            found = _as_key(row)
        if found.used_at is None or found.used_at < datetime.now(UTC) - NOTE_USE_EVERY:
            with self._write.begin() as session:
                session.get_one(ApiKeyRow, found.id).used_at = datetime.now(UTC)
        return found

    def allows_origin(self, origin: str) -> bool:
        """Whether any key may be used from this web page."""
        return any(origin in key.origins and not key.revoked_at for key in self.list())

    def begin_conversation(self, thread_id: str, key: ApiKey) -> str:
        """Gives a conversation that this key begins a token, and returns it; begun again, it gets
        another one."""
        token = f"dt_{thread_id}_{secrets.token_urlsafe(32)}"
        values = {"key_id": key.id, "sha256": _sha256(token)}
        with self._write.begin() as session:
            if not insert_once(session, ConversationRow, thread_id=thread_id, **values):
                session.get_one(ConversationRow, thread_id).sha256 = _sha256(token)
        return token

    def find_conversation(self, token: str) -> tuple[ApiKey, str] | None:
        """The key and the thread of a conversation's token, or None if it is none."""
        parts = token.split("_", 2)
        if len(parts) != 3 or parts[0] != "dt":
            return None
        with self._read() as session:
            row = session.get(ConversationRow, clean(parts[1]))
            if row is None or not hmac.compare_digest(row.sha256, _sha256(token)):
                return None
            key = session.get_one(ApiKeyRow, row.key_id)
            return None if key.revoked_at else (_as_key(key), row.thread_id)

    def tickets(
        self,
        key: ApiKey,
        *,
        status: TicketStatus | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> tuple[Ticket, ...]:
        """The tickets a key may read, newest first: those of its own conversations, or all with
        `tickets:all`; only those older than the ticket `before`."""
        query = _readable(select(TicketRow), key).order_by(TicketRow.id.desc()).limit(limit)
        if status:
            query = query.where(TicketRow.status == status)
        if before is not None:
            query = query.where(TicketRow.id < before)
        with self._read() as session:
            return tuple(as_ticket(row) for row in session.scalars(query))

    def ticket(self, key: ApiKey, ticket_id: int) -> Ticket | None:
        """A ticket that a key may read, or None."""
        query = _readable(select(TicketRow).where(TicketRow.id == ticket_id), key)
        with self._read() as session:
            row = session.scalar(query)
            return None if row is None else as_ticket(row)


def _readable(query: Select[TicketRow], key: ApiKey) -> Select[TicketRow]:
    if "tickets:all" in key.scopes:
        return query
    own = exists().where(
        TicketRow.connector == CONNECTOR,
        ConversationRow.thread_id == TicketRow.thread_id,
        ConversationRow.key_id == key.id,
    )
    return query.where(own)


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _as_key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=frozenset(row.scopes),
        origins=tuple(row.origins),
        audience=row.audience,
        per_minute=row.per_minute,
        created_at=row.created_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
    )
