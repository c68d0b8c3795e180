"""The hooks; everything heavy is imported when it is needed."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING

from assistant import Article, Connector, hookimpl

if TYPE_CHECKING:
    import typer

    from assistant.settings import Settings

log = logging.getLogger("deskmate.connectors.ticket_database")


@hookimpl
def register_connectors(settings: Settings) -> list[Connector]:
    """The connector, if there is a table [connectors.ticket_database]; with its mapping checked, if
    the help desk's database can be reached already."""
    table = settings.connectors.get("ticket_database")
    if table is None:
        return []
    from connectors.ticket_database import mapping
    from connectors.ticket_database.connector import TicketDatabaseConnector
    from connectors.ticket_database.settings import read

    found = read(table)
    connector = TicketDatabaseConnector(
        found, mapping.read(found.mapping), settings.max_attachment_mb * 1_000_000
    )
    try:
        connector.check()
    except ConnectionError as error:  # `run` tries again until it can be
        log.warning("unchecked_mapping error=%s", type(error).__name__)
    return [connector]


@hookimpl
def register_sources(settings: Settings) -> list[Iterable[Article]]:
    """The help desk's solved tickets, if the settings ask for them."""
    table = settings.connectors.get("ticket_database")
    if table is None:
        return []
    from connectors.ticket_database.settings import read

    found = read(table)
    if not found.solved_as_knowledge:
        return []
    from connectors.ticket_database.solved import articles

    return [articles(found)]


@hookimpl
def register_commands(cli: typer.Typer) -> None:
    """`deskmate tickets map`, `check` and `review`, among the other commands on tickets."""
    from connectors.ticket_database.commands import check, map_, review

    group = next((g.typer_instance for g in cli.registered_groups if g.name == "tickets"), None)
    if group is None:
        import typer

        group = typer.Typer(help="A help desk's database.", no_args_is_help=True)
        cli.add_typer(group, name="tickets")
    group.command("map")(map_)
    group.command("check")(check)
    group.command("review")(review)
