"""What the server answers by HTTP: the Web API, files, response URLs and OAuth."""

from __future__ import annotations

import json
import urllib.parse
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from assistant.testing.slack import methods
from assistant.testing.slack.workspaces import ApiError, Channel, Json, Team, Workspaces

APP_TOKEN = "xapp-1-stand-in"  # noqa: S105
CLIENT_ID, CLIENT_SECRET = "1.2", "client-secret"


@dataclass
class Fault:
    """What a method does wrong the next `times` it is called."""

    times: int
    error: str = ""
    status: int = 200
    retry_after: int = 0
    hang_up_after: bool = False


class Web:
    """The HTTP side. `posted` is called with what the app posted; `install` makes the team that a
    person installs the app in."""

    def __init__(
        self,
        workspaces: Workspaces,
        posted: Callable[[Channel, Json, Team], None],
        install: Callable[[str], Team],
    ) -> None:
        self.calls: list[tuple[str, Json]] = []
        self.responses: list[Json] = []
        self.faults: dict[str, Fault] = {}
        self._workspaces = workspaces
        self._posted = posted
        self._install = install
        self._codes: dict[str, Team] = {}

    def routes(self) -> list[Route]:
        """For a Starlette application."""
        return [
            Route("/api/{method}", self._api, methods=["GET", "POST"]),
            Route("/files/{file}/{name}", self._download),
            Route("/response/{name:path}", self._respond, methods=["POST"]),
            Route("/oauth/v2/authorize", self._authorize),
        ]

    async def _api(self, request: Request) -> Response:
        name = request.path_params["method"]
        args = _arguments(request, await request.body())
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind == "Basic":
            args["client_id"], _, args["client_secret"] = b64decode(token).decode().partition(":")
        token = token or str(args.pop("token", ""))
        self.calls.append((name, args))
        fault = self._next_fault(name)
        if fault and not fault.hang_up_after:
            if fault.status != 200:
                headers = {"Retry-After": str(fault.retry_after)}
                body = {"ok": False, "error": fault.error or "ratelimited"}
                return JSONResponse(body, fault.status, headers)
            return JSONResponse({"ok": False, "error": fault.error})
        try:
            answer = await run_in_threadpool(self._call, str(request.base_url), name, token, args)
        except ApiError as error:
            return JSONResponse({"ok": False, "error": str(error)})
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"ok": False, "error": "invalid_arguments", "detail": repr(error)})
        if fault:
            return JSONResponse({"ok": False, "error": "internal_error"}, 500)
        return JSONResponse({"ok": True, **answer})

    def _call(self, base: str, name: str, token: str, args: Json) -> Json:
        if name == "apps.connections.open":
            if token != APP_TOKEN:
                raise ApiError("invalid_auth")
            return {"url": f"{base.replace('http', 'ws', 1)}socket?ticket=1"}
        if name == "oauth.v2.access":
            return self._tokens(args)
        answer = methods.call(self._workspaces, name, token, args)
        if name == "chat.postMessage":
            team = self._workspaces.team_of(token)
            self._posted(self._workspaces.channels[args["channel"]], answer["message"], team)
        return answer

    async def _download(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            methods.require(self._workspaces.team_of(token), "files:read")
        except ApiError:
            return HTMLResponse("<!DOCTYPE html><title>Sign in to Slack</title>")
        about, content = self._workspaces.files[request.path_params["file"]]
        if fault := self._next_fault("files"):
            return Response(status_code=fault.status, headers={"Retry-After": "1"})
        return Response(content, media_type=about["mimetype"])

    async def _respond(self, request: Request) -> Response:
        self.responses.append(json.loads(await request.body()))
        return Response("ok")

    def _next_fault(self, name: str) -> Fault | None:
        fault = self.faults.get(name)
        if fault is None or fault.times <= 0:
            return None
        fault.times -= 1
        return fault

    # ── OAuth (https://docs.slack.dev/authentication/installing-with-oauth) ────────────────────

    async def _authorize(self, request: Request) -> Response:
        """A person allows it at once, for a new workspace."""
        asked = request.query_params
        code = self._workspaces.new_id("code")
        self._codes[code] = self._install(f"team-{code}")
        query = urllib.parse.urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{query}")

    def _tokens(self, args: Json) -> Json:
        if (args.get("client_id"), args.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            raise ApiError("bad_client_secret")
        if args.get("grant_type") == "refresh_token":
            teams = self._workspaces.teams.values()
            team = next((t for t in teams if t.refresh_token == args["refresh_token"]), None)
            if team is None or not team.refresh_token:
                raise ApiError("invalid_refresh_token")
            team.bot_token = f"xoxb-{self._workspaces.new_id('1')}"
        else:
            team = self._codes.pop(args.get("code", ""), None)
            if team is None:
                raise ApiError("invalid_code")
        team.refresh_token = f"xoxe-{self._workspaces.new_id('1')}"
        return {
            "access_token": team.bot_token,
            "token_type": "bot",
            "scope": ",".join(sorted(team.scopes)),
            "bot_user_id": team.bot_user,
            "app_id": "A00000001",
            "team": None if team.enterprise else {"id": team.id, "name": team.name},
            "enterprise": {"id": team.enterprise, "name": "org"} if team.enterprise else None,
            "is_enterprise_install": bool(team.enterprise),
            "authed_user": {"id": self._workspaces.new_id("U")},
            "refresh_token": team.refresh_token,
            "expires_in": 43_200,
        }


def _arguments(request: Request, body: bytes) -> Json:
    args: Json = dict(request.query_params)
    if request.headers.get("content-type", "").startswith("application/json"):
        args |= json.loads(body or b"{}")
    else:
        args |= dict(urllib.parse.parse_qsl(body.decode()))
    for key in ("blocks", "metadata", "view", "attachments"):
        if isinstance(args.get(key), str):
            args[key] = json.loads(args[key])
    return args
