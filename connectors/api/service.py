"""A request's way: who asks, how often, what for, and what comes of it."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from prometheus_client import Counter, Histogram
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route

from assistant import Accept, DeskmateError
from assistant.logs import logger, place
from connectors.api import access, bodies, events, handlers, openapi
from connectors.api.access import Caller
from connectors.api.cors import Preflight, allowing
from connectors.api.handlers import Call
from connectors.api.limits import Limits
from connectors.api.operations import OPERATIONS, Operation
from connectors.api.problems import ProblemError, invalid
from connectors.api.schema import HIGHEST_ID
from connectors.api.settings import ApiSettings

if TYPE_CHECKING:
    from assistant import Desk, Ticket

EVENT_STREAM = "text/event-stream"
STREAMS = 500  # at once in this process
IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{16,255}")
ANSWERED = Counter("deskmate_api_requests", "Requests to the HTTP API.", ["operation", "status"])
SECONDS = Histogram("deskmate_api_seconds", "Until a request is answered.", ["operation"])

log = logger("deskmate.connectors.api")


class Service:
    """Answers requests. `stop` ends the streams of events."""

    def __init__(
        self, desk: Desk, accept: Accept, settings: ApiSettings, stop: threading.Event
    ) -> None:
        self._desk = desk
        self._accept = accept
        self._settings = settings
        self._limits = Limits()
        self._watch = events.Watch(lambda ids: desk.tickets.events.newest(ids), stop.is_set)

    def routes(self) -> list[BaseRoute]:
        """One application, whose errors are problem+json."""
        description = openapi.describe(OPERATIONS)
        application = Starlette(
            routes=[
                Route("/openapi.json", lambda request: JSONResponse(description)),
                *(
                    Route(
                        operation.path.replace("{ticket}", "{ticket:int}"),
                        self._endpoint(operation),
                        methods=[operation.method],
                    )
                    for operation in OPERATIONS
                ),
            ],
            exception_handlers={HTTPException: _refused},
        )
        application.router.redirect_slashes = False
        return [Mount("", Preflight(application, lambda: self._desk.tickets.api_keys))]

    def _endpoint(self, operation: Operation) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            began = time.perf_counter()
            headers: dict[str, str] = {}
            try:
                response = await self._answer(operation, request, headers)
            except ProblemError as problem:
                response = problem.response()
            except ClientDisconnect:
                response = Response(status_code=400)  # nobody reads it
            except DeskmateError as error:
                log.warning("failed_request", operation=operation.name, error=place(error))
                response = ProblemError(
                    503, "This cannot be done now. Try again.", headers={"Retry-After": "5"}
                ).response()
            except Exception as error:
                log.error("failed_request", operation=operation.name, error=place(error))
                response = ProblemError(500, "Something went wrong here. It was noted.").response()
            for name, value in headers.items():
                response.headers.setdefault(name, value)
            ANSWERED.labels(operation.name, response.status_code).inc()
            SECONDS.labels(operation.name).observe(time.perf_counter() - began)
            return response

        return endpoint

    async def _answer(
        self, operation: Operation, request: Request, headers: dict[str, str]
    ) -> Response:
        """Checks a request and does what it asks for; what belongs to every answer, an error
        too, goes into `headers`."""
        call = Call(self._desk, self._accept, _query(operation.query, request))
        if operation.scope is None:
            return _json(operation, _done(operation, call))
        caller = await run_in_threadpool(
            access.find_caller, self._desk.tickets.api_keys, request.headers
        )
        headers.update(allowing(caller, request.headers.get("origin")))
        standing = self._limits.take(caller.name, caller.key.per_minute)
        headers.update(standing.headers)
        if standing.retry_after:
            log.info("refused_request", operation=operation.name, key=caller.key.id, status=429)
            raise ProblemError(429, f"This is more than {standing.per_minute} requests a minute.")
        access.require(caller, operation.scope)
        if operation.staff and caller.customer:
            raise ProblemError(403, "This needs a key; a conversation's token is not enough.")
        call = replace(call, asker=caller)
        if operation.of_ticket:
            call = replace(call, found=await self._ticket(request, caller))
        if operation.streams:
            return self._stream(call, request)
        if operation.body:
            posted = await bodies.read(
                request,
                operation.body,
                operation.form,
                max_bytes=self._settings.max_body_mb * 1_000_000,
            )
            call = replace(call, posted=posted)
        name = request.headers.get("idempotency-key")
        if name is not None and operation.body:
            body = await run_in_threadpool(self._once, operation, call, name)
        else:
            body = await run_in_threadpool(_done, operation, call)
        return _json(operation, body)

    async def _ticket(self, request: Request, caller: Caller) -> Ticket:
        """The ticket that the path names, as far as the caller may know of it."""
        number: int = request.path_params["ticket"]
        found = None
        if number <= HIGHEST_ID:
            tickets = self._desk.tickets
            if caller.thread_id is not None:
                found = await run_in_threadpool(tickets.find, handlers.NAME, caller.thread_id)
            elif not caller.key.public:
                found = await run_in_threadpool(tickets.api_keys.ticket, caller.key, number)
        if found is None or found.id != number:
            raise ProblemError(404, f"There is no ticket {number} that this key may see.")
        return found

    def _stream(self, call: Call, request: Request) -> Response:
        last = request.headers.get("last-event-id", "0")
        if not re.fullmatch(r"\d{1,10}", last) or int(last) > HIGHEST_ID:
            raise ProblemError(422, "Last-Event-ID: not the id of an event.")
        if self._watch.streams >= STREAMS:
            raise ProblemError(
                503, "Too many streams are open. Come back.", headers={"Retry-After": "10"}
            )
        read = partial(handlers.told, call)
        seconds = self._settings.stream_seconds
        if request.method == "HEAD":
            return Response(media_type=EVENT_STREAM)
        return StreamingResponse(
            events.stream(self._watch, call.ticket.id, int(last), read, seconds),
            media_type=EVENT_STREAM,
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    def _once(self, operation: Operation, call: Call, name: str) -> Any:
        """What was answered to this Idempotency-Key before, or what is done now."""
        if not IDEMPOTENCY_KEY.fullmatch(name):
            raise ProblemError(
                422, "Idempotency-Key: 16 to 255 characters without spaces, such as a UUID."
            )
        where = f"{operation.name} {call.ticket.id}" if call.found else operation.name
        caller, content = f"{call.caller.name} {where}", call.posted.sha256
        idempotency = self._desk.tickets.idempotency
        request = idempotency.begin(caller, name, content)
        if request.state == "other content":
            raise ProblemError(
                422, "This Idempotency-Key was used for another content. Take a new one."
            )
        if request.state == "unfinished":
            detail = "The first request with this Idempotency-Key is still worked on."
            raise ProblemError(409, detail, headers={"Retry-After": "1"})
        if request.answer is not None:
            return request.answer["body"]
        try:
            body = _done(operation, replace(call, seed=request.seed))
        except ProblemError:
            idempotency.refuse(caller, name)
            raise
        except BaseException:
            idempotency.abandon(caller, name)
            raise
        idempotency.finish(caller, name, {"body": body})
        return body


def _done(operation: Operation, call: Call) -> Any:
    assert operation.handler is not None
    result: BaseModel | None = operation.handler(call)
    return None if result is None else result.model_dump(mode="json", exclude_none=True)


def _json(operation: Operation, body: Any) -> Response:
    if operation.answers is None:
        return Response(status_code=operation.status)
    headers: Mapping[str, str] = {"Location": body["events"]} if "events" in body else {}
    headers = {**headers, "Cache-Control": "no-store"}
    return JSONResponse(body, operation.status, headers)


def _query(model: type[BaseModel], request: Request) -> BaseModel:
    given = request.query_params.multi_items()
    values = dict(given)
    if len(values) < len(given):
        raise ProblemError(422, "A parameter of the query stands there twice.")
    try:
        return model.model_validate_strings(values)
    except ValidationError as error:
        raise invalid(error, "query") from error


def _refused(request: Request, error: Exception) -> Response:
    """What Starlette itself refuses: paths and methods that there are not."""
    assert isinstance(error, HTTPException)
    details = {
        404: "There is no such address. /api/openapi.json describes all of them.",
        405: "This address has no such method.",
    }
    detail = details.get(error.status_code, error.detail)
    return ProblemError(error.status_code, detail, headers=error.headers).response()
