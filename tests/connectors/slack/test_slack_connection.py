"""How events come: through Socket Mode or by HTTP; sockets that break, a process that crashed."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from assistant.serving.web import Server
from assistant.testing.slack.delivery import Delivery, signed_request
from tests.channel_desk import eventually
from tests.slack_desk import SlackDesk, shown


@pytest.mark.parametrize("warn", [True, False])
def test_a_lost_socket_loses_no_post(slack, run, staff, help_channel, ana, warn: bool) -> None:
    desk = run()

    slack.disconnect(warn=warn)
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")

    assert "Where is my invoice?" in shown(desk.reply(help_channel, post))


def test_what_was_noted_before_a_crash_is_answered_after_it(
    slack, run, staff, help_channel, ana, tmp_path
) -> None:
    post = slack.post(help_channel, ana, "Where is my invoice?", tell=False)
    stopped = SlackDesk(slack, tmp_path / "data", staff_channel=staff)
    event = {**post, "channel": help_channel, "channel_type": "channel"}
    payload = {"kind": "post", "event": event, "asked": True, "shared": False}
    thread = f"{slack.team.id}/{help_channel}/{post['ts']}"
    stopped.tickets.arrivals.note("slack", f"{help_channel}/{post['ts']}", thread, "", payload)
    stopped.desk.close()

    desk = run()

    assert "Where is my invoice?" in shown(desk.reply(help_channel, post))


@pytest.fixture
def by_http(slack, run) -> Iterator[SlackDesk]:
    """A desk in mode http, with its routes served as `deskmate serve` does."""
    server = Server("127.0.0.1", 0)
    port = server._socket.getsockname()[1]
    url = f"http://127.0.0.1:{port}/connectors/slack/events"
    slack.listen_by_http(url)
    desk = run(
        mode="http",
        app_token="",
        signing_secret=slack.signing_secret,
        public_url="https://desk.example",
    )
    routes = desk.connector.routes(desk.desk.inbox.accept)
    server.start(Starlette(routes=[Mount("/connectors/slack", routes=routes)]))
    yield desk
    server.stop()
    slack.deliveries.http = None


def test_by_http_posts_buttons_and_commands_work_as_through_a_socket(
    slack, by_http, help_channel, ana
) -> None:
    post = slack.post(help_channel, ana, f"{slack.mention} Where is my invoice?")
    reply = by_http.reply(help_channel, post)
    slack.press(help_channel, reply, "thumb_up", ana)
    ticket = by_http.ticket(help_channel, post)
    eventually(lambda: by_http.tickets.feedback.of_ticket(ticket.id))
    command = slack.command(help_channel, "/deskmate", "what?", ana)
    told = [d for d in slack.deliveries.all if d.payload.get("event", {}).get("ts") == post["ts"]]
    slack.redeliver(told[0])
    by_http.settled()

    assert "Where is my invoice?" in shown(reply)
    assert command.done.wait(10)
    assert told[0].attempts == 2
    assert len(slack.by_bot(help_channel)) == 1


def test_an_event_that_slack_did_not_sign_is_refused(slack, by_http, help_channel, ana) -> None:
    url, _ = slack.deliveries.http
    event = {"type": "message", "channel": help_channel, "user": ana, "text": slack.mention}
    payload = {"type": "event_callback", "team_id": slack.team.id, "event": {**event, "ts": "1.1"}}
    forged = signed_request(url, "another secret", Delivery("events_api", payload))

    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(forged)

    assert by_http.tickets.arrivals.due("slack") == ()
