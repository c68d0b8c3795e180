"""Every setting, its value, and where it comes from; those that cannot harm can be changed."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from assistant import settings_file
from assistant.console import forms
from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.errors import DeskmateError
from assistant.settings import Settings
from assistant.settings_file import Key

CHANGEABLE: tuple[Key, ...] = (
    ("answering", "passages"),
    ("answering", "timeout_seconds"),
    ("inbox", "quiet_seconds"),
    ("console", "session_hours"),
    ("console", "idle_minutes"),
    ("privacy", "keep_tickets_days"),
    ("privacy", "keep_audit_days"),
)
"""What can be changed here. Addresses, folders, databases, models and who may do what cannot: with
a wrong one of these the desk does not start, or opens to others. Thresholds have a place of their
own, on the page Quality: they hold at once, and in all processes."""

pages = Pages()


@pages.get("/settings", allow="admin", title="Settings")
def settings(call: Call) -> Response:
    """All settings by section."""
    return _page(call)


@pages.post("/settings/{setting}", allow="admin")
def save(call: Call) -> Response:
    """Writes one setting into the settings file."""
    key = tuple(call.request.path_params["setting"].split("."))
    if key not in CHANGEABLE:
        raise HTTPException(404, f"{'.'.join(key)} cannot be changed here.")
    try:
        form = (_field(forms.after_restart(call), key),)
        changed = forms.given(call, form)
        if changed:
            settings_file.put(key[:-1], changed)
    except (DeskmateError, HTTPException) as error:
        words = error.detail if isinstance(error, HTTPException) else str(error)
        return _page(call, f"Not saved. {words}", 400)
    if changed:
        value = settings_file.as_text(changed[key[-1]])
        call.tickets.audit.note(call.who, "set", f"{'.'.join(key)} = {value}")
    said = "Saved. It holds once the desk is started again." if changed else "Nothing was changed."
    return call.go("/settings", said)


def _page(call: Call, problem: str = "", status: int = 200) -> Response:
    after = forms.after_restart(call)
    then = {one.name: one.value for one in settings_file.listed(after)}
    shown = settings_file.listed(call.office.desk.settings)
    fields = {".".join(key): _field(after, key) for key in CHANGEABLE}
    chosen = call.tickets.thresholds.chosen()
    ordered = sorted(shown, key=lambda one: (len(one.key) > 1, one.key[:-1]))
    sections = [(".".join(s), list(own)) for s, own in groupby(ordered, lambda one: one.key[:-1])]
    return call.show(
        "settings.html",
        status,
        sections=sections,
        fields=fields,
        then=then,
        thresholds={
            "policy.reply_at": chosen.reply_at if chosen else None,
            "policy.draft_at": chosen.draft_at if chosen else None,
        },
        chosen=chosen,
        file=settings_file.path(),
        problem=problem,
    )


def _field(settings: Settings, key: Key) -> forms.Field:
    section: BaseModel = settings
    for name in key[:-1]:
        section = getattr(section, name)
    value: Any = getattr(section, key[-1])
    return forms.field(key[-1], type(section).model_fields[key[-1]], value, key[:-1])
