"""Mails are taken apart in a child process, which may not take long, nor much memory.

What a stranger sends is the most dangerous input there is. Whatever it does to a parser, here it
ends a child that knows no password and holds nothing; the mail is then kept with its headers alone,
and a person looks at it.
"""

from __future__ import annotations

import os
import pickle
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO, Any

from connectors.email import mime
from connectors.email.mime import Mail

MEMORY_BYTES = 400_000_000  # of address space; the child begins with a tenth of it
SECONDS = 2.0
SECONDS_PER_MEGABYTE = 0.25  # reading and handing over of large mails
START_SECONDS = 30.0
TOO_LONG = "it took too long, or too much memory, to take it apart"

_LENGTH = struct.Struct(">Q")


class Guard:
    """Takes mails apart, one after the other; may be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def parse(self, raw: bytes) -> Mail:
        """The mail; one that ended the child is read in its headers only, and says so."""
        with self._lock:
            try:
                answer = self._ask(raw)
            except (EOFError, OSError):
                self._end()
                return mime.unread(raw, TOO_LONG)
        # From a child of ours, which only ever sends `Mail`.
        mail: Mail = pickle.loads(answer)  # noqa: S301
        return mail

    def close(self) -> None:
        """Ends the child."""
        with self._lock:
            self._end()

    def _ask(self, raw: bytes) -> bytes:
        child = self._started()
        seconds = SECONDS + SECONDS_PER_MEGABYTE * len(raw) / 1e6
        with _ended_after(child, seconds):
            _put(_pipe(child.stdin), raw)
            return _take(_pipe(child.stdout))

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None or self._child.poll() is not None:
            environment = {
                "PATH": os.environ.get("PATH", ""),
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                "MALLOC_ARENA_MAX": "2",
            }
            child = subprocess.Popen(
                [sys.executable, "-m", "connectors.email.guard"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            self._child = child
            with _ended_after(child, START_SECONDS):
                _take(_pipe(child.stdout))  # it is ready
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                with suppress(OSError):  # what could not be handed over any more
                    _pipe(pipe).close()
            self._child = None


class _ended_after:  # noqa: N801
    """Kills a child that is not done in time: whoever reads from it then sees its end."""

    def __init__(self, child: subprocess.Popen[bytes], seconds: float) -> None:
        self._timer = threading.Timer(seconds, child.kill)
        self._timer.daemon = True

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *error: object) -> None:
        self._timer.cancel()


def _put(pipe: IO[bytes], content: bytes) -> None:
    pipe.write(_LENGTH.pack(len(content)))
    pipe.write(content)
    pipe.flush()


def _take(pipe: IO[bytes]) -> bytes:
    """What the other side put. Raises EOFError if it ended."""
    (length,) = _LENGTH.unpack(_read(pipe, _LENGTH.size))
    return _read(pipe, length)


def _read(pipe: IO[bytes], length: int) -> bytes:
    content = pipe.read(length)
    if len(content) < length:
        raise EOFError
    return content


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def main() -> None:
    """The child: takes mails apart until there are no more."""
    import resource
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    incoming: IO[bytes] = sys.stdin.buffer
    outgoing: Any = sys.stdout.buffer
    mime.parse(b"Subject: ready\r\n\r\nEverything that is imported late is imported now: \xe4")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    _put(outgoing, b"ready")
    while True:
        try:
            raw = _take(incoming)
        except (EOFError, struct.error):
            return
        _put(outgoing, pickle.dumps(mime.parse(raw)))


if __name__ == "__main__":
    main()
