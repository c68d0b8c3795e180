"""One ticket: what was said, what the assistant would say and why, and what a person does."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from assistant.answering import grounding
from assistant.console import live
from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.console.drafts import Draft, draft
from assistant.console.views import ago
from assistant.errors import DeskmateError
from assistant.messages import PluginFault, Ticket

LONGEST_TEXT = 50_000

pages = Pages()


@pages.get("/tickets/{ticket:int}", allow="viewer")
def ticket(call: Call) -> Response:
    """The ticket's page."""
    return _page(call)


@pages.get("/tickets/{ticket:int}/now", allow="viewer")
def ticket_now(call: Call) -> Response:
    """The parts of the page that change while somebody looks: they never take away what is being
    written."""
    found = call.ticket()
    shown = _draft(call)
    known = call.asked("waits")
    return call.show(
        "ticket_now.html",
        ticket=found,
        entries=call.tickets.timelines.of_ticket(found.id),
        present=call.tickets.teamwork.present(found.id, call.who),
        stale=bool(known) and known != _state(shown),
        shown=shown,
    )


@pages.stream("/tickets/{ticket:int}/live", allow="viewer")
def ticket_news(call: Call) -> AsyncIterator[str]:
    """Tells an open ticket that it changed, or that somebody came or left."""
    number, team, who = call.number("ticket"), call.tickets.teamwork, call.who
    return live.news(
        call,
        lambda: _fingerprint(call, number),
        lambda: team.appear(number, who),
        lambda: team.leave(number, who),
    )


@pages.get("/tickets/{ticket:int}/around", allow="viewer")
def around(call: Call) -> Response:
    """What plugins show beside the ticket, and solved tickets that were like it."""
    found, shown = call.ticket(), _draft(call)
    faults: list[PluginFault] = []
    panels = call.office.desk.plugins.console_panels(found, faults)
    similar: tuple[Ticket, ...] = ()
    if shown and shown.citations:
        article = shown.citations[0].passage.article_id
        similar = call.tickets.listing.solved_with(article, found.id)
    return call.show("around.html", panels=panels, similar=similar, faults=faults)


@pages.post("/tickets/{ticket:int}/difference", allow="agent")
def difference(call: Call) -> Response:
    """How the text in the editor differs from the draft."""
    found = _draft(call)
    return call.show("difference.html", before=found.text if found else "", after=_text(call))


@pages.post("/tickets/{ticket:int}/send", allow="agent")
def send(call: Call) -> Response:
    """Sends the draft, changed or not; or, without one, what the person wrote."""
    found, text = call.ticket(), _text(call)
    if not text:
        return _page(call, "Nothing was sent: there are no words in it.", 400)
    if not (number := call.text("outcome")):
        call.office.desk.write(found.id, call.who, text)
        return call.go(f"/tickets/{found.id}", "Your reply is on its way.")
    shown = _draft(call, int(number))
    changed = text if shown is None or text != shown.text.strip() else None
    try:
        call.office.desk.approve(int(number), call.who, changed)
    except DeskmateError:
        return _page(call, _who_was_faster(call, shown), 409, text)
    return call.go(f"/tickets/{found.id}", "The reply is on its way.")


@pages.post("/tickets/{ticket:int}/discard", allow="agent")
def discard(call: Call) -> Response:
    """Discards the draft; the ticket is then the person's."""
    found, number = call.ticket(), int(call.text("outcome") or 0)
    try:
        call.tickets.replies.discard(number, call.who, call.text("reason"))
    except DeskmateError:
        return _page(call, _who_was_faster(call, _draft(call, number)), 409)
    return call.go(f"/tickets/{found.id}", "Discarded. The ticket is yours now.")


@pages.post("/tickets/{ticket:int}/hand-over", allow="agent")
def hand_over(call: Call) -> Response:
    """Gives the ticket to a person: the one who asks, or a colleague."""
    found = call.ticket()
    to = _colleague(call) or call.who
    call.tickets.hand_over(found.id, to, call.text("reason"), by=call.who)
    call.tickets.teamwork.assign(found.id, call.who, to)
    whose = "yours" if to == call.who else f"{to}'s"
    return call.go(f"/tickets/{found.id}", f"The ticket is {whose}. The assistant keeps out.")


@pages.post("/tickets/{ticket:int}/hand-back", allow="agent")
def hand_back(call: Call) -> Response:
    """Gives the ticket back to the assistant."""
    found = call.ticket()
    call.tickets.hand_back(found.id, call.who)
    return call.go(f"/tickets/{found.id}", "The assistant answers what comes next.")


