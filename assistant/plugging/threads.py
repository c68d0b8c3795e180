"""Threads for work that may hang, and is then left behind."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

_Job = tuple[Callable[[], Any], "Future[Any]"]


class Threads:
    """Starts calls in daemon threads and uses each thread again: 25 µs a call, beside 65 µs for a
    new thread (2 cores, Python 3.11).

    A `ThreadPoolExecutor` would wait for a hanging thread when the process ends; these do not.
    """

    def __init__(self) -> None:
        self._idle: deque[queue.SimpleQueue[_Job]] = deque()

    def start(self, work: Callable[[], T]) -> Future[T]:
        """Runs `work` in a thread of its own; wait on the future for as long as you like."""
        future: Future[T] = Future()
        try:
            jobs = self._idle.pop()
        except IndexError:
            jobs = queue.SimpleQueue()
            threading.Thread(
                target=self._serve, args=(jobs,), name="deskmate-limited", daemon=True
            ).start()
        jobs.put((work, future))
        return future

    def _serve(self, jobs: queue.SimpleQueue[_Job]) -> None:
        while True:
            self._do(*jobs.get())
            self._idle.append(jobs)

    def _do(self, work: Callable[[], T], future: Future[T]) -> None:
        try:
            result = work()
        except BaseException as error:  # SystemExit too: what runs here must not end the desk
            future.set_exception(error)
        else:
            future.set_result(result)
