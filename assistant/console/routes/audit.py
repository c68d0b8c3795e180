"""The audit log."""

from __future__ import annotations

from starlette.responses import Response

from assistant.console.access import Pages
from assistant.console.calls import Call

PAGE = 100
pages = Pages()


@pages.get("/audit", allow="lead", title="Audit log")
def audit_log(call: Call) -> Response:
    """Who sent, changed or saw what, newest first."""
    before = call.asked("before")
    entries = call.tickets.audit.page(
        who=call.asked("who"),
        action=call.asked("action"),
        before=int(before) if before.isdecimal() else 0,
        limit=PAGE,
    )
    return call.show("audit.html", entries=entries, more=len(entries) == PAGE)
