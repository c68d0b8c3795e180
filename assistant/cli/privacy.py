"""`deskmate privacy …`: a customer's data, told in full and erased."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.tickets import Who

group = typer.Typer(help="What is stored about one customer.", no_args_is_help=True)

Address = Annotated[str, typer.Argument(help="The customer's address, as their tickets show it.")]


def add_to(app: typer.Typer) -> None:
    """Adds these commands."""
    app.add_typer(group, name="privacy")


@group.command()
def export(
    address: Address,
    who: Who,
    to: Annotated[Path, typer.Option(help="The zip to write.")] = Path("customer.zip"),
) -> None:
    """Write all that is stored about a customer into a zip: data.json and the files."""
    from assistant.desk import Desk
    from assistant.errors import UnreadableError
    from assistant.privacy import export

    with Desk.open() as desk:
        content = export(desk, address, who)
    try:
        to.touch(mode=0o600, exist_ok=False)
        to.write_bytes(content)
    except OSError as error:
        raise UnreadableError(f"{to}: {error.strerror}. Name another file with --to.") from error
    typer.echo(f"Wrote {to}.")


@group.command()
def erase(
    address: Address,
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase all that is stored about a customer, for good."""
    from assistant.desk import Desk
    from assistant.errors import DeskmateError
    from assistant.privacy import erase

    with Desk.open() as desk:
        count = len(desk.tickets.privacy.tickets(address))
        typer.echo(f"{count} tickets, with all that belongs to them. It cannot be undone.")
        if not yes and typer.prompt("Type the address again to erase it") != address:
            raise DeskmateError("That is another address. Nothing was erased.")
        done = erase(desk, address, who)
    typer.echo(
        f"Erased {done.tickets} tickets, {done.messages} messages, {done.files} files and"
        f" {done.articles} articles."
    )
