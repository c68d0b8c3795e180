"""`deskmate tickets …`: the queues, one ticket, and what a person does with it.

What is approved or written here is stored, and the running desk sends it within a minute.
"""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assistant.cli.asking import show
from assistant.errors import DeskmateError
from assistant.messages import TicketStatus

if TYPE_CHECKING:
    from assistant.desk import Desk

group = typer.Typer(help="Look at tickets and act on them.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="The ticket's number.", min=1)]
Who = Annotated[
    str,
    typer.Option("--as", help="Who does this, for the audit.", default_factory=getpass.getuser),
]


def add_to(app: typer.Typer) -> None:
    """Adds these commands."""
    app.add_typer(group, name="tickets")


@group.command("list")
def list_(
    status: Annotated[TicketStatus | None, typer.Option(help="Only tickets that stand so.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1)] = 50,
) -> None:
    """List tickets, those with the latest news first."""
    from assistant.desk import Desk

    table = Table("ticket", "status", "from", "through", "subject", box=None, padding=(0, 2))
    with Desk.open() as desk:
        for ticket in desk.tickets.list(status, limit):
            row = (ticket.status, ticket.customer, ticket.connector, ticket.subject)
            table.add_row(str(ticket.id), *map(escape, row))
    Console().print(table)


@group.command("show")
def show_(number: Number) -> None:
    """Show a ticket: its conversation, what the assistant did and why, and the audit log."""
    from assistant.desk import Desk

    console = Console()
    with Desk.open() as desk:
        ticket = desk.tickets.ticket(number)
        console.print(f"[bold]Ticket {ticket.id}[/] · {ticket.status} · {escape(ticket.subject)}")
        for turn in desk.tickets.conversation(number):
            when = f"{turn.sent_at:%Y-%m-%d %H:%M} UTC"
            console.print(f"\n[bold]{turn.author}[/], {when}, {escape(turn.channel)}")
            console.print(escape(turn.text))
        for other in desk.tickets.persons.other_tickets(ticket):
            console.print(f"\nSame customer: ticket {other.id}, {other.connector}, {other.status}")
        for stored in desk.tickets.outcomes.of_ticket(number):
            console.print()
            show(stored.outcome, console)
        for entry in desk.tickets.audit.of_ticket(number):
            what = escape(f"{entry.who}: {entry.action} {entry.detail}")
            console.print(f"{entry.at:%Y-%m-%d %H:%M} {what}")


@group.command()
def approve(
    number: Number,
    who: Who,
    text: Annotated[str | None, typer.Option(help="Send this text in its place.")] = None,
) -> None:
    """Send the draft that waits on a ticket."""
    from assistant.desk import Desk

    with Desk.open() as desk:
        desk.approve(_waiting(desk, number), who, text)
    typer.echo(f"Approved. The running desk sends it on ticket {number}.")


@group.command()
def discard(
    number: Number,
    who: Who,
    reason: Annotated[str, typer.Option(help="Why, for the audit log.")] = "",
) -> None:
    """Discard the draft that waits on a ticket; the ticket is then a person's."""
    from assistant.desk import Desk

    with Desk.open() as desk:
        desk.tickets.replies.discard(_waiting(desk, number), who, reason)
    typer.echo(f"Discarded the draft on ticket {number}.")


@group.command()
def reply(
    number: Number, text: Annotated[str, typer.Argument(help="The reply.")], who: Who
) -> None:
    """Write to the customer yourself."""
    from assistant.desk import Desk

    with Desk.open() as desk:
        desk.write(number, who, text)
    typer.echo(f"Stored. The running desk sends it on ticket {number}.")


@group.command("hand-over")
def hand_over(number: Number, who: Who) -> None:
    """Take a ticket over: the assistant keeps out until it is handed back or solved."""
    from assistant.desk import Desk

    with Desk.open() as desk:
        desk.tickets.hand_over(number, who)
    typer.echo(f"Ticket {number} is {who}'s.")


@group.command("hand-back")
def hand_back(number: Number, who: Who) -> None:
    """Give a ticket back: the assistant answers what the customer writes next."""
    from assistant.desk import Desk

    with Desk.open() as desk:
        desk.tickets.hand_back(number, who)
    typer.echo(f"Ticket {number} is the assistant's again.")


@group.command()
def solve(number: Number, who: Who) -> None:
    """Mark a ticket as solved."""
    from assistant.desk import Desk

    with Desk.open() as desk:
        desk.solve(number, who)
    typer.echo(f"Ticket {number} is solved.")


def _waiting(desk: Desk, number: int) -> int:
    """The outcome whose draft waits on the ticket."""
    for stored in reversed(desk.tickets.outcomes.of_ticket(number)):
        if stored.draft_state == "waiting":
            return stored.id
    raise DeskmateError(
        f"Ticket {number}: no draft waits. `deskmate tickets show {number}` shows where it stands."
    )
