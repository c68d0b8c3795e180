"""`deskmate init`, `deskmate doctor` and `deskmate db …`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from assistant.cli.plugins import refuse_unfit
from assistant.cli.training import in_use
from assistant.errors import DeskmateError, SettingsError

if TYPE_CHECKING:
    from assistant.desk import Desk

database = typer.Typer(help="Migrations of the ticket database.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Adds these commands."""
    app.command()(init)
    app.command()(doctor)
    app.add_typer(database, name="db")


def config_given(arguments: Sequence[str]) -> str | None:
    """The value of `--config` before the command, which decides what plugins see."""
    for word, following in zip_longest(arguments, arguments[1:]):
        if word == "--config":
            return following
        if word.startswith("--config="):
            return word.removeprefix("--config=")
        if not word.startswith("-"):
            break
    return None


def add_plugin_commands(app: typer.Typer) -> None:
    """Lets plugins add their commands, unless a command of ours is called: it need not wait.

    Raises DeskmateError if settings are wrong, unless only help is wanted.
    """
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    if config_given(sys.argv[1:]) in words[:1]:
        words = words[1:]
    called = words[0] if words else ""
    if _is_ours(app, words):
        return
    from assistant.plugging import Faults, Plugins
    from assistant.settings import load

    faults: Faults = []
    try:
        Plugins.of(load()).register_commands(app, faults)
    except DeskmateError as error:
        if called:
            raise
        typer.secho(f"Plugins' commands are not listed: {error}", fg="yellow", err=True)
    for fault in faults:
        typer.secho(f"Plugin {fault.plugin}, {fault.hook}: {fault.error}", fg="yellow", err=True)


def _is_ours(app: typer.Typer, words: Sequence[str]) -> bool:
    """Whether a command of ours is called; plugins may add theirs to groups of ours."""
    names = {command.callback.__name__ for command in app.registered_commands if command.callback}
    if words and words[0] in names:
        return True
    group = next((g.typer_instance for g in app.registered_groups if g.name in words[:1]), None)
    if group is None:
        return False
    return any(
        words[1:2] == [command.name or getattr(command.callback, "__name__", "").replace("_", "-")]
        for command in group.registered_commands
    )


def init(
    folder: Annotated[Path, typer.Argument(help="Where to write deskmate.toml.")] = Path(),
) -> None:
    """Write a deskmate.toml with every setting explained and commented out."""
    from assistant.settings import FILE_NAME
    from assistant.settings_file import commented

    file = folder / FILE_NAME
    if file.exists():
        raise SettingsError(f"{file} exists already. Edit it, or move it away first.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(commented(), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}.") from error
    typer.echo(f"Wrote {file}. Next: deskmate index PATH, then deskmate ask.")


def doctor() -> None:
    """Check settings, weights, index, database, plugins and connectors, and say what to do."""
    from assistant.desk import Desk

    console = Console()
    with Desk.open() as desk:
        checks: list[tuple[str, Callable[[Desk], str]]] = [
            ("settings", lambda desk: f"data in {desk.settings.data_dir.resolve()}"),
            ("weights", _weights),
            ("trained", in_use),
            ("index", _index),
            ("database", _database),
            ("arrivals", _arrivals),
            ("plugins", _plugins),
            ("tools", _tools),
            ("connectors", _connectors),
            ("staff", _staff),
            ("chat model", _chat_model),
        ]
        failed = 0
        for name, check in checks:
            try:
                console.print(f"[green]ok[/]     {name:<11} {escape(check(desk))}", highlight=False)
            except DeskmateError as error:
                failed += 1
                console.print(f"[red]failed[/] {name:<11} {escape(str(error))}", highlight=False)
    if failed:
        raise typer.Exit(1)


def _weights(desk: Desk) -> str:
    found = desk.encoder.weights
    return f"{found.name} from {found.origin} {found.folder}, {desk.encoder.dim} dimensions"


