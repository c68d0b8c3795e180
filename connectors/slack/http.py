"""What Slack, and who installs the app, reach by HTTP under /connectors/slack/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.oauth_settings import OAuthSettings
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from connectors.slack.installations import States
from connectors.slack.manifest import SCOPES
from connectors.slack.settings import SlackSettings
from connectors.slack.workspaces import Workspaces


def routes(
    settings: SlackSettings,
    workspaces: Workspaces,
    secrets: Callable[[], Any],
    app: App | None,
) -> list[BaseRoute]:
    """The routes that the settings ask for; `app` is bolt's, where events come by HTTP."""
    found: list[BaseRoute] = []
    if app is not None:

        async def events(request: Request) -> Response:
            bolt_request = to_bolt_request(request, await request.body())
            return to_starlette_response(await run_in_threadpool(app.dispatch, bolt_request))

        found.append(Route("/events", events, methods=["POST"]))
    if settings.several:
        flow = _flow(settings, workspaces, secrets)

        async def install(request: Request) -> Response:
            bolt_request = to_bolt_request(request, b"")
            return to_starlette_response(
                await run_in_threadpool(flow.handle_installation, bolt_request)
            )

        async def installed(request: Request) -> Response:
            bolt_request = to_bolt_request(request, b"")
            return to_starlette_response(
                await run_in_threadpool(flow.handle_callback, bolt_request)
            )

        found += [Route("/install", install), Route("/oauth_redirect", installed)]
    return found


def _flow(settings: SlackSettings, workspaces: Workspaces, secrets: Callable[[], Any]) -> OAuthFlow:
    base = f"{settings.public_url}/connectors/slack"
    return OAuthFlow(
        client=workspaces.anonymous(),
        settings=OAuthSettings(
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            scopes=list(SCOPES),
            redirect_uri=f"{base}/oauth_redirect",
            install_path="/connectors/slack/install",
            redirect_uri_path="/connectors/slack/oauth_redirect",
            authorization_url=settings.api_url.replace("/api/", "/oauth/v2/authorize"),
            installation_store=workspaces.installations,
            installation_store_bot_only=True,
            state_store=States(secrets),
        ),
    )
