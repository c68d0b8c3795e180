"""An answer takes long: the customer hears so on every channel, and then gets the answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from assistant.testing.mail import MailServer
from assistant.testing.slack import Slack
from connectors.slack.manifest import SCOPES
from tests.api_desk import ApiDesk
from tests.channel_desk import eventually, replies_with
from tests.email_desk import SUPPORT, EmailDesk, mail
from tests.help_desk import HelpDesk, TicketDatabaseDesk
from tests.slack_desk import SlackDesk, shown

NOTE = "The answer takes longer."
Channel = tuple[Any, Callable[[], Any], Callable[[], list[str]]]
"""A desk, what asks it a question, and what tells all that the customer heard."""


@pytest.fixture
def go() -> Iterator[threading.Event]:
    """Answers are written once it is set."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(params=["slack", "email", "ticket database", "api"])
def channel(
    request: pytest.FixtureRequest, tmp_path: Path, go: threading.Event
) -> Iterator[Channel]:
    def answer(*asked: Any) -> Any:
        go.wait(60)
        return replies_with("Open Settings. [1]")

    make: dict[str, Callable[[ExitStack], Channel]] = {
        "slack": lambda stack: by_slack(stack, tmp_path, answer),
        "email": lambda stack: by_mail(request.getfixturevalue("server"), tmp_path, answer),
        "ticket database": lambda stack: by_help_desk(stack, tmp_path, answer),
        "api": lambda stack: by_api(stack, tmp_path, answer),
    }
    with ExitStack() as stack:
        desk, ask, heard = make[request.param](stack)
        with desk:
            yield desk, ask, heard
            go.set()


def by_slack(stack: ExitStack, folder: Path, answer: Any) -> Channel:
    slack = stack.enter_context(Slack(scopes=SCOPES))
    ana = slack.add_user("Ana Lima")
    channel = slack.add_channel("questions", [ana])
    posts: list[Any] = []

    def heard() -> list[str]:
        return [shown(post) for post in slack.thread(channel, posts[0]) if "bot_id" in post]

    staff = slack.add_channel("support-team", kind="group")
    desk = SlackDesk(slack, folder, answer, channels=[channel], staff_channel=staff)
    return desk, lambda: posts.append(slack.post(channel, ana, "How do I pay?")), heard


def by_mail(server: MailServer, folder: Path, answer: Any) -> Channel:
    desk = EmailDesk(server, folder, answer)
    ask = lambda: server.deliver(SUPPORT, mail().as_bytes())  # noqa: E731
    return desk, ask, lambda: [one.text for one in server.sent_to("ana@other.example")]


def by_help_desk(stack: ExitStack, folder: Path, answer: Any) -> Channel:
    help_desk = HelpDesk(f"sqlite:///{folder / 'help-desk.sqlite'}")
    stack.callback(help_desk.engine.dispose)
    desk = TicketDatabaseDesk(help_desk, folder, answer)
    return desk, lambda: help_desk.ticket("How do I pay?"), help_desk.written


def by_api(stack: ExitStack, folder: Path, answer: Any) -> Channel:
    desk = ApiDesk(folder, answer)
    sent = lambda: [s.reply.text for s in desk.tickets.replies.of_ticket(1) if s.sent_at]  # noqa: E731
    return desk, lambda: desk.client().post("/messages", json={"text": "How do I pay?"}), sent


def test_the_customer_hears_of_a_delay_and_then_the_answer(
    channel: Channel, go: threading.Event
) -> None:
    desk, ask, heard = channel
    ask()
    eventually(desk.tickets.left)

    (reply_id,) = eventually(lambda: desk.tickets.delays.tell(0, NOTE))
    desk.desk.inbox.send(reply_id)
    (note,) = eventually(heard)
    go.set()
    eventually(lambda: len(heard()) == 2)

    assert NOTE in note
    assert "Open Settings." in heard()[1]
