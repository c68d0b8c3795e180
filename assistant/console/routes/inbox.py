"""The inbox: queues, search, filters, and what is new in them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlencode

from starlette.responses import Response

from assistant.console import live
from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.messages import TicketStatus
from assistant.tickets.listing import NOBODY, Wanted

QUEUES: dict[str, tuple[str, TicketStatus | None]] = {
    "review": ("Needs review", "needs review"),
    "handed-over": ("Handed over", "handed over"),
    "open": ("Being answered", "open"),
    "answered": ("Answered", "answered"),
    "solved": ("Solved", "solved"),
    "all": ("All tickets", None),
}
COUNTED: tuple[TicketStatus, ...] = ("needs review", "handed over", "open")

pages = Pages()


@pages.get("/", allow="viewer", title="Inbox")
def inbox(call: Call) -> Response:
    """A queue, or what a search found in it."""
    queue = call.asked("queue") if call.asked("queue") in QUEUES else ""
    words = call.asked("words")
    queue = queue or ("all" if words else "review")
    wanted = Wanted(
        status=QUEUES[queue][1],
        connector=call.asked("channel"),
        assignee=call.asked("assignee"),
        words=words,
    )
    kept = {name: call.asked(name) for name in ("words", "channel", "assignee")}
    return call.show(
        "inbox_list.html" if call.partial else "inbox.html",
        queue=queue,
        queues=QUEUES,
        counts=call.tickets.listing.counts(COUNTED),
        page=call.tickets.listing.page(wanted, call.asked("after")),
        kept=kept,
        known=live.digest(str(call.tickets.listing.latest())),
        query=lambda **more: urlencode({k: v for k, v in {**kept, **more}.items() if v}),
        channels=sorted(call.office.desk.connectors),
        people=[person.name for person in call.tickets.people.list()],
        nobody=NOBODY,
    )


@pages.stream("/live", allow="viewer")
def inbox_news(call: Call) -> AsyncIterator[str]:
    """Tells an open inbox that some ticket changed."""
    return live.news(call, lambda: str(call.tickets.listing.latest()))
