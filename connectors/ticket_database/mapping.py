"""The mapping file: what stands where in a help desk's database.

    [tickets]  table, id, subject, customer, status …     which states are open, which solved
    [messages] table, id, ticket, text …                  who wrote one: customer, staff, internal
    [attachments]                                         content, path or url
    [write]    the rows and columns that are written

A column is named alone (`body`), or with the join it comes from (`sender.name`). Conditions are
tables of a column and the values it may have: `{ internal = false, "sender.name" = ["Agent"] }`;
`{ agent_id = { null = true } }` asks whether there is none. docs/ticket-database.md has each key.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

from assistant import SettingsError

Scalar = StrictBool | StrictInt | StrictFloat | StrictStr
PLACEHOLDERS = (
    "ticket", "subject", "customer", "message", "text", "html", "mark", "now", "author",
)  # fmt: skip
"""What may stand in braces in a written value, besides `ticket.COLUMN`."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Null(_Part):
    """Whether a column has no value."""

    null: bool


Where = dict[str, Scalar | tuple[Scalar, ...] | Null]
Row = dict[str, Scalar]


class Join(_Part):
    """Another table: its row whose columns (left) equal the named ones (right)."""

    table: str
    on: dict[str, str]
    where: Where = Field(default_factory=dict)


class TicketsPart(_Part):
    """Where tickets stand. `text` is for desks that keep a ticket's first message with it;
    `changed` is a column that grows with each change, such as updated_at."""

    table: str
    id: str
    subject: str = ""
    customer: str
    status: str = ""
    open: tuple[Scalar, ...] = ()
    solved: tuple[Scalar, ...] = ()
    assignee: str = ""
    unassigned: tuple[Scalar, ...] = ()
    changed: str = ""
    text: str = ""
    created: str = ""
    html: bool = False
    where: Where = Field(default_factory=dict)
    joins: dict[str, Join] = Field(default_factory=dict)


class MessagesPart(_Part):
    """Where messages stand. `position` is a column by which new ones are found, the id by default;
    `html` says which texts are HTML."""

    table: str
    id: str
    ticket: str
    text: str
    created: str = ""
    sender: str = ""
    position: str = ""
    html: bool | Where = False
    customer: Where
    staff: Where
    internal: Where = Field(default_factory=dict)
    where: Where = Field(default_factory=dict)
    joins: dict[str, Join] = Field(default_factory=dict)


class AttachmentsPart(_Part):
    """Where attachments stand, and one of: their content, their path below `files_dir`, their URL.
    `shards` are the lengths of the folders' names that a path's beginning makes."""

    table: str
    message: str
    filename: str
    media_type: str = ""
    content: str = ""
    path: str = ""
    url: str = ""
    shards: tuple[int, ...] = ()
    where: Where = Field(default_factory=dict)
    joins: dict[str, Join] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_place(self) -> AttachmentsPart:
        if sum(map(bool, (self.content, self.path, self.url))) != 1:
            raise ValueError("name one of content, path and url")
        return self

    @property
    def place(self) -> str:
        """The column that leads to the content."""
        return self.content or self.path or self.url


class WritePart(_Part):
    """What is written: `reply` and `note` are rows of the messages' table, `after_reply` and
    `after_hand_over` columns of the ticket's row. Each row bears a mark, in the column `mark` of
    the messages' table or in a table of ours, `marks_table`."""

    mark: str = ""
    marks_table: str = ""
    reply: Row
    note: Row = Field(default_factory=dict)
    after_reply: Row = Field(default_factory=dict)
    after_hand_over: Row = Field(default_factory=dict)

    @model_validator(mode="after")
    def _marked(self) -> WritePart:
        if bool(self.mark) == bool(self.marks_table):
            raise ValueError(
                "name either mark, a column for our marks, or marks_table: without, a crash would"
                " write replies twice"
            )
        if self.mark:
            for name, row in (("reply", self.reply), ("note", self.note)):
                if row and row.get(self.mark) != "{mark}":
                    raise ValueError(f'write.{name}: {self.mark} = "{{mark}}" is missing')
        return self


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("no such time zone; write one such as Europe/Berlin") from None
    return name


class Mapping(_Part):
    """A whole mapping. `timezone` is that of times without one."""

    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    tickets: TicketsPart
    messages: MessagesPart
    attachments: AttachmentsPart | None = None
    write: WritePart | None = None


Kind = Literal["customer", "staff", "internal", "other"]


@dataclass(frozen=True)
class MappingFile:
    """A mapping as it was read: `name` is for error messages, `text` the file's."""

    name: str
    text: str
    mapping: Mapping

    def at(self, *path: str) -> str:
        """A key as error messages name it, with its line."""
        line = line_of(self.text, path)
        return f"{self.name}{f', line {line}' if line else ''}: {'.'.join(path)}"

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone of times without one."""
        return ZoneInfo(self.mapping.timezone)


def read(name: str) -> MappingFile:
    """The mapping file of this path, or the ready-made mapping of this name.

    Raises SettingsError naming the line, the key, the value and what is allowed.
    """
    if re.fullmatch(r"[a-z]+", name):
        ready = resources.files("connectors.ticket_database") / "mappings" / f"{name}.toml"
        if ready.is_file():
            return parse(ready.read_text(encoding="utf-8"), name)
    try:
        return parse(Path(name).read_text(encoding="utf-8-sig"), name)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SettingsError(
            f"mapping = {name!r}: cannot be read: {why}. `deskmate tickets map --url …` writes one;"
            f" ready-made: {', '.join(ready_made())}."
        ) from error


def ready_made() -> list[str]:
    """The names of the mappings that come with Deskmate."""
    folder = resources.files("connectors.ticket_database") / "mappings"
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir())


def parse(text: str, name: str) -> MappingFile:
    """The mapping of this text. Raises SettingsError as `read` does."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{name}: not valid TOML: {error}.") from error
    try:
        return MappingFile(name, text, Mapping.model_validate(table))
    except ValidationError as error:
        problems = {_explain(name, text, one) for one in error.errors(include_url=False)}
        raise SettingsError("\n".join(sorted(problems))) from None


def line_of(text: str, path: tuple[str, ...]) -> int:
    """The number of the line on which this key, or the innermost table around it, stands; 0: none.

    TOML's parsers keep no positions; this reads what people write: headers, and keys at the
    beginning of a line.
    """
    found, depth = 0, 0
    header: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\s*\[([^\[\]]+)\]", line):
            header = _keys(match[1])
            here = header
        elif match := re.match(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*'|\s*\.\s*)+?)\s*=""", line):
            here = (*header, *_keys(match[1]))
        else:
            continue
        if len(here) > depth and here == path[: len(here)]:
            found, depth = number, len(here)
    return found


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple("".join(key) for key in re.findall(r"""([\w-]+)|"([^"]*)"|'([^']*)'""", dotted))


def _explain(name: str, text: str, problem: Any) -> str:
    # A union's name of its member follows the key in pydantic's places; keys of ours come first.
    path = tuple(str(part) for part in problem["loc"])
    line = line_of(text, path)
    shown = [part for part in path if re.fullmatch(r"[\w.-]+", part)]
    at = f"{name}{f', line {line}' if line else ''}: {'.'.join(shown)}"
    match problem["type"]:
        case "missing":
            return f"{at}: missing; docs/ticket-database.md says what it is."
        case "extra_forbidden":
            return f"{at}: no such key. docs/ticket-database.md has them all."
        case "value_error":
            return f"{at}: {problem['ctx']['error']}."
    value = problem["input"]
    what = "" if isinstance(value, dict) else f" = {value!r}"
    return f"{at}{what}: {problem['msg']}."
