"""Calls plugins' code, one call at a time, so that a faulty one costs only itself.

A plugin runs in this process. A time limit frees the path from a plugin that waits or loops in
Python; it cannot interrupt one that holds the interpreter inside C code or ends the process.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TextIO, TypeVar

from assistant.messages import PluginFault
from assistant.plugging.faults import FaultError, worded
from assistant.plugging.threads import Started, Threads

T = TypeVar("T")

FAULTS_IN_A_ROW = 5
OFF_S = 600.0
"""A hook that fails so often in a row is not called for so many seconds; then once, to see."""

SWITCHED_OFF = (
    f"not called: switched off for {OFF_S / 60:g} minutes after {FAULTS_IN_A_ROW} faults in a row"
)

Faults = list[PluginFault]
"""What plugins did wrong during one message, one command or the start; the caller stores it."""

_in_plugin = threading.local()
os.register_at_fork(after_in_child=lambda: setattr(_in_plugin, "forked", True))


class Caller:
    """Calls hooks and tools with a time limit, and stops calling those that keep failing."""

    def __init__(self) -> None:
        self._threads = Threads()
        self._hanging: dict[tuple[str, str], Started[Any]] = {}
        self._in_a_row: Counter[tuple[str, str]] = Counter()
        self._off_until: dict[tuple[str, str], float] = {}

    def call(
        self,
        plugin: str,
        hook: str,
        work: Callable[[], T],
        faults: Faults,
        *,
        limit_s: float,
        passing: tuple[type[Exception], ...] = (),
        secrets: Sequence[str] = (),
        always: bool = False,
    ) -> T | None:
        """What `work` returned; None if that is nothing or a fault, which is appended to `faults`.

        `passing` errors are raised on. `secrets` do not stand in a fault's text. With `always`,
        the hook is called however often it failed before.
        """
        key = (plugin, hook)
        if key in self._hanging and not self._hanging[key].done():
            error = "not called: an earlier call has still not returned"
        elif not always and time.monotonic() < self._off_until.get(key, 0):
            error = SWITCHED_OFF
        else:
            started = self._threads.start(worded(_kept_in(work), passing))
            try:
                result = started.result(limit_s)
                self._in_a_row.pop(key, None)
                return result
            except FaultError as fault:
                error = str(fault)
            except TimeoutError:
                self._hanging[key] = started
                error = f"took longer than {limit_s:g} s"
        if error != SWITCHED_OFF:
            self._count(key)
        for secret in secrets:
            error = error.replace(secret, "[secret]")
        # The error may quote the customer: it goes to the ticket, and only the names to the log.
        _log().warning("failed_hook", plugin=plugin, hook=hook)
        faults.append(PluginFault(plugin, hook, error))
        return None

    def wait(
        self, work: Callable[[], T], limit_s: float, passing: tuple[type[Exception], ...]
    ) -> T:
        """What `work` returned. Raises FaultError, TimeoutError and what is in `passing`."""
        return self._threads.start(worded(_kept_in(work), passing)).result(limit_s)

    def off(self, plugin: str) -> tuple[str, ...]:
        """The hooks of a plugin that are switched off in this process."""
        now = time.monotonic()
        return tuple(h for (p, h), until in self._off_until.items() if p == plugin and now < until)

    def forget(self, plugin: str) -> None:
        """Gives new code of a plugin a new chance, whatever the old did."""
        for kept in (self._hanging, self._in_a_row, self._off_until):
            for key in [key for key in kept if key[0] == plugin]:
                kept.pop(key, None)

    def _count(self, key: tuple[str, str]) -> None:
        self._in_a_row[key] += 1
        if self._in_a_row[key] >= FAULTS_IN_A_ROW:
            self._off_until[key] = time.monotonic() + OFF_S
            _log().error("switched_off_hook", plugin=key[0], hook=key[1], seconds=OFF_S)


class PluginOutput:
    """Standard output that sends what a plugin prints to standard error, since ours is read by
    programs (`deskmate ask --json`)."""

    def __init__(self, ours: TextIO) -> None:
        self._ours = ours

    def write(self, text: str) -> int:
        """Writes to the one or the other."""
        return (sys.stderr if getattr(_in_plugin, "now", False) else self._ours).write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ours, name)


def _kept_in(work: Callable[[], T]) -> Callable[[], T]:
    """`work`, with its output told apart, and a process that it forks ended at its end: a second
    desk must not go on from there."""

    def run() -> T:
        _in_plugin.now, _in_plugin.forked = True, False
        try:
            return work()
        finally:
            _in_plugin.now = False
            if _in_plugin.forked:
                os._exit(1)

    return run


def _log() -> Any:
    # structlog takes 60 ms to import, which `deskmate --help` need not wait for.
    from assistant import logs

    return logs.logger("deskmate.plugins")
