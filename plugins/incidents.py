"""Many tickets about one thing within an hour are one incident.

    [plugins.incidents]
    file = "data/incidents.sqlite"      # without one it does nothing

When `tickets` different customers write alike within `minutes`, an incident opens; they and those
who write alike later are linked to it. Once a person has said what is going on,

    deskmate incidents list
    deskmate incidents say 3 "Signing in fails with error 503; we expect a fix by 15:00 UTC."
    deskmate incidents close 3

that is the first passage from which linked tickets are answered: alike, cited, and checked like an
article. Say it in one sentence: without a chat model, answers are made of whole sentences.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from assistant import Hit, Message, Passage, SettingsError, Ticket, hookimpl

if TYPE_CHECKING:
    import sqlite3

    import typer

TABLES = """
CREATE TABLE IF NOT EXISTS incident (
  id INTEGER PRIMARY KEY, words TEXT NOT NULL, opened REAL NOT NULL,
  notice TEXT NOT NULL DEFAULT '', closed REAL);
CREATE TABLE IF NOT EXISTS seen (
  message TEXT PRIMARY KEY, ticket INTEGER NOT NULL, customer TEXT NOT NULL, words TEXT NOT NULL,
  at REAL NOT NULL, incident INTEGER REFERENCES incident);
CREATE INDEX IF NOT EXISTS seen_at ON seen (at);
"""
KEPT_S = 30 * 86_400.0
_WORD = re.compile(r"[^\W_]{3,40}")
# What every message has; other words that all have are found by their number.
_COMMON = frozenset(
    _WORD.findall(
        "the and you your that this with for not can cannot are was have has from when what hello"
        " please thanks thank help get our its but now since der die das und ich nicht ist ein eine"
        " mit bitte danke hallo les des est pas une que pour avec bonjour merci het een niet van"
    )
)


class Incidents:
    """The plugin: `[plugins.incidents]`."""

    permissions = frozenset({"tickets:read", "tickets:write", "commands"})

    class Settings(BaseModel):
        """When an incident opens."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        file: Path | None = Field(None, description="SQLite file of what came in; without: off.")
        tickets: int = Field(5, ge=2, description="So many customers make an incident.")
        minutes: float = Field(60, gt=0, description="Within so long.")
        alike: float = Field(0.5, gt=0, le=1, description="Shared words, of the shorter message.")

    def __init__(self, settings: Settings, now: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self._now = now

    @hookimpl(trylast=True)
    def message_received(self, message: Message, ticket: Ticket) -> None:
        """Notes the message, and links it to an incident; last, so that what was redacted or
        translated before is what is compared."""
        words = _words(f"{message.subject} {message.text}")
        if self.settings.file is None or len(words) < 2:
            return
        with self._database() as db:
            db.execute("DELETE FROM seen WHERE at < ?", (self._now() - KEPT_S,))
            db.execute(
                "INSERT OR IGNORE INTO seen VALUES (?, ?, ?, ?, ?, NULL)",
                (message.key, ticket.id, message.sender, " ".join(sorted(words)), self._now()),
            )
            incident = self._open_incident(db, words) or self._begin(db, words)
            db.execute("UPDATE seen SET incident = ? WHERE message = ?", (incident, message.key))

    @hookimpl
    def passages_found(self, message: Message, hits: Sequence[Hit]) -> list[Hit] | None:
        """Puts what was said about the message's incident before all else."""
        if self.settings.file is None:
            return None
        with self._database() as db:
            row = db.execute(
                "SELECT i.id, i.notice FROM seen s JOIN incident i ON i.id = s.incident"
                " WHERE s.message = ? AND i.closed IS NULL AND i.notice != ''",
                (message.key,),
            ).fetchone()
        if row is None:
            return None
        number, notice = row
        best = max((hit.score for hit in hits), default=1.0)
        similarity = max((hit.similarity for hit in hits), default=1.0)
        passage = Passage(f"incident-{number}", f"incident-{number}", ("Current incident",), notice)
        return [Hit(passage, best, {"incident": 1}, similarity), *hits]

    @hookimpl
    def console_panels(self, ticket: Ticket) -> list[tuple[str, str]]:
        """Says to which incident a ticket belongs."""
        if self.settings.file is None:
            return []
        with self._database() as db:
            rows = db.execute(
                "SELECT DISTINCT incident FROM seen WHERE ticket = ? AND incident NOTNULL",
                (ticket.id,),
            ).fetchall()
            return [
                ("Incident", f"<p>{number}: {len(_tickets(db, number))} tickets</p>")
                for (number,) in rows
            ]

    @hookimpl
    def register_commands(self, cli: typer.Typer) -> None:
        """`deskmate incidents list|say|close`."""
        import typer

        group = typer.Typer(help="Many tickets about one thing.", no_args_is_help=True)
        group.command("list", help="Open incidents.")(self._list)
        group.command("say", help="Says what linked tickets are answered with.")(self._say)
        group.command("close", help="Closes an incident.")(self._close)
        cli.add_typer(group, name="incidents")

    def _list(self) -> None:
        with self._database() as db:
            for number, words, notice in db.execute(
                "SELECT id, words, notice FROM incident WHERE closed IS NULL ORDER BY id"
            ).fetchall():
                tickets = ", ".join(map(str, _tickets(db, number)))
                print(f"{number}  {words}\n   tickets {tickets}\n   {notice or 'nothing said yet'}")

    def _say(self, number: int, text: str) -> None:
        self._change("UPDATE incident SET notice = ? WHERE id = ?", (text, number))

    def _close(self, number: int) -> None:
        self._change("UPDATE incident SET closed = ? WHERE id = ?", (self._now(), number))

    def _change(self, statement: str, values: tuple[object, ...]) -> None:
        with self._database() as db:
            if not db.execute(statement, values).rowcount:
                raise SystemExit(f"There is no incident {values[-1]}.")

    def _open_incident(self, db: sqlite3.Connection, words: set[str]) -> int | None:
        for number, known in db.execute("SELECT id, words FROM incident WHERE closed IS NULL"):
            if self._are_alike(words, set(known.split())):
                return int(number)
        return None

    def _begin(self, db: sqlite3.Connection, words: set[str]) -> int | None:
        since = self._now() - self.settings.minutes * 60
        alike = [
            (message, customer, set(known.split()))
            for message, customer, known in db.execute(
                "SELECT message, customer, words FROM seen WHERE at >= ? AND incident IS NULL",
                (since,),
            )
            if self._are_alike(words, set(known.split()))
        ]
        if len({customer for _, customer, _ in alike}) < self.settings.tickets:
            return None
        shared = {w for w in words if 2 * sum(w in known for *_, known in alike) >= len(alike)}
        number = db.execute(
            "INSERT INTO incident (words, opened) VALUES (?, ?)",
            (" ".join(sorted(shared)), self._now()),
        ).lastrowid
        db.executemany(
            "UPDATE seen SET incident = ? WHERE message = ?",
            [(number, message) for message, *_ in alike],
        )
        return number

    def _are_alike(self, one: set[str], other: set[str]) -> bool:
        shared = len(one & other)
        return shared >= 2 and shared >= self.settings.alike * min(len(one), len(other))

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other process's can come between."""
        if self.settings.file is None:
            raise SettingsError("plugins.incidents.file: not set. Name a file for incidents.")
        import sqlite3

        db = sqlite3.connect(self.settings.file, timeout=10, isolation_level=None)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.executescript(TABLES)
            db.execute("BEGIN IMMEDIATE")
            yield db
            db.execute("COMMIT")
        finally:
            db.close()


def _tickets(db: sqlite3.Connection, number: int) -> list[int]:
    rows = db.execute("SELECT DISTINCT ticket FROM seen WHERE incident = ? ORDER BY 1", (number,))
    return [ticket for (ticket,) in rows]


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.lower())) - _COMMON
