"""A mapping held against the real database: tables, joins and columns to query with.

Schema
  ├─ tickets, messages, attachments: View     one table, and what is joined to it
  └─ marks                                    our own table of marks, if the mapping names one
"""

from __future__ import annotations

import difflib
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    DateTime,
    Engine,
    FromClause,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Uuid,
    and_,
    create_engine,
    event,
    false,
    inspect,
    make_url,
)
from sqlalchemy.exc import ArgumentError, NoSuchTableError, SQLAlchemyError
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

CONNECT_SECONDS = 10
LOCK_SECONDS = 10
MARK_COLUMNS = {"mark": String(64), "row_id": String(64)}
_PLACEHOLDER = re.compile(r"\{([\w.]+)\}")


def connect(url: str, key: str = "url", *, writes: bool = False) -> Engine:
    """An engine for PostgreSQL, MySQL, MariaDB or SQLite. Without `writes` PostgreSQL and SQLite
    refuse every change. Raises SettingsError about the setting `key`."""
    place = f"connectors.ticket_database.{key}"
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError(
            f"{place}: not a database URL. Write postgresql://USER:PASSWORD@HOST/NAME."
        ) from None
    match parsed.get_backend_name():
        case "postgresql" | "postgres":
            options = {
                "connect_timeout": CONNECT_SECONDS,
                "options": f"-c lock_timeout={LOCK_SECONDS}s"
                + ("" if writes else " -c default_transaction_read_only=on"),
            }
            parsed = parsed.set(drivername="postgresql+psycopg")
            return create_engine(parsed, pool_pre_ping=True, connect_args=options)
        case "mysql" | "mariadb":
            options = {
                "connect_timeout": CONNECT_SECONDS,
                "init_command": f"SET innodb_lock_wait_timeout={LOCK_SECONDS}",
            }
            backend = parsed.get_backend_name()
            parsed = parsed.set(drivername=f"{backend}+pymysql")
            try:
                return create_engine(
                    parsed,
                    pool_pre_ping=True,
                    connect_args=options,
                    # Else each look would see the database as it was at the first one.
                    isolation_level="READ COMMITTED",
                )
            except ModuleNotFoundError:
                raise SettingsError(
                    f"{place}: MySQL and MariaDB need `pip install 'deskmate[mysql]'`."
                ) from None
        case "sqlite":
            engine = create_engine(parsed, connect_args={"timeout": 3 * LOCK_SECONDS})
            event.listen(engine, "connect", lambda c, _: _configure_sqlite(c, writes))
            event.listen(
                engine,
                "begin",
                lambda c: c.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN"),
            )
            return engine
        case other:
            raise SettingsError(
                f"{place}: {other} is not supported. PostgreSQL, MySQL, MariaDB and SQLite are."
            )


def _configure_sqlite(connection: Any, writes: bool) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says so
    if not writes:
        connection.execute("PRAGMA query_only=ON")


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


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Database errors name what failed; statements and their values stay out of them."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        words = (str(cause).strip().splitlines() or [type(error).__name__])[0]
        raise ConnectionError(f"{what}: {words}") from None
