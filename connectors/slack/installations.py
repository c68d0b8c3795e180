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
MEMBER_OF = "member_of"
log = logging.getLogger("deskmate.connectors.slack")


class Installations(InstallationStore):
    """bolt's store, on the desk's secrets: one a workspace, or one a whole organisation, by its id.
    A workspace that has the app through its organisation is noted with the organisation's id. Only
    the bot's token is kept; people's own tokens are not asked for."""

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
        kept = ("app_id", "enterprise_id", "team_id", "team_name", "is_enterprise_install")
        more = ("bot_token", "bot_id", "bot_user_id", "bot_scopes", "bot_refresh_token")
        times = ("bot_token_expires_at", "installed_at")
        values: dict[str, Any] = {name: getattr(bot, name) for name in (*kept, *more, *times)}
        owner = (bot.enterprise_id if bot.is_enterprise_install else bot.team_id) or ""
        self._secrets().put(CONNECTOR, owner, json.dumps(values))
        log.info("saved_workspace team=%s", owner)

    def find_bot(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        is_enterprise_install: bool | None = False,
    ) -> Bot | None:
        """The bot of the workspace, or of its organisation; None if the app is not installed."""
        found = self._get(team_id) or self._get(enterprise_id)
        if found and MEMBER_OF in found:
            found = self._get(found[MEMBER_OF])
        return Bot(**found) if found else None

    def note_member(self, team_id: str, enterprise_id: str) -> None:
        """The workspace has the app through its organisation, unless it has it itself."""
        if self._get(team_id) is None:
            self._secrets().put(CONNECTOR, team_id, json.dumps({MEMBER_OF: enterprise_id}))

    def delete_bot(self, *, enterprise_id: str | None, team_id: str | None) -> None:
        """Forgets a workspace, or an organisation."""
        owner = team_id or enterprise_id or ""
        self._secrets().remove(CONNECTOR, owner)
        log.info("removed_workspace team=%s", owner)

    def _get(self, owner: str | None) -> dict[str, Any] | None:
        found = self._secrets().get(CONNECTOR, owner) if owner else None
        return None if found is None else dict(json.loads(found))


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
