"""Several workspaces by OAuth, Slack Connect, and who may see what."""

from __future__ import annotations

import http.cookiejar
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from cryptography.fernet import Fernet
from slack_sdk.oauth.installation_store import Bot
from sqlalchemy import select
from starlette.applications import Starlette
from starlette.routing import Mount

from assistant import DeskmateError
from assistant.serving.web import Server
from assistant.tickets.secrets import SecretRow
from connectors import lanes
from connectors.slack.client import BusyError, Limits
from connectors.slack.people import People
from connectors.slack.reading import Reader
from tests.channel_desk import eventually
from tests.slack_desk import SlackDesk, shown


@pytest.fixture
def several(slack, run, staff) -> Iterator[tuple[SlackDesk, str]]:
    """A desk for several workspaces, that of the staff channel installed, and its address."""
    server = Server("127.0.0.1", 0)
    url = f"http://127.0.0.1:{server._socket.getsockname()[1]}"
    settings = {"client_id": slack.client_id, "client_secret": slack.client_secret}
    desk = run(
        prepare=lambda desk: install(desk, slack.team),
        public_url=url,
        secret_key=Fernet.generate_key().decode(),
        staff_channel=f"{slack.team.id}/{staff}",
        **settings,
    )
    routes = desk.connector.routes(desk.desk.inbox.accept)
    server.start(Starlette(routes=[Mount("/connectors/slack", routes=routes)]))
    yield desk, f"{url}/connectors/slack"
    server.stop()


def install(desk: SlackDesk, team, **more) -> None:
    """As OAuth does, without a browser."""
    about = {"team_id": team.id, "bot_token": team.bot_token, "bot_id": team.bot_id, **more}
    bot = Bot(bot_user_id=team.bot_user, installed_at=time.time(), **about)
    desk.connector._workspaces.installations.save_bot(bot)


def browser() -> urllib.request.OpenerDirector:
    """A browser that keeps cookies."""
    policy = http.cookiejar.DefaultCookiePolicy(secure_protocols=("http", "https"))
    jar = http.cookiejar.CookieJar(policy)
    return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))


def test_a_workspace_installs_the_app_and_is_answered(slack, several) -> None:
    desk, url = several
    person = browser()

    page = person.open(f"{url}/install").read().decode()
    link = unescape(re.search(r'href="(http[^"]+/oauth/v2/authorize[^"]+)"', page).group(1))
    done = person.open(link)
    team = list(slack.workspaces.teams.values())[-1]
    bo = slack.add_user("Bo", team=team)
    channel = slack.add_channel("help", [bo], team=team)
    post = slack.post(channel, bo, f"<@{team.bot_user}> Where is my invoice?")

    assert done.status == 200
    assert "Where is my invoice?" in shown(desk.reply(channel, post))
    with desk.tickets.engine.connect() as connection:
        stored = connection.execute(select(SecretRow.encrypted)).scalars().all()
    assert len(stored) == 2
    assert not any(team.bot_token.encode() in each for each in stored)


def test_an_installation_that_another_browser_began_is_refused(slack, several) -> None:
    _, url = several
    page = browser().open(f"{url}/install").read().decode()
    link = unescape(re.search(r'href="(http[^"]+/oauth/v2/authorize[^"]+)"', page).group(1))

    with pytest.raises(urllib.error.HTTPError, match="400"):
        browser().open(link)
    with pytest.raises(urllib.error.HTTPError, match="400"):
        browser().open(f"{url}/oauth_redirect?code=1&state=made-up")


def test_a_token_that_expires_is_renewed_before_it_is_used(slack, several) -> None:
    desk, _ = several
    team = slack.add_team("rotating")
    team.refresh_token = "xoxe-1"
    old = team.bot_token
    install(desk, team, bot_refresh_token="xoxe-1", bot_token_expires_in=60)
    bo = slack.add_user("Bo", team=team)
    channel = slack.add_channel("help", [bo], team=team)

    post = slack.post(channel, bo, f"<@{team.bot_user}> Where is my invoice?")
    reply = desk.reply(channel, post)

    assert "Where is my invoice?" in shown(reply)
    assert team.bot_token != old
    assert desk.connector._workspaces.find(team.id).token == team.bot_token


