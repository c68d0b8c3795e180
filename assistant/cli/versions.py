"""`deskmate plugins shadow`, `promote` and `rollback`: a new version of a plugin, step by step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.cli.plugins import MEANINGS, Name, group
from assistant.errors import PluginError

if TYPE_CHECKING:
    from assistant.plugging.versions import Versions


def add_to(app: typer.Typer) -> None:
    """Adds these commands to `deskmate plugins`."""
    for command in (shadow, promote, rollback):
        group.command()(command)


def shadow(
    name: Name,
    source: Annotated[
        str, typer.Argument(help="A .py file, a wheel, a project's folder, or NAME==VERSION.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Try a new version beside the one that runs: it sees live messages and changes nothing.

    It is copied, without its dependencies, and a running desk begins within seconds.
    """
    from assistant.plugging import Plugins
    from assistant.plugging.versions import Brought
    from assistant.settings import load

    settings, versions = load(), _versions()
    brought = Brought(versions.bring(name, source))
    one = versions.candidate(name, brought)
    info = Plugins(settings.plugins).check(one)
    try:
        if info.state == "broken":
            raise PluginError(info.error)
        typer.echo(f"{name} {info.version} from {one.origin} asks for:")
        for permission in sorted(info.asked):
            typer.echo(f"  {permission:<14} {MEANINGS[permission]}")
        if not yes:
            typer.confirm("Let it see live messages?", abort=True)
    except (PluginError, typer.Abort):
        versions.drop(name, brought)
        raise
    versions.shadow(name, replace(brought, granted=tuple(sorted(info.asked))))
    typer.echo(
        f"{name}: version {brought.number} is tried. `deskmate plugins show {name}` tells what it"
        f" would have changed; then `promote {name}` or `rollback {name}`."
    )


def promote(name: Name) -> None:
    """Have the version that is tried run from now on, in the place of the one before."""
    brought = _versions().promote(name)
    typer.echo(f"{name}: version {brought.number} runs. `plugins rollback {name}` undoes it.")


def rollback(name: Name) -> None:
    """One step back: end a trial, or else run what ran before the last `promote`."""
    back = _versions().roll_back(name)
    runs = f"version {back.used[-1].number}" if back.used else "what is installed"
    typer.echo(f"{name}: {runs} runs, and nothing is tried.")


def _versions() -> Versions:
    from assistant.plugging.versions import Versions
    from assistant.settings import load

    return Versions(load().data_dir / "plugins")
