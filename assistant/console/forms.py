"""Settings as a form, from their pydantic model. A secret is never sent to the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from starlette.exceptions import HTTPException

from assistant import settings as settings_module
from assistant import settings_file
from assistant.console.calls import Call
from assistant.errors import DeskmateError
from assistant.settings import Settings, secret
from assistant.settings_file import Key, Origin


@dataclass(frozen=True)
class Field:
    """One setting in a form. `kind` is as `settings_file.kind` says it; an empty one, and a setting
    of the environment, cannot be changed here. A secret's `value` says whether it is set. An
    `optional` one may hold nothing. `problem` is what was wrong with what was typed."""

    key: str
    kind: str
    choices: tuple[str, ...]
    value: str
    values: tuple[str, ...]
    description: str
    default: str
    origin: Origin
    optional: bool = False
    problem: str = ""

    @property
    def fixed(self) -> bool:
        """Whether it can be changed in the file or the environment only."""
        return not self.kind or self.origin == "environment"


@dataclass(frozen=True)
class Form:
    """The settings of one table of the file. `problem` is what was wrong when it was sent. A `new`
    one is of a table that there is not yet; the last name of its `section` is what it is to be
    called, once that was said."""

    section: Key
    fields: tuple[Field, ...]
    problem: str = ""
    new: bool = False

    @property
    def name(self) -> str:
        """As in messages, `connectors.email.mailboxes.support`; without a last name if it is new:
        `connectors.email.mailboxes.`."""
        return ".".join((*self.section[:-1], "") if self.new else self.section)

    @property
    def title(self) -> str:
        """What tells it apart from the others of its page: nothing for the first."""
        return f"Add one to {self.section[-2]}" if self.new else " ".join(self.section[2:])

    @property
    def called(self) -> str:
        """The table's own name."""
        return self.section[-1]

    @property
    def elsewhere(self) -> str:
        """What was wrong and belongs to no field."""
        about = (f.key for f in self.fields if f.problem)
        lines = self.problem.splitlines()
        for key in about:
            lines = [line for line in lines if not _is_about(line, key, self.section)]
        return "\n".join(lines)


def field(name: str, info: FieldInfo, value: Any, section: Key) -> Field:
    """One setting of the table `section` of the file, with its present value."""
    key = info.alias or name
    kind, choices = settings_file.kind(info)
    default = info.get_default(call_default_factory=True, validated_data={})
    hidden = kind == "secret" or secret(info)
    many = kind in ("choices", "lines")
    return Field(
        key,
        kind,
        choices,
        ("set" if _is_set(value) else "not set") if hidden else _text(value),
        tuple(map(str, value)) if many and not hidden else (),
        info.description or "",
        "" if hidden or info.is_required() else settings_file.as_text(default),
        settings_file.origin((*section, key)),
        default is None,
    )


def forms(settings: BaseModel, section: Key) -> tuple[Form, ...]:
    """The settings of a table of the file as forms: its own, and one for each table below it; where
    there may be any number of tables, also one for a new one."""
    own, below = [], list[Form]()
    for name, info in type(settings).model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            below += forms(value, (*section, name))
        else:
            own.append(field(name, info, value, section))
        if isinstance(value, Mapping):
            for key, inner in value.items():
                if isinstance(inner, BaseModel):
                    below += forms(inner, (*section, name, str(key)))
        if model := _of_tables(info):
            below.append(_new(model, (*section, name, "")))
    return Form(section, tuple(own)), *below


def save(
    call: Call,
    settings: BaseModel,
    section: Key,
    table: Mapping[str, Any],
    check: Callable[[Mapping[str, Any]], object],
) -> tuple[tuple[str, ...], Form | None]:
    """Writes what the person changed in one of the forms into the settings file.

    `table` is what the section holds now. `check` is given what it would hold then, and raises
    SettingsError or pydantic's ValidationError for what is wrong. Returns the names of what was
    changed, from the section on; and the form with what was typed and what is wrong with it, if it
    was not saved.
    """
    sent = call.text("section")
    form = next((f for f in forms(settings, section) if f.name == sent), None)
    if form is None:
        raise HTTPException(404, f"{sent!r}: there is no such table of settings.")
    if form.new:
        form = replace(form, section=(*form.section[:-1], call.text("table")))
    below = form.section[len(section) :]
    try:
        if form.new:
            _require_free(below, table)
        changed = given(call, form.fields)
        check(_with(table, below, changed))
        if changed:
            settings_file.put(form.section, changed)
    except (DeskmateError, HTTPException, ValidationError) as error:
        words = _words(error, section)
        return (), replace(form, fields=_typed(call, form, words), problem=words)
    return tuple(".".join((*below, key)) for key in changed), None


