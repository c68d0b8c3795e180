"""Opening the ticket database and bringing its tables up to date."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, ExceptionContext
from sqlalchemy.exc import ArgumentError, IntegrityError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from alembic import command
from assistant.errors import DatabaseError
from assistant.tickets.tables import Table

BUSY_SECONDS = 30.0  # how long SQLite waits for another writer
WRITES = "deskmate_writes"  # where a connection keeps the locks of its transaction
MIGRATIONS_LOCK = 0x6465736B6D617465  # PostgreSQL advisory lock: "deskmate" in ASCII


def open_engine(url: str) -> Engine:
    """The engine of an up-to-date ticket database.

    `url` is an SQLAlchemy URL of SQLite or PostgreSQL. A SQLite file that does not exist yet is
    created with all its tables. From then on every operation that fails because the database is
    locked, full or unreachable raises DatabaseError with the next step.

    Raises DatabaseError when the database cannot be reached, is older than this version
    (`deskmate db upgrade`), or newer.
    """
    engine = connect(url)
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        empty = not inspect(connection).get_table_names()
    if empty and engine.dialect.name == "sqlite":
        upgrade(engine)
        return engine
    _require_latest(engine, current)
    return engine


def connect(url: str) -> Engine:
    """The engine of a database in any state, for `upgrade` and `downgrade`."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise DatabaseError(
            f"{url!r}: not a database URL. Write sqlite:///PATH or postgresql://HOST/NAME."
        ) from error
    match parsed.get_backend_name():
        case "sqlite":
            engine = _sqlite_engine(parsed)
        case "postgresql" | "postgres":
            parsed = parsed.set(drivername="postgresql+psycopg")
            engine = create_engine(parsed, pool_pre_ping=True, pool_size=10, max_overflow=20)
            event.listen(engine, "connect", _without_jit)
        case other:
            raise DatabaseError(f"{other}: no such database here. Use SQLite or PostgreSQL.")
    event.listen(engine, "handle_error", _explain(parsed), retval=True)
    return engine


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Brings the tables up to `revision`, in one transaction; a second process waits its turn."""
    _migrate(engine, command.upgrade, revision)


def downgrade(engine: Engine, revision: str = "base") -> None:
    """Takes the tables back to `revision`; `base` removes them with everything in them."""
    _migrate(engine, command.downgrade, revision)


def revisions(engine: Engine) -> tuple[str | None, str | None]:
    """The database's revision and this version's."""
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return current, ScriptDirectory.from_config(_config()).get_current_head()


def sessions(engine: Engine) -> tuple[sessionmaker[Session], sessionmaker[Session]]:
    """Makers of sessions that write and of sessions that only read: `with write.begin() as
    session` and `with read() as session`."""
    return sessionmaker(engine), sessionmaker(engine.execution_options(read_only=True))


def insert_once(session: Session, table: type[Table], **values: Any) -> bool:
    """Inserts a row unless one with the same key exists; returns whether it did.

    A process that inserts the same key at the same time waits for the first one's commit.
    """
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else None
    statement = (insert or sqlite.insert)(table).values(**values).on_conflict_do_nothing()
    key = inspect(table).primary_key  # returned for a new row only
    return session.execute(statement.returning(*key)).first() is not None


def _migrate(engine: Engine, run: Callable[[Config, str], Any], revision: str) -> None:
    config = _config()
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATIONS_LOCK})")
        config.attributes["connection"] = connection
        try:
            run(config, revision)
        except CommandError as error:
            raise DatabaseError(f"{revision!r}: {error}. Name a revision, -1 or base.") from error


def _config() -> Config:
    """Alembic's configuration: in a wheel the migrations lie in this package, in a checkout in
    the folder `alembic` beside `assistant`."""
    here = Path(__file__).parent
    shipped = here / "migrations"
    config = Config()
    folder = shipped if shipped.is_dir() else here.parent.parent / "alembic"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


def _require_latest(engine: Engine, current: str | None) -> None:
    scripts = ScriptDirectory.from_config(_config())
    if current == scripts.get_current_head():
        return
    name = engine.url.render_as_string(hide_password=True)
    if current is None:
        raise DatabaseError(f"{name}: not prepared yet. Run `deskmate db upgrade`.")
    if current not in {script.revision for script in scripts.walk_revisions()}:
        raise DatabaseError(
            f"{name}: written by a newer Deskmate (revision {current}). "
            "Install that version, or restore a backup."
        )
    raise DatabaseError(f"{name}: at the older revision {current}. Run `deskmate db upgrade`.")


def _sqlite_engine(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        folder = Path(url.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseError(
                f"{folder}: cannot be created ({error.strerror}). Choose another data_dir."
            ) from error
    # As many connections as threads want: who waits for its turn to write holds one, and must not
    # keep it from an acknowledgement, nor from those who only read.
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=0)
    event.listen(engine, "connect", _configure_sqlite)
    writers = _Writers()
    event.listen(engine, "begin", writers.begin)
    event.listen(engine, "commit", writers.end)
    event.listen(engine, "rollback", writers.end)
    return engine


def _configure_sqlite(connection: sqlite3.Connection, record: object) -> None:
    # Transactions are begun below, not by the driver, which would begin them too late.
    connection.isolation_level = None
    _write_ahead(connection)
    connection.execute("PRAGMA foreign_keys=ON")


def _write_ahead(connection: sqlite3.Connection) -> None:
    # SQLite does not wait for a lock when it switches the journal: of several who open a new file
    # at once, all but one are refused at once (https://sqlite.org/rescode.html#busy).
    deadline_s = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline_s:
                raise
            time.sleep(0.02)


def _without_jit(connection: Any, record: object) -> None:
    """Has PostgreSQL compile no queries, which takes it longer than ours run."""
    connection.execute("SET jit = off")
    connection.commit()


class _Writers:
    """Lets this process's transactions write one after the other.

    SQLite has one writer at a time too, but lets the others look again after pauses of up to 0.1 s:
    who looks at bad moments waits for many seconds. Here they wait in a row, and those whose sender
    waits for an acknowledgement (`execution_options(urgent=True)`) pass it by.
    """

    def __init__(self) -> None:
        self._row = threading.Lock()  # held by the one ordinary writer that is next, or writes
        self._turn = threading.Lock()  # held by whoever writes

    def begin(self, connection: Connection) -> None:
        """Starts a transaction. One that reads first and writes later could not wait for another
        writer: SQLite refuses it at once. So every writer takes SQLite's lock at its start;
        readers need none."""
        options = connection.get_execution_options()
        if options.get("read_only", False):
            connection.exec_driver_sql("BEGIN")
            return
        held = [self._turn] if options.get("urgent", False) else [self._row, self._turn]
        for lock in held:
            lock.acquire()
        connection.info[WRITES] = held
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            self.end(connection)
            raise

    def end(self, connection: Connection) -> None:
        """Lets the next one write."""
        for lock in reversed(connection.info.pop(WRITES, ())):
            lock.release()


def _explain(url: URL) -> Callable[[ExceptionContext], BaseException | None]:
    name = url.render_as_string(hide_password=True)

    def explain(context: ExceptionContext) -> BaseException | None:
        error = context.sqlalchemy_exception or context.original_exception
        if context.is_pre_ping or isinstance(error, IntegrityError):
            return None
        words = str(context.original_exception).strip().splitlines()
        what = words[0] if words else type(context.original_exception).__name__
        if "locked" in what or "lock timeout" in what:
            return DatabaseError(
                f"{name}: another process holds the database's lock for more than "
                f"{BUSY_SECONDS:.0f} s. Stop it (a backup, a shell?) and try again."
            )
        if "disk is full" in what or "No space left" in what:
            return DatabaseError(f"{name}: the disk is full ({what}). Free some space.")
        if "readonly" in what or "unable to open" in what:
            return DatabaseError(f"{name}: {what}. Check the file's folder and permissions.")
        if "not a database" in what or "malformed" in what:
            return DatabaseError(f"{name}: {what}. Restore a backup, or name another file.")
        if context.is_disconnect or context.connection is None:
            return DatabaseError(f"{name}: cannot be reached ({what}). Is the server running?")
        if isinstance(error, OperationalError):
            return DatabaseError(f"{name}: {what}. `deskmate doctor` checks the database.")
        return None

    return explain
