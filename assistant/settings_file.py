"""The settings as people see and change them: the file that `deskmate init` writes, where each
comes from, and changes that leave the file's comments as they are.

A change is written only if the file can still be read after it. It holds for a desk that is started
after it; one that runs keeps what it was started with.
"""

from __future__ import annotations

import json
import os
import shutil
import tomllib
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from assistant import settings as settings_module
from assistant.errors import SettingsError
from assistant.settings import FILE_NAME, PREFIX, Settings, secret

Origin = Literal["file", "environment", "default"]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """One setting; `value` is text, and of a secret no more than whether it is set."""

    key: Key
    value: str
    origin: Origin
    description: str
    default: str

    @property
    def name(self) -> str:
        """Its name as in messages: `policy.reply_at`."""
        return ".".join(self.key)


def path() -> Path:
    """The settings file in use, which may not exist yet."""
    return Path(os.environ.get("DESKMATE_CONFIG") or FILE_NAME)


def edit(change: Callable[[Any], None]) -> None:
    """Lets `change` work on the file's tables.

    Raises SettingsError, and leaves the file as it was, if it could not be read or written after
    the change.
    """
    import tomlkit

    here = path()
    file = tomlkit.parse(here.read_text(encoding="utf-8-sig") if here.is_file() else "")
    change(file)
    text = tomlkit.dumps(file)
    settings_module.parse(text, here)
    beside = here.with_name(f".{here.name}.new")
    try:
        beside.touch(mode=0o600)
        if here.is_file():
            shutil.copymode(here, beside)
        beside.write_text(text, encoding="utf-8")
        beside.replace(here)
    except OSError as error:
        raise SettingsError(f"{here}: cannot be written: {error.strerror}.") from error


def switch_on(plugin: str, granted: frozenset[str] | None) -> None:
    """Takes a plugin out of disabled_plugins, and grants it these permissions if it needs any."""

    def change(file: Any) -> None:
        if granted is not None:
            file.setdefault("granted", {})[plugin] = sorted(granted)
        if plugin in file.get("disabled_plugins", []):
            file["disabled_plugins"].remove(plugin)

    edit(change)


def switch_off(plugin: str) -> None:
    """Adds a plugin to disabled_plugins. What it was granted stays written."""

    def change(file: Any) -> None:
        if plugin not in file.setdefault("disabled_plugins", []):
            file["disabled_plugins"].append(plugin)

    edit(change)


def put(section: Key, values: Mapping[str, Any]) -> None:
    """Writes these values into a table of the file. A name stands for itself with dashes and with
    underscores, as plugins' names do."""

    def change(file: Any) -> None:
        table = file
        for name in section:
            known = next((key for key in table if _dashed(key) == _dashed(name)), name)
            table = table.setdefault(known, {})
        for name, value in values.items():
            table[name] = value

    edit(change)


def listed(settings: Settings) -> tuple[Shown, ...]:
    """Every setting of a desk, without plugins' and connectors' tables, in the file's order."""
    return tuple(_listed(settings, (), _written()))


def origin(key: Key) -> Origin:
    """Where the value of a setting comes from, plugins' and connectors' too."""
    return _origin(key, _written())


def kind(field: FieldInfo) -> tuple[str, tuple[str, ...]]:
    """How a setting is filled in, and what there is to choose from: flag, choice, choices, whole,
    number, text, lines (one value each), secret, or nothing if only the file can hold it."""
    annotation = _bare(field.annotation)
    inner = [_bare(one) for one in get_args(annotation)]
    choices = tuple(str(one) for one in get_args(annotation)) if _is(annotation, Literal) else ()
    if secret(field):
        return ("secret" if not _is(annotation, dict) else ""), ()
    if choices:
        return "choice", choices
    if get_origin(annotation) in (list, tuple, set, frozenset) and inner:
        if _is(inner[0], Literal):
            return "choices", tuple(str(one) for one in get_args(inner[0]))
        return ("lines" if inner[0] in (str, Path) else ""), ()
    simple = {bool: "flag", int: "whole", float: "number", str: "text", Path: "text"}
    return simple.get(annotation, ""), ()


def _listed(section: BaseModel, above: Key, written: Mapping[str, Any]) -> Iterator[Shown]:
    for name, field in type(section).model_fields.items():
        key, value = (*above, name), getattr(section, name)
        if key in (("plugins",), ("connectors",)):
            continue
        if isinstance(value, BaseModel):
            yield from _listed(value, key, written)
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        hidden = secret(field)
        yield Shown(
            key,
            ("(set)" if value else "(not set)") if hidden else as_text(value),
            _origin(key, written),
            field.description or "",
            "" if hidden else as_text(default),
        )


def as_text(value: Any) -> str:
    """A value as people write it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | Path | int | float):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(str, value))
    if isinstance(value, Mapping):
        return json.dumps(dict(value), default=str) if value else ""
    return "" if value is None else str(value)


def _written() -> Mapping[str, Any]:
    here = path()
    try:
        return tomllib.loads(here.read_text(encoding="utf-8-sig")) if here.is_file() else {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}  # whoever loads it is told


def _origin(key: Key, written: Mapping[str, Any]) -> Origin:
    wanted = [part.replace("-", "_").upper() for part in key]
    variables = {PREFIX + "__".join(wanted[:length]) for length in range(1, len(wanted) + 1)}
    if variables & {name.upper() for name in os.environ}:
        return "environment"
    table: Any = written
    for part in key:
        if not isinstance(table, Mapping):
            return "default"
        found = next((name for name in table if _dashed(name) == _dashed(part)), None)
        if found is None:
            return "default"
        table = table[found]
    return "file"


def _bare(annotation: Any) -> Any:
    """A type without `Annotated` and `| None`."""
    if _is(annotation, Annotated):
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        some = [one for one in get_args(annotation) if one is not type(None)]
        return _bare(some[0]) if len(some) == 1 else annotation
    return annotation


def _is(annotation: Any, what: Any) -> bool:
    return get_origin(annotation) is what


def _dashed(name: str) -> str:
    return name.lower().replace("_", "-")


def commented() -> str:
    """The text of a `deskmate.toml` with every option, its description and its default,
    commented out."""
    return "\n".join(_comments(Settings, ())) + "\n"


def _comments(section: type[BaseModel], path: tuple[str, ...]) -> Iterator[str]:
    if not path:
        yield "# Deskmate's settings: uncomment a line to change it. `deskmate doctor` checks them."
    else:
        yield f"\n[{'.'.join(path)}]"
    nested: list[tuple[str, type[BaseModel]]] = []
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            nested.append((name, field.annotation))
        elif get_origin(field.annotation) is dict:
            yield f"\n# {field.description}"
        else:
            yield f"\n# {field.description}{_allowed(field)}\n# {name} = {_toml(field)}"
    for name, model in nested:
        yield from _comments(model, (*path, name))


def _allowed(field: FieldInfo) -> str:
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return f" One of {', '.join(choices)}." if choices else ""


def _toml(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    return json.dumps(str(default) if isinstance(default, Path) else default)
