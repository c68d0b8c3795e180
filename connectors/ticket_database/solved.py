"""Solved tickets as articles.

They are internal: only colleagues are answered from them, until somebody looked at one and released
it (`deskmate tickets review`). A ticket that changes after that is internal again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from assistant import Article, Section
from connectors.ticket_database import mapping
from connectors.ticket_database.files import Files
from connectors.ticket_database.reading import HelpDeskTicket, Reader
from connectors.ticket_database.schema import Schema, connect, explained
from connectors.ticket_database.settings import TicketDatabaseSettings

SOURCE = "solved tickets"
NEWEST = 5_000


def articles(settings: TicketDatabaseSettings) -> Iterator[Article]:
    """The newest solved tickets that a colleague answered, each as a question and its answer.

    Raises SettingsError if the mapping is wrong, ConnectionError if the database does not answer.
    """
    engine = connect(settings.url)
    try:
        with explained("the help desk's database"):
            schema = Schema(engine, mapping.read(settings.mapping), writes=bool(settings.write_url))
        reader = Reader(engine, schema, Files(None, (), 0))
        for ticket in reader.newest(NEWEST, solved=True):
            article = _article(reader, ticket)
            if article is not None:
                yield article
    finally:
        engine.dispose()


def _article(reader: Reader, ticket: HelpDeskTicket) -> Article | None:
    public = [row for row in reader.conversation(ticket.id) if row.public and row.text]
    asked = next((row.text for row in public if row.kind == "customer"), "")
    # What the assistant wrote comes from articles; what colleagues wrote is new.
    answers = [row.text for row in public if row.by_colleague]
    if not asked or not answers:
        return None
    title = ticket.subject or asked[:80]
    content = hashlib.sha256("\0".join([title, asked, answers[-1]]).encode()).hexdigest()
    return Article(
        id=f"ticket/{ticket.id}",
        title=title,
        sections=(
            Section((title, "Question"), asked),
            Section((title, "Answer"), answers[-1]),
        ),
        source=SOURCE,
        audience="internal",
        content_hash=content,
    )
