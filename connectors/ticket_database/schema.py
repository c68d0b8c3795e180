"""A mapping held against the real database: tables, joins and columns to query with.

Schema
  ├─ tickets, messages, attachments: View     one table, and what is joined to it
  └─ marks                                    our own table of marks, if the mapping names one
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Engine,
    FromClause,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    and_,
    false,
    inspect,
)
from sqlalchemy.exc import NoSuchTableError, SQLAlchemyError
from sqlalchemy.sql.selectable import NamedFromClause

from assistant import SettingsError
from connectors.ticket_database.mapping import (
    PLACEHOLDERS,
    AttachmentsPart,
    Join,
    MappingFile,
    MessagesPart,
    Null,
    TicketsPart,
    Where,
)

Part = TicketsPart | MessagesPart | AttachmentsPart

MARK_COLUMNS = {"mark": String(64), "row_id": String(64)}
_PLACEHOLDER = re.compile(r"\{([\w.]+)\}")


class View:
    """A table of the mapping with its joins. `row` is the table, `source` all of it."""

    def __init__(self, row: Table, joins: Mapping[str, Join], tables: Mapping[str, Table]) -> None:
        self.row = row
        self.source: FromClause = row
        self._joined: dict[str, NamedFromClause] = {}
        for name, join in joins.items():
            other = tables[join.table].alias(f"joined_{name}")
            self._joined[name] = other
            same = [other.c[left] == self.column(right) for left, right in join.on.items()]
            on = and_(*same, *(_is(other.c[key], value) for key, value in join.where.items()))
            self.source = self.source.outerjoin(other, on)

    def column(self, reference: str) -> ColumnElement[Any]:
        """The column that a mapping names `body` or `sender.name`."""
        join, _, name = reference.rpartition(".")
        return (self._joined[join] if join else self.row).c[name]

    def where(self, conditions: Where) -> ColumnElement[bool]:
        """All of these hold; for NULL none does but `null = true`. Of no conditions none holds."""
        if not conditions:
            return false()
        return and_(*(_is(self.column(key), value) for key, value in conditions.items()))


def _is(column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
    if isinstance(value, Null):
        return column.is_(None) if value.null else column.is_not(None)
    return column.in_(value if isinstance(value, tuple) else (value,))


class Schema:
    """The mapped tables of one database, checked.

    Raises SettingsError with every mistake: the mapping's line and key, the table or column, and
    what it may have been meant to be. Raises whatever the database says if it cannot be reached.
    """

    def __init__(self, engine: Engine, file: MappingFile, *, writes: bool = False) -> None:
        self.file, self.mapping = file, file.mapping
        self._inspector = inspect(engine)
        self._metadata = MetaData()
        self._engine = engine
        self._tables: dict[str, Table | None] = {}
        self._problems: list[str] = []
        self.marks: Table | None = None
        mapping = self.mapping
        parts: dict[str, Part] = {"tickets": mapping.tickets, "messages": mapping.messages}
        if mapping.attachments:
            parts["attachments"] = mapping.attachments
        for name, part in parts.items():
            self._check_part(name, part)
        if mapping.write:
            self._check_write(writes)
        if self._problems:
            raise SettingsError("\n".join(self._problems))
        found = {name: table for name, table in self._tables.items() if table is not None}
        views = {n: View(found[p.table], p.joins, found) for n, p in parts.items()}
        self.tickets, self.messages = views["tickets"], views["messages"]
        self.attachments = views.get("attachments")
        self._check_positions()

    def _check_part(self, name: str, part: Part) -> None:
        self._table(part.table, name, "table")
        known = {"": part.table}
        for alias, join in part.joins.items():
            place = (name, "joins", alias)
            self._table(join.table, *place, "table")
            for left, right in join.on.items():
                self._column(known | {alias: join.table}, f"{alias}.{left}", *place, "on", left)
                self._column(known, right, *place, "on", left)
            known[alias] = join.table
            for key in join.where:
                self._column(known, f"{alias}.{key}", *place, "where", key)
        for key, value in part:
            if key in ("table", "joins", "open", "solved", "unassigned", "shards"):
                continue
            if isinstance(value, str) and value:
                self._column(known, value, name, key)
            elif isinstance(value, dict):
                for reference in value:
                    self._column(known, reference, name, key, reference)
        self._known = {**getattr(self, "_known", {}), name: known}

    def _check_write(self, writes: bool) -> None:
        write, mapping = self.mapping.write, self.mapping
        assert write is not None
        messages, tickets = {"": mapping.messages.table}, {"": mapping.tickets.table}
        for name, row in (("reply", write.reply), ("note", write.note)):
            self._check_row(row, messages, "write", name)
            self._check_complete(row, mapping.messages.table, name)
        for name, row in (
            ("after_reply", write.after_reply),
            ("after_hand_over", write.after_hand_over),
        ):
            self._check_row(row, tickets, "write", name)
        if write.mark:
            self._column(messages, write.mark, "write", "mark")
        elif writes and self._table(write.marks_table, "write", "marks_table"):
            for column in MARK_COLUMNS:
                self._column({"": write.marks_table}, column, "write", "marks_table")
            self.marks = self._tables[write.marks_table]

    def _check_row(self, row: Mapping[str, Any], table: dict[str, str], *place: str) -> None:
        for key, value in row.items():
            self._column(table, key, *place, key)
            for found in _PLACEHOLDER.findall(value) if isinstance(value, str) else ():
                name = found.removeprefix("ticket.")
                if found.startswith("ticket."):
                    self._column({"": self.mapping.tickets.table}, name, *place, key)
                elif found not in PLACEHOLDERS:
                    known = ", ".join(PLACEHOLDERS)
                    self._wrong(place, key, f"{{{found}}} is not known. There are: {known}.")

    def _check_complete(self, row: Mapping[str, Any], table: str, name: str) -> None:
        """A row that the database would refuse is found now, not with the first customer."""
        reflected = self._tables.get(table)
        if not row or reflected is None:
            return
        missing = [
            column.name
            for column in reflected.columns
            if not column.nullable
            and column.server_default is None
            and column.identity is None
            and not (column.primary_key and column.autoincrement)
            and column.name not in row
        ]
        if missing:
            self._wrong(("write",), name, f"{table} demands values for: {', '.join(missing)}.")

    def _check_positions(self) -> None:
        tickets, messages = self.mapping.tickets, self.mapping.messages
        position = messages.position or messages.id
        places = [("messages", "position", self.messages, position)]
        if tickets.changed:
            places.append(("tickets", "changed", self.tickets, tickets.changed))
        for part, key, view, reference in places:
            kind = view.column(reference).type
            times_as_text = self._engine.dialect.name == "sqlite" and isinstance(kind, String)
            if not isinstance(kind, Integer | Numeric | DateTime) and not times_as_text:
                raise SettingsError(
                    f"{self.file.at(part, key)} = {reference!r}: it is {kind}. New rows are found"
                    " by a number or a time that grows; name such a column."
                )

    def _table(self, name: str, *place: str) -> bool:
        if name not in self._tables:
            schema, _, table = name.rpartition(".")
            try:
                self._tables[name] = Table(
                    table,
                    self._metadata,
                    schema=schema or None,
                    autoload_with=self._engine,
                    resolve_fks=False,
                    listeners=[("column_reflect", self._reflected)],
                )
            except NoSuchTableError:
                self._tables[name] = None
                names = self._names(schema)
                self._wrong(place[:-1], place[-1], f"no such table.{_near(table, names)}", name)
        return self._tables[name] is not None

    def _reflected(self, inspector: Any, table: Any, column: Any) -> None:
        # SQLite keeps times as text, in whatever form they came: read and compared as they are.
        if self._engine.dialect.name == "sqlite" and isinstance(column["type"], DateTime):
            column["type"] = String()

    def _names(self, schema: str) -> list[str]:
        try:
            inspector = self._inspector
            return inspector.get_table_names(schema or None) + inspector.get_view_names(
                schema or None
            )
        except SQLAlchemyError:
            return []

    def _column(self, known: Mapping[str, str], reference: str, *place: str) -> None:
        alias, _, name = reference.rpartition(".")
        if alias not in known:
            joins = ", ".join(filter(None, known)) or "none"
            words = f"there is no join {alias!r} before it. Joins: {joins}."
            self._wrong(place[:-1], place[-1], words, reference)
            return
        table = self._tables.get(known[alias])
        if table is not None and name not in table.c:
            words = f"table {known[alias]!r} has no column {name!r}.{_near(name, table.c.keys())}"
            self._wrong(place[:-1], place[-1], words)

    def _wrong(self, place: tuple[str, ...], key: str, words: str, value: str = "") -> None:
        what = f" = {value!r}" if value else ""
        self._problems.append(f"{self.file.at(*place, key)}{what}: {words}")


def _near(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, names, 3, 0.5)
    if close:
        return f" Did you mean {' or '.join(close)}?"
    return f" There are: {', '.join(sorted(names)[:20]) or 'none'}."