@pages.post("/tickets/{ticket:int}/solve", allow="agent")
def solve(call: Call) -> Response:
    """Marks the ticket as solved."""
    found = call.ticket()
    call.office.desk.solve(found.id, call.who)
    return call.go("/", f"Ticket {found.id} is solved.")


@pages.post("/tickets/{ticket:int}/assign", allow="agent")
def assign(call: Call) -> Response:
    """Gives the ticket to somebody to look after, or to nobody."""
    found = call.ticket()
    to = _colleague(call)
    call.tickets.teamwork.assign(found.id, call.who, to or None)
    return call.go(f"/tickets/{found.id}", f"{to} looks after it." if to else "Nobody has it now.")


@pages.post("/tickets/{ticket:int}/notes", allow="agent")
def note(call: Call) -> Response:
    """Adds a note for colleagues."""
    found, text = call.ticket(), _text(call)
    if text:
        call.tickets.teamwork.note(found.id, call.who, text)
    return call.go(f"/tickets/{found.id}")


@pages.post("/tickets/{ticket:int}/ask", allow="agent")
def ask(call: Call) -> Response:
    """Answers a colleague's question from the articles, internal ones among them."""
    question = _text(call)
    if call.office.phase() != "ready":
        return HTMLResponse("The models are still being loaded. Ask again in a moment.", 503)
    call.tickets.audit.note(call.who, "ask", "", call.ticket().id)
    outcome = call.office.desk.ask(question, audience="internal") if question else None
    answer = outcome.answer if outcome else None
    lines = grounding.lines(answer) if answer else ()
    return call.show("asked.html", question=question, outcome=outcome, lines=lines)


def _page(call: Call, problem: str = "", status: int = 200, kept: str | None = None) -> Response:
    found = call.ticket()
    known = live.digest(_fingerprint(call, found.id))  # first: what changes from here on is news
    shown = _draft(call)
    return call.show(
        "ticket.html",
        status,
        ticket=found,
        shown=shown,
        state=_state(shown),
        known=known,
        entries=call.tickets.timelines.of_ticket(found.id),
        present=call.tickets.teamwork.present(found.id, call.who),
        people=[one.name for one in call.tickets.people.list() if not one.disabled_at],
        trail=call.tickets.audit.of_ticket(found.id) if call.may("lead") else (),
        faults=call.tickets.outcomes.faults(found.id),
        problem=problem,
        kept=kept,
        stale=False,
    )


def _fingerprint(call: Call, number: int) -> str:
    present = call.tickets.teamwork.present(number, call.who)
    return f"{call.tickets.timelines.fingerprint(number)} {present}"


def _draft(call: Call, number: int = 0) -> Draft | None:
    outcomes, asked = call.tickets.outcomes, call.asked("outcome")
    number = number or (int(asked) if asked.isdecimal() else 0)
    ticket_id = call.number("ticket")
    try:
        stored = outcomes.get(number) if number else outcomes.telling(ticket_id)
    except DeskmateError as error:
        raise HTTPException(404, str(error)) from error
    if stored is None:
        return None
    if stored.ticket_id != ticket_id:
        raise HTTPException(404, f"Ticket {ticket_id} has no outcome {stored.id}.")
    reply = call.tickets.replies.get(stored.reply_id) if stored.reply_id else None
    return draft(stored, reply, call.tickets.timelines.files_of(stored.id))


def _state(shown: Draft | None) -> str:
    """Names the draft that a page shows, and whether it waits."""
    return f"{shown.id}-{'waits' if shown.waits else 'done'}" if shown else "none"


def _text(call: Call) -> str:
    text = call.text("text")
    if len(text) > LONGEST_TEXT:
        raise HTTPException(413, f"More than {LONGEST_TEXT:,} characters cannot be sent.")
    return text


def _colleague(call: Call) -> str:
    """The person the form names, or nothing. Raises DeskmateError if nobody has that name."""
    name = call.text("to")
    if name and call.tickets.people.find(name) is None:
        raise DeskmateError(f"{name!r}: nobody here has this name.")
    return name


def _who_was_faster(call: Call, shown: Draft | None) -> str:
    """Why a draft cannot be sent or discarded any more, in words."""
    now = _draft(call, shown.id) if shown else None
    if now and now.reply and now.reply.approved_by:
        who, sent = now.reply.approved_by, now.reply.sent_at
        when = f" {ago(sent)} ago".replace("now ago", "just now") if sent else ""
        who = "You" if who == call.who else who
        return f"{who} sent this draft already{when}. Yours was not sent; your text stands below."
    if now and now.stored.draft_state == "discarded":
        return (
            "Somebody discarded this draft meanwhile. Yours was not sent; your text stands below."
        )
    return "This draft does not wait any more. Yours was not sent; your text stands below."
