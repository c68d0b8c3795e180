"""Connectors: whether they run, what waits in them, and what they could not read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from assistant import logs
from assistant.connecting import ConfiguredConnector, TestingConnector
from assistant.console import forms
from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.errors import DeskmateError
from assistant.tickets.backlog import backlog, channel

SHOWN_GIVEN_UP = 10

pages = Pages()
log = logs.logger(__name__)


@pages.get("/connectors", allow="lead", title="Connectors")
def connectors(call: Call) -> Response:
    """Every connector, with what runs beside it."""
    return _page(call)


@pages.get("/connectors/{connector:path}/settings", allow="lead")
def settings(call: Call) -> Response:
    """A connector's settings as forms."""
    return _settings_page(call)


@pages.post("/connectors/{connector:path}/settings", allow="admin")
def save(call: Call) -> Response:
    """Writes a connector's settings into the settings file."""
    name, connector, table = _configured(call)
    now = _read(call, name, connector, table)
    section = ("connectors", name)
    changed, wrong = forms.save(call, now, section, table, connector.read_settings)
    if wrong:
        return _settings_page(call, wrong)
    # Their names and not their values, which may be secret.
    call.tickets.audit.note(call.who, "set connector", f"{name}: {', '.join(changed) or 'same'}")
    said = "Saved. It holds once the desk is started again." if changed else "Nothing was changed."
    return call.go(f"/connectors/{name}/settings", said)


@pages.post("/connectors/{connector:path}/test", allow="admin")
def test(call: Call) -> Response:
    """Sends a test message through a connector."""
    name, to = call.request.path_params["connector"], call.text("to")
    connector = call.office.desk.connectors.get(name)
    if not isinstance(connector, TestingConnector):
        raise HTTPException(404, f"{name}: no connector of this name sends test messages.")
    if not to:
        return _page(call, "Not sent: say to whom.", 400)
    call.tickets.audit.note(call.who, "test connector", name)
    try:
        said = connector.test(to)
    except DeskmateError as error:
        return _page(call, f"{name}: {error}", 409)
    except Exception as error:
        log.warning("failed_test_message", connector=name, error=logs.place(error))
        return _page(call, f"{name} could not send it: {type(error).__name__}: {error}", 409)
    return call.go("/connectors", said)


def _page(call: Call, problem: str = "", status: int = 200) -> Response:
    desk, parts = call.office.desk, call.office.parts()
    given_up = call.tickets.arrivals.given_up()
    rows = [
        {
            "name": name,
            "kind": type(connector).__module__,
            "parts": [p for p in parts if p["name"].split("/")[0] == name.split("/")[0]]
            if "/" not in name
            else [p for p in parts if p["name"] == name or p["name"].startswith(f"{name}/")],
            "waits": channel(desk.engine, name),
            "given_up": [g for g in given_up if g.connector == name][-SHOWN_GIVEN_UP:][::-1],
            "tests": isinstance(connector, TestingConnector),
            "configured": isinstance(connector, ConfiguredConnector),
        }
        for name, connector in desk.connectors.items()
    ]
    return call.show(
        "connectors.html",
        status,
        rows=rows,
        others=[p for p in parts if p["kind"] != "connector"],
        faults=[f for f in desk.faults if f.hook == "register_connectors"],
        backlog=backlog(desk.engine),
        phase=call.office.phase(),
        problem=problem,
    )


def _settings_page(call: Call, wrong: forms.Form | None = None) -> Response:
    name, connector, table = _configured(call)
    return call.show(
        "connector.html",
        400 if wrong else 200,
        name=name,
        forms=forms.forms(_read(call, name, connector, table), ("connectors", name)),
        wrong=wrong,
    )


def _configured(call: Call) -> tuple[str, ConfiguredConnector, Mapping[str, Any]]:
    """The connector that the path names, and its table as the file and the environment have it."""
    name = call.request.path_params["connector"]
    connector = call.office.desk.connectors.get(name)
    if not isinstance(connector, ConfiguredConnector):
        raise HTTPException(404, f"{name}: no connector of this name has settings.")
    return name, connector, forms.after_restart(call).connectors.get(name, {})


def _read(
    call: Call, name: str, connector: ConfiguredConnector, table: Mapping[str, Any]
) -> BaseModel:
    """The settings as they will be after a restart; as they are, if the file has wrong ones."""
    try:
        return connector.read_settings(table)
    except (DeskmateError, ValidationError):
        return connector.read_settings(call.office.desk.settings.connectors.get(name, {}))
