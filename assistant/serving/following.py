"""Takes up plugins while `deskmate serve` runs: versions that were promoted or are tried, and with
`--reload` what their authors save."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import watchfiles

from assistant import logs
from assistant.desk import Desk
from assistant.errors import PluginError, SettingsError
from assistant.plugging import loading
from assistant.plugging.versions import FILE, State, Versions

log = logs.logger(__name__)


LOOK_MS = 2_000
"""Versions are looked at as often as this too: not every file system tells of changes, and one may
be promoted before the watch begins."""


def follow(desk: Desk, reload: bool, stop: threading.Event) -> None:
    """Renews each plugin that changed, until `stop` is set. With `reload`, also files in the
    plugin folder and packages that are installed to be edited."""
    versions = Versions(desk.settings.data_dir / "plugins")
    versions.folder.mkdir(parents=True, exist_ok=True)
    folder = desk.settings.plugin_path if reload else None
    edited = loading.edited() if reload else {}
    known: dict[str, State] = {}
    for changes in watchfiles.watch(
        *{path.resolve() for path in (versions.folder, folder, *edited) if path},
        watch_filter=lambda change, path: path.endswith((".py", FILE)),
        stop_event=stop,
        rust_timeout=LOOK_MS,
        yield_on_timeout=True,
        raise_interrupt=False,
    ):
        names = {name for _, path in changes for name in _names(Path(path), folder, edited)}
        for name in sorted(names | set(_moved(desk, versions, known))):
            _take_up(desk, name)


def _moved(desk: Desk, versions: Versions, known: dict[str, State]) -> Iterator[str]:
    """The plugins of which other versions should run or be tried than do; each change once."""
    running = {info.name: info.number for info in desk.plugins.list()}
    for name in versions.names():
        try:
            state = versions.state(name)
        except PluginError as error:
            log.error("kept_plugin", plugin=name, reason=str(error))
            continue
        trial = desk.plugins.trial(name)
        wanted = (
            state.used[-1].number if state.used else 0,
            state.shadow.number if state.shadow else 0,
        )
        if wanted != (running.get(name, 0), trial.number if trial else 0) and (
            known.get(name) != state
        ):
            yield name
        known[name] = state


def _names(path: Path, folder: Path | None, edited: Mapping[Path, list[str]]) -> list[str]:
    """The plugins that a changed file belongs to."""
    if folder and path.parent == folder.resolve():
        return [] if path.name.startswith("_") else [loading.name_of(path)]
    return [name for root, names in edited.items() if path.is_relative_to(root) for name in names]


def _take_up(desk: Desk, name: str) -> None:
    try:
        desk.renew(name)
    except (PluginError, SettingsError) as error:
        log.error("kept_plugin", plugin=name, reason=str(error))
        return
    for info in desk.plugins.list():
        if info.name == name:
            log.info("took_up_plugin", plugin=name, version=info.version, state=info.state)
            if "register_connectors" in info.hooks:
                log.warning("kept_connectors", plugin=name, next_step="start the desk again")
