"""Checks of what a hook returned: each gets what was there before and the plugin's value.

They run inside the plugin's time limit, since a returned iterable may be endless, and raise
FaultError saying what is wrong. Every dataclass is checked down to its last field that changed, and
built anew, so that nothing half right travels on.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, TypeVar, cast, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from assistant.articles import Article, Hit
from assistant.connecting import Connector
from assistant.messages import Answer, Message, Outcome, Turn
from assistant.plugging.faults import FaultError
from assistant.tools import Risk, Tool

T = TypeVar("T")
LONGEST = 10_000
IDENTITY = ("connector", "external_id", "thread_id", "author")
# No colon: `connector:external-id` names a message.
CONNECTOR_NAME = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
TOOL_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what chat models' interfaces allow


def message(given: Message, value: Any) -> Message:
    """A whole message that is still the same one."""
    checked = _changed(Message, given, value)
    for name in IDENTITY:
        if getattr(checked, name) != getattr(given, name):
            raise FaultError(f"changed the message's {name}, which stays as it came")
    return checked


def hits(given: tuple[Hit, ...], value: Any) -> tuple[Hit, ...]:
    """Whole hits; those that were there before need no second check."""
    return _whole(Hit, given, value)


def conversation(given: tuple[Turn, ...], value: Any) -> tuple[Turn, ...]:
    """Whole turns; those that were there before need no second check."""
    return _whole(Turn, given, value)


def answer(given: Answer, value: Any) -> Answer:
    """A whole answer whose confidence is a probability."""
    checked = _changed(Answer, given, value)
    if not 0 <= checked.confidence <= 1:
        raise FaultError(f"returned a confidence of {checked.confidence}, not one from 0 to 1")
    return checked


def outcome(given: Outcome, value: Any) -> Outcome:
    """A whole outcome that is no bolder than it was, with the answer that was checked."""
    checked = _changed(Outcome, given, value)
    same = {"action": given.action, "reason": given.reason, "text": given.text}
    if replace(checked, **same) != given:  # type: ignore[arg-type]
        raise FaultError("changed more of the outcome than its action, reason and text")
    if checked.action != given.action and (given.action, checked.action) != ("reply", "draft"):
        raise FaultError(f"made {checked.action!r} of {given.action!r}; a reply may become a draft")
    if checked.text != given.text and given.action in ("reply", "draft"):
        raise FaultError("changed an answer that was checked already")
    return checked


def reason(value: Any) -> str:
    """Words that say why a reply is held back."""
    if not isinstance(value, str) or not value.strip():
        raise FaultError(f"returned {_named(value)}, not a reason in words or None")
    return value


def unpermitted(value: Any) -> Any:
    """Nothing: the plugin may look and not change."""
    raise FaultError(f"returned {_named(value)} without the permission tickets:write")


def connectors(plugin: str, given: tuple[Connector, ...], value: Any) -> tuple[Connector, ...]:
    """Connectors with names that no other has."""
    items = _items(value)
    for item in items:
        if not isinstance(item, Connector):
            raise FaultError(
                f"returned {_named(item)}, not a Connector (name, run, send, find_sent)"
            )
        if not CONNECTOR_NAME.fullmatch(item.name):
            raise FaultError(
                f"returned a connector named {item.name!r}; a name is letters, digits and . _ - /"
            )
    _refuse_doubles([item.name for item in (*given, *items)], "connector")
    return items


def sources(
    plugin: str, given: tuple[Iterable[Article], ...], value: Any
) -> tuple[Iterable[Article], ...]:
    """Iterables of articles, not yet read."""
    items = _items(value)
    for item in items:
        if isinstance(item, str | bytes) or not isinstance(item, Iterable):
            raise FaultError(f"returned {_named(item)}, not a source (an iterable of Articles)")
    return items


def tools(plugin: str, given: tuple[Tool, ...], value: Any) -> tuple[Tool, ...]:
    """Tools with names that no other has. LangChain's, which load late, are told by their shape
    and need approval, since nobody said that they may do without."""
    items = tuple(
        replace(item if isinstance(item, Tool) else Tool(item), plugin=plugin)
        for item in _items(value)
    )
    for item in items:
        if not isinstance(getattr(item.tool, "name", None), str) or not hasattr(
            item.tool, "invoke"
        ):
            raise FaultError(f"returned {_named(item.tool)}, not a LangChain tool")
        if not TOOL_NAME.fullmatch(item.name):
            raise FaultError(
                f"returned a tool named {item.name!r}; a name is up to 64 letters, digits, _ and -"
            )
        if item.risk not in get_args(Risk):
            raise FaultError(
                f"returned the tool {item.name} with the risk {item.risk!r}; it is one of"
                f" {', '.join(get_args(Risk))}"
            )
        if item.rule and item.risk != "read":
            raise FaultError(
                f"returned the tool {item.name} with a rule and the risk {item.risk!r}; rules are"
                " for tools that only read"
            )
    _refuse_doubles([item.name for item in (*given, *items)], "tool")
    return items


def panels(
    plugin: str, given: tuple[tuple[str, str], ...], value: Any
) -> tuple[tuple[str, str], ...]:
    """Pairs of title and HTML."""
    items = _items(value)
    for item in items:
        if not (isinstance(item, tuple) and [type(part) for part in item] == [str, str]):
            raise FaultError(f"returned {_named(item)}, not a panel as (title, HTML)")
    return items


def nothing(plugin: str, given: tuple[T, ...], value: Any) -> tuple[T, ...]:
    """Not even None is a value here."""
    raise FaultError(f"returned {_named(value)}, but this hook returns nothing")


def _whole(kind: type[T], given: tuple[T, ...], value: Any) -> tuple[T, ...]:
    known = {id(item) for item in given}
    return tuple(i if id(i) in known else _checked(kind, i) for i in _items(value))


def _items(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise FaultError(f"returned {_named(value)}, not several things")
    items = tuple(itertools.islice(value, LONGEST + 1))
    if len(items) > LONGEST:
        raise FaultError(f"returned more than {LONGEST:,} things")
    return items


def _refuse_doubles(names: list[str], kind: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise FaultError(f"returned a {kind} named {name!r}; there is one of that name already")


def _checked(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise FaultError(f"returned {_named(value)}, not {kind.__name__}")
    try:
        checked: T = _adapter(cast(Any, kind)).validate_python(_fields(value))
    except ValidationError as error:
        raise _wrong(kind, (), error) from None
    return checked


def _changed(kind: type[T], given: T, value: Any) -> T:
    """`given` with the fields that differ in `value`; the others need no second check."""
    if not isinstance(value, kind):
        raise FaultError(f"returned {_named(value)}, not {kind.__name__}")
    adapters, read = _field_adapters(cast(Any, kind))
    changes = {}
    for name, old, new in zip(adapters, read(given), read(value), strict=True):
        if new is not old:
            try:
                changes[name] = adapters[name].validate_python(_fields(new))
            except ValidationError as error:
                raise _wrong(kind, (name,), error) from None
    return anew(given, changes) if changes else given


def anew(given: T, changes: Mapping[str, Any] = MappingProxyType({})) -> T:
    """Another object of the same fields, but for these; tuples are nobody's to change. It is much
    faster than `dataclasses.replace`, since it passes by what a class does when it is made: those
    that travel do nothing then."""
    if isinstance(given, tuple):
        return given
    made: T = object.__new__(type(given))
    vars(made).update(vars(given), **changes)
    return made


def _wrong(kind: type, place: tuple[str, ...], error: ValidationError) -> FaultError:
    # Not the value itself: it may be the customer's words.
    first = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(key) for key in (*place, *first["loc"]))
    return FaultError(f"returned {kind.__name__} with a wrong {where}: {first['msg']}")


def _fields(value: Any) -> Any:
    """The dataclasses in `value` as dicts, so that pydantic checks their fields too."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _fields(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_fields(item) for item in value]
    return value


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@cache
def _field_adapters(kind: Any) -> tuple[dict[str, TypeAdapter[Any]], attrgetter[Any]]:
    """What checks each field of a dataclass, and what reads all of them."""
    adapters = {name: TypeAdapter(hint) for name, hint in get_type_hints(kind).items()}
    return adapters, attrgetter(*adapters)


def _named(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
