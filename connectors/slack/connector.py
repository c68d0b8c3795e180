"""The connector: what the desk holds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from slack_bolt import App, BoltContext
from slack_bolt.adapter.socket_mode import SocketModeHandler

from assistant import Accept, Notice, Reply, UndeliverableError
from connectors.lanes import Lanes
from connectors.slack import buttons, http, listeners, sending
from connectors.slack.intake import NAME, Intake
from connectors.slack.notices import StaffChannel
from connectors.slack.people import People
from connectors.slack.place import Place
from connectors.slack.reading import Reader
from connectors.slack.sending import Post
from connectors.slack.settings import SlackSettings, read
from connectors.slack.staff import Staff
from connectors.slack.status import Status
from connectors.slack.working import Worker
from connectors.slack.workspaces import Workspaces

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from assistant import Desk

PING_SECONDS = 3  # a socket that does not answer is replaced
SOCKETS_WORK = 16  # threads that note what comes through the socket
LATER_WORK = 4  # threads for what follows a press of a button
KEEP = timedelta(days=14)  # how long Slack may deliver a post again
OFFLINE_SECONDS = 60.0  # without a socket, until the connector says that it failed

log = logging.getLogger("deskmate.connectors.slack")


class SlackConnector:
    """Slack as a channel, for one workspace or several. The desk gives itself with `attach`."""

    name = NAME

    def __init__(self, settings: SlackSettings, max_file_bytes: int) -> None:
        self._settings = settings
        self._max_file_bytes = max_file_bytes

    def read_settings(self, table: Mapping[str, Any]) -> SlackSettings:
        """The checked settings of a table [connectors.slack]. Raises SettingsError."""
        return read(table)

    def attach(self, desk: Desk) -> None:
        """The desk whose tickets these are."""
        self._desk = desk
        self._workspaces = Workspaces(self._settings, self._secrets)
        self._people = People(self._workspaces)
        self._staff_channel = StaffChannel(desk, self._workspaces)
        reader = Reader(
            self._workspaces,
            self._people,
            self._max_file_bytes,
            self._settings.members_see_internal,
        )
        status = Status(self._workspaces)
        self._worker = Worker(desk, self._workspaces, self._people, reader, status)
        self._lanes = Lanes(
            NAME, lambda: desk.tickets.arrivals, self._worker.work, self._worker.give_up, KEEP
        )

    def run(self, accept: Accept, stop: threading.Event) -> None:
        """Receives and works on what came, until `stop` is set.

        Raises whatever Slack says about a wrong token or staff channel.
        """
        self._worker.accept = accept
        self._people.is_staff("")  # a staff channel that cannot be read stops it here
        if self._settings.mode == "http":
            self._lanes.run(stop)
            return
        handler = SocketModeHandler(
            self._app(),
            self._settings.app_token,
            web_client=self._workspaces.anonymous(),
            ping_interval=PING_SECONDS,
            concurrency=SOCKETS_WORK,
        )
        try:
            handler.connect()  # type: ignore[no-untyped-call]
            self._lanes.run(stop, _connected(handler))
        finally:
            handler.close()  # type: ignore[no-untyped-call]

    def routes(self, accept: Accept) -> Sequence[BaseRoute]:
        """Where Slack posts events in mode http, and where workspaces install the app."""
        app = self._app() if self._settings.mode == "http" else None
        return http.routes(self._settings, self._workspaces, self._secrets, app)

    def send(self, reply: Reply) -> str:
        """Posts the reply in its conversation. Raises UndeliverableError if a person put files
        there: no scope of the app's lets it post any."""
        if reply.attachments:
            raise UndeliverableError("files are not passed on to Slack. Answer there, or without.")
        client = self._workspaces.client(Place.parse(reply.thread_id).team)
        return sending.send(client, reply, self._posts(reply))

    def find_sent(self, reply: Reply) -> str | None:
        """The reply's post, if it stands there. A long reply of which only the first posts stand
        there is completed."""
        client = self._workspaces.client(Place.parse(reply.thread_id).team)
        found = sending.find(client, reply)
        if not found:
            return None
        rest = sending.send(client, reply, self._posts(reply), done=tuple(found))
        return rest or found[max(found)]

    def notify(self, notice: Notice) -> str:
        """Posts in the staff channel."""
        return self._staff_channel.post(notice)

    def _posts(self, reply: Reply) -> list[Post]:
        stored = self._desk.tickets.outcomes.of_message(NAME, reply.in_reply_to)
        action = stored.outcome.action if stored and stored.reply_id == reply.id else ""
        answers = action in ("reply", "draft")
        return sending.posts(reply, thumbs=answers, person=answers or action == "ask")

    def _secrets(self) -> Any:
        return self._desk.tickets.secrets

    def _app(self) -> App:
        """bolt's app, with the listeners."""
        workspaces = self._workspaces

        def authorize(enterprise_id: str | None, team_id: str | None) -> Any:
            return workspaces.authorize(enterprise_id, team_id)

        app = App(
            name="deskmate",
            logger=logging.getLogger("slack_bolt"),
            signing_secret=self._settings.signing_secret,
            authorize=authorize,
            client=self._workspaces.anonymous(),
            # What a listener raises from is not acknowledged, and so delivered again.
            process_before_response=True,
        )
        app.use(self._injection())
        listeners.register(app)
        buttons.register(app)
        return app

    def _injection(self) -> Callable[..., Any]:
        pool = ThreadPoolExecutor(LATER_WORK, thread_name_prefix="slack-later")
        tickets = self._desk.tickets

        def later(work: Callable[..., Any], *arguments: Any, **named: Any) -> None:
            pool.submit(_logged, work, *arguments, **named)

        parts = {
            "desk": self._desk,
            "intake": Intake(tickets, self._settings.channels, self._lanes.wake),
            "people": self._people,
            "staff": Staff(self._desk, self._people, self._staff_channel),
            "workspaces": self._workspaces,
            "later": later,
        }

        workspaces = self._workspaces

        def inject(context: BoltContext, body: Mapping[str, Any], next: Callable[[], Any]) -> Any:
            context.update(parts)
            if context.is_enterprise_install and context.enterprise_id:
                # The authorization is the organisation's then, and names no workspace.
                team = context.team_id or body.get("team_id") or body["user"]["team_id"]
                context["team_id"] = team
                workspaces.note_member(team, context.enterprise_id)
            return next()

        return inject


def _connected(handler: SocketModeHandler) -> Callable[[], None]:
    """Raises ConnectionError once there was no socket for a while, so that it is seen."""
    seen = time.monotonic()

    def check() -> None:
        nonlocal seen
        if handler.client.is_connected():
            seen = time.monotonic()
        elif time.monotonic() - seen > OFFLINE_SECONDS:
            raise ConnectionError(f"no socket to Slack for {OFFLINE_SECONDS:.0f} s")

    return check


def _logged(work: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    try:
        work(*arguments, **named)
    except Exception as error:
        log.error("failed_listener error=%s", type(error).__name__)
        log.debug("failed_listener", exc_info=True)
