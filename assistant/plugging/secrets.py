"""Which of a plugin's settings are secret, and how settings are shown without them.

A setting is secret if its type is pydantic's `SecretStr` or `SecretBytes`, or if it is marked with
`Field(repr=False)`; so is all that stands below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr

from assistant.settings import kinds, secret

SHORTEST = 4
"""Shorter values are not looked for in texts: they would stand in every second word."""


def is_secret(model: type[BaseModel], place: Sequence[str | int]) -> bool:
    """Whether the setting at `place`, such as ("server", "token"), is secret or below one."""
    inner: type[BaseModel] | None = model
    for key in place:
        if inner is None:
            return False
        fields = {field.alias or name: field for name, field in inner.model_fields.items()}
        if key not in fields:
            continue  # a key of a dictionary, or a place in a list
        if secret(fields[str(key)]):
            return True
        found = kinds(fields[str(key)].annotation)
        inner = next((k for k in found if issubclass(k, BaseModel)), None)
    return False


def shown(settings: BaseModel) -> dict[str, str]:
    """Each setting as text; secrets as `(set)` or `(not set)`."""
    return {
        name: ("(set)" if _words(getattr(settings, name)) else "(not set)")
        if secret(field)
        else repr(getattr(settings, name))
        for name, field in type(settings).model_fields.items()
    }


def values(settings: BaseModel) -> tuple[str, ...]:
    """The secrets themselves, longest first, to take them out of texts."""
    return tuple(sorted(set(_secrets(settings)), key=len, reverse=True))


def _secrets(settings: BaseModel) -> Iterator[str]:
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        if secret(field):
            yield from (word for word in _words(value) if len(word) >= SHORTEST)
        else:
            for inner in _models(value):
                yield from _secrets(inner)


def _words(value: Any) -> list[str]:
    if isinstance(value, SecretStr):
        return [word for word in [value.get_secret_value()] if word]
    if isinstance(value, SecretBytes):
        return [value.get_secret_value().decode(errors="replace")]
    if isinstance(value, Mapping):
        return [word for item in value.values() for word in _words(item)]
    if isinstance(value, list | tuple | set | frozenset):
        return [word for item in value for word in _words(item)]
    if isinstance(value, BaseModel):
        return [word for name in type(value).model_fields for word in _words(getattr(value, name))]
    return [str(value)] if value else []


def _models(value: Any) -> Iterator[BaseModel]:
    if isinstance(value, BaseModel):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _models(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _models(item)
