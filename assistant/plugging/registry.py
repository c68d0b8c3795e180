"""Which plugins a desk has: found, granted, loaded, and checked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import pluggy
from pydantic import BaseModel

from assistant import hooks
from assistant.errors import PluginError, SettingsError
from assistant.plugging import loading, permissions, secrets
from assistant.plugging.calling import Caller, Faults
from assistant.plugging.faults import FaultError
from assistant.plugging.loading import Candidate

LOAD_LIMIT_S = 30.0

T = TypeVar("T")


@dataclass(frozen=True)
class PluginInfo:
    """One line of `deskmate plugins`; `error` says why a broken plugin was skipped.

    `asked` are the permissions it needs, `granted` those it has; `warnings` name what it uses that
    is deprecated. A plugin that is `not enabled` was found and nothing of it has run.
    """

    name: str
    version: str
    distribution: str
    hooks: tuple[str, ...] = ()
    state: Literal["running", "disabled", "not enabled", "broken"] = "running"
    error: str = ""
    settings: BaseModel | None = None
    asked: frozenset[str] = frozenset()
    granted: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()
    required: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """What it asked for and was not granted."""
        return tuple(sorted(self.asked - self.granted))


@dataclass(frozen=True)
class Loaded:
    """A plugin whose code has run: the functions of its hooks, and its secrets."""

    info: PluginInfo
    calls: Mapping[str, pluggy.HookImpl]
    secrets: tuple[str, ...] = ()


class Registry:
    """The plugins of one desk. Without `installed`, it starts empty: scripts and tests `register`.

    `tables` maps a plugin's name to its settings, as in `[plugins.NAME]`. Names are the same with
    dashes and underscores, since variables have no dashes: `DESKMATE_PLUGINS__ORDER_LOOKUP__TOKEN`.
    """

    def __init__(self, tables: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._tables: dict[str, dict[str, Any]] = {}
        for name, table in (tables or {}).items():
            self.table(name, table)
        self._infos: dict[str, PluginInfo] = {}
        self._loaded: dict[str, Loaded] = {}
        self._order: dict[str, tuple[pluggy.HookImpl, ...]] = dict.fromkeys(hooks.TIME_LIMITS_S, ())
        self.caller = Caller()

    @classmethod
    def installed(
        cls,
        tables: Mapping[str, Mapping[str, Any]],
        disabled: Collection[str] = (),
        granted: Mapping[str, Collection[str]] | None = None,
        folder: Path | None = None,
    ) -> Self:
        """Loads every plugin that was found and is granted something, and not disabled.

        A plugin that cannot be loaded is skipped; `list` says why. Raises SettingsError if a
        plugin's settings are wrong or belong to no installed plugin.
        """
        plugins = cls(tables)
        found = loading.find(folder)
        known = {_dashed(one.name) for one in found}
        if strangers := sorted(set(plugins._tables) - known):
            raise SettingsError(
                f"plugins.{strangers[0]}: no plugin of this name is installed. "
                f"Installed: {', '.join(sorted(known)) or 'none'}."
            )
        grants = {_dashed(name): allowed for name, allowed in (granted or {}).items()}
        permissions.refuse_unknown(grants)
        for one in found:
            allowed = grants.get(_dashed(one.name))
            if one.name in disabled:
                plugins._skip(one, PluginInfo(one.name, one.version, one.origin, state="disabled"))
            elif allowed is None and not one.trusted:
                waits = PluginInfo(one.name, one.version, one.origin, state="not enabled")
                plugins._skip(one, waits)
            else:
                plugins._load(one, allowed)
        return plugins

    def table(self, name: str, table: Mapping[str, Any]) -> None:
        """Adds to the settings that the plugin of this name is built with."""
        self._tables.setdefault(_dashed(name), {}).update(table)

    def check(self, one: Candidate) -> PluginInfo:
        """Loads one plugin with its settings; what is wrong with it stands in `error`."""
        try:
            self._load(one, None)
        except SettingsError as error:
            return PluginInfo(one.name, one.version, one.origin, state="broken", error=str(error))
        return self._infos[one.name]

    def register(
        self,
        name: str,
        plugin: object,
        *,
        version: str = "",
        distribution: str = "",
        granted: Collection[str] | None = None,
    ) -> None:
        """Adds a module, an object, or a class that is built here with its own settings.

        `granted` are its permissions; by default all that it asks for. Raises PluginError naming
        the plugin, the hook and what is wrong, and SettingsError.
        """
        if name in self._infos:
            other = self._infos[name].distribution or "a plugin registered before"
            raise PluginError(
                f"Plugin {name}: {distribution or 'this plugin'} and {other} use the same name. "
                "Uninstall one of them."
            )
        loaded = self._checked(name, plugin, version, distribution, granted)
        self._infos[name] = loaded.info
        self._loaded[name] = loaded
        self._arrange()

    def list(self) -> tuple[PluginInfo, ...]:
        """Every plugin found, by name: running, disabled, not enabled or broken."""
        return tuple(sorted(self._infos.values(), key=lambda info: info.name))

    def failed_required(self, faults: Faults) -> str | None:
        """The name of a plugin without which no message may go on, if it is among the faults."""
        return next((f.plugin for f in faults if self._infos[f.plugin].required), None)

    def secrets_of(self, plugin: str) -> tuple[str, ...]:
        """The values of a plugin's secret settings, to keep them out of texts."""
        return self._loaded[plugin].secrets if plugin in self._loaded else ()

    def _checked(
        self,
        name: str,
        plugin: object,
        version: str,
        distribution: str,
        granted: Collection[str] | None,
    ) -> Loaded:
        table = self._tables.get(_dashed(name), {})

        def make() -> Loaded:
            permissions.check_contract(name, plugin)
            built, settings = loading.build(name, plugin, table)
            required = bool(getattr(built, "required", False))
            calls, warnings = loading.hooked(name, built)
            asked = permissions.asked(name, built, calls)
            info = PluginInfo(
                name,
                version,
                distribution,
                tuple(sorted(calls)),
                settings=settings,
                asked=asked,
                granted=asked if granted is None else asked & frozenset(granted),
                warnings=warnings,
                required=required,
            )
            return Loaded(info, calls, secrets.values(settings) if settings else ())

        return self._in_time(name, make)

    def _arrange(self) -> None:
        self._order = {
            hook: tuple(
                sorted(
                    (
                        loaded.calls[hook]
                        for loaded in self._loaded.values()
                        if hook in loaded.calls and need in loaded.info.granted
                    ),
                    key=loading.turn,
                )
            )
            for hook, need in hooks.NEEDS.items()
        }

    def _load(self, one: Candidate, granted: Collection[str] | None) -> None:
        try:
            plugin = self._in_time(one.name, one.load)
            self.register(
                one.name, plugin, version=one.version, distribution=one.origin, granted=granted
            )
        except PluginError as error:
            from assistant import logs

            logs.logger("deskmate.plugins").warning(
                "skipped_plugin", plugin=one.name, reason=str(error)
            )
            info = PluginInfo(one.name, one.version, one.origin, state="broken", error=str(error))
            self._skip(one, info)

    def _skip(self, one: Candidate, info: PluginInfo) -> None:
        # Two packages with one name: the second is listed beside the first, which runs.
        key = one.name if one.name not in self._infos else f"{one.name} ({one.origin})"
        self._infos[key] = replace(info, name=key)

    def _in_time(self, name: str, work: Callable[[], T]) -> T:
        try:
            return self.caller.wait(work, LOAD_LIMIT_S, (SettingsError, PluginError))
        except FaultError as fault:
            raise PluginError(f"Plugin {name} cannot be loaded: {fault}.") from None
        except TimeoutError:
            raise PluginError(
                f"Plugin {name} cannot be loaded: it took longer than {LOAD_LIMIT_S:g} s."
            ) from None


def _dashed(name: str) -> str:
    return name.lower().replace("_", "-")
