"""The first administrator: a desk without people has a link that works once."""

from __future__ import annotations

import hmac
import secrets

from assistant.tickets.people import People


class Setup:
    """Whether the first administrator is still to come, and the secret that lets one in. The
    secret lives in this process only: a restart makes another."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._secret = secrets.token_urlsafe(24)

    def link(self, address: str) -> str | None:
        """Where to create the first administrator, or None if there is somebody already."""
        return None if self._people.any() else f"{address}/setup/{self._secret}"

    def admits(self, secret: str) -> bool:
        """Whether this secret is the right one, and still of use."""
        return (
            hmac.compare_digest(secret.encode(), self._secret.encode()) and not self._people.any()
        )
