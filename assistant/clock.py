"""A wall clock that is set while the program runs: by a person, by NTP, as a machine wakes up."""

from __future__ import annotations

import time
from datetime import datetime


class Jumps:
    """Compares a wall clock with the monotonic one, which nobody sets."""

    def __init__(self) -> None:
        self._ahead: float | None = None

    def seconds(self, now: datetime) -> float:
        """By how much the wall clock, which says `now`, was set forward since the last call;
        negative if it was set back; 0 at the first call."""
        ahead = now.timestamp() - time.monotonic()
        before, self._ahead = self._ahead, ahead
        return 0.0 if before is None else ahead - before
