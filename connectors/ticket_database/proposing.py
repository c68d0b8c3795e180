"""A mapping proposed from a schema: by names, types and foreign keys, and by the values that stand
in the few columns that tell states and authors apart. It is a draft for a person: each guess says
what it was made of, and what could not be guessed says so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Boolean, Engine, Integer, LargeBinary, Select, String, inspect, select, table
from sqlalchemy import column as sql_column

from assistant import SettingsError
from connectors.ticket_database.schema import explained

TICKET_WORDS = ("ticket", "conversation", "issue", "case", "request", "thread", "inquir")
MESSAGE_WORDS = ("message", "comment", "article", "repl", "post", "entr", "answer")
FILE_WORDS = ("attachment", "file", "upload", "document")
SUBJECT = ("subject", "title", "summary", "topic")
TEXT = ("body", "content", "text", "message", "comment", "description", "note")
CUSTOMER = ("requester", "customer", "contact", "client", "reporter", "sender", "user", "author")
ADDRESS = ("email", "email_address", "mail", "address")
PERSON = ("name", "display_name", "full_name", "login", "username", "email")
STATUS = ("status", "state")
ASSIGNEE = ("assignee", "assigned_to", "owner", "agent", "staff")
CHANGED = ("updated_at", "modified_at", "changed_at", "last_modified", "updated", "updated_on")
CREATED = ("created_at", "created", "created_on", "sent_at", "date", "posted_at", "timestamp")
INTERNAL = ("internal", "private", "is_internal", "is_private", "hidden")
PUBLIC = ("public", "is_public", "visible")
AGENT = ("agent", "is_agent", "staff", "is_staff", "admin", "is_admin", "employee")
KIND = ("sender_type", "author_type", "direction", "kind", "type", "role", "from_type")
CUSTOMERS = re.compile(r"customer|contact|client|user|requester|visitor|incoming|inbound", re.I)
STAFF = re.compile(r"agent|staff|admin|operator|employee|outgoing|outbound|support", re.I)
OPEN = re.compile(r"new|open|pending|wait|progress|active|todo|hold", re.I)
SOLVED = re.compile(r"solved|closed|resolved|done|complete", re.I)
MOST_VALUES = 20


@dataclass(frozen=True)
class Shape:
    """A table: its columns with their types, its primary key, and where columns point to."""

    name: str
    columns: dict[str, Any]
    key: str
    points_to: dict[str, str] = field(default_factory=dict)

    def first(self, names: Iterable[str], kind: Any = None) -> str:
        """The first of these names that is a column, of this kind; empty if none is."""
        lower = {name.lower(): name for name in self.columns}
        for name in names:
            found = lower.get(name)
            if found and (kind is None or isinstance(self.columns[found], kind)):
                return found
        return ""

    def flag(self, column: str, value: bool) -> bool | int:
        """Yes or no as this column has it: MySQL keeps it as a number."""
        return value if isinstance(self.columns[column], Boolean) else int(value)

    def link(self, names: Iterable[str]) -> str:
        """The first column that points to another table and is called so."""
        names = [form for name in names for form in (f"{name}_id", name, f"{name}id")]
        return next((n for n in names if n in self.points_to), "")


def propose(engine: Engine) -> str:
    """The text of a mapping file.

    Raises SettingsError if no tables look like tickets with messages, ConnectionError if the
    database does not answer.
    """
    with explained("the help desk's database"):
        shapes = {shape.name: shape for shape in _shapes(engine)}
        tickets, messages, link = _tickets_and_messages(shapes)
        lines = [
            "# Proposed by `deskmate tickets map`: read every line, then `deskmate tickets check`.",
            "# docs/ticket-database.md explains the keys.",
            'timezone = "UTC"  # of times without one',
            *_tickets(engine, shapes, tickets),
            *_messages(engine, shapes, messages, link),
            *_attachments(shapes, messages),
            *_write(tickets, messages, link),
        ]
    return "\n".join(lines) + "\n"


def _shapes(engine: Engine) -> Iterator[Shape]:
    inspector = inspect(engine)
    names = inspector.get_table_names()
    for name in names:
        columns = {c["name"]: c["type"] for c in inspector.get_columns(name)}
        key = (inspector.get_pk_constraint(name).get("constrained_columns") or [""])[0]
        points = {
            foreign["constrained_columns"][0]: foreign["referred_table"]
            for foreign in inspector.get_foreign_keys(name)
            if len(foreign["constrained_columns"]) == 1
        }
        for column in columns:
            if column not in points and column.endswith("_id"):
                other = column.removesuffix("_id")
                plural = other[:-1] + "ies" if other.endswith("y") else other + "s"
                if found := next((n for n in (plural, other) if n in names), ""):
                    points[column] = found  # undeclared, as Rails has it
        yield Shape(name, columns, key, points)


def _tickets_and_messages(shapes: dict[str, Shape]) -> tuple[Shape, Shape, str]:
    best: tuple[int, Shape, Shape, str] | None = None
    for messages in shapes.values():
        for link, name in messages.points_to.items():
            tickets = shapes.get(name)
            if tickets is None or tickets is messages or not messages.first(TEXT, String):
                continue
            score = (
                4 * _named(tickets.name, TICKET_WORDS)
                + 4 * _named(messages.name, MESSAGE_WORDS)
                + 2 * bool(tickets.first(SUBJECT))
                + 2 * bool(tickets.first(STATUS) or tickets.link(STATUS))
                + bool(tickets.link(CUSTOMER) or tickets.first(ADDRESS))
                + bool(messages.first(CREATED))
            )
            if best is None or score > best[0]:
                best = (score, tickets, messages, link)
    if best is None or best[0] < 6:
        raise SettingsError(
            "no tables look like tickets with messages (a table of texts that points to one with a"
            f" subject and a state). There are: {', '.join(sorted(shapes)) or 'none'}. Write the"
            " mapping by hand; docs/ticket-database.md shows one."
        )
    return best[1:]


def _tickets(engine: Engine, shapes: dict[str, Shape], tickets: Shape) -> Iterator[str]:
    joins: dict[str, tuple[str, str, str]] = {}
    yield "\n[tickets]"
    yield _line("table", tickets.name)
    yield _line("id", tickets.key or "id")
    if subject := tickets.first(SUBJECT):
        yield _line("subject", subject)
    link = tickets.link(CUSTOMER)
    people = shapes.get(tickets.points_to.get(link, ""))
    if people and (address := people.first(ADDRESS)):
        joins["customer"] = (people.name, people.key or "id", link)
        yield _line("customer", f"customer.{address}")
    elif address := tickets.first([f"{a}_{b}" for a in CUSTOMER for b in ADDRESS] + list(ADDRESS)):
        yield _line("customer", address)
    else:
        yield '# customer = "…"  # not found: the column with the customer\'s address'
    yield from _status(engine, shapes, tickets, joins)
    link = tickets.link(ASSIGNEE)
    people = shapes.get(tickets.points_to.get(link, ""))
    if people and (name := people.first(PERSON)):
        joins["assignee"] = (people.name, people.key or "id", link)
        yield _line("assignee", f"assignee.{name}", "tickets with one are left to people")
    if changed := tickets.first(CHANGED):
        yield _line("changed", changed)
    yield from _joins("tickets", joins)


def _status(
    engine: Engine,
    shapes: dict[str, Shape],
    tickets: Shape,
    joins: dict[str, tuple[str, str, str]],
) -> Iterator[str]:
    link = tickets.link(STATUS)
    states = shapes.get(tickets.points_to.get(link, ""))
    if states and (name := states.first(("name", "title", "label"))):
        joins["state"] = (states.name, states.key or "id", link)
        yield _line("status", f"state.{name}")
        values = _values(engine, states.name, name)
    elif status := tickets.first(STATUS):
        yield _line("status", status)
        values = _values(engine, tickets.name, status)
    else:
        return
    solved = [value for value in values if SOLVED.search(str(value))]
    opened = [value for value in values if OPEN.search(str(value)) and value not in solved]
    found = ", ".join(map(json.dumps, values))
    if opened or solved:
        yield _line("open", opened, f"of the values there are: {found}")
        yield _line("solved", solved)
    else:
        yield f"# open = []    # which of these are open: {found}"
        yield "# solved = []  # and which are solved?"


def _messages(
    engine: Engine, shapes: dict[str, Shape], messages: Shape, link: str
) -> Iterator[str]:
    joins: dict[str, tuple[str, str, str]] = {}
    yield "\n[messages]"
    yield _line("table", messages.name)
    yield _line("id", messages.key or "id", "new messages are found by it, or by: position = …")
    yield _line("ticket", link)
    yield _line("text", messages.first(TEXT, String))
    if created := messages.first(CREATED):
        yield _line("created", created)
    inside: dict[str, Any] = {}
    if internal := messages.first(INTERNAL):
        inside = {internal: messages.flag(internal, True)}
    elif public := messages.first(PUBLIC):
        inside = {public: messages.flag(public, False)}
    outside = {key: messages.flag(key, not value) for key, value in inside.items()}
    author = next((c for c in ("author_id", "user_id", "created_by_id", "sender_id")
                   if c in messages.points_to), "")  # fmt: skip
    people = shapes.get(messages.points_to.get(author, ""))
    customer, staff = _kinds(engine, shapes, messages, joins)
    if not customer and people and (agent := people.first(AGENT, Boolean | Integer)):
        customer = {f"author.{agent}": people.flag(agent, False)}
        staff = {f"author.{agent}": people.flag(agent, True)}
    if people and (name := people.first(PERSON)):
        joins["author"] = (people.name, people.key or "id", author)
        yield _line("sender", f"author.{name}")
    if customer and staff:
        yield _line("customer", {**customer, **outside}, "what the customer wrote")
        yield _line("staff", {**staff, **outside}, "what colleagues wrote to the customer")
    else:
        yield "# customer = { … }  # not found: which rows the customer wrote"
        yield "# staff = { … }     # not found: which rows colleagues wrote to the customer"
    if inside:
        yield _line("internal", inside, "never shown to a customer")
    yield from _joins("messages", joins)


def _kinds(
    engine: Engine,
    shapes: dict[str, Shape],
    messages: Shape,
    joins: dict[str, tuple[str, str, str]],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Conditions by a column, or a joined table, whose values say who wrote."""
    places: list[tuple[str, str, str]] = [
        (name, messages.name, name) for name in KIND if messages.first((name,), String)
    ]
    for name in ("sender", "author_type", "sender_type", "type"):
        other = shapes.get(messages.points_to.get(f"{name}_id", ""))
        if other and other.first(("name",)) and not other.first(ADDRESS):
            places.append((f"{name}.name", other.name, "name"))
    for reference, table_name, column in places:
        values = _values(engine, table_name, column)
        customers = [v for v in values if CUSTOMERS.search(str(v)) and not STAFF.search(str(v))]
        staff = [v for v in values if STAFF.search(str(v))]
        if customers and staff:
            alias = reference.rpartition(".")[0]
            if alias:
                joins[alias] = (table_name, shapes[table_name].key or "id", f"{alias}_id")
            return {reference: customers}, {reference: staff}
    return {}, {}


