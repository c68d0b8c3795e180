"""Mappings: their mistakes are named, they are proposed, and those of two products fit."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from assistant import SettingsError
from assistant.cli import command_line
from connectors.ticket_database import mapping, plugin
from connectors.ticket_database.files import Files
from connectors.ticket_database.reading import Reader
from connectors.ticket_database.schema import Schema, connect
from connectors.ticket_database.writing import Writer
from tests.connectors.ticket_database.test_writing import WORDS
from tests.help_desk import ANA, BO, MAPPING, HelpDesk

HERE = Path(__file__).parent


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('text = "body"', "", r"messages.text: missing"),
        ('text = "body"', 'text = "body"\ncolour = "x"', r"line \d+: messages.colour: no such key"),
        ('mark = "reference"', "", "write: name either mark"),
        ('timezone = "UTC"', 'timezone = "Mars"', r"line 1: timezone: no such time zone"),
        ('open = ["new"', "open = [new", "not valid TOML"),
    ],
)
def test_what_is_wrong_in_the_file(old: str, new: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        mapping.parse(MAPPING.replace(old, new, 1), "tickets.toml")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('text = "body"', 'text = "boddy"', "no column 'boddy'. Did you mean body?"),
        ('table = "comments"', 'table = "coments"', "no such table. Did you mean comments"),
        ('"requester.email"', '"requestor.email"', "no join 'requestor' before it. Joins:"),
        ('ticket_id = "{ticket}"', 'ticket_id = "{tickets}"', "{tickets} is not known"),
        ('body = "{text}"', "", "comments demands values for: body"),
        ('changed = "updated_at"', 'changed = "requester.agent"', "name such a column"),
    ],
)
def test_what_does_not_fit_the_database(
    sqlite_help_desk: HelpDesk, old: str, new: str, words: str
) -> None:
    file = mapping.parse(MAPPING.replace(old, new, 1), "tickets.toml")

    with pytest.raises(SettingsError) as raised:
        Schema(connect(sqlite_help_desk.url), file, writes=True)

    assert words in str(raised.value)
    assert "tickets.toml, line " in str(raised.value)


def test_a_mapping_is_proposed_shown_and_written(
    help_desk: HelpDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket = help_desk.ticket("How do I download an invoice?", subject="Invoices")
    help_desk.say(ticket, BO, "Open Settings.")
    help_desk.say(ticket, BO, "Never pays.", internal=True)
    help_desk.change(help_desk.ticket("Thanks!"), state="solved", assignee_id=BO)
    monkeypatch.chdir(tmp_path)
    cli = command_line()
    plugin.register_commands(cli)

    result = CliRunner().invoke(cli, ["tickets", "map", "--url", help_desk.url])

    assert result.exit_code == 0, result.output
    assert "Invoices · ana@example.com" in result.output
    assert "customer: How do I download an invoice?" in result.output
    assert "staff: Open Settings." in result.output
    assert "internal: Never pays." in result.output
    assert "solved, with Bo" in result.output
    found = mapping.read("tickets.toml").mapping
    assert found.tickets.table == "tickets"
    assert found.tickets.customer == "customer.email"
    assert (found.tickets.open, found.tickets.solved) == (("new",), ("solved",))
    assert found.attachments is not None
    assert found.attachments.content == "content"
    result = CliRunner().invoke(cli, ["tickets", "check", "tickets.toml", "--url", help_desk.url])
    assert "every table and column is there" in result.output


@pytest.fixture
def product(request: pytest.FixtureRequest, help_desk_postgres_url: str) -> str:
    """The name of a ready-made mapping, with its product's tables in the database."""
    engine = connect(help_desk_postgres_url, writes=True)
    name: str = request.param
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        connection.exec_driver_sql((HERE / f"{name}.sql").read_text(encoding="utf-8"))
    return name


def parts(name: str, url: str, folder: Path) -> tuple[Reader, Writer]:
    file, engine, writes = mapping.read(name), connect(url), connect(url, writes=True)
    files = Files(folder, (), 1_000_000)
    return (
        Reader(engine, Schema(engine, file, writes=True), files),
        Writer(writes, Schema(writes, file, writes=True)),
    )


