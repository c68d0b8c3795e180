"""The settings as they hold, to be read: they are changed in `deskmate.toml` or by variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from assistant.console.access import Pages
from assistant.console.calls import Call

pages = Pages()


@dataclass(frozen=True)
class Setting:
    """A setting: its name in the file, what it is, and whether somebody changed it."""

    name: str
    value: str
    changed: bool
    description: str


@pages.get("/settings", allow="admin", title="Settings")
def settings(call: Call) -> Response:
    """Every setting, section by section."""
    sections: dict[str, list[Setting]] = {}
    for section, setting in _settings(call.office.desk.settings, ""):
        sections.setdefault(section, []).append(setting)
    return call.show("settings.html", sections=sections)


def _settings(values: BaseModel, section: str) -> Iterator[tuple[str, Setting]]:
    """The settings of a section, each with the section's name, then those of sections in it."""
    nested = []
    for name, field in type(values).model_fields.items():
        value = getattr(values, name)
        if isinstance(value, BaseModel):
            nested.append((name, value))
            continue
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = _shown(value, secret=not field.repr)
        yield section, Setting(name, shown, value != default, field.description or "")
    for name, value in nested:
        yield from _settings(value, f"{section}.{name}".strip("."))


def _shown(value: Any, *, secret: bool) -> str:
    """A value in words. Of secrets, and of tables, which may hold some, only what there is."""
    if isinstance(value, dict):
        return ", ".join(value) if value else "none"
    if secret:
        return "set, not shown" if value else "not set"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value) or "empty"
