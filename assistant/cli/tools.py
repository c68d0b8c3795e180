"""`deskmate tools …`: what plugins' tools there are, and which calls wait for a person."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assistant.cli.tickets import Who

group = typer.Typer(help="Tools that answers may use, and their calls.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="The call's number.", min=1)]


def add_to(app: typer.Typer) -> None:
    """Adds these commands."""
    app.add_typer(group, name="tools")


@group.command("list")
def list_() -> None:
    """List the tools, with the risk that their plugins declare."""
    from assistant.desk import Desk

    table = Table("tool", "risk", "plugin", "what it does", box=None, padding=(0, 2))
    with Desk.open() as desk:
        for tool in desk.tools:
            words = " ".join(tool.tool.description.split())
            table.add_row(tool.name, tool.risk, tool.plugin, escape(words))
    Console().print(table)


@group.command()
def waiting() -> None:
    """List calls that wait for a person's approval."""
    from assistant.desk import Desk

    table = Table("call", "ticket", "tool", "arguments", "customer", box=None, padding=(0, 2))
    with Desk.open() as desk:
        for call in desk.tickets.tool_calls.waiting():
            arguments = json.dumps(dict(call.arguments), ensure_ascii=False)
            row = (call.tool, arguments, call.customer)
            table.add_row(str(call.id), str(call.ticket_id), *map(escape, row))
    Console().print(table)


@group.command()
def approve(number: Number, who: Who) -> None:
    """Make a call that waits, now, and show what the tool says."""
    from assistant.desk import Desk

    with Desk.open() as desk:
        result = desk.tools.approve(number, who)
    typer.echo(f"{result.tool} {result.state}: {result.text}")
    if result.state == "failed":
        raise typer.Exit(1)


@group.command()
def refuse(number: Number, who: Who) -> None:
    """Refuse a call that waits; it is never made."""
    from assistant.desk import Desk

    with Desk.open() as desk:
        desk.tools.refuse(number, who)
    typer.echo(f"Refused call {number}.")
