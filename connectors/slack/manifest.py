"""The app's manifest: `deskmate slack manifest` prints it, Slack makes the app of it.

https://docs.slack.dev/reference/app-manifest
"""

from __future__ import annotations

from typing import Any

from connectors.slack.settings import SlackSettings

SCOPES = {
    "app_mentions:read": "hear posts that name the bot",
    "channels:history": "hear posts in public channels it is in, and read the thread before them",
    "channels:read": "know who is in the staff channel, if that is public",
    "chat:write": "answer, tell staff, show “looking into it …”",
    "commands": "the command /deskmate and the shortcut “Answer this”",
    "files:read": "fetch screenshots and other files of posts",
    "groups:history": "the same in private channels it was invited to",
    "groups:read": "know who is in the staff channel, if that is private",
    "im:history": "hear direct messages to it",
    "users:read": "write names instead of ids, tell guests from members",
}
"""Each scope of the bot's token with what it is for; docs/slack.md says the same."""

EVENTS = ("app_home_opened", "app_mention", "message.channels", "message.groups", "message.im")
SEVERAL_EVENTS = ("app_uninstalled", "tokens_revoked")


def manifest(settings: SlackSettings | None) -> dict[str, Any]:
    """The manifest for these settings; without any, for Socket Mode and one workspace."""
    http = settings is not None and settings.mode == "http"
    several = settings is not None and settings.several
    address = {"url": settings.events_url} if settings and http else {}
    request = {"request_url": settings.events_url} if settings and http else {}
    events = [*EVENTS, *(SEVERAL_EVENTS if several else ())]
    oauth: dict[str, Any] = {"scopes": {"bot": list(SCOPES)}}
    if settings and several:
        oauth["redirect_urls"] = [f"{settings.public_url}/connectors/slack/oauth_redirect"]
    command = {
        "command": "/deskmate",
        "description": "Ask the support assistant, or see how it is",
        "usage_hint": "ask QUESTION | status | index",
        "should_escape": False,
    }
    shortcut = {
        "name": "Answer this",
        "type": "message",
        "callback_id": "answer_this",
        "description": "Let the assistant answer this message in its thread",
    }
    return {
        "display_information": {
            "name": "Deskmate",
            "description": "Answers support questions from your help articles",
            "background_color": "#20403a",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Deskmate", "always_online": True},
            "slash_commands": [{**command, **address}],
            "shortcuts": [shortcut],
        },
        "oauth_config": oauth,
        "settings": {
            "event_subscriptions": {**request, "bot_events": sorted(events)},
            "interactivity": {"is_enabled": True, **request},
            "org_deploy_enabled": several,
            "socket_mode_enabled": not http,
            "token_rotation_enabled": several,
        },
    }
