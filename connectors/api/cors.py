"""Which web pages may use the API: those that a key names (https://fetch.spec.whatwg.org/#cors)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.api.access import Caller
from connectors.api.problems import ProblemError

if TYPE_CHECKING:
    from assistant.tickets.api_keys import ApiKeys

REMEMBERED_SECONDS = 600


class Preflight:
    """Answers what a browser asks before it sends a request of another site's page. The key is not
    told yet: the page has to be one of any key's, and the request itself is checked again."""

    def __init__(self, application: ASGIApp, keys: Callable[[], ApiKeys]) -> None:
        self._application = application
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a preflight request, and hands on any other."""
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        preflight = "access-control-request-method" in headers
        if scope["method"] != "OPTIONS" or not origin or not preflight:
            await self._application(scope, receive, send)
            return
        response: Response
        if await run_in_threadpool(self._keys().allows_origin, origin):
            response = Response(
                status_code=204,
                headers={
                    "Access-Control-Allow-Origin": origin,
                    "Access-Control-Allow-Methods": "GET, POST",
                    "Access-Control-Allow-Headers": "Authorization, Content-Type,"
                    " Idempotency-Key, Last-Event-ID",
                    "Access-Control-Max-Age": str(REMEMBERED_SECONDS),
                    "Vary": "Origin",
                },
            )
        else:
            response = ProblemError(403, f"No key is for pages of {origin}.").response()
        await response(scope, receive, send)


def allowing(caller: Caller, origin: str | None) -> dict[str, str]:
    """The headers with which a browser lets a page of this origin read the answer."""
    if not origin or origin not in caller.key.origins:
        return {}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "Location, RateLimit, RateLimit-Policy, Retry-After",
        "Vary": "Origin",
    }
