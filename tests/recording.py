"""A channel for tests: a file that lists what was sent and outlives every process."""

from __future__ import annotations

import fcntl
import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assistant.connecting import Accept
from assistant.messages import Message, Notice, Reply


class RecordingConnector:
    """Brings `messages` and appends every reply to `file`, a JSON line each."""

    def __init__(self, file: Path, messages: Iterable[Message] = (), name: str = "email") -> None:
        self.name = name
        self.file = file
        self._messages = tuple(messages)
        file.touch()

    def run(self, accept: Accept, stop: threading.Event) -> None:
        for message in self._messages:
            accept(message)
        stop.wait()

    def send(self, reply: Reply) -> str:
        line = {"id": reply.id, "thread": reply.thread_id, "text": reply.text, "to": reply.to}
        with self.file.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(json.dumps(line) + "\n")
        return f"<{reply.id}@example.org>"

    def find_sent(self, reply: Reply) -> str | None:
        sent = any(line["id"] == reply.id for line in self.sent())
        return f"<{reply.id}@example.org>" if sent else None

    def sent(self) -> list[dict[str, Any]]:
        """Everything sent so far, oldest first."""
        with self.file.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            return [json.loads(line) for line in file]

    def texts(self) -> list[str]:
        """The texts of everything sent so far, oldest first."""
        return [line["text"] for line in self.sent()]


class StaffedConnector(RecordingConnector):
    """A recording channel through which staff are told as well."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.notices: list[Notice] = []

    def notify(self, notice: Notice) -> str:
        self.notices.append(notice)
        return f"notice {len(self.notices)}"
