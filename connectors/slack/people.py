"""Who somebody is: the name, whether staff, whether a full member of the workspace."""

from __future__ import annotations

import re
import threading
import time
from typing import Any

from slack_sdk.errors import SlackApiError

from connectors.slack.mrkdwn import escape
from connectors.slack.workspaces import Workspaces

REMEMBER_SECONDS = 300.0
_ID = re.compile(r"\((U\w+|W\w+)\)$")


class People:
    """What Slack says about people, remembered for five minutes."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces
        self._lock = threading.Lock()
        self._users: dict[tuple[str, str], tuple[float, dict[str, Any]]] = {}
        self._staff: tuple[float, frozenset[str]] = (0.0, frozenset())

    def name(self, team: str, user: str) -> str:
        """The name with the id, as tickets have it: `Ana Lima (U07AB)`."""
        about = self._about(team, user)
        return f"{about.get('real_name') or about.get('name') or 'somebody'} ({user})"

    def short_name(self, team: str, user: str) -> str:
        """The name alone."""
        return self.name(team, user).rpartition(" (")[0]

    def is_staff(self, user: str) -> bool:
        """Whether the person is in the staff channel.

        Raises SlackApiError if Slack does not say.
        """
        with self._lock:
            until, members = self._staff
        if time.monotonic() > until:
            team, channel = self._workspaces.staff_place()
            client = self._workspaces.client(team)
            pages = client.conversations_members(channel=channel, limit=200)
            members = frozenset(member for page in pages for member in page["members"])
            with self._lock:
                self._staff = (time.monotonic() + REMEMBER_SECONDS, members)
        return user in members

    def is_member(self, team: str, user: str) -> bool:
        """Whether the person is a full member of the workspace: no guest, no bot, nobody of another
        organisation."""
        about = self._about(team, user)
        outside = ("is_restricted", "is_ultra_restricted", "is_stranger", "is_bot", "deleted")
        return about.get("team_id") == team and not any(about.get(key) for key in outside)

    def _about(self, team: str, user: str) -> dict[str, Any]:
        with self._lock:
            until, about = self._users.get((team, user), (0.0, {}))
        if time.monotonic() > until:
            try:
                about = self._workspaces.client(team).users_info(user=user)["user"]
            except SlackApiError:
                about = {}  # strangers of another organisation, for instance
            with self._lock:
                self._users[team, user] = (time.monotonic() + REMEMBER_SECONDS, about)
        return about


def shown(name: str) -> str:
    """A name as tickets have it, as Slack shows it: a mention where it holds an id."""
    found = _ID.search(name)
    return f"<@{found.group(1)}>" if found else escape(name)
