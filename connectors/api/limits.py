"""How often a caller may ask.

The generic cell rate algorithm (ITU-T I.371): a caller may make `per_minute` requests at once, and
then one for each of the minute's equal parts. What is kept is one number a caller, in this process.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

MINUTE = 60.0
MOST_CALLERS = 10_000  # so many are kept before those are forgotten who have their whole minute


@dataclass(frozen=True)
class Standing:
    """Where a caller stands after a request: `remaining` more at once, all of them again after
    `reset_seconds`. `retry_after` is 0, or how long to wait since this one was too much."""

    per_minute: int
    remaining: int
    reset_seconds: int
    retry_after: int

    @property
    def headers(self) -> dict[str, str]:
        """https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/"""
        headers = {
            "RateLimit-Policy": f'"minute";q={self.per_minute};w={MINUTE:.0f}',
            "RateLimit": f'"minute";r={self.remaining};t={self.reset_seconds}',
        }
        if self.retry_after:
            headers["Retry-After"] = str(self.retry_after)
        return headers


class Limits:
    """The requests of all callers."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at: dict[str, float] = {}  # when a caller's whole minute is free again

    def take(self, caller: str, per_minute: int) -> Standing:
        """Counts a request, unless it is one too many."""
        part = MINUTE / per_minute
        with self._lock:
            now = self._clock()
            free_at = max(self._free_at.get(caller, now), now)
            taken = free_at - now + part <= MINUTE + 1e-9
            if taken:
                free_at += part
                self._free_at[caller] = free_at
            if len(self._free_at) > MOST_CALLERS:
                self._free_at = {who: at for who, at in self._free_at.items() if at > now}
        used = free_at - now
        wait = 0.0 if taken else used + part - MINUTE
        remaining = int((MINUTE - used) / part + 1e-9)
        return Standing(per_minute, remaining, math.ceil(used), math.ceil(wait))
