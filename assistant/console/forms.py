"""Settings as a form, from their pydantic model. A secret is never sent to the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from starlette.exceptions import HTTPException

from assistant import settings_file
from assistant.console.calls import Call
from assistant.settings import secret
from assistant.settings_file import Key, Origin


@dataclass(frozen=True)
class Field:
    """One setting in a form. `kind` is as `settings_file.kind` says it; an empty one, and a setting
    of the environment, cannot be changed here. A secret's `value` says whether it is set."""

    key: str
    kind: str
    choices: tuple[str, ...]
    value: str
    values: tuple[str, ...]
    description: str
    default: str
    origin: Origin

    @property
    def fixed(self) -> bool:
        """Whether it can be changed in the file or the environment only."""
        return not self.kind or self.origin == "environment"


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
        ("set" if _is_set(value) else "not set") if hidden else settings_file.as_text(value),
        tuple(map(str, value)) if many and not hidden else (),
        info.description or "",
        "" if hidden or info.is_required() else settings_file.as_text(default),
        settings_file.origin((*section, key)),
    )


def fields(settings: BaseModel, section: Key) -> tuple[Field, ...]:
    """All settings of a model, with their present values."""
    return tuple(
        field(name, info, getattr(settings, name), section)
        for name, info in type(settings).model_fields.items()
    )


def given(call: Call, form: tuple[Field, ...]) -> Mapping[str, Any]:
    """What the person changed. Raises HTTPException for something that is no number."""
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
            case "whole" | "number":
                if text != one.value:
                    changed[one.key] = _number(one.key, text, one.kind)
            case _:
                if text != one.value:
                    changed[one.key] = text
    return changed


def _number(key: str, text: str, kind: str) -> int | float:
    try:
        return int(text) if kind == "whole" else float(text)
    except ValueError:
        raise HTTPException(400, f"{key}: {text!r} is no number.") from None


def _is_set(value: Any) -> bool:
    return bool(value.get_secret_value()) if isinstance(value, SecretStr) else bool(value)
