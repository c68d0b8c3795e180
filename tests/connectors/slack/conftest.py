"""One Slack and one desk for a module; each test has people and channels of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from assistant.testing.slack import Slack
from connectors.slack import connector
from connectors.slack.manifest import SCOPES
from tests.channel_desk import echo
from tests.slack_desk import SlackDesk

AGAIN = (3.0, 3.0, 3.0)  # what is not acknowledged in three seconds comes again


@pytest.fixture(scope="module")
def slack() -> Iterator[Slack]:
    """A Slack whose app has the manifest's scopes and no more."""
    with Slack(scopes=SCOPES, retry_after=AGAIN) as slack:
        yield slack


@pytest.fixture(scope="module")
def kim(slack: Slack) -> str:
    """A colleague, in the staff channel."""
    return slack.add_user("Kim Berg")


@pytest.fixture(scope="module")
def staff(slack: Slack, kim: str) -> str:
    """The staff channel."""
    return slack.add_channel("support-team", [kim], kind="group")


@pytest.fixture(scope="module")
def chosen(slack: Slack, kim: str) -> str:
    """A channel in which every post is answered."""
    return slack.add_channel("questions", [kim])


@pytest.fixture
def ana(slack: Slack, chosen: str) -> str:
    """A customer."""
    user = slack.add_user("Ana Lima")
    slack.workspaces.channel(chosen).members.append(user)
    return user


@pytest.fixture
def help_channel(slack: Slack, ana: str, kim: str) -> str:
    """A channel with customers, in which mentions are answered."""
    return slack.add_channel("help", [ana, kim])


@pytest.fixture(scope="module")
def shared_desk(
    slack: Slack, staff: str, chosen: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SlackDesk]:
    folder = tmp_path_factory.mktemp("desk")
    with SlackDesk(
        slack, folder, staff_channel=staff, channels=[chosen], quiet_seconds=0.8
    ) as desk:
        yield desk


@pytest.fixture
def desk(shared_desk: SlackDesk) -> SlackDesk:
    """A desk whose answers echo the question; a test may set another `answer`."""
    shared_desk.answer = echo
    return shared_desk


@pytest.fixture
def run(
    slack: Slack, staff: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., SlackDesk]]:
    """Starts a desk with settings of its own, beside no other; `prepare` is called before."""
    monkeypatch.setattr(connector, "PING_SECONDS", 0.3)
    with ExitStack() as stack:

        def start(
            answer: Any = echo,
            prepare: Callable[[SlackDesk], object] = lambda desk: None,
            **more: Any,
        ) -> SlackDesk:
            more = {"staff_channel": staff, **more}
            data_dir = more.pop("data_dir", tmp_path / "data")
            desk = SlackDesk(slack, data_dir, answer, **more)
            prepare(desk)
            return stack.enter_context(desk)

        yield start