def _attachments(shapes: dict[str, Shape], messages: Shape) -> Iterator[str]:
    for shape in shapes.values():
        link = next((c for c, name in shape.points_to.items() if name == messages.name), "")
        if not link or not _named(shape.name, FILE_WORDS):
            continue
        name = shape.first(("filename", "file_name", "name", "original_name", "title"))
        content = shape.first(("content", "data", "blob", "body"), LargeBinary)
        path = shape.first(("path", "file_path", "location", "storage_path"))
        url = shape.first(("url", "external_url", "href", "link"))
        place = ("content", content) if content else ("path", path) if path else ("url", url)
        if name and place[1]:
            yield "\n[attachments]"
            yield _line("table", shape.name)
            yield _line("message", link)
            yield _line("filename", name)
            kind = shape.first(("media_type", "content_type", "mime_type", "mimetype"))
            if kind:
                yield _line("media_type", kind)
            yield _line(*place)
            return


def _write(tickets: Shape, messages: Shape, link: str) -> Iterator[str]:
    yield "\n# What is written. Uncomment it once the samples read right; the rows' other columns,"
    yield "# such as the assistant's own account as their author, are yours to add."
    yield "# [write]"
    yield '# marks_table = "deskmate_marks"  # or mark = "…", a text column that is free'
    for name, internal in (("reply", False), ("note", True)):
        yield "#"
        yield f"# [write.{name}]"
        yield f'# {link} = "{{ticket}}"'
        yield f'# {messages.first(TEXT, String)} = "{{text}}"'
        if created := messages.first(CREATED):
            yield f'# {created} = "{{now}}"'
        if column := messages.first(INTERNAL):
            yield f"# {column} = {json.dumps(messages.flag(column, internal))}"
        elif column := messages.first(PUBLIC):
            yield f"# {column} = {json.dumps(messages.flag(column, not internal))}"
    if changed := tickets.first(CHANGED):
        yield f'#\n# [write.after_reply]\n# {changed} = "{{now}}"'


def _values(engine: Engine, table_name: str, column: str) -> list[Any]:
    """The values that stand in a column, if they are few."""
    query: Select[Any] = select(sql_column(column)).select_from(table(table_name)).distinct()
    with engine.connect() as connection:
        found = list(connection.scalars(query.limit(MOST_VALUES + 1)))
    kinds = (str, int, float, bool)
    few = len(found) <= MOST_VALUES
    return sorted((v for v in found if isinstance(v, kinds)), key=str) if few else []


def _joins(part: str, joins: dict[str, tuple[str, str, str]]) -> Iterator[str]:
    for alias, (table_name, key, link) in joins.items():
        yield f"\n[{part}.joins.{alias}]"
        yield _line("table", table_name)
        yield _line("on", {key: link})


def _named(name: str, words: Iterable[str]) -> bool:
    return any(word in name.lower() for word in words)


def _line(key: str, value: Any, comment: str = "") -> str:
    return f"{key} = {_toml(value)}{f'  # {comment}' if comment else ''}"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k) if '.' in k else k} = {_toml(v)}" for k, v in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
