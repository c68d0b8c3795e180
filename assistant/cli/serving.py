"""`deskmate serve`."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(serve)


def serve(
    context: typer.Context,
    only: Annotated[
        list[str] | None,
        typer.Option(help="A connector to run here, or `workers` for none; may be repeated."),
    ] = None,
    workers: Annotated[
        int, typer.Option(help="Further processes that answer; needs PostgreSQL.", min=0)
    ] = 0,
    reload: Annotated[
        bool, typer.Option("--reload", help="Load plugins anew when their files are saved.")
    ] = False,
) -> None:
    """Run every connector and answer what they bring, until SIGTERM or Ctrl-C."""
    from assistant import logs
    from assistant.desk import Desk
    from assistant.serving import serve

    stop = threading.Event()

    def begin_stop(number: int, frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)  # a second one ends it at once
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, begin_stop)
    parent = context.parent
    logs.configure(debug=bool(parent and parent.params.get("debug")))
    with Desk.open() as desk:
        serve(desk, stop, only=only or (), workers=workers, reload=reload)
