"""A small help desk's database, on any server, and a desk that answers its tickets."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    insert,
    select,
    update,
)

from assistant.desk import Desk
from assistant.messages import Ticket
from assistant.plugging import Plugins
from assistant.settings import Settings
from connectors.ticket_database import plugin
from connectors.ticket_database.schema import connect
from tests.slack_desk import echo, eventually

PAGE = (Path(__file__).parents[1] / "docs" / "ticket-database.md").read_text(encoding="utf-8")
MAPPING = next(b for b in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL) if "[tickets]" in b)
"""The worked example of docs/ticket-database.md."""

TABLES = MetaData()
PEOPLE = Table(
    "people",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("email", String(200), nullable=False),
    Column("agent", Boolean, nullable=False, default=False),
)
TICKETS = Table(
    "tickets",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("subject", String(200), nullable=False),
    Column("requester_id", ForeignKey("people.id"), nullable=False),
    Column("state", String(20), nullable=False, default="new"),
    Column("assignee_id", ForeignKey("people.id")),
    Column("updated_at", DateTime, nullable=False),
)
COMMENTS = Table(
    "comments",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("ticket_id", ForeignKey("tickets.id"), nullable=False),
    Column("author_id", ForeignKey("people.id"), nullable=False),
    Column("body", Text, nullable=False),
    Column("internal", Boolean, nullable=False, default=False),
    Column("created_at", DateTime, nullable=False),
    Column("reference", String(64), unique=True),
)
FILES = Table(
    "files",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("comment_id", ForeignKey("comments.id"), nullable=False),
    Column("name", String(200), nullable=False),
    Column("content", LargeBinary, nullable=False),
)

ASSISTANT, BO, ANA, BEN = 1, 2, 3, 4


class HelpDesk:
    """The company's own database: two agents, one of them the assistant, and two customers."""

    def __init__(self, url: str, sql: str = "") -> None:
        self.url = url
        self.engine: Engine = connect(url, writes=True)
        TABLES.drop_all(self.engine)
        if sql:
            with self.engine.begin() as connection:
                connection.exec_driver_sql(sql)
        else:
            TABLES.create_all(self.engine)
        with self.engine.begin() as connection:
            for number, name, agent in (
                (ASSISTANT, "Assistant", True),
                (BO, "Bo", True),
                (ANA, "Ana", False),
                (BEN, "Ben", False),
            ):
                email = f"{name.lower()}@example.com"
                connection.execute(
                    insert(PEOPLE).values(id=number, name=name, email=email, agent=agent)
                )

    def ticket(self, text: str = "", customer: int = ANA, subject: str = "Help") -> int:
        """A customer opens a ticket; returns its number."""
        with self.engine.begin() as connection:
            number: int = connection.execute(
                insert(TICKETS).values(subject=subject, requester_id=customer, updated_at=now())
            ).inserted_primary_key[0]
            if text:
                self.comment(connection, number, customer, text)
        return number

    def say(self, ticket: int, author: int, text: str, *, internal: bool = False) -> int:
        """Somebody writes in a ticket."""
        with self.engine.begin() as connection:
            return self.comment(connection, ticket, author, text, internal=internal)

    def comment(
        self,
        connection: Connection,
        ticket: int,
        author: int,
        text: str,
        *,
        internal: bool = False,
        at: datetime | None = None,
    ) -> int:
        """The same, in a transaction of the caller's."""
        values = {"ticket_id": ticket, "author_id": author, "body": text, "internal": internal}
        statement = insert(COMMENTS).values(**values, created_at=at or now())
        number: int = connection.execute(statement).inserted_primary_key[0]
        return number

    def change(self, ticket: int, **values: Any) -> None:
        """A colleague changes the ticket."""
        with self.engine.begin() as connection:
            statement = update(TICKETS).where(TICKETS.c.id == ticket)
            connection.execute(statement.values(**values, updated_at=now()))

    def attach(self, comment: int, name: str, content: bytes) -> None:
        """A file is added to a message."""
        with self.engine.begin() as connection:
            values = {"comment_id": comment, "name": name, "content": content}
            connection.execute(insert(FILES).values(**values))

    def row(self, ticket: int) -> Any:
        """The ticket's row."""
        with self.engine.connect() as connection:
            return connection.execute(select(TICKETS).where(TICKETS.c.id == ticket)).one()

    def written(self, ticket: int | None = None, *, internal: bool = False) -> list[str]:
        """What the assistant wrote to the customer, or to colleagues, oldest first."""
        query = select(COMMENTS.c.body).where(
            COMMENTS.c.author_id == ASSISTANT, COMMENTS.c.internal == internal
        )
        if ticket is not None:
            query = query.where(COMMENTS.c.ticket_id == ticket)
        with self.engine.connect() as connection:
            return list(connection.scalars(query.order_by(COMMENTS.c.id)))


def now() -> datetime:
    """As the help desk keeps it: UTC, without a zone, in whole seconds."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)


class TicketDatabaseDesk:
    """A desk that answers a help desk's tickets. `answer` stands in for the pipeline, if it is
    given; `more` are settings of the connector."""

    def __init__(self, help_desk: HelpDesk, folder: Path, answer: Any = echo, **more: Any) -> None:
        self.help_desk = help_desk
        mapping = folder / "mapping.toml"
        mapping.write_text(more.pop("mapping", MAPPING), encoding="utf-8")
        plugins = Plugins()
        plugins.register("ticket-database", plugin)
        table = {
            "url": help_desk.url,
            "write_url": help_desk.url,
            "mapping": str(mapping),
            "poll_seconds": 0.1,
            "drafts_first": 0,
            **more,
        }
        settings = Settings(
            data_dir=folder / "data",
            inbox={"quiet_seconds": 0.2, "dead_after_seconds": 2, "worker_name": "desk"},
            connectors={"ticket_database": table},
        )
        self.desk = Desk(settings, plugins=plugins)
        self.answer = answer
        if answer is not None:
            self.desk.pipeline = SimpleNamespace(answer=lambda *asked: self.answer(*asked))
        self.tickets = self.desk.tickets
        self._stop = threading.Event()

    @property
    def connector(self) -> Any:
        return self.desk.connectors["ticket_database"]

    def __enter__(self) -> TicketDatabaseDesk:
        self.desk.inbox.start()
        self._thread = threading.Thread(
            target=self.connector.run, args=(self.desk.inbox.accept, self._stop), daemon=True
        )
        self._thread.start()
        find = self.tickets.arrivals.find
        eventually(lambda: find("ticket_database", "start/changes"))
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self.desk.close()

    def replies(self, ticket: int, number: int = 1) -> list[str]:
        """What was written to the customer; waits until there is so much."""
        eventually(lambda: len(self.help_desk.written(ticket)) >= number)
        return self.help_desk.written(ticket)

    def notes(self, ticket: int, number: int = 1) -> list[str]:
        """What was written to colleagues; waits until there is so much."""
        eventually(lambda: len(self.help_desk.written(ticket, internal=True)) >= number)
        return self.help_desk.written(ticket, internal=True)

    def known(self, ticket: int) -> Ticket:
        """Deskmate's own ticket; waits for it."""
        found: Ticket = eventually(lambda: self.tickets.find("ticket_database", f"ticket/{ticket}"))
        return found

    def settled(self) -> None:
        """Waits until nothing is waiting or under way."""
        eventually(lambda: not self.tickets.arrivals.due("ticket_database", limit=1))
        eventually(lambda: not self.tickets.left())
