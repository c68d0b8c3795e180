"""Which workspaces there are, and the token of each: one from the settings, or several by OAuth."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackTokenRotationError
from slack_sdk.oauth.installation_store import Bot
from slack_sdk.oauth.token_rotation import TokenRotator

from assistant import DeskmateError
from connectors.slack.client import Client, Limits
from connectors.slack.installations import Installations
from connectors.slack.settings import SlackSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from assistant.tickets.secrets import Secrets

RENEW_MINUTES = 30  # before a token expires


@dataclass(frozen=True)
class Workspace:
    """A workspace in which the app is installed, itself or through its organisation. `user` and
    `bot` are the bot's ids there."""

    team: str
    token: str
    user: str
    bot: str


class Workspaces:
    """All workspaces. May be used from any thread."""

    def __init__(self, settings: SlackSettings, secrets: Callable[[], Secrets]) -> None:
        self.installations = Installations(secrets)
        self._settings = settings
        self._limits = Limits()
        self._lock = threading.Lock()
        self._only: Workspace | None = None
        self._members: set[str] = set()

    def find(self, team: str, enterprise: str = "") -> Workspace | None:
        """The workspace, or None if the app is not installed there, nor in its `enterprise`.

        Raises SlackApiError if the only workspace's token is not valid at the first call.
        """
        if not self._settings.several:
            only = self._the_only()
            return only if team in ("", only.team) else None
        bot = self._renewed(team, enterprise)
        return Workspace(team, bot.bot_token, bot.bot_user_id, bot.bot_id) if bot else None

    def client(self, team: str) -> Client:
        """A client that acts in the workspace. Raises DeskmateError if the app is not there."""
        workspace = self.find(team)
        if workspace is None:
            raise DeskmateError(
                f"Slack workspace {team}: the app is not installed there (any more)."
            )
        return self._client(workspace.token)

    def authorize(self, enterprise_id: str | None, team_id: str | None) -> AuthorizeResult | None:
        """What bolt asks for each request; without a call to Slack."""
        workspace = self.find(team_id or "", enterprise_id or "")
        if workspace is None:
            return None
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=workspace.team or None,
            bot_id=workspace.bot,
            bot_user_id=workspace.user,
            bot_token=workspace.token,
        )

    def note_member(self, team: str, enterprise: str) -> None:
        """Something came from this workspace, which has the app through its organisation: by that
        it is known where to answer."""
        if self._settings.several and team not in self._members:
            self.installations.note_member(team, enterprise)
            self._members.add(team)

    def forget(self, owner: str) -> None:
        """The app was taken away from the workspace or organisation of this id."""
        if self._settings.several:
            self.installations.delete_bot(enterprise_id=None, team_id=owner)

    def staff_place(self) -> tuple[str, str]:
        """Team and channel of the staff channel."""
        team, _, channel = self._settings.staff_channel.rpartition("/")
        return (team or self._the_only().team), channel

    def anonymous(self) -> Client:
        """A client without a token, for OAuth and to open sockets."""
        return self._client(None)

    def _client(self, token: str | None) -> Client:
        return Client(token, self._settings.api_url, self._limits)

    def _the_only(self) -> Workspace:
        with self._lock:
            if self._only is None:
                token = self._settings.bot_token
                about = self._client(token).auth_test()
                self._only = Workspace(about["team_id"], token, about["user_id"], about["bot_id"])
            return self._only

    def _renewed(self, team: str, enterprise: str) -> Bot | None:
        """The workspace's bot; its token is renewed where tokens are rotated and it is due."""

        def find() -> Bot | None:
            return self.installations.find_bot(enterprise_id=enterprise, team_id=team)

        bot = find()
        if bot is None or bot.bot_refresh_token is None:
            return bot
        with self._lock:
            bot = find()
            if bot is None:
                return None
            rotator = TokenRotator(
                client_id=self._settings.client_id,
                client_secret=self._settings.client_secret,
                client=self.anonymous(),
            )
            try:
                newer = rotator.perform_bot_token_rotation(
                    bot=bot, minutes_before_expiration=RENEW_MINUTES
                )
            except SlackTokenRotationError:
                # Another process may have been faster, and the old refresh token is used up.
                again = find()
                if again is None or again.bot_token == bot.bot_token:
                    raise
                return again
            if newer is not None:
                self.installations.save_bot(newer)
            return newer or bot
