"""Every call of a tool for a ticket: who asked for what, and what came of it.

A call has a key made from its message, its tool and its arguments. It is noted before it is made,
so that after a crash it is known that it may have been made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import Engine, ForeignKey, Index, String, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, mapped_column

from assistant.errors import DeskmateError
from assistant.tickets.database import insert_once, sessions
from assistant.tickets.rows import audit
from assistant.tickets.tables import Table

CallState = Literal["running", "done", "failed", "waiting", "refused"]


class ToolCallRow(Table):
    """running   begun, and not known to have ended
    done      `result` is what the tool returned
    failed    `result` says why
    waiting   for a person's approval
    refused   a person did not approve it"""

    __tablename__ = "tool_calls"
    __table_args__ = (
        UniqueConstraint("key"),
        Index("ix_tool_calls_ticket_id", "ticket_id"),
        Index("ix_tool_calls_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    tool: Mapped[str]
    plugin: Mapped[str]
    risk: Mapped[str] = mapped_column(String(16))
    arguments: Mapped[dict[str, Any]]
    customer: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    result: Mapped[str]
    decided_by: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


@dataclass(frozen=True)
class ToolCall:
    """One call as it stands; `result` is the tool's text, or why it failed."""

    id: int
    key: str
    ticket_id: int
    tool: str
    plugin: str
    risk: str
    arguments: Mapping[str, Any]
    customer: str
    state: CallState
    result: str
    decided_by: str | None
    created_at: datetime
    finished_at: datetime | None


class ToolCalls:
    """The log of tool calls."""

    def __init__(self, engine: Engine) -> None:
        self._write, self._read = sessions(engine)

    def begin(
        self,
        key: str,
        *,
        ticket_id: int,
        tool: str,
        plugin: str,
        risk: str,
        arguments: Mapping[str, Any],
        customer: str,
        state: CallState,
    ) -> tuple[ToolCall, bool]:
        """Notes a call as running or waiting; returns it and whether it is new. One of the same
        key stays as it is."""
        with self._write.begin() as session:
            new = insert_once(
                session,
                ToolCallRow,
                key=key,
                ticket_id=ticket_id,
                tool=tool,
                plugin=plugin,
                risk=risk,
                arguments=dict(arguments),
                customer=customer,
                state=state,
                result="",
                created_at=datetime.now(UTC),
            )
            row = session.scalars(select(ToolCallRow).where(ToolCallRow.key == key)).one()
            return _read(row), new

    def finish(self, call_id: int, state: CallState, result: str) -> None:
        """Notes how a call ended."""
        ended = {"state": state, "result": result, "finished_at": datetime.now(UTC)}
        with self._write.begin() as session:
            session.execute(update(ToolCallRow).where(ToolCallRow.id == call_id).values(**ended))

    def decide(self, call_id: int, who: str, *, approve: bool) -> ToolCall:
        """Approves a waiting call, which is then running, or refuses it, for the person `who`.

        Raises DeskmateError if it does not wait, for instance since somebody else was faster.
        """
        with self._write.begin() as session:
            row = session.get(ToolCallRow, call_id, with_for_update=True)
            if row is None or row.state != "waiting":
                state = "there is none of this number" if row is None else f"it is {row.state}"
                raise DeskmateError(
                    f"tool call {call_id}: {state}. `deskmate tools waiting` lists what waits."
                )
            row.state, row.decided_by = ("running" if approve else "refused"), who
            verb = "approve tool" if approve else "refuse tool"
            audit(session, row.ticket_id, who, verb, f"{row.tool}, call {row.id}")
            return _read(row)

    def waiting(self) -> tuple[ToolCall, ...]:
        """What waits for approval, oldest first."""
        return self._select(ToolCallRow.state == "waiting")

    def of_ticket(self, ticket_id: int) -> tuple[ToolCall, ...]:
        """A ticket's calls, oldest first."""
        return self._select(ToolCallRow.ticket_id == ticket_id)

    def _select(self, condition: Any) -> tuple[ToolCall, ...]:
        with self._read() as session:
            rows = session.scalars(select(ToolCallRow).where(condition).order_by(ToolCallRow.id))
            return tuple(map(_read, rows))


def _read(row: ToolCallRow) -> ToolCall:
    state: CallState = next(known for known in get_args(CallState) if known == row.state)
    return ToolCall(
        id=row.id,
        key=row.key,
        ticket_id=row.ticket_id,
        tool=row.tool,
        plugin=row.plugin,
        risk=row.risk,
        arguments=row.arguments,
        customer=row.customer,
        state=state,
        result=row.result,
        decided_by=row.decided_by,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )
