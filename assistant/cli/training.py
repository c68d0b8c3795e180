"""`deskmate train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from assistant.desk import Desk
    from assistant.tuning.verdict import Run, Verdict


def add_to(app: typer.Typer) -> None:
    """Adds this command."""
    app.command()(train)


def train(
    labelled: Annotated[
        Path | None,
        typer.Option(
            help="CSV or JSON lines with text, intent and, if known, priority;"
            " none: the solved tickets."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed, the same weights.", min=0)] = 0,
    status: Annotated[bool, typer.Option("--status", help="Only say what is in use.")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="Go back to the shipped weights.")] = False,
) -> None:
    """Train on your own solved tickets, or on labelled messages.

    New weights are measured on cases that they were not made from, and are used, from the next
    start of `deskmate serve` on, only if they beat those in use. An interrupted run goes on where
    it was when it is started again.
    """
    from assistant.desk import Desk

    console = Console()
    with Desk.open() as desk:
        if reset:
            parts = desk.live.reset()
            console.print(f"Went back to the shipped weights: {', '.join(parts) or 'they were'}.")
        elif status:
            console.print(in_use(desk), highlight=False)
        else:
            _train(desk, labelled, seed, console)


def in_use(desk: Desk) -> str:
    """Which weights are in use, a line each part that was trained."""
    lines = []
    for part, about in desk.live.trained().items():
        told = (
            f"{part}: {about['metric']} {about['before']:.3f} → {about['after']:.3f}"
            f" on {about['cases']} cases, trained {about['trained_at'][:10]}"
        )
        if not desk.live.fits(about):
            told += "; not in use: made for another text model or version. Train again"
        lines.append(told)
    return "\n".join(lines) or "the shipped ones: nothing was trained here"


def _train(desk: Desk, file: Path | None, seed: int, console: Console) -> None:
    from assistant.tuning.verdict import Run, write_report

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), transient=True) as progress:
        tasks = {}

        def told(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done, total=total)

        run = Run(desk.live, seed, told)
        if file:
            verdicts, reasons = [_on_labelled(desk, file, run)], list[str]()
        else:
            verdicts, reasons = _on_tickets(desk, run)
    for verdict in verdicts:
        state = "[green]in use from the next start on[/]" if verdict.live else "not taken into use"
        console.print(
            f"[bold]{verdict.part}[/]: {verdict.metric} {verdict.before:.3f} before,"
            f" {verdict.after:.3f} after, on {verdict.cases} cases not learned from: {state}",
            highlight=False,
        )
    for reason in reasons:
        console.print(escape(reason), highlight=False)
    console.print(f"Report: {escape(str(write_report(verdicts, reasons, desk.live.folder)))}")


def _on_labelled(desk: Desk, file: Path, run: Run) -> Verdict:
    from assistant.model import labelled
    from assistant.tuning import intents

    messages = labelled.read(file)
    return intents.train(messages, desk.encoder.text, desk.encoder.heads, run)


def _on_tickets(desk: Desk, run: Run) -> tuple[list[Verdict], list[str]]:
    from assistant.tickets.solved import solved_questions
    from assistant.tuning import tickets

    return tickets.train(
        list(solved_questions(desk.engine)),
        desk.pipeline.attachments,
        desk.encoder,
        desk.retriever,
        desk.lexical,
        run,
    )
