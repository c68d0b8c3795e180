"""Work that takes longer than a page: one piece at a time, its progress for all to see."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from assistant import logs
from assistant.errors import DeskmateError

log = logs.logger(__name__)

Progress = Callable[[int, int], None]
Job = Callable[[Progress], str]
"""Work that tells how much of how much is done, and returns in words what came of it."""


@dataclass(frozen=True)
class State:
    """A piece of work: who began it, how far it is, and at its end what came of it, or why it
    failed."""

    title: str
    who: str
    began_at: datetime
    done: int = 0
    total: int = 0
    ended_at: datetime | None = None
    said: str = ""
    problem: str = ""

    @property
    def running(self) -> bool:
        """Whether it goes on."""
        return self.ended_at is None


class Work:
    """What this process does in the background for the console."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.state: State | None = None

    def begin(self, title: str, who: str, job: Job) -> None:
        """Starts `job` in a thread. Raises DeskmateError while another one runs."""
        with self._lock:
            if self.state and self.state.running:
                raise DeskmateError(
                    f"“{self.state.title}” runs already, since {self.state.who} began it."
                    " Try again when it is done."
                )
            self.state = State(title, who, datetime.now(UTC))
        threading.Thread(target=self._run, args=(job,), name="console-work", daemon=True).start()

    def _run(self, job: Job) -> None:
        try:
            said, problem = job(lambda done, total: self._note(done=done, total=total)), ""
        except DeskmateError as error:
            said, problem = "", str(error)
        except Exception as error:
            log.exception("failed_work", error=logs.place(error))
            said, problem = "", "It failed. The log says where; run it again."
        self._note(said=said, problem=problem, ended_at=datetime.now(UTC))

    def _note(self, **changed: object) -> None:
        with self._lock:
            if self.state:
                self.state = replace(self.state, **changed)  # type: ignore[arg-type]
