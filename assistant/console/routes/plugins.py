"""Plugins: what is installed, what it may do, its settings and faults, and whether it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import Response

from assistant import settings_file
from assistant.console import forms
from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.errors import DeskmateError, PluginError
from assistant.messages import now
from assistant.plugging import PluginInfo, Plugins, loading
from assistant.settings import Settings

FAULTS_OF = timedelta(days=7)
SHOWN_FAULTS = 20

pages = Pages()


@pages.get("/plugins", allow="lead", title="Plugins")
def plugins(call: Call) -> Response:
    """Every plugin that was found."""
    faults = Counter(f.plugin for f in call.tickets.outcomes.faults_since(now() - FAULTS_OF))
    after = forms.after_restart(call)
    rows = [(one, faults[one.name], _then(one, after)) for one in _all(call)]
    return call.show("plugins.html", rows=rows)


@pages.get("/plugins/{plugin}", allow="lead")
def plugin(call: Call) -> Response:
    """One plugin, its settings as a form."""
    return _page(call, _info(call))


@pages.post("/plugins/{plugin}/look", allow="admin")
def look(call: Call) -> Response:
    """Loads a plugin that was never enabled, to see what it asks for."""
    info = _info(call)
    checked = Plugins(call.office.desk.settings.plugins).check(_candidate(call, info.name))
    return _page(call, info, checked.error, asked=checked)


@pages.post("/plugins/{plugin}/enable", allow="admin")
def enable(call: Call) -> Response:
    """Switches a plugin on, with what it was seen to ask for."""
    info = _info(call)
    granted = None
    if info.state == "not enabled":
        granted = frozenset(call.text("asked").split())
    settings_file.switch_on(info.name, granted)
    call.tickets.audit.note(call.who, "enable plugin", info.name)
    return call.go(f"/plugins/{info.name}", f"{info.name} runs after the next start of the desk.")


@pages.post("/plugins/{plugin}/disable", allow="admin")
def disable(call: Call) -> Response:
    """Switches a plugin off."""
    info = _info(call)
    settings_file.switch_off(info.name)
    call.tickets.audit.note(call.who, "disable plugin", info.name)
    return call.go(f"/plugins/{info.name}", f"{info.name} stops at the next start of the desk.")


@pages.post("/plugins/{plugin}/settings", allow="admin")
def save(call: Call) -> Response:
    """Writes a plugin's settings into the settings file."""
    info = _info(call)
    section = ("plugins", info.name)
    settings = _settings(call, info)
    if settings is None:
        raise HTTPException(404, f"{info.name} has no settings.")
    table = _table(forms.after_restart(call), info.name)
    check = partial(loading.validated, info.name, type(settings))
    changed, wrong = forms.save(call, settings, section, table, check)
    if wrong:
        return _page(call, info, status=400, wrong=wrong)
    # Their names and not their values, which may be secret.
    call.tickets.audit.note(call.who, "set plugin", f"{info.name}: {', '.join(changed) or 'same'}")
    said = "Saved. It holds once the desk is started again." if changed else "Nothing was changed."
    return call.go(f"/plugins/{info.name}", said)


def _page(
    call: Call,
    info: PluginInfo,
    problem: str = "",
    status: int = 200,
    asked: Any = None,
    wrong: forms.Form | None = None,
) -> Response:
    settings = _settings(call, info)
    since = now() - FAULTS_OF
    faults = [f for f in call.tickets.outcomes.faults_since(since) if f.plugin == info.name]
    return call.show(
        "plugin.html",
        status,
        info=info,
        forms=forms.forms(settings, ("plugins", info.name)) if settings else (),
        wrong=wrong,
        faults=faults[-SHOWN_FAULTS:][::-1],
        then=_then(info, forms.after_restart(call)),
        tools=[t for t in call.office.desk.tools if t.plugin == info.name]
        if "tools" in info.granted
        else [],
        asked=asked,
        problem=problem,
    )


def _all(call: Call) -> tuple[PluginInfo, ...]:
    return call.office.desk.plugins.list()


def _info(call: Call) -> PluginInfo:
    name = call.request.path_params["plugin"]
    for one in _all(call):
        if one.name == name:
            return one
    raise HTTPException(404, f"{name}: no such plugin.")


def _candidate(call: Call, name: str) -> loading.Candidate:
    for one in loading.find(call.office.desk.settings.plugin_path):
        if one.name == name:
            return one
    raise PluginError(f"{name}: it is not installed any more.")


def _then(info: PluginInfo, after: Settings) -> str:
    """What will be different after a restart, or nothing."""
    off = info.name in after.disabled_plugins
    if off and info.state == "running":
        return "stops at the next start"
    granted = {name.replace("_", "-") for name in after.granted}
    if info.state == "disabled" and not off:
        return "runs after the next start"
    if info.state == "not enabled" and info.name.replace("_", "-") in granted:
        return "runs after the next start"
    return ""


def _settings(call: Call, info: PluginInfo) -> BaseModel | None:
    """A plugin's settings as the file and the environment have them now."""
    if info.settings is None:
        return None
    table = _table(forms.after_restart(call), info.name)
    try:
        return loading.validated(info.name, type(info.settings), table)
    except DeskmateError:
        return info.settings


def _table(settings: Settings, name: str) -> Mapping[str, Any]:
    merged: dict[str, Any] = {}
    for key, table in settings.plugins.items():
        if key.lower().replace("_", "-") == name.lower().replace("_", "-"):
            merged.update(table)
    return merged
