"""Ids, positions and moments, as each database's columns keep them."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Column, ColumnElement, DateTime, Integer, Numeric, String, Uuid


def as_key(column: ColumnElement[Any], value: Any) -> Any:
    """An id or position, as it was kept in JSON, for a comparison with this column."""
    if not isinstance(value, str):
        return str(value) if isinstance(column.type, String) and value is not None else value
    match column.type:
        case Uuid():
            return uuid.UUID(value)
        case DateTime():
            return datetime.fromisoformat(value)
        case Integer():
            return int(value)
        case Numeric():
            return Decimal(value)
    return value


def as_json(value: Any) -> Any:
    """An id or position, to be kept in JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int | float | str) else str(value)


def as_moment(value: Any, zone: Any) -> datetime | None:
    """What a column says of a moment, in UTC: a time, seconds since 1970, or text; None if it says
    none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (OverflowError, ValueError, OSError):
            return None
    return None


def for_column(column: Column[Any], moment: datetime, zone: Any) -> Any:
    """A moment as this column keeps it."""
    if isinstance(column.type, DateTime):
        if column.type.timezone:
            return moment
        return moment.astimezone(zone).replace(tzinfo=None)
    if isinstance(column.type, Integer | Numeric):
        return int(moment.timestamp())
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"
