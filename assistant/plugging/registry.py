"""Which plugins a desk has: found, granted, loaded, and checked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

import pluggy

from assistant import hooks
from assistant.errors import PluginError, SettingsError
from assistant.plugging import loading, permissions, secrets
from assistant.plugging.calling import Caller, Faults
from assistant.plugging.faults import FaultError
from assistant.plugging.loaded import Loaded, PluginInfo, PluginState, Turn
from assistant.plugging.loading import Candidate
from assistant.plugging.shadows import Shadows
from assistant.plugging.sources import Sources
from assistant.plugging.versions import Versions

LOAD_LIMIT_S = 30.0

T = TypeVar("T")


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
        self._tried: dict[str, Loaded] = {}
        self._order: dict[str, tuple[Turn, ...]] = dict.fromkeys(hooks.TIME_LIMITS_S, ())
        self._sources = Sources()
        self.caller = Caller()
        self.shadows = Shadows()

    @classmethod
    def installed(
        cls,
        tables: Mapping[str, Mapping[str, Any]],
        disabled: Collection[str] = (),
        granted: Mapping[str, Collection[str]] | None = None,
        folder: Path | None = None,
        versions: Path | None = None,
    ) -> Self:
        """Loads every plugin that was found and is granted something, and not disabled.

        A plugin that cannot be loaded is skipped; `list` says why. `versions` is the folder of
        versions that were brought. Raises SettingsError if a plugin's settings are wrong or belong
        to no installed plugin.
        """
        plugins = cls(tables)
        grants = {_dashed(name): allowed for name, allowed in (granted or {}).items()}
        permissions.refuse_unknown(grants)
        brought = Versions(versions) if versions else None
        plugins._sources = Sources(disabled, grants, folder, brought)
        found = plugins._sources.find()
        known = {_dashed(one.name) for one in found} | set(brought.names() if brought else ())
        if strangers := sorted(set(plugins._tables) - known):
            raise SettingsError(
                f"plugins.{strangers[0]}: no plugin of this name is installed. "
                f"Installed: {', '.join(sorted(known)) or 'none'}."
            )
        for one in found:
            try:
                plugins._admit(one, one.load)
            except PluginError as error:
                plugins._skip(one, "broken", str(error))
        for name in brought.names() if brought else ():
            try:
                plugins._try(name)
            except PluginError as error:
                _log().warning("skipped_shadow", plugin=name, reason=str(error))
        plugins._arrange()
        return plugins

    def renewed(self, name: str) -> Self:
        """A copy in which this plugin is what is found now, its code run anew; the others are the
        same objects. It may be a new one, or gone.

        Raises PluginError or SettingsError if it cannot be loaded: then go on with what you have.
        """
        new = copy(self)
        new._infos = {k: i for k, i in self._infos.items() if k.partition(" (")[0] != name}
        new._loaded = {k: one for k, one in self._loaded.items() if k != name}
        new._tried = {k: one for k, one in self._tried.items() if k != name}
        for one in [one for one in self._sources.find() if one.name == name][:1]:
            new._admit(one, one.anew)
        new._try(name)
        new._arrange()
        for caller in (self.caller, self.shadows.caller):
            caller.forget(name)
        return new

    def table(self, name: str, table: Mapping[str, Any]) -> None:
        """Adds to the settings that the plugin of this name is built with."""
        self._tables.setdefault(_dashed(name), {}).update(table)

    def check(self, one: Candidate) -> PluginInfo:
        """Loads one plugin with its settings; what is wrong with it stands in `error`."""
        try:
            return self._load(one, one.load, None).info
        except (PluginError, SettingsError) as error:
            return PluginInfo(one.name, one.version, one.origin, state="broken", error=str(error))

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
        self._add(self._checked(name, plugin, version, distribution, granted))
        self._arrange()

    def list(self) -> tuple[PluginInfo, ...]:
        """Every plugin found, by name: running, disabled, not enabled or broken."""
        return tuple(sorted(self._infos.values(), key=lambda info: info.name))

    def hooks_of(self, name: str) -> tuple[str, ...]:
        """The hooks of a plugin that runs; none if it does not."""
        return self._loaded[name].info.hooks if name in self._loaded else ()

    def failed_required(self, faults: Faults) -> str | None:
        """The name of a plugin without which no message may go on, if it is among the faults."""
        return next((f.plugin for f in faults if self._infos[f.plugin].required), None)

    def secrets_of(self, plugin: str) -> tuple[str, ...]:
        """The values of a plugin's secret settings, to keep them out of texts."""
        return self._loaded[plugin].secrets if plugin in self._loaded else ()

    def trial(self, name: str) -> PluginInfo | None:
        """The version of a plugin that is tried, if one is."""
        return self._tried[name].info if name in self._tried else None

    def _add(self, loaded: Loaded) -> None:
        name = loaded.info.name
        if name in self._infos:
            other = self._infos[name].distribution or "a plugin registered before"
            raise PluginError(
                f"Plugin {name}: {loaded.info.distribution or 'this plugin'} and {other} use the "
                "same name. Uninstall one of them."
            )
        self._infos[name], self._loaded[name] = loaded.info, loaded

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
        def having(hook: str, plugins: Mapping[str, Loaded]) -> dict[str, pluggy.HookImpl]:
            return {
                name: one.calls[hook]
                for name, one in plugins.items()
                if hook in one.calls and hooks.NEEDS[hook] in one.info.granted
            }

        order = {}
        for hook in hooks.NEEDS:
            live = having(hook, self._loaded)
            tried = having(hook, self._tried) if hook in hooks.SHADOWED else {}
            turns = [Turn(live.get(name), tried.get(name)) for name in {**live, **tried}]
            order[hook] = tuple(sorted(turns, key=lambda turn: turn.place))
        self._order = order

    def _admit(self, one: Candidate, load: Callable[[], Any]) -> None:
        allowed = one.granted or self._sources.grants.get(_dashed(one.name))
        if one.name in self._sources.disabled:
            self._skip(one, "disabled")
        elif allowed is None and not one.trusted:
            self._skip(one, "not enabled")
        else:
            self._add(self._load(one, load, allowed))

    def _try(self, name: str) -> None:
        shadow = self._sources.state(name).shadow
        if self._sources.versions and shadow and name not in self._sources.disabled:
            one = self._sources.versions.candidate(name, shadow)
            self._tried[name] = self._load(one, one.anew, shadow.granted)

    def _load(
        self, one: Candidate, load: Callable[[], Any], granted: Collection[str] | None
    ) -> Loaded:
        plugin = self._in_time(one.name, load)
        loaded = self._checked(one.name, plugin, one.version, one.origin, granted)
        return replace(loaded, info=replace(loaded.info, number=one.number))

    def _skip(self, one: Candidate, state: PluginState, error: str = "") -> None:
        if error:
            _log().warning("skipped_plugin", plugin=one.name, reason=error)
        # Two packages with one name: the second is listed beside the first, which runs.
        key = one.name if one.name not in self._infos else f"{one.name} ({one.origin})"
        self._infos[key] = PluginInfo(key, one.version, one.origin, state=state, error=error)

    def _in_time(self, name: str, work: Callable[[], T]) -> T:
        try:
            return self.caller.wait(work, LOAD_LIMIT_S, (SettingsError, PluginError))
        except FaultError as fault:
            raise PluginError(f"Plugin {name} cannot be loaded: {fault}.") from None
        except TimeoutError:
            raise PluginError(
                f"Plugin {name} cannot be loaded: it took longer than {LOAD_LIMIT_S:g} s."
            ) from None


def _log() -> Any:
    # structlog takes 60 ms to import, which `deskmate --help` need not wait for.
    from assistant import logs

    return logs.logger("deskmate.plugins")


def _dashed(name: str) -> str:
    return name.lower().replace("_", "-")
