"""Replies and notes as rows of the help desk, each once.

A row, its mark and the ticket's new state are one transaction. It begins by locking the ticket's
row, so that of two processes with the same reply the second waits, finds the first one's mark, and
writes nothing; and so that no colleague's change of the ticket comes between looking and writing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any

from sqlalchemy import Column, Connection, Engine, String, Table, cast, insert, select, update

from assistant import UndeliverableError
from connectors.ticket_database.mapping import Row
from connectors.ticket_database.reading import MARK
from connectors.ticket_database.schema import Schema, as_key, explained, for_column

_PLACEHOLDER = re.compile(r"\{([\w.]+)\}")


class Writer:
    """Writes to the help desk. Raises ConnectionError if the database does not take a row."""

    def __init__(self, engine: Engine, schema: Schema) -> None:
        self.engine = engine
        self._schema = schema
        self._mapping = schema.mapping
        assert self._mapping.write is not None
        self._write = self._mapping.write

    @property
    def writes_notes(self) -> bool:
        """Whether the mapping says how."""
        return bool(self._write.note)

    def reply(
        self,
        ticket_id: Any,
        reply_id: str,
        words: Mapping[str, Any],
        unless: Callable[[], None],
        *,
        answers: bool = True,
    ) -> str:
        """Writes a reply; returns its row's id, which is the earlier one's if it was written
        before. `unless` may raise, once the ticket is locked. What `answers` changes the ticket's
        state as well."""
        after = self._write.after_reply if answers else {}
        return self._row(ticket_id, reply_id, words, self._write.reply, after, unless)

    def note(
        self, ticket_id: Any, notice_id: str, words: Mapping[str, Any], *, hands_over: bool
    ) -> str:
        """Writes an internal note, and with `hands_over` gives the ticket to people."""
        after = self._write.after_hand_over if hands_over else {}
        return self._row(ticket_id, notice_id, words, self._write.note, after, lambda: None)

    def find(self, ticket_id: Any, reply_id: str) -> str | None:
        """The id of the row of this reply, if it was written."""
        with explained("the help desk's database"), self.engine.connect() as connection:
            return self._find(connection, ticket_id, MARK + reply_id)

    def _row(
        self,
        ticket_id: Any,
        name: str,
        words: Mapping[str, Any],
        row: Row,
        after: Row,
        unless: Callable[[], None],
    ) -> str:
        tickets, messages, mark = self._schema.tickets.row, self._schema.messages.row, MARK + name
        own_id = tickets.c[self._mapping.tickets.id]
        with explained("the help desk's database"), self.engine.begin() as connection:
            query = select(tickets).where(own_id == as_key(own_id, ticket_id)).with_for_update()
            ticket = connection.execute(query).mappings().first()
            if ticket is None:
                raise UndeliverableError(f"ticket {ticket_id} is not in the help desk any more.")
            if found := self._find(connection, ticket_id, mark):
                return found
            unless()
            values = {**words, "ticket": ticket[own_id], "mark": mark, "now": datetime.now(UTC)}
            values |= {f"ticket.{key}": value for key, value in ticket.items()}
            made = connection.execute(insert(messages).values(self._filled(messages, row, values)))
            key = made.inserted_primary_key
            row_id = str(key[0]) if key else ""
            if self._schema.marks is not None:
                connection.execute(insert(self._schema.marks).values(mark=mark, row_id=row_id))
            if after:
                changes = self._filled(tickets, after, values)
                connection.execute(update(tickets).where(own_id == ticket[own_id]).values(changes))
            return row_id

    def _find(self, connection: Connection, ticket_id: Any, mark: str) -> str | None:
        if (marks := self._schema.marks) is not None:
            query = select(marks.c.row_id).where(marks.c.mark == mark)
        else:
            part, view = self._mapping.messages, self._schema.messages
            ticket = view.row.c[part.ticket]
            query = select(cast(view.row.c[part.id], String(64))).where(
                ticket == as_key(ticket, ticket_id), view.row.c[self._write.mark] == mark
            )
        found = connection.scalar(query)
        return None if found is None else str(found)

    def _filled(self, table: Table, row: Row, values: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self._value(table.c[key], value, values) for key, value in row.items()}

    def _value(self, column: Column[Any], value: Any, values: Mapping[str, Any]) -> Any:
        """A constant, the value of one placeholder as it is, or text with several in it."""
        if not isinstance(value, str):
            return value
        if alone := _PLACEHOLDER.fullmatch(value):
            found = values[alone[1]]
            ours = alone[1] == "now"
            return for_column(column, found, self._schema.file.zone) if ours else found
        return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), value)


def as_html(text: str) -> str:
    """Plain text as HTML that shows the same."""
    return escape(text).replace("\n", "<br>\n")
