"""The hooks; everything heavy is imported when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import Connector, hookimpl

if TYPE_CHECKING:
    import typer

    from assistant.settings import Settings


@hookimpl
def register_connectors(settings: Settings) -> list[Connector]:
    """The connector, if there is a table [connectors.slack]."""
    table = settings.connectors.get("slack")
    if table is None:
        return []
    from connectors.slack.connector import SlackConnector
    from connectors.slack.settings import read

    return [SlackConnector(read(table), settings.max_attachment_mb * 1_000_000)]


@hookimpl
def register_commands(cli: typer.Typer) -> None:
    """`deskmate slack manifest` and `deskmate slack key`."""
    import typer

    slack = typer.Typer(help="Set up the Slack app.", no_args_is_help=True)
    slack.command("manifest")(print_manifest)
    slack.command("key")(print_key)
    cli.add_typer(slack, name="slack")


def print_manifest() -> None:
    """Print the app's manifest, for api.slack.com/apps, “From a manifest”."""
    import json

    import typer

    from assistant.settings import load
    from connectors.slack.manifest import manifest
    from connectors.slack.settings import for_manifest

    table = load().connectors.get("slack")
    settings = None if table is None else for_manifest(table)
    typer.echo(json.dumps(manifest(settings), indent=2, ensure_ascii=False))


def print_key() -> None:
    """Print a new key for secret_key, which encrypts the tokens of several workspaces."""
    import typer
    from cryptography.fernet import Fernet

    typer.echo(Fernet.generate_key().decode())
