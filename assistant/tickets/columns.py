"""How the ticket database keeps text and moments, and finds the few rows that wait."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from sqlalchemy import DateTime, Dialect, Index, Text, text
from sqlalchemy.types import TypeDecorator

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def clean(value: str) -> str:
    """`value` with NUL characters and lone surrogates, which PostgreSQL and UTF-8 refuse,
    replaced by U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", value)


class CleanText(TypeDecorator[str]):
    """Text that any customer may have sent."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else clean(value)


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware moment; SQLite, which knows no timezones, stores it in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no timezone; pass a timezone-aware datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def partial_index(name: str, column: str, where: str) -> Index:
    """An index of the rows for which the SQL condition `where` holds, on both databases."""
    condition = text(where)
    return Index(name, column, sqlite_where=condition, postgresql_where=condition)