@pytest.mark.parametrize(
    "event",
    [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": ["U1"]}}],
)
def test_a_workspace_that_took_the_app_away_is_forgotten(slack, several, event) -> None:
    desk, _ = several
    team = slack.add_team("leaving")
    install(desk, team)

    slack._events.event({"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}}, team)
    desk.settled()
    kept = desk.connector._workspaces.find(team.id)
    slack._events.event(event, team)
    eventually(lambda: desk.connector._workspaces.find(team.id) is None)

    assert kept is not None
    with pytest.raises(DeskmateError, match="the app is not installed there"):
        desk.connector._workspaces.client(team.id)


def test_an_organisation_installs_the_app_for_all_its_workspaces(slack, several) -> None:
    desk, _ = several
    org = f"E{slack.workspaces.new_id('1')}"
    sales, legal = slack.add_team("sales", org), slack.add_team("legal", org)
    bot = {"bot_token": sales.bot_token, "bot_id": sales.bot_id, "bot_user_id": sales.bot_user}
    install_bot = desk.connector._workspaces.installations.save_bot
    install_bot(Bot(enterprise_id=org, is_enterprise_install=True, installed_at=time.time(), **bot))

    for team in (sales, legal):
        bo = slack.add_user("Bo", team=team)
        channel = slack.add_channel("help", [bo], team=team)
        post = slack.post(channel, bo, f"<@{team.bot_user}> Where is the invoice of {team.name}?")
        reply = desk.reply(channel, post)
        assert f"invoice of {team.name}?" in shown(reply)
        slack.press(channel, reply, "talk_to_person", bo)
        assert "I would like to talk to a person." in shown(desk.reply(channel, post, 2))

    slack._events.event({"type": "app_uninstalled"}, sales)
    eventually(lambda: desk.connector._workspaces.find(legal.id) is None)


def test_what_came_from_a_workspace_without_the_app_is_left_to_staff_after_a_day(
    slack, several, monkeypatch
) -> None:
    monkeypatch.setattr(lanes, "GIVE_UP_AFTER", timedelta(0))
    desk, _ = several
    event = {"channel": "C1", "ts": "1.5", "user": "U9", "text": "Where is my invoice?"}
    payload = {"kind": "post", "event": event, "asked": True, "shared": False}

    desk.tickets.arrivals.note("slack", "C1/1.5", "T-GONE/C1/1.5", "T-GONE/C1/U9", payload)
    (given_up,) = eventually(desk.tickets.arrivals.given_up)
    notice = eventually(lambda: slack.by_bot(desk.connector._settings.staff_channel.split("/")[1]))

    assert "T-GONE: the app is not installed there" in given_up.error
    (ticket,) = desk.tickets.list("handed over")
    assert ticket.thread_id == "T-GONE/C1/1.5"
    assert "it could not be read from Slack" in shown(notice[-1])
    assert "Where is my invoice?" in shown(notice[-1])


@pytest.mark.parametrize(
    ("who", "where", "shared", "setting", "audience"),
    [
        ({}, "D1", False, True, "internal"),
        ({}, "D1", False, False, "public"),
        ({}, "C1", False, True, "public"),
        ({}, "D1", True, True, "public"),
        ({"is_restricted": True}, "D1", False, True, "public"),
        ({"is_ultra_restricted": True}, "D1", False, True, "public"),
        ({"is_stranger": True}, "D1", False, True, "public"),
        ({"team_id": "T999"}, "D1", False, True, "public"),
    ],
)
def test_only_full_members_alone_with_the_bot_may_see_internal_articles(
    slack, desk, who, where: str, shared: bool, setting: bool, audience: str
) -> None:
    workspaces = desk.connector._workspaces
    reader = Reader(workspaces, People(workspaces), 1, setting)
    user = slack.add_user("Somebody", **who)

    assert reader.audience(slack.team.id, where, user, shared=shared) == audience


def test_a_person_of_another_organisation_is_answered_from_public_articles(
    slack, desk, kim
) -> None:
    heard = []

    def answer(message, ticket, conversation):
        from tests.channel_desk import replies_with

        heard.append((message.sender, message.audience))
        return replies_with("Done")

    desk.answer = answer
    other = slack.add_user("Eve", is_stranger=True)
    slack.workspaces.users[other]["team_id"] = "T999"
    channel = slack.add_channel("shared", [other, kim], shared_with=("T999",))

    post = slack.post(channel, other, f"{slack.mention} What may you refund?")
    desk.reply(channel, post)

    assert heard == [(f"Eve ({other})", "public")]


def test_a_limit_holds_for_all_threads_and_long_ones_are_left_for_later() -> None:
    limits = Limits()
    limits.note("token", "chat.postMessage", 0.3)
    limits.note("token", "chat.update", 3_600)

    began = time.monotonic()
    limits.wait("token", "chat.postMessage", began + 10)
    waited = time.monotonic() - began
    limits.wait("another", "chat.update", began)

    assert waited >= 0.25
    with pytest.raises(BusyError, match=r"s without chat\.update"):
        limits.wait("token", "chat.update", began + 10)
