"""Help desks on three kinds of servers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from tests.help_desk import HelpDesk, TicketDatabaseDesk

HOW_TO_INSTALL = (
    "no MariaDB: set DESKMATE_TEST_MYSQL_URL, or install Debian's `mariadb-server` (its mariadbd is"
    " started for the tests, no service needed)"
)


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[URL]:
    """A server: the one that DESKMATE_TEST_MYSQL_URL names, one on this machine, or one started for
    this run. Skips if there is none."""
    if "DESKMATE_TEST_MYSQL_URL" in os.environ:
        yield make_url(os.environ["DESKMATE_TEST_MYSQL_URL"]).set(drivername="mysql+pymysql")
        return
    url = URL.create("mysql+pymysql", "root", host="127.0.0.1", port=3306)
    if _answers(url):
        yield url
        return
    programs = os.environ["PATH"] + ":/usr/sbin"  # which only root has in its path
    program = shutil.which("mariadbd", path=programs)
    if program is None or shutil.which("mariadb-install-db") is None:
        pytest.skip(HOW_TO_INSTALL)
    with tempfile.TemporaryDirectory(prefix="deskmate-mariadb-") as folder:
        yield from _own_server(program, Path(folder))


def _own_server(program: str, folder: Path) -> Iterator[URL]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = ["--no-defaults", f"--datadir={folder / 'data'}"]
    common += ["--user=root"] if os.geteuid() == 0 else []  # it asks for that
    install = ["mariadb-install-db", *common, "--auth-root-authentication-method=normal"]
    subprocess.run(install, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = subprocess.Popen(
        [
            program,
            *common,
            f"--port={port}",
            "--bind-address=127.0.0.1",
            f"--socket={folder / 'socket'}",
            f"--pid-file={folder / 'pid'}",
        ],
        stderr=subprocess.DEVNULL,
    )
    url = URL.create("mysql+pymysql", "root", host="127.0.0.1", port=port)
    try:
        deadline = time.monotonic() + 30
        while not _answers(url):
            assert server.poll() is None, "mariadbd stopped"
            assert time.monotonic() < deadline, "mariadbd does not answer"
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def _answers(url: URL) -> bool:
    engine = create_engine(url, connect_args={"connect_timeout": 3})
    try:
        engine.connect().close()
    except OperationalError:
        return False
    finally:
        engine.dispose()
    return True


@pytest.fixture(scope="module")
def mysql_url(mysql_server: URL) -> Iterator[str]:
    """The URL of a database that nobody else uses."""
    yield from _database(mysql_server, "`")


@pytest.fixture(scope="module")
def help_desk_postgres_url(postgres_server: URL) -> Iterator[str]:
    """The URL of a PostgreSQL database beside Deskmate's own."""
    yield from _database(postgres_server, '"')


def _database(server: URL, quote: str) -> Iterator[str]:
    name = f"{quote}help_desk_{uuid.uuid4().hex[:12]}{quote}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.set(database=name.strip(quote)).render_as_string(hide_password=False)
    with engine.connect() as connection:
        force = " WITH (FORCE)" if quote == '"' else ""
        connection.execute(text(f"DROP DATABASE {name}{force}"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def help_desk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HelpDesk]:
    """A help desk without tickets, on each kind of server."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'help-desk.sqlite'}"
    elif request.param == "postgresql":
        url = request.getfixturevalue("help_desk_postgres_url")
    else:
        url = request.getfixturevalue("mysql_url")
    found = HelpDesk(url)
    yield found
    found.engine.dispose()


@pytest.fixture
def sqlite_help_desk(tmp_path: Path) -> Iterator[HelpDesk]:
    """A help desk without tickets, for what is the same on all servers."""
    found = HelpDesk(f"sqlite:///{tmp_path / 'help-desk.sqlite'}")
    yield found
    found.engine.dispose()


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., TicketDatabaseDesk]]:
    """Starts a desk at a help desk, with settings of its own."""
    with ExitStack() as stack:

        def start(help_desk: HelpDesk, answer: Any = None, **more: Any) -> TicketDatabaseDesk:
            arguments = {} if answer is None else {"answer": answer}
            return stack.enter_context(TicketDatabaseDesk(help_desk, tmp_path, **arguments, **more))

        yield start
