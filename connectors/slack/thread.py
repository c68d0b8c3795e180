"""What stands in a thread before a post, also from before the bot came."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.errors import SlackApiError

from connectors.slack.client import Client, error_name
from connectors.slack.place import Place

Json = Mapping[str, Any]

MOST_MESSAGES = 200
CLOSED = {"not_in_channel", "channel_not_found", "missing_scope", "thread_not_found"}
"""What will not be better in a moment: the post is answered without the thread before it."""

log = logging.getLogger("deskmate.connectors.slack")


def before(client: Client, place: Place, ts: str) -> list[Json]:
    """The thread's messages before the one of this time stamp, oldest first."""
    found: list[Json] = []
    try:
        for page in client.conversations_replies(
            channel=place.channel, ts=place.ts, latest=ts, limit=100
        ):
            found += [message for message in page["messages"] if float(message["ts"]) < float(ts)]
            if len(found) >= MOST_MESSAGES:
                break
    except SlackApiError as error:
        _pass_over(error, place)
    return found[:MOST_MESSAGES]


def whole(client: Client, place: Place, event: Json) -> Json:
    """A mention as the channel shows it: `app_mention` need not tell of files."""
    if event.get("type") != "app_mention" or event.get("files"):
        return event
    ts = event["ts"]
    try:
        page = client.conversations_replies(
            channel=place.channel, ts=ts, oldest=ts, latest=ts, inclusive=True, limit=1
        )
    except SlackApiError as error:
        _pass_over(error, place)
        return event
    shown = [message for message in page["messages"] if message["ts"] == ts]
    return {**event, **shown[0]} if shown else event


def divide(messages: Sequence[Json], bot_user: str) -> tuple[list[Json], list[Json]]:
    """The thread before a mention, as what is asked together with it and what is only context.

    Asked is what the thread's author wrote since the bot answered last, screenshots included: who
    mentions the bot below a question means that question.
    """
    answered = [n for n, message in enumerate(messages) if message.get("user") == bot_user]
    since = answered[-1] + 1 if answered else 0
    author = messages[0].get("user") if messages else None
    asked = [message for message in messages[since:] if message.get("user") == author]
    return asked, [message for message in messages if message not in asked]


def _pass_over(error: SlackApiError, place: Place) -> None:
    if error_name(error) not in CLOSED:
        raise error
    log.warning("unread_thread channel=%s error=%s", place.channel, error_name(error))