def after_restart(call: Call) -> Settings:
    """The settings that the desk would be started with now."""
    try:
        return settings_module.load()
    except DeskmateError:
        return call.office.desk.settings


def given(call: Call, form: tuple[Field, ...]) -> Mapping[str, Any]:
    """What the person changed; None for what is to hold no value any more. Raises HTTPException for
    something that is no number."""
    changed: dict[str, Any] = {}
    for one in form:
        if one.fixed:
            continue
        text = call.text(one.key)
        match one.kind:
            case "secret":
                if text:
                    changed[one.key] = text
            case "flag":
                if (text == "yes") != (one.value == "yes"):
                    changed[one.key] = text == "yes"
            case "choices":
                chosen = tuple(c for c in one.choices if call.text(f"{one.key}.{c}"))
                if set(chosen) != set(one.values):
                    changed[one.key] = list(chosen)
            case "lines":
                lines = tuple(line.strip() for line in text.splitlines() if line.strip())
                if lines != one.values:
                    changed[one.key] = list(lines)
            case _:
                if text != one.value:
                    changed[one.key] = _value(one, text)
    return changed


def _of_tables(info: FieldInfo) -> type[BaseModel] | None:
    """What each table of a setting holds that is any number of tables by their names."""
    inner = get_args(info.annotation) if get_origin(info.annotation) is dict else ()
    return (
        inner[1]
        if inner and isinstance(inner[1], type) and issubclass(inner[1], BaseModel)
        else None
    )


def _new(model: type[BaseModel], section: Key) -> Form:
    blank = []
    for name, info in model.model_fields.items():
        default = info.get_default(call_default_factory=True, validated_data={})
        blank.append(field(name, info, "" if info.is_required() else default, section))
    return Form(section, tuple(blank), new=True)


def _require_free(path: Key, table: Mapping[str, Any]) -> None:
    """Raises DeskmateError if no new table can be called so."""
    *above, name = path
    if not re.fullmatch(r"[\w-]+", name):
        raise DeskmateError(f"{name!r}: give it a name of letters, digits, - and _.")
    for part in above:
        table = table.get(part, {})
    if name in table:
        raise DeskmateError(f"{name!r}: there is one of this name in {above[-1]} already.")


def _words(error: Exception, section: Key) -> str:
    """What went wrong, a line each."""
    if isinstance(error, ValidationError):  # without the values, which may be secret
        told = [(".".join(map(str, (*section, *e["loc"]))), e["msg"]) for e in error.errors()]
        return "\n".join(f"{place}: {message}." for place, message in told)
    return error.detail if isinstance(error, HTTPException) else str(error)


def _value(one: Field, text: str) -> Any:
    if not text and one.optional:
        return None
    return _number(one.key, text, one.kind) if one.kind in ("whole", "number") else text


def _with(table: Mapping[str, Any], below: Key, changed: Mapping[str, Any]) -> dict[str, Any]:
    """A table of settings with these changed in it, or in one of the tables below it."""
    if below:
        inner = table.get(below[0], {})
        return {**table, below[0]: _with(inner, below[1:], changed)}
    both = {**table, **changed}
    return {key: value for key, value in both.items() if value is not None}


def _typed(call: Call, form: Form, words: str) -> tuple[Field, ...]:
    """The fields with what was typed, secrets left out, and with what is said of each of them."""
    typed = []
    for one in form.fields:
        own = [line for line in words.splitlines() if _is_about(line, one.key, form.section)]
        place = ".".join((*form.section, one.key))
        problem = "\n".join(line.removeprefix(place).lstrip(" =:") for line in own)
        if one.fixed or one.kind == "secret":
            typed.append(replace(one, problem=problem))
            continue
        text = call.text(one.key)
        values = tuple(text.splitlines())
        if one.kind == "choices":
            values = tuple(c for c in one.choices if call.text(f"{one.key}.{c}"))
        typed.append(replace(one, value=text, values=values, problem=problem))
    return tuple(typed)


def _is_about(line: str, key: str, section: Key) -> bool:
    place = re.escape(".".join((*section, key)))
    return bool(re.match(rf"({place}|{re.escape(key)})(?![\w-])", line))


def _number(key: str, text: str, kind: str) -> int | float:
    try:
        return int(text) if kind == "whole" else float(text)
    except ValueError:
        raise HTTPException(400, f"{key}: {text!r} is no number.") from None


def _text(value: Any) -> str:
    """A value as people write it; of tables their names, since they are forms of their own."""
    if isinstance(value, Mapping) and any(isinstance(one, BaseModel) for one in value.values()):
        return ", ".join(map(str, value))
    return settings_file.as_text(value)


def _is_set(value: Any) -> bool:
    return bool(value.get_secret_value()) if isinstance(value, SecretStr) else bool(value)
