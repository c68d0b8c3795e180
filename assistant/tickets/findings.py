"""What was found about the articles in the background, kept for the pages that show it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.tickets.database import sessions
from assistant.tickets.tables import Table


class FindingRow(Table):
    __tablename__ = "findings"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    content: Mapped[list[Any]]
    made_at: Mapped[datetime]


@dataclass(frozen=True)
class Finding:
    """What was found, in plain JSON values, and when."""

    content: list[Any]
    made_at: datetime


class Findings:
    """The last of each kind, by name."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def keep(self, name: str, content: list[Any]) -> None:
        """Puts what was found in place of what was found before."""
        with self._write.begin() as session:
            session.merge(FindingRow(name=name, content=content, made_at=datetime.now(UTC)))

    def last(self, name: str) -> Finding | None:
        """What was found last; None if nobody looked."""
        with self._read() as session:
            row = session.get(FindingRow, name)
            return None if row is None else Finding(row.content, row.made_at)
