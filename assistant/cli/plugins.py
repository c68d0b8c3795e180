"""`deskmate plugins …` and `deskmate plugin new`."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assistant.errors import DatabaseError, DeskmateError, PluginError

if TYPE_CHECKING:
    from assistant.desk import Desk
    from assistant.messages import PluginFault
    from assistant.plugging import PluginInfo
    from assistant.plugging.loading import Candidate
    from assistant.settings import Settings

group = typer.Typer(help="List plugins, and decide which of them run.")
making = typer.Typer(help="Write a plugin of your own.", no_args_is_help=True)

LATEST = 5  # differences that are shown

Name = Annotated[str, typer.Argument(help="The plugin's name.")]

MEANINGS = {
    "tickets:read": "sees messages, tickets and answers",
    "tickets:write": "changes messages, passages and answers before they are used",
    "sending": "receives and sends messages, and holds replies back",
    "knowledge": "brings articles",
    "tools": "looks things up, or does things, for an answer",
    "commands": "adds commands to `deskmate`",
    "network": "says that it uses the network (Deskmate does not keep others from it)",
}


def add_to(app: typer.Typer) -> None:
    """Adds these commands."""
    app.add_typer(group, name="plugins")
    app.add_typer(making, name="plugin")


@group.callback(invoke_without_command=True)
def plugins(context: typer.Context) -> None:
    """List plugins, and decide which of them run."""
    if context.invoked_subcommand is None:
        list_()


@group.command("list")
def list_() -> None:
    """List the plugins that were found: state, version, hooks, and faults in the last day."""
    from assistant.desk import Desk

    table = Table("plugin", "version", "state", "faults", "hooks", box=None, padding=(0, 2))
    with Desk.open() as desk:
        faults = Counter(fault.plugin for fault in recent_faults(desk, timedelta(days=1)))
        for plugin in desk.plugins.list():
            state = plugin.state if plugin.state == "running" else f"[red]{plugin.state}[/]"
            about = plugin.error or ", ".join(plugin.hooks)
            if plugin.state == "not enabled":
                about = f"run `deskmate plugins enable {plugin.name}`"
            elif plugin.missing:
                about += f" (not granted: {', '.join(plugin.missing)})"
            if tried := desk.plugins.trial(plugin.name):
                about += f" (version {tried.number} is tried)"
            count = str(faults[plugin.name] or "")
            table.add_row(plugin.name, plugin.version, state, count, escape(about))
    Console().print(table)


@group.command()
def show(name: Name) -> None:
    """Show one plugin: its package, hooks, permissions, settings and latest faults."""
    from assistant.desk import Desk
    from assistant.plugging import secrets

    console = Console(highlight=False)
    with Desk.open() as desk:
        info = next((one for one in desk.plugins.list() if one.name == name), None)
        info = info or desk.plugins.trial(name)
        if info is None:
            raise PluginError(f"{name}: no such plugin. `deskmate plugins` lists them.")
        console.print(f"[bold]{escape(f'{name} {info.version}')}[/] · {info.state}")
        console.print(f"from         {escape(info.distribution)}")
        for title, words in (
            ("version", f"{info.number}, promoted" if info.number else ""),
            ("error", info.error),
            ("hooks", ", ".join(info.hooks)),
            ("granted", ", ".join(sorted(info.granted))),
            ("not granted", ", ".join(info.missing)),
            ("deprecated", "; ".join(info.warnings)),
        ):
            if words:
                console.print(f"{title:<12} {escape(words)}")
        if info.settings:
            for key, value in secrets.shown(info.settings).items():
                about = type(info.settings).model_fields[key].description or ""
                console.print(f"setting      {escape(f'{key} = {value}')}  [dim]{escape(about)}[/]")
        for fault in recent_faults(desk, timedelta(days=1))[-5:]:
            if fault.plugin == name:
                console.print(f"[red]fault[/]        {escape(f'{fault.hook}: {fault.error}')}")
        _show_trial(desk, name, console)


def _show_trial(desk: Desk, name: str, console: Console) -> None:
    """What the version of a plugin that is tried would have changed."""
    info = desk.plugins.trial(name)
    if info is None:
        return
    told = desk.tickets.trials.summary(name, info.number)
    about = f"version {info.number}" + (f" ({info.version})" if info.version else "")
    console.print(
        f"tried        {escape(about)}: {told.seen} seen, {told.changed} would have changed,"
        f" {told.faults} faults, {told.slowest_ms:.0f} ms at most"
    )
    for ticket_id, trial in desk.tickets.trials.latest(name, info.number, LATEST):
        console.print(f"  ticket {ticket_id}, {trial.hook}: {escape(trial.error)}".rstrip(": "))
        for line in trial.change.splitlines():
            color = "red" if line.startswith("-") else "green"
            console.print(f"    [{color}]{escape(line)}[/]")


@group.command()
def enable(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Grant a plugin what it asks for, in deskmate.toml, and take it out of disabled_plugins.

    Its code runs for the first time now, to see what it asks for.
    """
    from assistant import settings_file

    one, info = _checked(name)
    if info.state == "broken":
        raise PluginError(info.error)
    typer.echo(f"{name} {info.version} from {one.origin} asks for:")
    for permission in sorted(info.asked):
        typer.echo(f"  {permission:<14} {MEANINGS[permission]}")
    if not one.trusted and not yes:
        typer.confirm("Grant all of it?", abort=True)
    settings_file.switch_on(name, None if one.trusted else info.asked)
    typer.echo(f"{name} is enabled. A running desk takes it up when it is started again.")