def _index(desk: Desk) -> str:
    articles, passages = desk.lexical.counts()
    vectors = desk.store.count()
    if not passages:
        raise DeskmateError("it is empty. Run `deskmate index PATH`.")
    if vectors < passages:
        raise DeskmateError(
            f"{passages} passages, but {vectors} vectors."
            f" Delete {desk.index_folder} and run `deskmate index PATH`."
        )
    return f"{articles} articles, {passages} passages"


def _database(desk: Desk) -> str:
    desk.tickets.list(limit=1)
    return str(desk.engine.url.render_as_string(hide_password=True))


def _arrivals(desk: Desk) -> str:
    given_up = desk.tickets.arrivals.given_up()
    if not given_up:
        return "connectors could read all that came"
    last = given_up[-1]
    return (
        f"{len(given_up)} could not be read for a day and were left to people; the last,"
        f" {last.connector} {last.external_id}: {last.error}"
    )


def _plugins(desk: Desk) -> str:
    refuse_unfit(desk)
    listed = desk.plugins.list()
    if not any(plugin.name == "redaction" and plugin.state == "running" for plugin in listed):
        raise DeskmateError(
            "redaction is not running: models and traces see customers' secrets as they were"
            " written. Take it out of disabled_plugins."
        )
    return ", ".join(plugin.name for plugin in listed if plugin.state == "running")


def _tools(desk: Desk) -> str:
    names = ", ".join(tool.name for tool in desk.tools)
    _refuse_faults(desk, "register_tools")
    return names or "none"


def _refuse_faults(desk: Desk, hook: str) -> None:
    if faults := [fault for fault in desk.faults if fault.hook == hook]:
        raise DeskmateError(
            "; ".join(f"plugin {f.plugin}, {f.hook}: {f.error}" for f in faults)
            + ". Mend it, or name it in disabled_plugins."
        )


def _connectors(desk: Desk) -> str:
    built = desk.connectors
    _refuse_faults(desk, "register_connectors")
    # A connector may be one of several under one table, such as `email/sales`.
    for table in desk.settings.connectors:
        if not any(name == table or name.startswith(f"{table}/") for name in built):
            raise DeskmateError(
                f"connectors.{table}: no installed plugin made a connector of it. Check the name,"
                " and `deskmate plugins`."
            )
    return ", ".join(built) or "none configured: messages come from the command line only"


def _staff(desk: Desk) -> str:
    from assistant.connecting import AnnotatingConnector
    from assistant.upkeep import notifier

    name = desk.settings.staff_connector
    if notifier(desk.connectors, name):
        return f"told of drafts and hand-overs through {name or 'the first connector that can'}"
    within = [n for n, each in desk.connectors.items() if isinstance(each, AnnotatingConnector)]
    if within and not name:
        return f"told of drafts and hand-overs in the tickets of {', '.join(within)}"
    if name:
        raise DeskmateError(
            f"staff_connector = {name!r}: no connector of this name can tell staff. Name one of"
            f" {', '.join(desk.connectors) or 'the connectors, of which there are none'}."
        )
    return "nobody: no connector can. `deskmate tickets list` shows what waits"


def _chat_model(desk: Desk) -> str:
    _ = desk.generator
    return desk.settings.answering.chat_model or "none: answers are the sources' own sentences"


@database.command()
def upgrade() -> None:
    """Bring the ticket database to this version's tables."""
    from assistant.settings import load
    from assistant.tickets.database import connect, upgrade

    upgrade(connect(load().resolved_database_url))
    typer.echo("The ticket database is up to date.")


@database.command(context_settings={"ignore_unknown_options": True})  # for -1
def downgrade(
    revision: Annotated[str, typer.Argument(help="Alembic revision, such as -1 or base.")],
) -> None:
    """Take the ticket database back to an earlier version's tables. Data in newer ones is lost."""
    from assistant.settings import load
    from assistant.tickets.database import connect, downgrade

    downgrade(connect(load().resolved_database_url), revision)
    typer.echo(f"The ticket database is at {revision}.")
