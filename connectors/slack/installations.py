"""Workspaces that installed the app by OAuth, with their tokens in the database, encrypted."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from slack_sdk.oauth import InstallationStore, OAuthStateStore
from slack_sdk.oauth.installation_store import Bot, Installation

if TYPE_CHECKING:
    from assistant.tickets.secrets import Secrets

CONNECTOR = "slack"
STATE_SECONDS = 600
log = logging.getLogger("deskmate.connectors.slack")


class Installations(InstallationStore):
    """bolt's store, on the desk's secrets: one a workspace, by its id. Only the bot's token is
    kept; people's own tokens are not asked for."""

    def __init__(self, secrets: Callable[[], Secrets]) -> None:
        self._secrets = secrets

    @property
    def logger(self) -> logging.Logger:
        """Where bolt logs."""
        return log

    def save(self, installation: Installation) -> None:
        """Keeps the bot's token."""
        self.save_bot(installation.to_bot())

    def save_bot(self, bot: Bot) -> None:
        """Keeps the token, in place of the workspace's earlier one."""
        kept = ("app_id", "team_id", "team_name", "bot_token", "bot_id", "bot_user_id")
        more = ("bot_scopes", "bot_refresh_token", "bot_token_expires_at", "installed_at")
        values: dict[str, Any] = {name: getattr(bot, name) for name in (*kept, *more)}
        self._secrets().put(CONNECTOR, bot.team_id or "", json.dumps(values))
        log.info("saved_workspace team=%s", bot.team_id)

    def find_bot(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        is_enterprise_install: bool | None = False,
    ) -> Bot | None:
        """The workspace's bot, or None if the app is not installed there."""
        found = self._secrets().get(CONNECTOR, team_id or "")
        return None if found is None else Bot(**json.loads(found))

    def delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Forgets a workspace."""
        self._secrets().remove(CONNECTOR, team_id or "")
        log.info("removed_workspace team=%s", team_id)

    def teams(self) -> tuple[str, ...]:
        """The ids of all workspaces."""
        return self._secrets().names(CONNECTOR)


class States(OAuthStateStore):
    """The `state` of an installation that began: encrypted and dated, so that every process knows
    its own again. bolt ties it to the browser by a cookie as well."""

    def __init__(self, secrets: Callable[[], Secrets]) -> None:
        self._secrets = secrets

    @property
    def logger(self) -> logging.Logger:
        """Where bolt logs."""
        return log

    def issue(self, *args: Any, **kwargs: Any) -> str:
        """A new state."""
        return self._secrets().cipher().encrypt(b"slack").decode()

    def consume(self, state: str) -> bool:
        """Whether it was issued here in the last ten minutes."""
        from cryptography.fernet import InvalidToken

        try:
            return self._secrets().cipher().decrypt(state, ttl=STATE_SECONDS) == b"slack"
        except InvalidToken:
            return False
