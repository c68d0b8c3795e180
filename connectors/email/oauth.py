"""Access tokens for mailboxes that sign in with OAuth2 (RFC 6749, section 6; XOAUTH2)."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from assistant import UnreachableError
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

    def sign_in(self, attempt: Callable[[str], object], refusal: type[Exception]) -> None:
        """Signs in with a token and, if the server refuses that one, once more with a new one: it
        may have been withdrawn before its time. Raises what the second attempt raised, and what
        `current` does."""
        try:
            attempt(self.current())
        except refusal:
            self.forget()
            attempt(self.current())

    def current(self) -> str:
        """A token that is good for some minutes. Raises UnreachableError if the provider gives
        none."""
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
        answer = _asked(box.oauth_token_url, {k: v for k, v in fields.items() if v})
        self._token = str(answer["access_token"])
        self._until = time.monotonic() + float(answer.get("expires_in", 3600)) - EARLY_SECONDS
        newer = answer.get("refresh_token")
        if newer and newer != refresh:
            self._secrets().put(CONNECTOR, self._name, newer)


def xoauth2(user: str, token: str, challenge: bytes | None = None) -> str:
    """What a server's challenge is answered with (XOAUTH2). The first one is empty; a second one
    says what was wrong, and wants an empty answer."""
    return "" if challenge else f"user={user}\x01auth=Bearer {token}\x01\x01"


def refused(box: Mailbox, said: str) -> str:
    """That a server does not let us in, in words that say what to do."""
    if box.oauth_refresh_token:
        return (
            f"the access token of {box.login} is refused, and so is a new one ({said})."
            f" Give the mailbox's consent again and set oauth_refresh_token."
        )
    return f"{box.login} and its password are refused ({said}). Check user and password."


def _asked(url: str, fields: Mapping[str, str]) -> Mapping[str, Any]:
    """The provider's answer, with an access token."""
    request = urllib.request.Request(url, urllib.parse.urlencode(fields).encode())  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310
            answer: Mapping[str, Any] = json.load(response)
    except urllib.error.HTTPError as error:
        raise UnreachableError(
            f"{url} gives no access token: {_reason(error)}. If the consent was withdrawn or ran"
            " out, give it again and set oauth_refresh_token."
        ) from error
    except (OSError, ValueError) as error:
        raise UnreachableError(f"{url} gives no access token: {error}.") from error
    if not answer.get("access_token"):
        raise UnreachableError(f"{url}: the answer has no access_token. Check oauth_token_url.")
    return answer


def _reason(error: urllib.error.HTTPError) -> str:
    """What the provider says (RFC 6749, section 5.2)."""
    try:
        said = json.loads(error.read(10_000))
        return f"{said['error']} ({said.get('error_description', f'HTTP {error.code}')})"
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return f"HTTP {error.code}"
