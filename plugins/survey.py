"""Asks a customer whose ticket was solved how it went.

    [plugins.survey]
    public_url = "https://help.example.com"     # where this desk is reached; without it: off
    file = "data/survey.sqlite"

One message a ticket, with a link to a page of five buttons. The answer is kept with the ticket's
feedback (4 and 5 are a thumb up), and stands in its panel. A link that is only opened, as mail
scanners do, answers nothing.
"""

from __future__ import annotations

import html
import secrets
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field

from assistant import Accept, Connector, Reply, Ticket, UndeliverableError, hookimpl

if TYPE_CHECKING:
    import sqlite3

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from assistant import Desk

TABLE = """CREATE TABLE IF NOT EXISTS survey (
  ticket INTEGER PRIMARY KEY, token TEXT UNIQUE NOT NULL, rating INTEGER, comment TEXT)"""
LONGEST_COMMENT = 2_000
LARGEST_FORM = 40_000  # bytes
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="robots" content="noindex">
<meta name="viewport" content="width=device-width"><title>{title}</title>
<body style="font: 1.1rem system-ui; max-width: 32rem; margin: 3rem auto; padding: 0 1rem">
<h1>{title}</h1>{body}"""
FORM = """<form method="post"><p><label>{comment}<br><textarea name="comment" rows="4"
style="width: 100%"></textarea></label></p><p>{buttons}</p></form>"""


class Survey:
    """The plugin: `[plugins.survey]`. It is a connector too, for the page behind the link."""

    name = "survey"
    permissions = frozenset({"tickets:read", "sending"})

    class Settings(BaseModel):
        """Where the page is, and its words."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        public_url: str = Field("", pattern="^(https?://.+)?$", description="Of this desk.")
        file: Path = Field(Path("survey.sqlite"), description="SQLite file of the answers.")
        message: str = Field("How did we do? It takes one click: {link}")
        question: str = Field("How well did we help you?", description="Above the buttons.")
        comment: str = Field("What could be better?", description="Above the field.")
        thanks: str = Field("Thank you.", description="After it.")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._desk: Desk | None = None

    @hookimpl
    def register_connectors(self) -> list[Connector]:
        """Itself, once it has an address."""
        return [self] if self.settings.public_url else []

    @hookimpl
    def ticket_erased(self, ticket_id: int) -> None:
        """Erases what was said of the ticket."""
        if self.settings.file.is_file():
            with self._database() as db:
                db.execute("PRAGMA secure_delete = ON")
                db.execute("DELETE FROM survey WHERE ticket = ?", (ticket_id,))

    @hookimpl
    def ticket_solved(self, ticket: Ticket) -> None:
        """Sends the link, once a ticket. If that fails it is not tried again: better no survey
        than two."""
        channel = self._desk.connectors.get(ticket.connector) if self._desk else None
        if channel is None:
            return
        token = secrets.token_urlsafe(16)
        with self._database() as db:
            added = db.execute(
                "INSERT OR IGNORE INTO survey (ticket, token) VALUES (?, ?)", (ticket.id, token)
            ).rowcount
        if not added:
            return
        link = f"{self.settings.public_url.rstrip('/')}/connectors/{self.name}/{token}"
        channel.send(
            Reply(
                str(uuid.uuid5(uuid.NAMESPACE_URL, link)),
                ticket.id,
                ticket.connector,
                ticket.thread_id,
                ticket.customer,
                ticket.subject,
                self.settings.message.replace("{link}", link),
            )
        )

    @hookimpl
    def console_panels(self, ticket: Ticket) -> list[tuple[str, str]]:
        """What the customer said."""
        if not self.settings.public_url:
            return []
        with self._database() as db:
            row = db.execute(
                "SELECT rating, comment FROM survey WHERE ticket = ? AND rating NOTNULL",
                (ticket.id,),
            ).fetchone()
        if row is None:
            return []
        return [("Survey", f"<p>{row[0]} of 5</p><p>{html.escape(row[1])}</p>")]

    # --- The connector ---

    def attach(self, desk: Desk) -> None:
        """Keeps the desk, whose channels carry the link."""
        self._desk = desk

    def run(self, accept: Accept, stop: threading.Event) -> None:
        """Only the page receives."""
        stop.wait()

    def send(self, reply: Reply) -> str:
        """Nobody is written to on this channel."""
        raise UndeliverableError("a survey is no channel for replies")

    def find_sent(self, reply: Reply) -> str | None:
        """Nothing ever is."""
        return None

    def routes(self, accept: Accept) -> Sequence[BaseRoute]:
        """The page behind the link."""
        from starlette.concurrency import run_in_threadpool
        from starlette.routing import Route

        async def show(request: Request) -> Response:
            return await run_in_threadpool(self._show, request.path_params["token"])

        async def answer(request: Request) -> Response:
            body = b""
            async for piece in request.stream():
                body += piece
                if len(body) > LARGEST_FORM:
                    return self._page("That is too long.", "", 413)
            form = dict(parse_qsl(body.decode("utf-8", errors="replace")))
            rating, comment = form.get("rating", ""), form.get("comment", "")
            token = request.path_params["token"]
            return await run_in_threadpool(self._answer, token, rating, comment)

        return [
            Route("/{token}", show, methods=["GET"]),
            Route("/{token}", answer, methods=["POST"]),
        ]

    def _show(self, token: str) -> Response:
        with self._database() as db:
            known = db.execute("SELECT 1 FROM survey WHERE token = ?", (token,)).fetchone()
        if not known:
            return self._page("This link is not valid.", "", 404)
        buttons = " ".join(
            f'<button name="rating" value="{n}" style="font-size: 2rem">{n}</button>'
            for n in range(1, 6)
        )
        form = FORM.format(comment=html.escape(self.settings.comment), buttons=buttons)
        return self._page(self.settings.question, form)

    def _answer(self, token: str, rating: str, comment: str) -> Response:
        if rating not in ("1", "2", "3", "4", "5"):
            return self._page("Choose a number from 1 to 5.", "", 400)
        with self._database() as db:
            row = db.execute(
                "UPDATE survey SET rating = ?, comment = ? WHERE token = ? AND rating IS NULL"
                " RETURNING ticket",
                (int(rating), comment[:LONGEST_COMMENT], token),
            ).fetchone()
        if row and self._desk:
            note = f"{rating} of 5. {comment[:LONGEST_COMMENT]}".strip()
            self._desk.tickets.feedback.add(row[0], int(rating) >= 4, "customer", note)
        return self._page(self.settings.thanks, "")

    def _page(self, title: str, body: str, status: int = 200) -> Response:
        from starlette.responses import HTMLResponse

        safe = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
        return HTMLResponse(PAGE.format(title=html.escape(title), body=body), status, safe)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        import sqlite3

        db = sqlite3.connect(self.settings.file, timeout=10)
        try:
            with db:
                db.execute(TABLE)
                yield db
        finally:
            db.close()
