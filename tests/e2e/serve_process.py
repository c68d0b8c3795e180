"""`deskmate serve` with everything real but the models, so that it can be started often.

Its clock is wrong by what ./clock says.

python -m tests.e2e.serve_process
"""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from assistant import logs
from assistant.desk import Desk
from assistant.messages import Outcome
from assistant.serving import serve
from benchmarks import clock
from tests.channel_desk import echo

FOR_STAFF = "pizza"  # a question with this word is handed over
DRAFTED = "refund"  # the answer to this one waits for a person
THINKING_SECONDS = 0.1


class Quick(Desk):
    """A desk that answers with the question."""

    def warm_up(self) -> None:
        """Loads nothing."""
        self.pipeline: Any = SimpleNamespace(answer=answer)


def answer(message: Any, ticket: Any, conversation: Any) -> Outcome:
    """Stands in for the pipeline."""
    time.sleep(THINKING_SECONDS)
    if FOR_STAFF in message.text:
        return Outcome("hand over", "no article is about this", "A colleague will answer you.")
    outcome = echo(message, ticket, conversation)
    if DRAFTED in message.text:
        return Outcome("draft", "not sure", outcome.text, outcome.answer)
    return outcome


def main() -> None:
    clock.follow(Path("clock"))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    logs.configure()
    with Quick.open() as desk:
        serve(desk, stop, only=(), workers=0)


if __name__ == "__main__":
    main()
