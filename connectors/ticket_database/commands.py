"""`deskmate tickets map`, `check` and `review`."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from assistant import SettingsError
from connectors.ticket_database import mapping
from connectors.ticket_database.files import Files
from connectors.ticket_database.proposing import propose
from connectors.ticket_database.reading import Reader
from connectors.ticket_database.schema import Schema, connect, explained
from connectors.ticket_database.settings import TicketDatabaseSettings, read

SAMPLES = 3
SHOWN = 200  # characters of a message

Url = Annotated[str, typer.Option(help="The help desk's database; default: the settings' url.")]


def map_(
    url: Url = "",
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("tickets.toml"),
) -> None:
    """Propose a mapping for a help desk's database, show three tickets as it reads them, and write
    it."""
    if out.exists():
        raise SettingsError(f"{out}: exists already. Name another file with --out.")
    engine = connect(url or _settings().url)
    proposed = propose(engine)
    out.write_text(proposed, encoding="utf-8")
    typer.echo(proposed)
    try:
        file = mapping.parse(proposed, str(out))
        _show(_reader(url or _settings().url, file))
    except SettingsError as error:
        typer.echo(f"Not complete yet:\n{error}", err=True)
    typer.echo(f"Written to {out}. Mend what is wrong, then `deskmate tickets check {out}`.")


def check(
    file: Annotated[str, typer.Argument(help="The mapping file, or zammad or chatwoot.")],
    url: Url = "",
) -> None:
    """Hold a mapping against the real database, and show three tickets as it reads them."""
    found = mapping.read(file)
    reader = _reader(url or _settings().url, found)
    _show(reader)
    typer.echo(f"{file}: every table and column is there.")


def review(
    who: Annotated[str, typer.Option("--as", help="Who reviews.", default_factory=getpass.getuser)],
) -> None:
    """Look at solved tickets one by one, and release those that any customer may be told."""
    from assistant import Desk
    from connectors.ticket_database.solved import articles

    console, count = Console(), 0
    with Desk.open() as desk:
        for article in articles(_settings()):
            if desk.tickets.releases.released(article):
                continue
            console.rule(escape(article.title))
            for section in article.sections:
                console.print(f"[bold]{section.heading_path[-1]}[/]\n{escape(section.text)}\n")
            answer = typer.prompt("Release it to all customers? (y)es, (n)o, (q)uit", default="n")
            if answer.startswith("q"):
                break
            if answer.startswith("y"):
                desk.tickets.releases.release(article, who)
                count += 1
    typer.echo(f"Released {count}. `deskmate index` takes them in.")


def _settings() -> TicketDatabaseSettings:
    from assistant.settings import load

    table = load().connectors.get("ticket_database")
    if table is None:
        raise SettingsError("connectors.ticket_database: not in the settings. Give --url.")
    return read(table)


def _reader(url: str, file: mapping.MappingFile) -> Reader:
    engine = connect(url)
    with explained("the help desk's database"):
        return Reader(engine, Schema(engine, file), Files(None, (), 0))


def _show(reader: Reader) -> None:
    """Prints the newest tickets."""
    console = Console()
    for ticket in reader.newest(SAMPLES):
        state = "solved" if ticket.solved else "not open" if ticket.open is False else "open"
        person = f", with {ticket.assignee}" if ticket.assignee else ""
        head = f"{ticket.id} · {ticket.subject} · {ticket.customer}"
        console.print(
            f"[bold]{escape(head)}[/] · {escape(ticket.status)} ({state}{escape(person)})"
        )
        for row in reader.conversation(ticket.id):
            text = " ".join(row.text.split())[:SHOWN]
            console.print(f"  {row.kind}: {escape(text)}")
