"""docs/ticket-database.md says what is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from assistant import Article, Desk, Section, hookimpl
from assistant.model.encoder import MultimodalEncoder
from assistant.plugging import Plugins
from assistant.settings import Settings
from connectors.ticket_database import plugin
from connectors.ticket_database.mapping import PLACEHOLDERS, Mapping
from connectors.ticket_database.schema import connect
from connectors.ticket_database.settings import TicketDatabaseSettings, read
from connectors.ticket_database.solved import articles
from tests.help_desk import BO, PAGE, HelpDesk, TicketDatabaseDesk

SCHEMA, ROLES, MARKS = re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def example(help_desk_postgres_url: str) -> Iterator[HelpDesk]:
    """The page's help desk, with the page's roles."""
    engine = connect(help_desk_postgres_url, writes=True)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        connection.execute(text("GRANT USAGE ON SCHEMA public TO PUBLIC"))
        for role in ("deskmate_reader", "deskmate_writer"):
            if connection.scalar(text(f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'")):
                connection.execute(text(f"DROP ROLE {role}"))
    found = HelpDesk(help_desk_postgres_url, SCHEMA + ROLES)
    yield found
    with found.engine.begin() as connection:
        connection.execute(text("DROP OWNED BY deskmate_reader, deskmate_writer"))
        connection.execute(text("DROP ROLE deskmate_reader, deskmate_writer"))
    found.engine.dispose()


def as_role(desk: HelpDesk, role: str) -> str:
    url = make_url(desk.url).set(username=role, password="change-me")
    return url.render_as_string(hide_password=False)


def test_two_roles_with_the_least_rights_are_enough(example: HelpDesk, tmp_path: Path) -> None:
    urls = {
        "url": as_role(example, "deskmate_reader"),
        "write_url": as_role(example, "deskmate_writer"),
    }
    with TicketDatabaseDesk(example, tmp_path, **urls) as desk:
        ticket = example.ticket("How do I download an invoice?")

        assert desk.replies(ticket)[0].startswith("You asked: How do I download")
        assert example.row(ticket).state == "pending"


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("deskmate_reader", "INSERT INTO comments DEFAULT VALUES"),
        ("deskmate_reader", "UPDATE tickets SET state = 'new'"),
        ("deskmate_writer", "UPDATE comments SET body = ''"),
        ("deskmate_writer", "DELETE FROM comments"),
        ("deskmate_writer", "UPDATE tickets SET requester_id = 1"),
        ("deskmate_writer", "SELECT * FROM people"),
    ],
)
def test_the_roles_may_do_nothing_else(example: HelpDesk, role: str, statement: str) -> None:
    url = make_url(as_role(example, role)).set(drivername="postgresql")
    address = url.render_as_string(hide_password=False)

    with psycopg.connect(address) as connection, pytest.raises(psycopg.Error, match="permission"):
        connection.execute(statement)


def test_what_only_reads_refuses_to_write_whatever_its_role(sqlite_help_desk: HelpDesk) -> None:
    with connect(sqlite_help_desk.url).connect() as connection, pytest.raises(DBAPIError):
        connection.execute(text("DELETE FROM comments"))


def test_the_table_of_marks_has_the_columns_that_are_asked_for() -> None:
    assert "mark varchar(64) PRIMARY KEY, row_id varchar(64)" in MARKS


def test_the_page_names_every_setting_key_and_placeholder() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|$", PAGE, re.MULTILINE)
    documented = dict(rows)
    for name, field in TicketDatabaseSettings.model_fields.items():
        assert documented[name].startswith(str(field.description)), name
    for placeholder in PLACEHOLDERS:
        assert f"`{{{placeholder}}}`" in PAGE
    for part, field in Mapping.model_fields.items():
        keys = getattr(field.annotation, "model_fields", {})
        for key in keys:
            words = (f"`{part}.{key}`", f".{key}`", f".{key}.")
            assert any(word in PAGE for word in words), f"{part}.{key}"


def test_solved_tickets_are_internal_until_a_person_releases_them(
    sqlite_help_desk: HelpDesk, tmp_path: Path
) -> None:
    ticket = sqlite_help_desk.ticket("Where are invoices?", subject="Invoices")
    sqlite_help_desk.say(ticket, BO, "In Settings.")
    sqlite_help_desk.say(ticket, BO, "Never pays.", internal=True)
    sqlite_help_desk.change(ticket, state="solved")
    sqlite_help_desk.ticket("Nobody solved this.")
    desk = TicketDatabaseDesk(sqlite_help_desk, tmp_path, solved_as_knowledge=True)
    settings = read(desk.desk.settings.connectors["ticket_database"])

    ((article,),) = ([*source] for source in plugin.register_sources(desk.desk.settings))
    assert article == next(articles(settings))
    assert article.audience == "internal"
    assert [section.text for section in article.sections] == ["Where are invoices?", "In Settings."]
    releases = desk.tickets.releases
    assert releases.apply(article) == article
    releases.release(article, "Bo")
    assert releases.apply(article).audience == "public"

    sqlite_help_desk.say(ticket, BO, "It moved to Billing.")
    (changed,) = articles(settings)
    assert releases.apply(changed).audience == "internal"
    desk.desk.close()


def test_what_a_person_did_not_release_answers_no_customer(
    data_dir: Path, encoder: MultimodalEncoder
) -> None:
    """The index is asked as a customer is."""
    section = Section(
        ("Zorblax", "Answer"), "The Zorblax resets when you press its lid for a minute."
    )
    article = Article(
        "ticket/1", "Zorblax", (section,), source="solved", audience="internal", content_hash="1"
    )
    plugins = Plugins()
    plugins.register("solved", _Source(article))
    with Desk(Settings(data_dir=data_dir), plugins=plugins) as desk:
        desk.encoder = encoder
        question = "How do I reset the Zorblax?"
        desk.index_plugins()
        before = desk.ask(question)
        desk.tickets.releases.release(article, "Bo")
        desk.index_plugins()
        after = desk.ask(question)

    assert not any(hit.passage.title == "Zorblax" for hit in before.hits)
    assert any(hit.passage.title == "Zorblax" for hit in after.hits)


class _Source:
    def __init__(self, article: Article) -> None:
        self._article = article

    @hookimpl
    def register_sources(self, settings: object) -> list[list[Article]]:
        return [[self._article]]
