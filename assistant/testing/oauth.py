"""A provider of OAuth2 tokens on loopback, as mailboxes at the big providers have one."""

from __future__ import annotations

import itertools
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


@dataclass
class Provider:
    """Gives access tokens for refresh tokens (RFC 6749, section 6), a new refresh token each time,
    and says whether a token is good (RFC 7662).

    `refresh_token` is the one it takes next; `lifetime_seconds` is what it says of new access
    tokens; `good` maps each access token that it gave to its user: take one out to withdraw it.
    """

    user: str
    lifetime_seconds: int = 3600
    refresh_token: str = "refresh-0"  # noqa: S105 - of this provider alone
    good: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Provider:
        numbers = itertools.count(1)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(handler) -> None:  # noqa: N805 - the library's names
                length = int(handler.headers.get("Content-Length", 0))
                asked = {k: v[0] for k, v in parse_qs(handler.rfile.read(length).decode()).items()}
                if handler.path == "/token":
                    status, answer = self._give(asked, next(numbers))
                else:
                    status, answer = 200, self._introspect(asked.get("token", ""))
                body = json.dumps(answer).encode()
                handler.send_response(status)
                handler.send_header("Content-Type", "application/json")
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body)

            def log_message(self, *arguments: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _give(self, asked: dict[str, str], number: int) -> tuple[int, dict[str, Any]]:
        if asked.get("refresh_token") != self.refresh_token:
            said = {"error": "invalid_grant", "error_description": "the consent was withdrawn"}
            return 400, said
        token, self.refresh_token = f"access-{number}", f"refresh-{number}"
        self.good[token] = self.user
        return 200, {
            "access_token": token,
            "refresh_token": self.refresh_token,
            "token_type": "Bearer",
            "expires_in": self.lifetime_seconds,
        }

    def _introspect(self, token: str) -> dict[str, Any]:
        user = self.good.get(token)
        return {"active": True, "username": user} if user else {"active": False}
