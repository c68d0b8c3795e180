"""The console's application: its pages, what goes wrong, and what wraps both.

A request passes through the security headers, then: comes the form from here? who is it? may they?
Only then is a form read, its token checked, and the page's function called in a thread.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from assistant import logs
from assistant.console import security
from assistant.console.access import Answer, Page, Stream, may
from assistant.console.calls import Call, Office
from assistant.console.routes import (
    account,
    api_keys,
    approvals,
    audit,
    connectors,
    files,
    gaps,
    inbox,
    knowledge,
    playground,
    plugins,
    privacy,
    quality,
    settings,
    single_sign_on,
    ticket,
    users,
)
from assistant.console.scenes import Scenes
from assistant.console.setup import Setup
from assistant.console.sign_on import SignOn
from assistant.console.tries import Tries
from assistant.console.work import Work
from assistant.errors import DeskmateError

if TYPE_CHECKING:
    from assistant.desk import Desk

GROUPS = (
    inbox.pages,
    ticket.pages,
    files.pages,
    knowledge.pages,
    playground.pages,
    gaps.pages,
    quality.pages,
    approvals.pages,
    plugins.pages,
    connectors.pages,
    audit.pages,
    privacy.pages,
    users.pages,
    api_keys.pages,
    settings.pages,
    account.pages,
    single_sign_on.pages,
)
"""All pages; those with a title stand in the navigation in this order."""

MAX_FORM_MB = 40  # a screenshot or two; what is larger is not read

log = logs.logger(__name__)


def every_page() -> tuple[Page, ...]:
    """The pages of all groups."""
    return tuple(page for group in GROUPS for page in group.all)


def console(
    desk: Desk,
    address: str,
    phase: Callable[[], str],
    parts: Callable[[], Sequence[Mapping[str, Any]]] = tuple,
) -> tuple[Starlette, Setup]:
    """The application, to be mounted at the root of `address`, and the way to the first
    administrator. `phase` says what the service is doing: loading, ready or stopping; `parts` how
    each of its parts is, as /healthz tells it."""
    setup = Setup(desk.tickets.people)
    single = desk.settings.console.single_sign_on
    office = Office(
        desk=desk,
        tickets=desk.tickets,
        settings=desk.settings.console,
        address=address,
        phase=phase,
        parts=parts,
        setup=setup,
        sign_on=SignOn(single, address) if single.issuer else None,
        work=Work(),
        tries=Tries(),
        scenes=Scenes(),
        navigation=tuple(page for page in every_page() if page.title),
    )
    static = StaticFiles(directory=Path(__file__).parent / "static")
    routes: Sequence[BaseRoute] = [
        Mount("/static", static, name="static"),
        *(_route(page, office) for page in every_page()),
    ]
    handlers: dict[Any, Any] = {
        DeskmateError: _problem(office, 409),
        HTTPException: _problem(office),
        Exception: _problem(office, 500),
    }
    middleware = [Middleware(security.Headers, tls=office.tls)]
    return Starlette(routes=routes, exception_handlers=handlers, middleware=middleware), setup


def _route(page: Page, office: Office) -> Route:
    async def endpoint(request: Request) -> Response:
        if page.method == "POST" and not security.from_here(request, office.address):
            raise HTTPException(403, "This form came from another site.")
        person, session_id = await run_in_threadpool(office.session, request) or (None, 0)
        if not may(person, page.allow):
            if person:
                raise HTTPException(
                    403, f"This needs the role {page.allow}; yours is {person.role}."
                )
            return _to_log_in(request)
        call = Call(request, office, person, session_id)
        if page.method == "STREAM":
            return _stream(cast(Stream, page.answer)(call))
        answer = cast(Answer, page.answer)
        if page.method == "GET":
            return await run_in_threadpool(answer, call)
        _refuse_large(request)
        async with request.form(max_part_size=MAX_FORM_MB * 2**20) as form:
            given = request.headers.get("x-form-token") or form.get("form_token") or ""
            session_token = request.cookies.get(office.cookie, "")
            if person and not security.right_token(session_token, str(given)):
                raise HTTPException(403, "This form is too old. Load the page again.")
            return await run_in_threadpool(answer, Call(request, office, person, session_id, form))

    return Route(page.path, endpoint, methods=["POST" if page.method == "POST" else "GET"])


def _refuse_large(request: Request) -> None:
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise HTTPException(411, "The request does not say how long it is.")
    if int(length) > MAX_FORM_MB * 2**20:
        raise HTTPException(413, f"More than {MAX_FORM_MB} MB cannot be sent at once.")


def _stream(events: AsyncIterator[str]) -> Response:
    # The header keeps nginx from collecting events before it passes them on.
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


def _to_log_in(request: Request) -> Response:
    if request.method != "GET" or "hx-request" in request.headers:
        return Response(status_code=401, headers={"HX-Redirect": "/log-in"})
    if "text/event-stream" in request.headers.get("accept", ""):
        return Response(status_code=401)
    where = request.url.path if request.url.path != "/" else ""
    return RedirectResponse(f"/log-in?next={where}" if where else "/log-in", 303)


def _problem(office: Office, status: int = 0) -> Callable[[Request, Exception], Any]:
    """Answers what went wrong, in words; what was not expected is logged, and not told."""

    async def answer(request: Request, error: Exception) -> Response:
        code, words, headers = status, str(error), None
        if isinstance(error, HTTPException):
            code, words, headers = error.status_code, error.detail, error.headers
        if code == 500:
            log.error("failed_page", path=request.url.path, error=logs.place(error))
            words = "This page failed. The log says where; nothing was changed halfway."
        session = await run_in_threadpool(office.session, request) if code != 500 else None
        call = Call(request, office, *(session or (None, 0)))
        name = "problem_part.html" if call.partial else "problem.html"
        response = call.show(name, code, code=code, words=words)
        response.headers.update(headers or {})
        return response

    return answer
