"""What was read in pictures, kept by content hash: a picture is read once, however often its
article changes or its indexing is interrupted."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from assistant.articles import Picture
from assistant.errors import KnowledgeError, UnreadableError
from assistant.messages import Box, Screen, ScreenLine


class Readings:
    """A picture reader with a memory in one SQLite file.

    `failures` collects (path, reason) of pictures that could not be read.
    """

    def __init__(self, file: Path, read: Callable[[bytes], Screen]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._file = file
        with self._explained():
            self._db = sqlite3.connect(file, check_same_thread=False, timeout=10)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute(
                "CREATE TABLE IF NOT EXISTS readings (sha256 TEXT PRIMARY KEY, screen TEXT)"
            )
        self.failures: list[tuple[str, str]] = []

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def text(self, picture: Picture) -> str:
        """The lines in an article's picture; empty, and noted in `failures`, if unreadable."""
        try:
            return self.screen(Path(picture.path).read_bytes()).text
        except (UnreadableError, OSError) as error:
            self.failures.append((picture.path, str(error)))
            return ""

    def screen(self, content: bytes) -> Screen:
        """What is read in an image file's bytes. Raises UnreadableError."""
        key = hashlib.sha256(content).hexdigest()
        with self._explained(), self._lock:
            known = self._db.execute(
                "SELECT screen FROM readings WHERE sha256 = ?", (key,)
            ).fetchone()
        if known:
            return _from_json(known[0])
        screen = self._read(content)
        with self._explained(), self._lock, self._db:
            self._db.execute(
                "INSERT OR REPLACE INTO readings VALUES (?, ?)",
                (key, json.dumps(asdict(screen), ensure_ascii=False)),
            )
        return screen

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise KnowledgeError(
                f"{self._file}: {error}. If the disk is full, make room; if another process holds"
                " it, wait for it; if it is damaged, delete the file."
            ) from error


def _from_json(text: str) -> Screen:
    values = json.loads(text)
    lines = tuple(
        ScreenLine(**{**line, "box": Box(**line["box"]), "look": tuple(line.get("look", ()))})
        for line in values.pop("lines")
    )
    return Screen(lines=lines, **values)
