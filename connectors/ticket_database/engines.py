"""The help desk's database: opened so that it is never in the way of the help desk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from assistant import SettingsError

CONNECT_SECONDS = 10
LOCK_SECONDS = 10


def connect(url: str, key: str = "url", *, writes: bool = False) -> Engine:
    """An engine for PostgreSQL, MySQL, MariaDB or SQLite. Without `writes` PostgreSQL and SQLite
    refuse every change. Raises SettingsError about the setting `key`."""
    place = f"connectors.ticket_database.{key}"
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError(
            f"{place}: not a database URL. Write postgresql://USER:PASSWORD@HOST/NAME."
        ) from None
    match parsed.get_backend_name():
        case "postgresql" | "postgres":
            options = {
                "connect_timeout": CONNECT_SECONDS,
                "options": f"-c lock_timeout={LOCK_SECONDS}s"
                + ("" if writes else " -c default_transaction_read_only=on"),
            }
            parsed = parsed.set(drivername="postgresql+psycopg")
            return create_engine(parsed, pool_pre_ping=True, connect_args=options)
        case "mysql" | "mariadb":
            options = {
                "connect_timeout": CONNECT_SECONDS,
                "init_command": f"SET innodb_lock_wait_timeout={LOCK_SECONDS}",
            }
            backend = parsed.get_backend_name()
            parsed = parsed.set(drivername=f"{backend}+pymysql")
            try:
                return create_engine(
                    parsed,
                    pool_pre_ping=True,
                    connect_args=options,
                    # Else each look would see the database as it was at the first one.
                    isolation_level="READ COMMITTED",
                )
            except ModuleNotFoundError:
                raise SettingsError(
                    f"{place}: MySQL and MariaDB need `pip install 'deskmate[mysql]'`."
                ) from None
        case "sqlite":
            engine = create_engine(parsed, connect_args={"timeout": 3 * LOCK_SECONDS})
            event.listen(engine, "connect", lambda c, _: _configure_sqlite(c, writes))
            event.listen(
                engine,
                "begin",
                lambda c: c.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN"),
            )
            return engine
        case other:
            raise SettingsError(
                f"{place}: {other} is not supported. PostgreSQL, MySQL, MariaDB and SQLite are."
            )


def _configure_sqlite(connection: Any, writes: bool) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says so
    if not writes:
        connection.execute("PRAGMA query_only=ON")


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Database errors name what failed; statements and their values stay out of them."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        words = (str(cause).strip().splitlines() or [type(error).__name__])[0]
        raise ConnectionError(f"{what}: {words}") from None
