"""Things to test with, in every room: messages and fresh databases."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import URL, make_url

from assistant import Message, Ticket
from assistant.desk import Desk
from assistant.knowledge.sources import Folder
from assistant.model.encoder import MultimodalEncoder
from assistant.settings import Settings
from assistant.tickets.database import open_engine
from assistant.tickets.repository import Tickets
from tests.help_centre import write_help_centre

if TYPE_CHECKING:
    from assistant.testing.mail import MailServer


@pytest.fixture
def message() -> Callable[..., Message]:
    """Makes a customer's message from its text and subject."""

    def make(text: str = "It does not work", subject: str = "") -> Message:
        return Message("test", "1", "thread", "ann@example.com", text, subject)

    return make


@pytest.fixture
def ticket() -> Ticket:
    return Ticket(
        1, "test", "thread", "ann@example.com", "Help", "open", datetime(2026, 1, 2, tzinfo=UTC)
    )


@pytest.fixture(scope="session")
def encoder() -> MultimodalEncoder:
    """The core model, loaded once for all tests."""
    return MultimodalEncoder()


@pytest.fixture(scope="session")
def help_centre(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of five articles, one of them internal, one with a screenshot."""
    return write_help_centre(tmp_path_factory.mktemp("help-centre"))


@pytest.fixture(scope="session")
def indexed(
    tmp_path_factory: pytest.TempPathFactory, encoder: MultimodalEncoder, help_centre: Path
) -> Path:
    """A data folder with the index of the help centre; tests take a copy: `data_dir`."""
    folder = tmp_path_factory.mktemp("indexed")
    with Desk(Settings(data_dir=folder)) as desk:
        desk.encoder = encoder
        report = desk.index(Folder(help_centre, source="help"))
    assert report.unreadable == []
    return folder


@pytest.fixture
def data_dir(indexed: Path, tmp_path: Path) -> Path:
    """A test's own data folder, with the help centre indexed."""
    return Path(shutil.copytree(indexed, tmp_path / "data"))


@pytest.fixture(scope="session")
def desk(
    indexed: Path, encoder: MultimodalEncoder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """A desk that knows the help centre, for tests that change nothing in it."""
    folder = shutil.copytree(indexed, tmp_path_factory.mktemp("desk") / "data")
    with Desk(Settings(data_dir=Path(folder))) as desk:
        desk.encoder = encoder
        yield desk


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'deskmate.sqlite'}"


@pytest.fixture
def tickets(sqlite_url: str) -> Iterator[Tickets]:
    """An empty ticket database on SQLite."""
    engine = open_engine(sqlite_url)
    yield Tickets(engine)
    engine.dispose()


@pytest.fixture
def postgres_url(postgres_database: URL) -> str:
    """The URL of an empty PostgreSQL database that nobody else uses."""
    with _connect(postgres_database) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute("DROP SCHEMA IF EXISTS dbos CASCADE")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return postgres_database.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgres_database(postgres_server: URL) -> Iterator[URL]:
    """This run's database. Tests get it emptied, since making and dropping one for each of them
    takes a second."""
    name = f"deskmate_test_{uuid.uuid4().hex[:12]}"
    with _connect(postgres_server) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        # Tests kill clients, never the server: nothing has to reach the disk.
        connection.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    yield postgres_server.set(database=name)
    with _connect(postgres_server) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def mail_server() -> Iterator[MailServer]:
    """A Dovecot and an SMTP server for this run; tests get them emptied: `server`."""
    from assistant.testing.mail import HOW_TO_INSTALL, MailServer, installed

    if not installed():
        pytest.skip(HOW_TO_INSTALL)
    # Not pytest's folder: Dovecot, as another user, has to get into it, and its paths are short.
    with (
        tempfile.TemporaryDirectory(prefix="deskmate-") as folder,
        MailServer(Path(folder)) as mail,
    ):
        yield mail


@pytest.fixture
def server(mail_server: MailServer, monkeypatch: pytest.MonkeyPatch) -> MailServer:
    """A mail server with empty mailboxes, that refuses nothing; sent folders are looked into
    every second."""
    monkeypatch.setattr("connectors.email.receiving.SENT_SECONDS", 1.0)
    mail_server.empty()
    return mail_server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each test that asks for this runs on SQLite and on PostgreSQL."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(name)
    return url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """A PostgreSQL server: the one DESKMATE_TEST_POSTGRES_URL names, one on this machine, or
    one started for this run from the system's binaries. Skips if there is none."""
    if "DESKMATE_TEST_POSTGRES_URL" in os.environ:
        yield make_url(os.environ["DESKMATE_TEST_POSTGRES_URL"]).set(
            drivername="postgresql+psycopg"
        )
        return
    for user in ("postgres", "root"):
        url = _server(5432, user)
        if _answers(url):
            yield url
            return
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not binaries:
        pytest.skip(
            "no PostgreSQL: set DESKMATE_TEST_POSTGRES_URL, or install Debian's `postgresql`"
        )
    with tempfile.TemporaryDirectory(prefix="deskmate-postgres-") as folder:
        yield from _own_server(binaries[-1], Path(folder))


def _own_server(binaries: Path, folder: Path) -> Iterator[URL]:
    """Starts a cluster in `folder`; as root by way of another user, since PostgreSQL refuses it."""
    as_other_user: list[str] = []
    if os.getuid() == 0:
        user = next((u for u in ("postgres", "nobody") if _user_exists(u)), None)
        if user is None or not shutil.which("runuser"):
            pytest.skip("PostgreSQL does not run as root, and there is no other user to run it")
        shutil.chown(folder, user)
        as_other_user = ["runuser", "-u", user, "--"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(folder / "data")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off"

    def run(program: str, *arguments: str) -> None:
        command = [*as_other_user, str(binaries / program), "-D", data, *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder)

    run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync")
    run("pg_ctl", "-w", "-o", options, "-l", str(folder / "log"), "start")
    try:
        yield _server(port, "postgres")
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")


def _server(port: int, user: str) -> URL:
    return URL.create("postgresql+psycopg", user, host="127.0.0.1", port=port, database="postgres")


def _connect(server: URL) -> psycopg.Connection[tuple[object, ...]]:
    url = server.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(url, autocommit=True, connect_timeout=3)


def _answers(server: URL) -> bool:
    try:
        _connect(server).close()
    except psycopg.OperationalError:
        return False
    return True


def _user_exists(name: str) -> bool:
    import pwd

    return any(entry.pw_name == name for entry in pwd.getpwall())
