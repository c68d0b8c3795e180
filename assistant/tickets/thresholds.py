"""From which confidence answers are sent and kept as drafts, where people set it in the console."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, select
from sqlalchemy.orm import Mapped, mapped_column

from assistant.errors import DeskmateError
from assistant.tickets.database import sessions
from assistant.tickets.rows import audit
from assistant.tickets.tables import Table


class ThresholdsRow(Table):
    """The newest row holds; without numbers, the settings' do."""

    __tablename__ = "thresholds"

    id: Mapped[int] = mapped_column(primary_key=True)
    reply_at: Mapped[float | None]
    draft_at: Mapped[float | None]
    who: Mapped[str]
    created_at: Mapped[datetime]


@dataclass(frozen=True)
class Chosen:
    """What somebody chose, from 0 to 1, and when."""

    reply_at: float
    draft_at: float
    who: str
    at: datetime


class Thresholds:
    """What was chosen in the console instead of the settings' thresholds, for all processes."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def chosen(self) -> Chosen | None:
        """What was chosen last; None where the settings hold."""
        with self._read() as session:
            row = session.scalar(select(ThresholdsRow).order_by(ThresholdsRow.id.desc()).limit(1))
            if row is None or row.reply_at is None or row.draft_at is None:
                return None
            return Chosen(row.reply_at, row.draft_at, row.who, row.created_at)

    def choose(self, reply_at: float, draft_at: float, who: str) -> None:
        """Sets both from now on. Raises DeskmateError if they are no probabilities in order."""
        if not 0 <= draft_at <= reply_at <= 1:
            raise DeskmateError(
                f"drafts from {draft_at:g}, replies from {reply_at:g}: both lie between 0 and 1,"
                " and drafts do not begin above replies."
            )
        self._add(reply_at, draft_at, who, f"replies from {reply_at:g}, drafts from {draft_at:g}")

    def forget(self, who: str) -> None:
        """From now on the settings' thresholds hold again."""
        self._add(None, None, who, "as in the settings")

    def _add(self, reply_at: float | None, draft_at: float | None, who: str, detail: str) -> None:
        now = datetime.now(UTC)
        row = ThresholdsRow(reply_at=reply_at, draft_at=draft_at, who=who, created_at=now)
        with self._write.begin() as session:
            session.add(row)
            audit(session, None, who, "set thresholds", detail)
