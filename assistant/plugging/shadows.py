"""Versions of plugins that are tried: they see what the live ones see, and change nothing.

A version that is tried is called after the live one, with what that was given, in a thread of its
own that no message waits for. What it would have changed is the difference between what the live
version made of it and what this one did.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from assistant.plugging.calling import Caller, Faults

WAITING = 1_000
"""So many calls may wait; what is more is not looked at, since live messages come first."""


@dataclass(frozen=True)
class Trial:
    """One call of a version that is tried. `about` names the message, as `connector:external-id`,
    or the reply; `change` is a diff, empty if all would have stayed the same. Of `message_arriving`
    no words are kept, since another plugin may take them out before the message is stored: `change`
    tells how long each line is, and `error` only its kind."""

    plugin: str
    number: int
    hook: str
    about: str
    change: str
    ms: float
    error: str


class Shadows:
    """Calls versions that are tried, one after the other, and gives each `Trial` to `note`."""

    def __init__(self) -> None:
        self.note: Callable[[Trial], None] = lambda trial: None
        self.caller = Caller()
        self._jobs: queue.Queue[Callable[[], Trial]] = queue.Queue(WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def later(self, look: Callable[[Caller, Faults], Any], live: Any, known: Trial) -> None:
        """Has `look` done in its time; it returns what the tried version makes of the same."""

        def job() -> Trial:
            faults: Faults = []
            began = time.perf_counter()
            made = look(self.caller, faults)
            ms = (time.perf_counter() - began) * 1_000
            error = faults[0].error if faults else ""
            change = "" if faults else difference(live, made)
            if known.hook == "message_arriving":
                error, change = re.split(r":| \(", error)[0], without_words(change)
            return dataclasses.replace(known, ms=ms, error=error, change=change)

        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.name = "deskmate-shadows"
                self._thread.start()
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            _log().warning("missed_trial", plugin=known.plugin, hook=known.hook)

    def finish(self) -> None:
        """Waits until everything that was begun is noted."""
        self._jobs.join()

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                self.note(job())
            except Exception as error:
                _log().error("failed_trial", error=type(error).__name__)
            finally:
                self._jobs.task_done()


def difference(live: Any, tried: Any) -> str:
    """What differs between two values, as a unified diff of their fields without context."""
    lines = difflib.unified_diff(list(_lines("", live)), list(_lines("", tried)), n=0, lineterm="")
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def without_words(change: str) -> str:
    """A difference that tells which fields differ, and of each line only its length."""
    lines = [line.partition(": ") for line in change.splitlines()]
    return "\n".join(
        f"{field}{colon}{len(words)} characters" if colon else field
        for field, colon, words in lines
    )


def _lines(name: str, value: Any) -> Iterator[str]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for each in dataclasses.fields(value):
            yield from _lines(f"{name}.{each.name}".lstrip("."), getattr(value, each.name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _lines(f"{name}.{key}", item)
    elif isinstance(value, tuple | list):
        for number, item in enumerate(value, 1):
            yield from _lines(f"{name} {number}".strip(), item)
    elif isinstance(value, bytes):
        yield f"{name} ({len(value):,} bytes, sha256 {hashlib.sha256(value).hexdigest()[:12]})"
    elif value is not None:
        for line in str(value).splitlines():
            yield f"{name}: {line}" if name else line


def _log() -> Any:
    # structlog takes 60 ms to import, which `deskmate --help` need not wait for.
    from assistant import logs

    return logs.logger("deskmate.plugins")
