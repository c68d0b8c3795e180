"""The command line: `deskmate …`.

Each command only translates: it reads its arguments, calls one function of the desk, and shows the
result. Exit codes: 0 done; 1 failed; 2 wrong usage or settings; 3 model weights; 4 unreadable
file; 5 index; 6 database; 7 chat model; 8 plugin or connector; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, TextIO, cast

import typer

from assistant.errors import DeskmateError

EXIT_CODES = (
    "Exit codes: 0 done; 1 failed; 2 wrong usage or settings; 3 model weights; 4 unreadable file;"
    " 5 index; 6 database; 7 chat model; 8 plugin or connector; 9 reply refused; 10 unreachable"
    " channel; 130 interrupted."
)


def options(
    config: Annotated[
        Path | None, typer.Option(help="Settings file.", show_default="./deskmate.toml")
    ] = None,
    debug: Annotated[bool, typer.Option(help="Show tracebacks of errors.")] = False,
) -> None:
    """Options that hold for every command. `main` has read them, since plugins' commands are
    added before."""


def command_line() -> typer.Typer:
    """All commands of Deskmate's own."""
    from assistant.cli import (
        asking,
        knowledge,
        operating,
        plugins,
        privacy,
        serving,
        tickets,
        tools,
        training,
        versions,
    )

    app = typer.Typer(
        name="deskmate",
        help="A customer-support assistant that reads screenshots and cites its sources.",
        epilog=EXIT_CODES,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(options)
    for module in (
        asking,
        knowledge,
        serving,
        tickets,
        training,
        plugins,
        versions,
        tools,
        privacy,
        operating,
    ):
        module.add_to(app)
    return app


def main() -> None:
    """Runs the command line; errors that Deskmate expects are shown without a traceback."""
    from assistant.cli import operating
    from assistant.plugging.calling import PluginOutput

    app = command_line()
    debug = "--debug" in sys.argv
    sys.stdout = cast(TextIO, PluginOutput(sys.stdout))
    try:
        if config := operating.config_given(sys.argv[1:]):
            os.environ["DESKMATE_CONFIG"] = config
        operating.add_plugin_commands(app)
        app()
    except DeskmateError as error:
        if debug:
            raise
        typer.secho(f"Error: {error}", fg="red", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
