"""Takes up plugins while `deskmate serve` runs: versions that were promoted or are tried, and with
`--reload` what their authors save."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import watchfiles

from assistant import logs
from assistant.desk import Desk
from assistant.errors import PluginError, SettingsError
from assistant.plugging import loading, versions

log = logs.logger(__name__)


def follow(desk: Desk, reload: bool, stop: threading.Event) -> None:
    """Renews each plugin that changed, until `stop` is set. With `reload`, also files in the
    plugin folder and packages that are installed to be edited."""
    brought = desk.settings.data_dir / "plugins"
    brought.mkdir(parents=True, exist_ok=True)
    folder = desk.settings.plugin_path if reload else None
    edited = loading.edited() if reload else {}
    for changes in watchfiles.watch(
        *{path.resolve() for path in (brought, folder, *edited) if path},
        watch_filter=lambda change, path: path.endswith((".py", versions.FILE)),
        stop_event=stop,
        raise_interrupt=False,
    ):
        paths = [Path(path) for _, path in changes]
        for name in sorted({name for path in paths for name in _names(path, folder, edited)}):
            _take_up(desk, name)


def _names(path: Path, folder: Path | None, edited: Mapping[Path, list[str]]) -> list[str]:
    """The plugins that a changed file belongs to."""
    if path.name == versions.FILE:
        return [path.parent.name]
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
