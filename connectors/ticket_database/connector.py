"""The connector: what the desk holds."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from assistant import Accept, DeskmateError, Notice, Reply, UndeliverableError
from connectors.email import languages
from connectors.lanes import Lanes
from connectors.ticket_database import wording
from connectors.ticket_database.engines import connect, explained
from connectors.ticket_database.files import Files
from connectors.ticket_database.mapping import MappingFile
from connectors.ticket_database.reading import Reader
from connectors.ticket_database.schema import Schema
from connectors.ticket_database.settings import NAME, TicketDatabaseSettings, read
from connectors.ticket_database.watching import Stream, Watcher
from connectors.ticket_database.working import Worker, thread
from connectors.ticket_database.writing import Writer, as_html

if TYPE_CHECKING:
    from assistant import Desk

KEEP = timedelta(days=365)  # how long the names of rows that came in are known
FAILED_SECONDS = 120.0  # without the database, until the connector says that it failed

log = logging.getLogger("deskmate.connectors.ticket_database")


class TicketDatabaseConnector:
    """A help desk as a channel. The desk gives itself with `attach`."""

    name = NAME

    def __init__(
        self, settings: TicketDatabaseSettings, file: MappingFile, max_file_bytes: int
    ) -> None:
        self._settings = settings
        self._file = file
        self._files = Files(settings.files_dir, settings.file_urls, max_file_bytes)
        self._lock = threading.Lock()
        self._reader: Reader | None = None
        self._writer: Writer | None = None
        if settings.write_url and file.mapping.write and file.mapping.write.note:
            # Only then can it note: the desk looks whether there is such a method.
            self.annotate = self._annotate

    def read_settings(self, table: Mapping[str, Any]) -> TicketDatabaseSettings:
        """The checked settings of a table [connectors.ticket_database]. Raises SettingsError."""
        return read(table)

    def attach(self, desk: Desk) -> None:
        """The desk whose tickets these are."""
        self._desk = desk

    def check(self) -> None:
        """Holds the mapping against the database. Raises SettingsError with every mistake,
        ConnectionError if the database cannot be reached."""
        self._read()
        if self._settings.write_url:
            self._write()

    def run(self, accept: Accept, stop: threading.Event) -> None:
        """Watches for new rows and works on them, until `stop` is set."""
        self.check()
        reader, desk = self._read(), self._desk
        worker = Worker(desk, reader, verified=self._settings.customers_are_verified)
        worker.accept = accept
        lanes = Lanes(NAME, lambda: desk.tickets.arrivals, worker.work, worker.give_up, KEEP)
        watchers = [
            Watcher(
                stream,
                reader.engine,
                lambda: desk.tickets.arrivals,
                self._settings.overlap_seconds,
                self._file.zone,
            )
            for stream in streams(reader)
        ]
        ended = threading.Event()  # also if something else than `stop` ends this
        watching = _Watching(watchers, self._settings.poll_seconds, lanes.wake)
        thread_ = threading.Thread(target=watching.run, args=(ended,), name=NAME, daemon=True)
        thread_.start()
        try:
            lanes.run(stop, watching.check)
        finally:
            ended.set()
            thread_.join()

    def hold(self, reply: Reply) -> str | None:
        """Why a person looks at an answer before it is written."""
        if not self._settings.write_url:
            return "write_url is not set: nothing is written to the help desk"
        looked_at, wanted = self._desk.tickets.replies.reviewed(NAME), self._settings.drafts_first
        if looked_at < wanted:
            return f"the help desk is new: {looked_at} of {wanted} drafts were looked at"
        stored = self._desk.tickets.outcomes.of_message(NAME, reply.in_reply_to)
        if stored is not None and stored.outcome.action == "reply":
            question = self._desk.tickets.message(NAME, reply.in_reply_to)
            if reason := languages.differ(question.language, reply.text):
                return reason
        return self._taken(reply)

    def send(self, reply: Reply) -> str:
        """Writes the reply as a row; returns the row's id."""
        writer, stored = self._write(), self._desk.tickets.replies.get(reply.id)

        def unless() -> None:
            # Asked again with the ticket locked: a colleague may have been as fast.
            if not stored.approved_by and (reason := self._taken(reply)):
                raise UndeliverableError(reason)

        text = wording.answer(reply, self._language(reply), stored.approved_by, stored.author)
        words = {
            "subject": reply.subject,
            "customer": reply.to,
            "message": reply.in_reply_to.partition("/")[2],
            "text": text,
            "html": as_html(text),
            "author": stored.approved_by or "assistant",
        }
        row_id = writer.reply(
            _ticket_id(reply.thread_id),
            reply.id,
            words,
            unless,
            answers=not self._hands_over(reply),
        )
        log.info("wrote_reply ticket=%s row=%s", reply.ticket_id, row_id)
        return row_id

    def find_sent(self, reply: Reply) -> str | None:
        """The id of the reply's row, if it was written already."""
        return self._write().find(_ticket_id(reply.thread_id), reply.id)

    def _annotate(self, notice: Notice) -> str:
        """Writes an internal note into the ticket; a hand-over also gives the ticket to people."""
        if notice.kind == "hand over" and self._noted_before(notice):
            return ""  # colleagues see themselves that the customer wrote on
        text = wording.note(notice)
        words = {
            "subject": notice.ticket.subject,
            "customer": notice.ticket.customer,
            "message": "",
            "text": text,
            "html": as_html(text),
            "author": "assistant",
        }
        ticket_id = _ticket_id(notice.ticket.thread_id)
        hands_over = notice.kind == "hand over"
        return self._write().note(ticket_id, notice.id, words, hands_over=hands_over)

    def _noted_before(self, notice: Notice) -> bool:
        outcomes = [
            stored
            for stored in self._desk.tickets.outcomes.of_ticket(notice.ticket.id)
            if notice.outcome_id is None or stored.id < notice.outcome_id
        ]
        return bool(outcomes) and outcomes[-1].outcome.action == "hand over"

    def _taken(self, reply: Reply) -> str:
        """Why an answer is not wanted any more; empty if it is, or if it says that a person will
        answer."""
        if self._hands_over(reply):
            return ""
        reader, ticket_id = self._read(), _ticket_id(reply.thread_id)
        ticket = reader.ticket(ticket_id)
        if ticket is None:
            return "the ticket is not in the help desk any more"
        if ticket.open is False:
            return f"the ticket is {ticket.status!r} in the help desk"
        if ticket.assignee:
            return f"{ticket.assignee} has the ticket in the help desk"
        rows = reader.conversation(ticket_id)
        names = [row.name for row in rows]
        since = names.index(reply.in_reply_to) if reply.in_reply_to in names else len(rows)
        if any(row.by_colleague for row in rows[since:]):
            return "a colleague answered in the help desk"
        return ""

    def _hands_over(self, reply: Reply) -> bool:
        """Whether the reply says that a person will answer."""
        stored = self._desk.tickets.outcomes.of_message(NAME, reply.in_reply_to)
        return (
            stored is not None
            and stored.reply_id == reply.id
            and stored.outcome.action == "hand over"
        )

    def _language(self, reply: Reply) -> str | None:
        try:
            return self._desk.tickets.message(NAME, reply.in_reply_to).language
        except DeskmateError:
            return None

    def _read(self) -> Reader:
        with self._lock:
            if self._reader is None:
                settings = self._settings
                engine = connect(settings.url)
                with explained("the help desk's database"):
                    schema = Schema(engine, self._file, writes=bool(settings.write_url))
                self._reader = Reader(engine, schema, self._files)
            return self._reader

    def _write(self) -> Writer:
        if not self._settings.write_url or self._file.mapping.write is None:
            raise UndeliverableError(
                "nothing is written to the help desk: set connectors.ticket_database.write_url,"
                " and [write] in the mapping."
            )
        with self._lock:
            if self._writer is None:
                engine = connect(self._settings.write_url, "write_url", writes=True)
                with explained("the help desk's database"):
                    schema = Schema(engine, self._file, writes=True)
                self._writer = Writer(engine, schema)
            return self._writer


