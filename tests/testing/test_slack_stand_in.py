"""The stand-in for Slack keeps to what the real one does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from assistant.testing.slack import Slack
from tests.channel_desk import eventually


@pytest.fixture
def slack() -> Iterator[Slack]:
    with Slack(retry_after=(0.5, 0.5)) as slack:
        yield slack


@pytest.fixture
def ana(slack: Slack) -> str:
    return slack.add_user("Ana")


@pytest.fixture
def channel(slack: Slack, ana: str) -> str:
    return slack.add_channel("help", [ana])


@pytest.fixture
def listen(slack: Slack) -> Iterator[Callable[[Callable[[Any], None]], None]]:
    """Runs bolt's app through Socket Mode with one listener of messages."""
    handlers = []

    def start(listener: Callable[[Any], None]) -> None:
        app = App(client=slack.client(), process_before_response=True)

        @app.event("message")
        def message(event: Any) -> None:
            listener(event)

        handlers.append(SocketModeHandler(app, slack.app_token, ping_interval=0.3))
        handlers[-1].connect()
        eventually(lambda: slack.deliveries.connections)

    yield start
    for handler in handlers:
        handler.close()


def error(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as raised:
        call(**arguments)
    return raised.value.response["error"]


def test_bolts_client_hears_posts_and_edits(slack, channel, ana, listen) -> None:
    heard: list[Any] = []
    listen(heard.append)

    post = slack.post(channel, ana, "Hello")
    slack.edit(channel, post, "Hello!")
    eventually(lambda: len(heard) == 2)

    assert {event.get("subtype") for event in heard} == {None, "message_changed"}
    assert all(delivery.attempts == 1 for delivery in slack.deliveries.all)


def test_what_is_not_acknowledged_comes_again(slack, channel, ana, listen) -> None:
    attempts = iter([ValueError("once"), None])
    heard = threading.Event()

    def listener(event: Any) -> None:
        if failure := next(attempts):
            raise failure
        heard.set()

    listen(listener)
    slack.post(channel, ana, "Hello")

    assert heard.wait(10)
    eventually(lambda: slack.deliveries.all[0].acknowledged_at)
    assert slack.deliveries.all[0].attempts == 2


def test_a_thread_is_read_page_by_page(slack, channel, ana) -> None:
    post = slack.post(channel, ana, "0")
    for n in range(1, 8):
        slack.post(channel, ana, str(n), thread_ts=post["ts"])

    pages = slack.client().conversations_replies(channel=channel, ts=post["ts"], limit=3)

    texts = [[message["text"] for message in page["messages"]] for page in pages]
    assert texts == [["0", "1", "2"], ["3", "4", "5"], ["6", "7"]]


@pytest.mark.filterwarnings("ignore:The top-level `text` argument")
@pytest.mark.parametrize(
    ("blocks", "name"),
    [
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}], "invalid_blocks"),
        ([{"type": "divider"}] * 51, "invalid_blocks"),
        ([{"type": "actions", "elements": []}], "invalid_blocks"),
        ([{"type": "blink"}], "invalid_blocks"),
        ([], "no_text"),
    ],
)
def test_blocks_that_slack_refuses_are_refused(slack, channel, blocks, name: str) -> None:
    assert error(slack.client().chat_postMessage, channel=channel, blocks=blocks) == name


def test_a_token_without_the_scope_or_dead_is_refused(slack, channel, ana) -> None:
    client = slack.client()
    slack.team.scopes = frozenset({"chat:write"})
    missing = error(client.users_info, user=ana)
    slack.expire(slack.team.bot_token)

    assert missing == "missing_scope"
    assert error(client.auth_test) == "token_expired"
    assert error(WebClient("xoxb-no", base_url=slack.api_url).auth_test) == "invalid_auth"


def test_the_bot_sees_only_channels_that_it_is_in(slack, ana) -> None:
    private = slack.add_channel("private", [ana], with_bot=False)
    slack.post(private, ana, "Secret")

    assert error(slack.client().conversations_history, channel=private) == "not_in_channel"
    assert slack.deliveries.all == []


def test_faults_are_made_to_order(slack, channel) -> None:
    client = slack.client()
    slack.fail("chat.postMessage", status=429, retry_after=7)
    slack.fail("auth.test", "internal_error", times=2)

    with pytest.raises(SlackApiError) as limited:
        client.chat_postMessage(channel=channel, text="Hello")
    errors = [error(client.auth_test) for _ in range(2)]

    assert limited.value.response.headers["Retry-After"] == "7"
    assert errors == ["internal_error", "internal_error"]
    assert client.auth_test()["ok"]
    assert client.chat_postMessage(channel=channel, text="Hello")["ok"]
