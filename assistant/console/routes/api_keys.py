"""Keys of the HTTP API: made here, shown once, and revoked."""

from __future__ import annotations

from starlette.responses import Response

from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.errors import DeskmateError
from assistant.tickets.api_keys import SCOPES

MEANINGS = {
    "messages:write": "sends customers' messages",
    "tickets:read": "reads the tickets that it began",
    "tickets:all": "reads every ticket",
    "knowledge:read": "searches articles",
    "feedback:write": "says what customers think of answers",
}

pages = Pages()


@pages.get("/api-keys", allow="admin", title="API keys")
def api_keys(call: Call) -> Response:
    """All keys, without their secrets, with a form for a new one."""
    return _page(call)


@pages.post("/api-keys", allow="admin")
def create(call: Call) -> Response:
    """Makes a key, and shows it this once: on this very page, which no browser keeps."""
    name, per_minute = call.text("name")[:200], call.text("per_minute")
    scopes = [scope for scope in SCOPES if call.text(f"scope.{scope}")]
    try:
        if not name or not scopes:
            raise DeskmateError("Not made: a key needs a name, and something that it may do.")
        if not per_minute.isdecimal() or not 1 <= int(per_minute) <= 100_000:
            raise DeskmateError(f"{per_minute!r}: say how many requests a minute, from 1 on.")
        key = call.tickets.api_keys.create(
            name,
            scopes,
            origins=call.text("origins").split(),
            audience="internal" if call.text("internal") else "public",
            per_minute=int(per_minute),
        )
    except DeskmateError as error:
        return _page(call, str(error), 400)
    call.tickets.audit.note(call.who, "create API key", f"{key.split('_')[1]}: {name}")
    return _page(call, made=key)


@pages.post("/api-keys/{key}/revoke", allow="admin")
def revoke(call: Call) -> Response:
    """Revokes a key: from now on it opens nothing."""
    key_id = call.request.path_params["key"]
    call.tickets.api_keys.revoke(key_id)
    call.tickets.audit.note(call.who, "revoke API key", key_id)
    return call.go("/api-keys", f"Key {key_id} opens nothing any more.")


def _page(call: Call, problem: str = "", status: int = 200, made: str = "") -> Response:
    return call.show(
        "api_keys.html",
        status,
        keys=call.tickets.api_keys.list(),
        scopes=MEANINGS,
        made=made,
        problem=problem,
    )
