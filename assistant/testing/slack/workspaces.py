"""Teams, users, channels, messages and files, as Slack's JSON has them."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
"""An object as Slack sends it."""


@dataclass
class Team:
    """A workspace in which the app is installed. `scopes` are those that its token has. Workspaces
    of one `enterprise`, if it is named, share one installation: token and bot."""

    id: str
    name: str
    bot_token: str
    scopes: frozenset[str]
    bot_user: str
    bot_id: str
    refresh_token: str = ""
    enterprise: str = ""


@dataclass
class Channel:
    """A conversation of any kind. `shared_with` are other teams, through Slack Connect."""

    id: str
    name: str
    team: str
    kind: str  # channel, group, im
    members: list[str]
    shared_with: tuple[str, ...] = ()
    messages: list[Json] = field(default_factory=list)


class ApiError(Exception):
    """What the Web API answers with `"ok": false`; the text is Slack's name of the error."""


class Workspaces:
    """Everything that Slack remembers. Methods may be called from any thread."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.url = ""
        self.teams: dict[str, Team] = {}
        self.users: dict[str, Json] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, tuple[Json, bytes]] = {}
        self.views: dict[str, Json] = {}
        self.homes: dict[str, Json] = {}
        self.ephemeral: list[Json] = []
        self.statuses: list[Json] = []
        self.dead_tokens: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._last_time = 0

    def new_id(self, letter: str) -> str:
        """An id as Slack makes them: a letter for the kind, then capitals and digits."""
        with self.lock:
            return f"{letter}{next(self._numbers):08d}"

    def new_ts(self) -> str:
        """A message's time stamp, later than every one before and unique."""
        with self.lock:
            self._last_time = max(self._last_time + 1, int(time.time() * 1_000_000))
            return f"{self._last_time // 1_000_000}.{self._last_time % 1_000_000:06d}"

    def new_response_url(self) -> str:
        """Where the app may answer an interaction later."""
        return f"{self.url}/response/{self.new_id('R')}"

    def team_of(self, token: str) -> Team:
        """Whose token it is. Raises ApiError if it is nobody's, or no longer."""
        if token in self.dead_tokens:
            raise ApiError(self.dead_tokens[token])
        for team in self.teams.values():
            if token and team.bot_token == token:
                return team
        raise ApiError("invalid_auth" if token else "not_authed")

    def channel(self, channel_id: str, team: Team | None = None) -> Channel:
        """The channel. Raises ApiError if there is none, or the team's bot cannot see it."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise ApiError("channel_not_found")
        if team and team.bot_user not in channel.members:
            raise ApiError("not_in_channel")
        return channel

    def message(self, channel: Channel, ts: str) -> Json:
        """The message. Raises ApiError if there is none of this time stamp."""
        for message in channel.messages:
            if message["ts"] == ts:
                return message
        raise ApiError("message_not_found")

    def thread(self, channel: Channel, ts: str) -> list[Json]:
        """The message of this time stamp and the replies to it, oldest first."""
        with self.lock:
            return [m for m in channel.messages if ts in (m["ts"], m.get("thread_ts"))]

    def add_message(self, channel: Channel, values: Json, thread_ts: str | None = None) -> Json:
        """Adds a message with a time stamp of its own."""
        with self.lock:
            message = {"type": "message", "ts": self.new_ts(), **values}
            if thread_ts:
                root = self.message(channel, thread_ts)
                message["thread_ts"] = root.get("thread_ts", root["ts"])
                message["parent_user_id"] = root["user"]
                root["thread_ts"] = root["ts"]
            channel.messages.append(message)
            return message

    def add_files(self, base: str, files: Iterable[tuple[str, bytes]], **more: Any) -> list[Json]:
        """Stores files; returns them as a message shows them."""
        shown = []
        for name, content in files:
            file_id = self.new_id("F")
            url = f"{base}/files/{file_id}/{name}"
            about = {
                "id": file_id,
                "name": name,
                "mimetype": _media_type(name),
                "size": len(content),
                "mode": "hosted",
                "url_private": url,
                "url_private_download": url,
                **more,
            }
            with self.lock:
                self.files[file_id] = (about, content)
            shown.append(about)
        return shown


def _media_type(name: str) -> str:
    endings = {"png": "image/png", "jpg": "image/jpeg", "mp4": "video/mp4", "m4a": "audio/mp4"}
    return endings.get(name.rsplit(".", 1)[-1].lower(), "text/plain")


def page(items: Sequence[Json], args: Json) -> tuple[list[Json], Json]:
    """One page of a list, and the metadata that leads to the next."""
    start = int(args.get("cursor") or 0)
    limit = int(args.get("limit") or 100)
    after = str(start + limit) if start + limit < len(items) else ""
    return list(items[start : start + limit]), {"next_cursor": after}
