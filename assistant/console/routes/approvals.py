"""What tools would do, and a person must allow first."""

from __future__ import annotations

from starlette.responses import Response

from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.errors import DeskmateError

pages = Pages()


@pages.get("/approvals", allow="agent", title="Approvals")
def approvals(call: Call) -> Response:
    """The calls of tools that wait, oldest first."""
    return _page(call)


@pages.post("/approvals/{tool_call:int}/approve", allow="agent")
def approve(call: Call) -> Response:
    """Makes the call, and says what came of it."""
    try:
        result = call.office.desk.tools.approve(call.number("tool_call"), call.who)
    except DeskmateError as error:
        return _page(call, str(error), 409)
    if result.state == "failed":
        return _page(call, f"{result.tool} failed: {result.text}", 409)
    return call.go("/approvals", f"{result.tool}: {result.text}"[:500])


@pages.post("/approvals/{tool_call:int}/refuse", allow="agent")
def refuse(call: Call) -> Response:
    """Refuses the call: it is never made."""
    try:
        call.office.desk.tools.refuse(call.number("tool_call"), call.who)
    except DeskmateError as error:
        return _page(call, str(error), 409)
    return call.go("/approvals", "Refused. It is never made.")


def _page(call: Call, problem: str = "", status: int = 200) -> Response:
    waiting = call.tickets.tool_calls.waiting()
    return call.show("approvals.html", status, waiting=waiting, problem=problem)