@group.command()
def disable(name: Name) -> None:
    """Add a plugin to disabled_plugins in deskmate.toml. What it was granted stays written."""
    from assistant import settings_file

    _found(name)
    settings_file.switch_off(name)
    typer.echo(f"{name} is disabled. A running desk lets go of it when it is started again.")


@group.command()
def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names, or .py files; none: all that run.")
    ] = None,
) -> None:
    """Check names, hooks' arguments, permissions and settings, without starting the desk."""
    from assistant.plugging import Plugins
    from assistant.plugging.loading import find
    from assistant.settings import load

    settings = load()
    found = [one for name in names for one in _found(name)] if names else find(settings.plugin_path)
    running = [one for one in found if names or _runs(one, settings)]
    plugins, failed = Plugins(settings.plugins), 0
    for one in running:
        info = plugins.check(one)
        if info.state == "broken":
            failed += 1
            typer.secho(f"failed {one.name}: {info.error}", fg="red")
        else:
            typer.echo(f"ok     {one.name}: {', '.join(info.hooks)}")
        for warning in info.warnings:
            typer.secho(f"       deprecated: {warning}", fg="yellow")
    if failed:
        raise typer.Exit(PluginError.exit_code)


@making.command()
def new(
    name: Name,
    folder: Annotated[Path, typer.Option(help="Where to make its folder.")] = Path(),
) -> None:
    """Write a package with a plugin, its entry point, a test that passes, and a README."""
    from assistant.plugging import scaffold

    made = scaffold.write(name, folder)
    typer.echo(f"Wrote {made}. Next:\n  pip install -e {made}\n  pytest {made}")
    typer.echo(f"  deskmate plugins enable {name}")


def recent_faults(desk: Desk, since: timedelta) -> tuple[PluginFault, ...]:
    """What plugins did wrong of late; nothing where there is no database to look into."""
    from assistant.messages import now

    settings = desk.settings
    if not settings.database_url and not (settings.data_dir / "deskmate.sqlite").is_file():
        return ()
    try:
        return desk.tickets.outcomes.faults_since(now() - since)
    except DatabaseError:
        return ()  # `deskmate doctor` says what is wrong with it


def _checked(name: str) -> tuple[Candidate, PluginInfo]:
    from assistant.plugging import Plugins
    from assistant.settings import load

    found = _found(name)
    if len(found) > 1:
        raise PluginError(
            f"{name}: {' and '.join(one.origin for one in found)} both have a plugin of this name."
            " Uninstall one of them."
        )
    return found[0], Plugins(load().plugins).check(found[0])


def _found(name: str) -> list[Candidate]:
    from assistant.plugging.loading import find, in_file
    from assistant.settings import load

    if name.endswith(".py") and Path(name).is_file():
        return [in_file(Path(name))]
    everything = find(load().plugin_path)
    if found := [one for one in everything if one.name == name]:
        return found
    known = ", ".join(sorted({one.name for one in everything}))
    raise PluginError(f"{name}: no such plugin. Found: {known}.")


def _runs(one: Candidate, settings: Settings) -> bool:
    granted = {name.lower().replace("_", "-") for name in settings.granted}
    return one.name not in settings.disabled_plugins and (one.trusted or one.name in granted)


def switched_off(desk: Desk) -> list[str]:
    """The plugins' hooks that a desk switched off within the last minutes."""
    from assistant.plugging.calling import OFF_S, SWITCHED_OFF

    faults = recent_faults(desk, timedelta(seconds=OFF_S))
    return sorted({f"{f.plugin}, {f.hook}" for f in faults if f.error == SWITCHED_OFF})


def refuse_unfit(desk: Desk) -> None:
    """Raises DeskmateError if a plugin is broken, switched off, or lacks a permission."""
    listed = desk.plugins.list()
    broken = [f"{plugin.name}: {plugin.error}" for plugin in listed if plugin.state == "broken"]
    if broken:
        raise DeskmateError(
            "; ".join(broken) + ". Mend or uninstall it, or name it in disabled_plugins."
        )
    if off := switched_off(desk):
        raise DeskmateError(
            f"{'; '.join(off)}: switched off after repeated faults."
            " `deskmate plugins show NAME` shows them."
        )
    for plugin in listed:
        if plugin.state == "running" and plugin.missing:
            raise DeskmateError(
                f"{plugin.name}: not granted: {', '.join(plugin.missing)}, so not all of it runs."
                f" Run `deskmate plugins enable {plugin.name}`."
            )
