"""Supervision: a part that fails is run again, after pauses that grow, and the others go on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

from assistant import logs, metrics
from assistant.connecting import Accept, BranchingConnector, Connector
from assistant.errors import UnreachableError

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds before a part is run again; they double

log = logs.logger(__name__)


@dataclass
class State:
    """How a part is. `error` is the last one's kind and place, `restarts` counts how often it was
    run again."""

    kind: Literal["connector", "worker", "chroma"]
    name: str
    state: Literal["starting", "up", "failed", "stopped"] = "starting"
    restarts: int = 0
    error: str = ""


class Part:
    """Something that runs until it is told to stop, in a thread of its own.

    `run` is given the event that tells it. If it raises, or returns before that, it is run again:
    after a second at first, then after twice as long each time, a minute at most; once it ran for a
    minute, it is taken for well again.
    """

    def __init__(
        self,
        kind: Literal["connector", "worker", "chroma"],
        name: str,
        run: Callable[[threading.Event], None],
    ) -> None:
        self._run = run
        self._state = State(kind, name)
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> dict[str, Any]:
        """How it is, as plain values."""
        return asdict(self._state)

    @property
    def failed(self) -> bool:
        """Whether it waits to be run again."""
        return self._state.state == "failed"

    def start(self, stop: threading.Event) -> None:
        """Runs it until `stop` is set."""
        name = f"{self._state.kind}-{self._state.name}"
        self._thread = threading.Thread(target=self._supervise, args=(stop,), name=name)
        self._thread.daemon = True  # one that does not stop must not keep the process
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Waits so long at most until it has stopped."""
        if self._thread:
            self._thread.join(seconds)
            if self._thread.is_alive():
                log.warning("abandoned_part", kind=self._state.kind, name=self._state.name)

    def _supervise(self, stop: threading.Event) -> None:
        pause = FIRST_PAUSE
        about = {"kind": self._state.kind, "name": self._state.name}
        up = metrics.PART_UP.labels(**about)
        while not stop.is_set():
            self._state.state = "up"
            up.set(1)
            log.info("started_part", **about)
            began = time.monotonic()
            try:
                self._run(stop)
                self._state.error = "it ended by itself"
            except (ChildProcessError, UnreachableError) as error:
                self._state.error = str(error)  # our own words
            except Exception as error:
                self._state.error = logs.place(error)
                log.debug("failed_part", **about, exc_info=True)
            up.set(0)
            if stop.is_set():
                break
            if time.monotonic() - began > LONGEST_PAUSE:
                pause = FIRST_PAUSE
            self._state.state = "failed"
            log.error("failed_part", **about, error=self._state.error, again_in_seconds=pause)
            stop.wait(pause)
            pause = min(LONGEST_PAUSE, 2 * pause)
            if not stop.is_set():
                self._state.restarts += 1
                metrics.PART_RESTARTS.labels(**about).inc()
        self._state.state = "stopped"
        log.info("stopped_part", **about)


def of_connector(connector: Connector, accept: Accept) -> list[Part]:
    """What of a connector runs: itself, and each of its branches."""
    found = [Part("connector", connector.name, partial(connector.run, accept))]
    if isinstance(connector, BranchingConnector):
        found += [
            Part("connector", f"{connector.name}/{name}", run)
            for name, run in connector.branches().items()
        ]
    return found