class _Watching:
    """Looks with all watchers again and again."""

    def __init__(
        self, watchers: list[Watcher], poll_seconds: float, wake: Callable[[], None]
    ) -> None:
        self._watchers = watchers
        self._poll_seconds = poll_seconds
        self._wake = wake
        self._looked_at = time.monotonic()
        self._error = ""

    def run(self, stop: threading.Event) -> None:
        """Looks until `stop` is set, whatever goes wrong."""
        while not stop.is_set():
            try:
                if sum([watcher.look() for watcher in self._watchers]):
                    self._wake()
                self._looked_at = time.monotonic()
            except Exception as error:
                self._error = type(error).__name__
                log.warning("failed_look error=%s", self._error)
                log.debug("failed_look", exc_info=True)
            stop.wait(self._poll_seconds)

    def check(self) -> None:
        """Raises ConnectionError if no look succeeded for a while."""
        if time.monotonic() - self._looked_at > FAILED_SECONDS + self._poll_seconds:
            raise ConnectionError(f"the help desk's database: {self._error}")


def streams(reader: Reader) -> list[Stream]:
    """What is watched: messages, tickets that have words of their own, and changes of tickets."""
    schema, mapping = reader.schema, reader.schema.mapping
    messages, tickets = mapping.messages, mapping.tickets
    view = schema.messages
    found = [
        Stream(
            "messages",
            view.source,
            view.column(messages.id),
            view.column(messages.ticket),
            view.column(messages.position or messages.id),
            reader.rows_of_interest(),
        )
    ]
    view = schema.tickets
    ticket_id = view.column(tickets.id)
    only = view.where(tickets.where) if tickets.where else ticket_id.is_not(None)
    if tickets.text:
        # By the id, since a column that changes would bring old tickets again.
        found.insert(0, Stream("tickets", view.source, ticket_id, ticket_id, ticket_id, only))
    if tickets.changed and (tickets.solved or tickets.assignee):
        changed = view.column(tickets.changed)
        found.append(Stream("changes", view.source, ticket_id, ticket_id, changed, only, True))
    return found


def _ticket_id(thread_id: str) -> str:
    """The help desk's own id of a conversation's ticket."""
    return thread_id.removeprefix(thread(""))
