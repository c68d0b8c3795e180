"""A clock that jumps, in one process and without any rights: Python's wall clock goes wrong by what
a file says, as when a machine's clock is set. What is monotonic goes on, as it does there.

    python -m benchmarks.clock serve       `deskmate serve`, on the clock of ./clock
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

LOOK_SECONDS = 0.2


def set_wrong(file: Path, by: timedelta) -> None:
    """Sets the clock of the process that follows this file. It takes no more room than before, so
    that it can be set while the disk is full."""
    file.touch()
    with file.open("r+b", buffering=0) as same:
        same.write(f"{by.total_seconds():+9.0f}".encode())


def follow(file: Path) -> None:
    """Puts this process on the clock of a file: at once, then a moment after each change."""
    traveller = time_machine.travel(datetime.now(UTC))
    wrong_seconds = 0.0

    def look() -> None:
        nonlocal traveller, wrong_seconds
        asked = float(file.read_text()) if file.exists() else 0.0
        if asked == wrong_seconds:
            return
        if wrong_seconds:
            traveller.stop()
        if asked:
            traveller = time_machine.travel(datetime.now(UTC) + timedelta(seconds=asked))
            traveller.start()
        wrong_seconds = asked

    def keep_looking() -> None:
        while True:
            look()
            time.sleep(LOOK_SECONDS)

    look()
    threading.Thread(target=keep_looking, name="clock", daemon=True).start()


if __name__ == "__main__":
    from assistant.cli import main

    follow(Path("clock"))
    main()
