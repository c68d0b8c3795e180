"""Access tokens for mailboxes that sign in with OAuth2 (RFC 6749, section 6; XOAUTH2)."""

from __future__ import annotations

import json
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING

from connectors.email.settings import Mailbox

if TYPE_CHECKING:
    from assistant.tickets.secrets import Secrets

CONNECTOR = "email"
TIMEOUT_SECONDS = 30
EARLY_SECONDS = 120.0  # a token is renewed so long before it ends


class AccessTokens:
    """The access token of one mailbox, renewed when it is due. Some providers give a new refresh
    token each time: it is kept with the desk's secrets, encrypted."""

    def __init__(self, name: str, box: Mailbox, secrets: Callable[[], Secrets]) -> None:
        self._name = f"{name}/refresh_token"
        self._box = box
        self._secrets = secrets
        self._lock = threading.Lock()
        self._token, self._until = "", 0.0

    def current(self) -> str:
        """A token that is good for some minutes. Raises OSError if the provider gives none."""
        with self._lock:
            if time.monotonic() > self._until:
                self._renew()
            return self._token

    def forget(self) -> None:
        """The token was refused: the next one is a new one."""
        with self._lock:
            self._until = 0.0

    def _renew(self) -> None:
        box = self._box
        refresh = self._secrets().get(CONNECTOR, self._name) or box.oauth_refresh_token
        fields = {
            "grant_type": "refresh_token",
            "client_id": box.oauth_client_id,
            "client_secret": box.oauth_client_secret,
            "refresh_token": refresh,
        }
        content = urllib.parse.urlencode({k: v for k, v in fields.items() if v}).encode()
        request = urllib.request.Request(box.oauth_token_url, content)  # noqa: S310 - the operator's
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            answer = json.load(response)
        self._token = str(answer["access_token"])
        self._until = time.monotonic() + float(answer.get("expires_in", 3600)) - EARLY_SECONDS
        newer = answer.get("refresh_token")
        if newer and newer != refresh:
            self._secrets().put(CONNECTOR, self._name, newer)
