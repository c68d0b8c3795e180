"""What versions of plugins that are tried would have changed, kept with the tickets: it quotes
customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, ForeignKey, Index, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from assistant.plugging.shadows import Trial
from assistant.tickets.database import sessions
from assistant.tickets.tables import MessageRow, ReplyRow, Table


class TrialRow(Table):
    """One call of a version that is tried; `number` is the version's."""

    __tablename__ = "plugin_trials"
    __table_args__ = (
        Index("ix_plugin_trials_plugin", "plugin", "number", "id"),
        Index("ix_plugin_trials_ticket_id", "ticket_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    plugin: Mapped[str]
    number: Mapped[int]
    hook: Mapped[str] = mapped_column(String(32))
    about: Mapped[str]
    change: Mapped[str]
    ms: Mapped[float]
    error: Mapped[str]
    created_at: Mapped[datetime]


@dataclass(frozen=True)
class Summary:
    """What one version did with what it saw: `seen` messages and replies, of which it would have
    `changed` so many; `faults` and `slowest_ms` are those of single calls."""

    seen: int = 0
    changed: int = 0
    faults: int = 0
    slowest_ms: float = 0.0


class Trials:
    """What was recorded of versions that are tried."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def note(self, trial: Trial) -> None:
        """Keeps it with the ticket that it is about; what is about none is not kept."""
        with self._write.begin() as session:
            if ticket_id := _ticket_of(session, trial.about):
                values = asdict(trial)
                session.add(TrialRow(ticket_id=ticket_id, created_at=datetime.now(UTC), **values))

    def summary(self, plugin: str, number: int) -> Summary:
        """All that a version did so far."""
        of = (TrialRow.plugin == plugin, TrialRow.number == number)
        with self._read() as session:
            seen, slowest = session.execute(
                select(func.count(TrialRow.about.distinct()), func.max(TrialRow.ms)).where(*of)
            ).one()
            changed = session.scalar(
                select(func.count(TrialRow.about.distinct())).where(*of, TrialRow.change != "")
            )
            faults = session.scalar(select(func.count()).where(*of, TrialRow.error != ""))
        return Summary(seen, changed or 0, faults or 0, slowest or 0.0)

    def latest(self, plugin: str, number: int, limit: int) -> Sequence[tuple[int, Trial]]:
        """The newest calls that changed or failed, each with its ticket's number."""
        query = (
            select(TrialRow)
            .where(TrialRow.plugin == plugin, TrialRow.number == number)
            .where((TrialRow.change != "") | (TrialRow.error != ""))
            .order_by(TrialRow.id.desc())
            .limit(limit)
        )
        with self._read() as session:
            return [(row.ticket_id, _trial(row)) for row in session.scalars(query)]


def forget(session: Session, ticket_id: int) -> None:
    """Deletes what is about a ticket, of which a message was taken back by its author."""
    session.execute(delete(TrialRow).where(TrialRow.ticket_id == ticket_id))


def _ticket_of(session: Session, about: str) -> int | None:
    kind, _, name = about.partition(":")
    if kind == "reply" and (row := session.get(ReplyRow, name)):
        return row.ticket_id
    return session.scalar(
        select(MessageRow.ticket_id).where(
            MessageRow.connector == kind,
            MessageRow.external_id == name,
            MessageRow.withdrawn_at.is_(None),
        )
    )


def _trial(row: TrialRow) -> Trial:
    return Trial(row.plugin, row.number, row.hook, row.about, row.change, row.ms, row.error)
