"""What every answer says to browsers, and where a request may come from.

Names such as 3.4.3 are those of OWASP ASVS 5.0; `docs/security.md` lists them.
"""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self';"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
FILE_POLICY = "default-src 'none'; sandbox"

HEADERS = {
    "Content-Security-Policy": POLICY,  # 3.4.3, 3.4.6
    "X-Content-Type-Options": "nosniff",  # 3.4.4
    "Referrer-Policy": "same-origin",  # 3.4.5
    "Cross-Origin-Opener-Policy": "same-origin",  # 3.4.8
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",  # 14.3.2
}


class Headers:
    """Adds the headers that an answer does not have itself; behind TLS also the one that keeps
    browsers there (3.4.1)."""

    def __init__(self, app: ASGIApp, *, tls: bool) -> None:
        self._app = app
        self._headers = dict(HEADERS)
        if tls:
            self._headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def from_here(request: Request, address: str) -> bool:
    """Whether a browser says that one of our own pages sent this (3.5.1), told by Sec-Fetch-Site
    or, from older browsers, by Origin; a program that is no browser says neither."""
    if site := request.headers.get("sec-fetch-site"):
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc in (request.headers.get("host"), urlsplit(address).netloc)


def form_token(session_token: str) -> str:
    """What a form of this session carries, so that no other site's form is taken for it (3.5.1)."""
    return hmac.new(session_token.encode(), b"form", hashlib.sha256).hexdigest()


def right_token(session_token: str, given: str) -> bool:
    """Whether a form carries the token of its session."""
    return hmac.compare_digest(form_token(session_token).encode(), given.encode())
