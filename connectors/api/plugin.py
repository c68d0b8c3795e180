"""The hooks; everything heavy is imported when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from assistant import Connector, hookimpl

if TYPE_CHECKING:
    from assistant.settings import Settings


@hookimpl
def register_connectors(settings: Settings) -> list[Connector]:
    """The connector, if there is a table [connectors.api]."""
    table = settings.connectors.get("api")
    if table is None:
        return []
    from connectors.api.connector import ApiConnector
    from connectors.api.settings import read

    return [ApiConnector(read(table))]


@hookimpl
def register_commands(cli: typer.Typer) -> None:
    """`deskmate api keys …` and `deskmate api openapi`."""
    api = typer.Typer(help="Keys and description of the HTTP API.", no_args_is_help=True)
    keys = typer.Typer(help="Keys with which programs use the API.", no_args_is_help=True)
    keys.command("create")(create_key)
    keys.command("list")(list_keys)
    keys.command("revoke")(revoke_key)
    api.add_typer(keys, name="keys")
    api.command("openapi")(print_openapi)
    cli.add_typer(api, name="api")


def create_key(
    name: Annotated[str, typer.Argument(help="What it is for, such as 'shop backend'.")],
    scope: Annotated[
        list[str],
        typer.Option(
            help="messages:write, tickets:read (of its own conversations), tickets:all,"
            " knowledge:read or feedback:write; again for more."
        ),
    ],
    origin: Annotated[
        list[str] | None,
        typer.Option(
            help="A web page that may use it, such as https://shop.example; makes it public."
        ),
    ] = None,
    internal: Annotated[
        bool, typer.Option("--internal", help="Answer its messages from internal articles too.")
    ] = False,
    per_minute: Annotated[int, typer.Option(help="Requests a minute.", min=1)] = 120,
) -> None:
    """Make a key and print it; it is shown only now."""
    from assistant import Desk

    with Desk.open() as desk:
        key = desk.tickets.api_keys.create(
            name,
            scope,
            origins=origin or (),
            audience="internal" if internal else "public",
            per_minute=per_minute,
        )
    typer.echo(key)


def list_keys() -> None:
    """List the keys, without their secrets."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from assistant import Desk

    table = Table("key", "name", "scopes", "sees", "pages", "used", box=None, padding=(0, 2))
    with Desk.open() as desk:
        for key in desk.tickets.api_keys.list():
            used = f"{key.used_at:%Y-%m-%d}" if key.used_at else "never"
            state = "revoked" if key.revoked_at else used
            scopes, pages = " ".join(sorted(key.scopes)), " ".join(key.origins)
            row = (key.id, key.name, scopes, key.audience, pages, state)
            table.add_row(*map(escape, row))
    Console().print(table)


def revoke_key(
    key: Annotated[str, typer.Argument(help="Its first part, as `list` shows it.")],
) -> None:
    """Revoke a key and the tokens of its conversations."""
    from assistant import Desk

    with Desk.open() as desk:
        desk.tickets.api_keys.revoke(key)
    typer.echo(f"Revoked key {key}.")


def print_openapi() -> None:
    """Print the OpenAPI description."""
    import json

    from connectors.api.openapi import describe
    from connectors.api.operations import OPERATIONS

    typer.echo(json.dumps(describe(OPERATIONS), indent=2, ensure_ascii=False))
