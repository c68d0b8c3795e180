"""Connectors: whether they run, what waits in them, and what they could not read."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from assistant import logs
from assistant.connecting import TestingConnector
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
