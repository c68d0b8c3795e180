"""A customer's data, told in full and erased on request."""

from __future__ import annotations

from starlette.responses import Response

from assistant import privacy
from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.errors import DeskmateError

pages = Pages()


@pages.get("/privacy", allow="admin", title="Privacy")
def customer(call: Call) -> Response:
    """A form for an address, and how long what is kept."""
    return _page(call)


@pages.post("/privacy", allow="admin")
def find(call: Call) -> Response:
    """What there is of a customer. Not a page with an address in its own address, which logs and
    histories would keep."""
    return _page(call, address=call.text("address"))


@pages.post("/privacy/export", allow="admin")
def export(call: Call) -> Response:
    """All of it, as a zip."""
    try:
        content = privacy.export(call.office.desk, call.text("address"), call.who)
    except DeskmateError as error:
        return _page(call, str(error), 400)
    headers = {"Content-Disposition": "attachment; filename=customer.zip"}
    return Response(content, headers=headers, media_type="application/zip")


@pages.post("/privacy/erase", allow="admin")
def erase(call: Call) -> Response:
    """Erases all of it, if the address was typed a second time."""
    address = call.text("address")
    if not address or call.text("again") != address:
        words = "Nothing was erased: the address typed below is another one."
        return _page(call, words, 400, address)
    try:
        done = privacy.erase(call.office.desk, address, call.who)
    except DeskmateError as error:
        return _page(call, str(error), 400)
    said = f"Erased for good: {done.tickets} tickets, {done.messages} messages, {done.files} files"
    return call.go("/privacy", f"{said}, {done.articles} articles.")


def _page(call: Call, problem: str = "", status: int = 200, address: str = "") -> Response:
    ids = call.tickets.privacy.tickets(address) if address else ()
    return call.show(
        "privacy.html",
        status,
        address=address,
        found=[call.tickets.ticket(number) for number in ids[:50]],
        count=len(ids),
        keep=call.office.desk.settings.privacy,
        problem=problem,
    )