@pytest.mark.parametrize("product", ["zammad"], indirect=True)
def test_zammad(product: str, help_desk_postgres_url: str, tmp_path: Path) -> None:
    reader, writer = parts(product, help_desk_postgres_url, tmp_path)
    with writer.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO tickets (id, group_id, priority_id, state_id, number, title, owner_id,"
            " customer_id, updated_by_id, created_by_id, created_at, updated_at)"
            " VALUES (7, 1, 2, 1, '100007', 'Invoices', 1, 3, 3, 3, now(), now());"
            'INSERT INTO ticket_articles (ticket_id, type_id, sender_id, "from", content_type,'
            " body, updated_by_id, created_by_id, created_at, updated_at) VALUES (7, 1, 2,"
            " 'Ana', 'text/html', '<p>Where are <b>invoices</b>?</p>', 3, 3, now(), now());"
            "INSERT INTO store_files (id, sha) VALUES (1, 'abc');"
            "INSERT INTO store_provider_dbs (sha, data) VALUES ('abc', 'PNG');"
            "INSERT INTO stores (store_object_id, store_file_id, o_id, filename, created_by_id)"
            " VALUES (1, 1, 1, 'a.png', 3), (2, 1, 1, 'avatar.png', 3);"
        )

    ticket = reader.ticket(7)
    assert ticket is not None
    assert (ticket.customer, ticket.open, ticket.assignee) == ("ana@example.com", True, None)
    (row,) = reader.messages(7)
    assert (row.kind, row.text) == ("customer", "Where are invoices?")
    assert [(a.filename, a.content) for a in reader.attachments(1)] == [("a.png", b"PNG")]
    writer.reply(7, "r1", WORDS, lambda: None)
    writer.note(7, "n1", WORDS, hands_over=True)
    assert [(r.kind, r.own) for r in reader.messages(7)[1:]] == [
        ("staff", True),
        ("internal", True),
    ]
    after = reader.ticket(7)
    assert after is not None
    assert after.status == "open"


@pytest.mark.parametrize("product", ["chatwoot"], indirect=True)
def test_chatwoot(product: str, help_desk_postgres_url: str, tmp_path: Path) -> None:
    (tmp_path / "ab" / "cd").mkdir(parents=True)
    (tmp_path / "ab" / "cd" / "abcdef").write_bytes(b"PNG")
    reader, writer = parts(product, help_desk_postgres_url, tmp_path)
    with writer.engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO conversations (id, account_id, inbox_id, contact_id, display_id,"
            " created_at, updated_at) VALUES (7, 1, 5, 1, 70, now(), now());"
            "INSERT INTO messages (id, content, account_id, inbox_id, conversation_id,"
            " message_type, created_at, updated_at)"
            " VALUES (9, 'Where are invoices?', 1, 5, 7, 0, now(), now()),"
            " (8, 'Conversation opened', 1, 5, 7, 2, now(), now());"
            "INSERT INTO attachments (id, message_id, account_id, created_at, updated_at)"
            " VALUES (3, 9, 1, now(), now());"
            "INSERT INTO active_storage_blobs (id, key, filename, content_type, byte_size,"
            " created_at, service_name) VALUES (4, 'abcdef', 'a.png', 'image/png', 3, now(), 'x');"
            "INSERT INTO active_storage_attachments (name, record_type, record_id, blob_id,"
            " created_at) VALUES ('file', 'Attachment', 3, 4, now());"
        )

    ticket = reader.ticket(7)
    assert ticket is not None
    assert (ticket.customer, ticket.open, ticket.solved) == ("ana@example.com", True, False)
    assert [(r.kind, r.text) for r in reader.messages(7)][1:] == [
        ("customer", "Where are invoices?")
    ]
    assert [(a.media_type, a.content) for a in reader.attachments(9)] == [("image/png", b"PNG")]
    row = writer.reply(7, "r1", WORDS, lambda: None)
    with writer.engine.connect() as connection:
        found = connection.execute(text("SELECT * FROM messages WHERE id = :id"), {"id": int(row)})
        written = found.one()
    assert (written.account_id, written.inbox_id, written.message_type) == (1, 5, 1)
    assert [(r.kind, r.own) for r in reader.messages(7) if r.own] == [("staff", True)]


def test_files_stay_in_their_folder_and_urls_in_their_places(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_bytes(b"fine")
    files = Files(tmp_path / "files", ("https://files.example.com/",), 1_000)

    assert files.read("path", "a.txt", "a.txt", "").content == b"fine"
    for path in ("../secret", str(tmp_path / "secret"), "missing"):
        assert files.read("path", path, "a.txt", "").missing
    for url in ("https://evil.example/", "https://files.example.com/%2e%2e/", "file:///etc/passwd"):
        assert files.read("url", url, "a", "").missing == "its address is not among file_urls"


def test_the_newest_tickets_come_first(sqlite_help_desk: HelpDesk) -> None:
    for _ in range(5):
        sqlite_help_desk.ticket("Hi", customer=ANA)
    engine = connect(sqlite_help_desk.url)
    file = mapping.parse(MAPPING, "tickets.toml")
    reader = Reader(engine, Schema(engine, file), Files(None, (), 0))

    assert [ticket.id for ticket in reader.newest(3)] == [5, 4, 3]
