"""Works on what connectors noted: of one conversation in order, of different ones at once."""

from __future__ import annotations

import logging
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assistant.tickets.arrivals import Arrival, Arrivals

LANES = 8
LOOK_SECONDS = 1.0
STOP_SECONDS = 0.1  # how soon a rest notices that it shall end
LONGEST_PAUSE_SECONDS = 600.0
GIVE_UP_AFTER = timedelta(days=1)
CLEAR_SECONDS = 3600.0


class Lanes:
    """Calls `work` with each arrival of the connector `name` until it succeeds; what it returns is
    kept with the arrival's name for the time `keep`. What fails comes again after pauses that grow
    to ten minutes; what still fails after a day is given to `give_up` with the error, and recorded
    as given up."""

    def __init__(
        self,
        name: str,
        arrivals: Callable[[], Arrivals],
        work: Callable[[Arrival], Mapping[str, Any] | None],
        give_up: Callable[[Arrival, str], None],
        keep: timedelta,
    ) -> None:
        self._name = name
        self._arrivals = arrivals
        self._work = work
        self._give_up = give_up
        self._keep = keep
        self._log = logging.getLogger(f"deskmate.connectors.{name}")
        self._news = threading.Event()
        self._lock = threading.Lock()
        self._under_way: set[str] = set()
        self._cleared_at = datetime.min.replace(tzinfo=UTC)

    def wake(self) -> None:
        """There may be a new arrival."""
        self._news.set()

    def run(self, stop: threading.Event, check: Callable[[], None] = lambda: None) -> None:
        """Works until `stop` is set; `check` is called about once a second and may raise."""
        names = [f"{self._name}-{number}" for number in range(LANES)]
        lanes = [ThreadPoolExecutor(1, thread_name_prefix=name) for name in names]
        try:
            while not stop.is_set():
                self._news.clear()
                for arrival in self._arrivals().due(self._name):
                    self._start(lanes, arrival)
                self._clear()
                check()
                self._rest(stop)
        finally:
            for lane in lanes:
                lane.shutdown(wait=True, cancel_futures=True)
            self._under_way.clear()

    def _rest(self, stop: threading.Event) -> None:
        """Until there is news, or the next look is due, or `stop` is set."""
        until = time.monotonic() + LOOK_SECONDS
        while not stop.is_set() and time.monotonic() < until and not self._news.wait(STOP_SECONDS):
            pass

    def _start(self, lanes: list[ThreadPoolExecutor], arrival: Arrival) -> None:
        with self._lock:
            if arrival.external_id in self._under_way:
                return
            self._under_way.add(arrival.external_id)
        lane = zlib.crc32(arrival.conversation.encode()) % LANES
        lanes[lane].submit(self._do, arrival)

    def _do(self, arrival: Arrival) -> None:
        try:
            keep = self._work(arrival)
            self._arrivals().finish(self._name, arrival.external_id, keep)
        except Exception as error:
            self._failed(arrival, error)
        finally:
            with self._lock:
                self._under_way.discard(arrival.external_id)

    def _failed(self, arrival: Arrival, error: Exception) -> None:
        kind = type(error).__name__
        about, reason = (arrival.external_id, kind), f"{kind}: {error}"
        self._log.debug("failed_arrival", exc_info=error)
        if datetime.now(UTC) - arrival.received_at < GIVE_UP_AFTER:
            self._log.warning("failed_arrival message=%s error=%s", *about)
            pause = min(LONGEST_PAUSE_SECONDS, 2.0 * 2**arrival.attempts)
            self._arrivals().postpone(self._name, arrival.external_id, reason, pause)
        else:
            self._log.error("gave_up_arrival message=%s error=%s", *about)
            self._give_up(arrival, reason)
            self._arrivals().give_up(self._name, arrival.external_id, reason)

    def _clear(self) -> None:
        now = datetime.now(UTC)
        if now - self._cleared_at > timedelta(seconds=CLEAR_SECONDS):
            self._cleared_at = now
            self._arrivals().clear(self._name, now - self._keep)
