"""A question tried out: what the assistant would do with it, step by step. Nothing is sent."""

from __future__ import annotations

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

from assistant.answering import grounding
from assistant.answering.policy import Signals
from assistant.articles import Audience
from assistant.console import security
from assistant.console.access import Pages
from assistant.console.calls import Call
from assistant.console.routes.files import SHOWN
from assistant.messages import Attachment

LONGEST_QUESTION = 10_000

pages = Pages()


@pages.get("/knowledge/try", allow="agent")
def playground(call: Call) -> Response:
    """The form."""
    return call.show("playground.html")


@pages.post("/knowledge/try", allow="agent")
def attempt(call: Call) -> Response:
    """How the question would be answered, and why."""
    office, question = call.office, call.text("question")
    if len(question) > LONGEST_QUESTION:
        raise HTTPException(413, f"More than {LONGEST_QUESTION:,} characters cannot be tried.")
    file = call.file("screenshot")
    files = [_attachment(file)] if file else []
    if not question and not files:
        return HTMLResponse("Write a question, or add a screenshot.", 400)
    if office.phase() != "ready":
        return HTMLResponse("The models are still being loaded. Try again in a moment.", 503)
    audience: Audience = "internal" if call.text("audience") == "internal" else "public"
    outcome = office.desk.ask(question, files, audience=audience)
    one = office.tries.keep(call.who, question, audience, files, outcome)
    call.tickets.audit.note(call.who, "try", "")
    decided = one.steps.get("decide")
    measured = {
        name: value
        for name, value in (decided.detail if decided else {}).items()
        if name in Signals.__annotations__
    }
    return call.show(
        "tried.html",
        one=one,
        outcome=outcome,
        lines=grounding.lines(outcome.answer) if outcome.answer else (),
        measured=measured,
        policy=office.desk.policy(),
    )


@pages.get("/knowledge/tries/{number:int}/{position:int}", allow="agent")
def tried_file(call: Call) -> Response:
    """A picture of one's own try."""
    file = call.office.tries.file(call.number("number"), call.number("position"), call.who)
    if file is None or file.media_type not in SHOWN:
        raise HTTPException(404, "There is no such file any more. Try the question again.")
    headers = {"Content-Security-Policy": security.FILE_POLICY}
    return Response(file.content, headers=headers, media_type=file.media_type)


def _attachment(file: UploadFile) -> Attachment:
    media_type = (file.content_type or "").split(";")[0].strip().lower()
    return Attachment(media_type, file.filename or "screenshot", file.file.read())
