"""`deskmate ask` and `deskmate chat`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from assistant.cli import explaining
from assistant.messages import Outcome, Turn, now

STYLES = {
    "reply": "green",
    "draft": "yellow",
    "ask": "cyan",
    "hand over": "magenta",
    "refuse": "red",
    "solve": "green",
    "ignore": "dim",
}

Screenshots = Annotated[
    list[Path] | None, typer.Option("--screenshot", "-s", help="A picture; may be repeated.")
]
Internal = Annotated[bool, typer.Option("--internal", help="Search internal articles as well.")]


def add_to(app: typer.Typer) -> None:
    """Adds these commands."""
    app.command()(ask)
    app.command()(chat)


def ask(
    question: Annotated[str, typer.Argument(help="The customer's words; may be empty.")] = "",
    screenshot: Screenshots = None,
    internal: Internal = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole outcome.")] = False,
    times: Annotated[bool, typer.Option("--times", help="Show the time of each step.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show why each passage.")] = False,
    heat_map: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Draw which lines of the screenshot decided."),
    ] = None,
) -> None:
    """Answer one question from the index, on the spot. Nothing is stored or sent."""
    from assistant.desk import Desk

    if not question.strip() and not screenshot:
        raise typer.BadParameter("Write a question, or add --screenshot FILE.")
    with Desk.open() as desk:
        outcome = desk.ask(
            question, screenshot or (), audience="internal" if internal else "public"
        )
    if as_json:
        typer.echo(json.dumps(asdict(outcome), ensure_ascii=False, indent=2))
    else:
        console = Console()
        show(outcome, console, times=times)
        if explain:
            explaining.show(outcome, console)
    if heat_map:
        for written in explaining.write_heat_maps(outcome, screenshot or (), heat_map):
            typer.echo(f"written to {written}", err=True)


def chat(internal: Internal = False) -> None:
    """Talk with the assistant as a customer would; end with an empty line or Ctrl-D."""
    from assistant.desk import Desk

    console = Console()
    with Desk.open() as desk:
        desk.warm_up()
        conversation: tuple[Turn, ...] = ()
        while text := _typed(console):
            outcome = desk.ask(
                text, (), conversation, audience="internal" if internal else "public"
            )
            show(outcome, console)
            conversation += (
                Turn("customer", text, now()),
                Turn("assistant", outcome.text, now()),
            )


def _typed(console: Console) -> str:
    """What the user typed; empty at the end of the input."""
    try:
        return console.input("[bold]You:[/bold] ").strip()
    except EOFError:
        return ""


def show(outcome: Outcome, console: Console, *, times: bool = False) -> None:
    """An outcome for people: what happens and why, the text, and where it is from."""
    style = STYLES[outcome.action]
    console.print(f"[bold {style}]{outcome.action}[/]: {escape(outcome.reason)}", highlight=False)
    console.print(Panel(escape(outcome.text), border_style=style))
    if outcome.answer and outcome.action not in ("reply", "draft"):
        console.print("  Nearest in the sources, not sent:")
    for citation in outcome.answer.citations if outcome.answer else ():
        where = " › ".join(citation.passage.heading_path)
        console.print(f"  [bold]\\[{citation.number}][/] {escape(where)}", highlight=False)
        if citation.passage.url:
            console.print(f"      [blue]{escape(citation.passage.url)}[/]", highlight=False)
    for report in outcome.attachments:
        mark = "read" if report.read else "[red]not read[/]"
        console.print(f"  {escape(report.filename)}: {mark}: {escape(report.note)}")
    for fault in outcome.faults:
        console.print(
            f"  [red]plugin {escape(fault.plugin)}[/], {fault.hook}: {escape(fault.error)}"
        )
    if times:
        total = sum(step.milliseconds for step in outcome.trace)
        steps = " · ".join(f"{step.name} {step.milliseconds:.1f}" for step in outcome.trace)
        console.print(f"  [dim]{total:.0f} ms: {steps}[/]", highlight=False)
