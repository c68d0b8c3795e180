"""The server, and what a test does as Slack's users."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import uvicorn
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

from assistant.testing.slack import web
from assistant.testing.slack.delivery import Deliveries, Delivery
from assistant.testing.slack.events import Events
from assistant.testing.slack.workspaces import Channel, Json, Team, Workspaces

ALL_SCOPES = (
    "app_mentions:read channels:history channels:read chat:write commands files:read"
    " groups:history groups:read im:history im:read im:write users:read"
)
START_SECONDS = 10.0


class Slack:
    """Slack, on loopback; a context manager. Methods may be called from any thread.

    `scopes` are those of the app's token; `retry_after` the seconds before each redelivery of what
    was not acknowledged (Slack's own are about 3, 60 and 300).
    """

    app_token = web.APP_TOKEN
    client_id, client_secret = web.CLIENT_ID, web.CLIENT_SECRET
    signing_secret = "signing-secret"  # noqa: S105

    def __init__(
        self,
        *,
        scopes: Iterable[str] = ALL_SCOPES.split(),
        retry_after: Sequence[float] = (3.0, 60.0, 300.0),
    ) -> None:
        self.scopes = frozenset(scopes)
        self.workspaces = Workspaces()
        self.deliveries = Deliveries(retry_after)
        self._events = Events(self.workspaces, self.deliveries)
        self.web = web.Web(self.workspaces, self._events.message, self.add_team)
        self.team = self.add_team("acme")

    def __enter__(self) -> Slack:
        config = uvicorn.Config(
            self._application(), port=0, log_level="error", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="slack", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the stand-in for Slack did not start in {START_SECONDS} s")
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = self.workspaces.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *error: object) -> None:
        self.disconnect(warn=False)
        self._server.should_exit = True
        self._thread.join()

    def _application(self) -> Starlette:
        @asynccontextmanager
        async def delivering(app: Starlette) -> AsyncIterator[None]:
            task = asyncio.create_task(self.deliveries.run())
            yield
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        routes = [*self.web.routes(), WebSocketRoute("/socket", self.deliveries.listen)]
        return Starlette(lifespan=delivering, routes=routes)

    def listen_by_http(self, url: str) -> None:
        """Delivers to this address, signed, instead of through Socket Mode."""
        self.deliveries.http = (url, self.signing_secret)

    @property
    def api_url(self) -> str:
        """The Web API's address: `WebClient(base_url=…)`."""
        return f"{self.url}/api/"

    def client(self, team: Team | None = None) -> WebClient:
        """A client with the bot's token, to look at things as the app sees them."""
        return WebClient((team or self.team).bot_token, base_url=self.api_url)

    # ── What goes wrong ────────────────────────────────────────────────────────────────────────

    def fail(
        self,
        method: str,
        error: str = "",
        *,
        times: int = 1,
        status: int = 200,
        retry_after: int = 0,
        hang_up_after: bool = False,
    ) -> None:
        """Lets a Web API method, or a download (`files`), fail the next `times`: with an error's
        name, with an HTTP status such as 429, or, for `hang_up_after`, only after it was done."""
        self.web.faults[method] = web.Fault(times, error, status, retry_after, hang_up_after)

    def expire(self, token: str, error: str = "token_expired") -> None:
        """From now on the token is answered with this error."""
        self.workspaces.dead_tokens[token] = error

    def revive(self, token: str) -> None:
        """The token works again."""
        self.workspaces.dead_tokens.pop(token, None)

    def disconnect(self, *, warn: bool = True) -> None:
        """Ends the app's sockets, as Slack does every few hours; without `warn`, suddenly."""
        self.deliveries.disconnect(warn=warn)

    def redeliver(self, delivery: Delivery) -> None:
        """Delivers it again although it was acknowledged."""
        self.deliveries.again(delivery)

    # ── People and places ──────────────────────────────────────────────────────────────────────

    def add_team(self, name: str, enterprise: str = "") -> Team:
        """A workspace with the app, or one of the organisation of the id `enterprise` (E…)."""
        new, teams = self.workspaces.new_id, self.workspaces.teams.values()
        team = Team(new("T"), name, f"xoxb-{new('1')}", self.scopes, new("U"), new("B"))
        team.enterprise = enterprise
        if other := next((t for t in teams if enterprise and t.enterprise == enterprise), None):
            team.bot_token, team.bot_user = other.bot_token, other.bot_user
            team.bot_id = other.bot_id
        self.workspaces.teams[team.id] = team
        return team

    def add_user(self, name: str, *, team: Team | None = None, **about: Any) -> str:
        """A person; returns the id. `about` is more of what `users.info` says, such as
        `is_restricted=True` for a guest."""
        user_id = self.workspaces.new_id("U")
        profile = {"real_name": name, "display_name": name.split()[0]}
        user = {"id": user_id, "team_id": (team or self.team).id, "name": name.lower()}
        self.workspaces.users[user_id] = {**user, "real_name": name, "profile": profile, **about}
        return user_id

    def add_channel(
        self,
        name: str,
        members: Iterable[str] = (),
        *,
        kind: str = "channel",
        team: Team | None = None,
        with_bot: bool = True,
        shared_with: tuple[str, ...] = (),
    ) -> str:
        """A channel with these members and the app's bot; returns the id. `kind` is channel, group
        (private) or im; `shared_with` names other teams, through Slack Connect."""
        team = team or self.team
        channel_id = self.workspaces.new_id("D" if kind == "im" else "C")
        everybody = [*members, *([team.bot_user] if with_bot else [])]
        channel = Channel(channel_id, name, team.id, kind, everybody, shared_with)
        self.workspaces.channels[channel_id] = channel
        return channel_id

    def add_dm(self, user: str) -> str:
        """The direct messages between a person and the bot; returns the channel's id."""
        return self.add_channel("", [user], kind="im")

    @property
    def mention(self) -> str:
        """How a message names the bot."""
        return f"<@{self.team.bot_user}>"

    # ── What people do ─────────────────────────────────────────────────────────────────────────

    def post(
        self,
        channel_id: str,
        user: str,
        text: str = "",
        *,
        thread_ts: str | None = None,
        files: Iterable[tuple[str, bytes]] = (),
        file_fields: Json | None = None,
        tell: bool = True,
    ) -> Json:
        """Posts as `user`; returns the message. `files` are names with contents, `file_fields` more
        of what Slack says about them; with `tell=False` the app is not told of it."""
        channel = self.workspaces.channel(channel_id)
        shown = self.workspaces.add_files(self.url, files, **(file_fields or {}))
        about = {"user": user, "team": self.workspaces.users[user]["team_id"], "text": text}
        values = {**about, "files": shown, "subtype": "file_share"} if shown else about
        message = self.workspaces.add_message(channel, values, thread_ts)
        if tell:
            self._events.message(channel, message, self.workspaces.teams[channel.team])
        return message

    def edit(self, channel_id: str, message: Json, text: str) -> None:
        """The author changes a message's words."""
        before = dict(message)
        edited = {"user": message["user"], "ts": self.workspaces.new_ts()}
        message.update(text=text, edited=edited)
        change = {"message": dict(message), "previous_message": before}
        self._events.change(channel_id, "message_changed", change)

    def delete(self, channel_id: str, message: Json) -> None:
        """The author deletes a message."""
        channel = self.workspaces.channel(channel_id)
        with self.workspaces.lock:
            channel.messages.remove(message)
        change = {"deleted_ts": message["ts"], "previous_message": dict(message)}
        self._events.change(channel_id, "message_deleted", change)

    def press(self, channel_id: str, message: Json, action_id: str, user: str) -> Delivery:
        """Presses a button of a message; the last one whose action_id begins so."""
        block, button = _button(message, action_id)
        action = {**button, "block_id": block["block_id"], "action_ts": self.workspaces.new_ts()}
        container = {"type": "message", "message_ts": message["ts"], "channel_id": channel_id}
        if "thread_ts" in message:
            container["thread_ts"] = message["thread_ts"]
        return self._events.interaction(
            self.workspaces.teams[self.workspaces.channel(channel_id).team],
            "block_actions",
            user,
            {"actions": [action], "container": container, "message": dict(message)},
            channel_id,
        )

    def submit(self, view: Json, user: str, change: Callable[[str], str] = str) -> Delivery:
        """Submits a modal, each of its inputs changed by `change`."""
        values: Json = {}
        for block in view["blocks"]:
            if block["type"] == "input":
                element = block["element"]
                value = change(element.get("initial_value", ""))
                values[block["block_id"]] = {element["action_id"]: {"value": value}}
        submitted = {**view, "state": {"values": values}}
        return self._events.interaction(self.team, "view_submission", user, {"view": submitted})

    def shortcut(self, channel_id: str, message: Json, callback_id: str, user: str) -> Delivery:
        """Chooses a shortcut of a message."""
        about = {"callback_id": callback_id, "message": dict(message), "message_ts": message["ts"]}
        return self._events.interaction(self.team, "message_action", user, about, channel_id)

    def command(self, channel_id: str, command: str, text: str, user: str) -> Delivery:
        """Types a slash command."""
        return self.deliveries.send(
            "slash_commands",
            {
                "command": command,
                "text": text,
                "user_id": user,
                "team_id": self.team.id,
                "channel_id": channel_id,
                "trigger_id": self.workspaces.new_id("X"),
                "response_url": self.workspaces.new_response_url(),
            },
        )

    def open_home(self, user: str) -> Delivery:
        """Opens the app's home."""
        return self._events.event(
            {"type": "app_home_opened", "user": user, "tab": "home"}, self.team
        )

    # ── What a test looks at ───────────────────────────────────────────────────────────────────

    def thread(self, channel_id: str, message: Json) -> list[Json]:
        """The replies to a message, oldest first."""
        channel = self.workspaces.channel(channel_id)
        return [m for m in self.workspaces.thread(channel, message["ts"]) if m is not message]

    def messages(self, channel_id: str) -> list[Json]:
        """All messages of a channel, oldest first."""
        with self.workspaces.lock:
            return list(self.workspaces.channel(channel_id).messages)

    def by_bot(self, channel_id: str) -> list[Json]:
        """The app's messages in a channel, oldest first."""
        return [m for m in self.messages(channel_id) if "bot_id" in m]

    def called(self, method: str) -> list[Json]:
        """The arguments of every call of this method."""
        return [args for name, args in self.web.calls if name == method]


def _button(message: Json, action_id: str) -> tuple[Json, Json]:
    for block in reversed(message.get("blocks", [])):
        for element in block.get("elements", []):
            if element.get("action_id", "").startswith(action_id):
                return block, element
    raise LookupError(f"the message has no button {action_id!r}")
