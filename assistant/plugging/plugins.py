"""Finds plugins and calls their hooks one by one, so that a faulty plugin costs only itself.

    plugins = Plugins.installed(settings.plugins, settings.disabled_plugins)
    faults: Faults = []
    message = plugins.message_received(message, ticket, faults)

Each method mirrors the hook of its name in `hooks.py` and returns a plain, checked value. What went
wrong is appended to the caller's own list, so that workers can share one `Plugins`.

A plugin runs in this process. A time limit frees the path from a plugin that waits or loops in
Python; it cannot interrupt one that holds the interpreter inside C code or ends the process.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import pluggy
from pydantic import BaseModel

from assistant import hooks
from assistant.errors import PluginError, SettingsError
from assistant.messages import Answer, Article, Hit, Message, PluginFault, Reply, Ticket
from assistant.plugging import loading, results
from assistant.plugging.faults import FaultError, worded
from assistant.plugging.threads import Threads

if TYPE_CHECKING:
    import typer

    from assistant.connecting import Connector
    from assistant.settings import Settings

LOAD_LIMIT_S = 30.0

Faults = list[PluginFault]
"""What plugins did wrong during one message, one command or the start; the caller stores it."""

T = TypeVar("T")


@dataclass(frozen=True)
class PluginInfo:
    """One line of `deskmate plugins`; `error` says why a broken plugin was skipped."""

    name: str
    version: str
    distribution: str
    hooks: tuple[str, ...] = ()
    state: Literal["running", "disabled", "broken"] = "running"
    error: str = ""
    settings_model: type[BaseModel] | None = None


class Plugins:
    """The plugins of one desk. Without `installed`, it starts empty: scripts and tests `register`.

    `tables` maps a plugin's name to its settings, as in `[plugins.NAME]`. Names are the same with
    dashes and underscores, since variables have no dashes: `DESKMATE_PLUGINS__ORDER_LOOKUP__TOKEN`.
    """

    def __init__(self, tables: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        self._tables: dict[str, dict[str, Any]] = {}
        for name, table in (tables or {}).items():
            self._tables.setdefault(_dashed(name), {}).update(table)
        self._manager = pluggy.PluginManager("deskmate")
        self._manager.add_hookspecs(hooks)
        self._infos: dict[str, PluginInfo] = {}
        self._order: dict[str, tuple[pluggy.HookImpl, ...]] = dict.fromkeys(hooks.TIME_LIMITS_S, ())
        self._threads = Threads()
        self._hanging: dict[tuple[str, str], Future[Any]] = {}

    @classmethod
    def installed(
        cls, tables: Mapping[str, Mapping[str, Any]], disabled: Collection[str] = ()
    ) -> Plugins:
        """Loads every plugin of the entry point group `deskmate.plugins` that is not disabled.

        A plugin that cannot be loaded is skipped; `list` says why. Raises SettingsError if a
        plugin's settings are wrong or belong to no installed plugin.
        """
        plugins = cls(tables)
        found = sorted(entry_points(group=loading.GROUP), key=loading.order)
        known = {_dashed(entry.name) for entry in found}
        if strangers := sorted(set(plugins._tables) - known):
            raise SettingsError(
                f"plugins.{strangers[0]}: no plugin of this name is installed. "
                f"Installed: {', '.join(sorted(known)) or 'none'}."
            )
        for entry in found:
            plugins._load(entry, disabled)
        return plugins

    def register(
        self, name: str, plugin: object, *, version: str = "", distribution: str = ""
    ) -> None:
        """Adds a module, an object, or a class that is built here with its own settings.

        Raises PluginError naming the plugin, the hook and what is wrong, and SettingsError.
        """
        if name in self._infos:
            other = self._infos[name].distribution or "a plugin registered before"
            raise PluginError(
                f"Plugin {name}: {distribution or 'this plugin'} and {other} use the same name. "
                "Uninstall one of them."
            )
        table = self._tables.get(_dashed(name), {})
        built, model = self._in_time(name, lambda: loading.build(name, plugin, table))
        names = self._in_time(name, lambda: loading.add(self._manager, name, built))
        self._infos[name] = PluginInfo(name, version, distribution, names, settings_model=model)
        for hook in hooks.TIME_LIMITS_S:
            implementations = getattr(self._manager.hook, hook).get_hookimpls()
            self._order[hook] = tuple(sorted(implementations, key=loading.turn))

    def list(self) -> tuple[PluginInfo, ...]:
        """Every plugin found, by name: running, disabled or broken."""
        return tuple(sorted(self._infos.values(), key=lambda info: info.name))

    def register_connectors(self, settings: Settings, faults: Faults) -> tuple[Connector, ...]:
        """All connectors, each name once."""
        check = results.connectors
        return self._gathered("register_connectors", faults, check, {"settings": settings})

    def register_sources(self, settings: Settings, faults: Faults) -> tuple[Iterable[Article], ...]:
        """All sources. Reading one may still raise: that happens later, in the reader's hands."""
        check = results.sources
        return self._gathered("register_sources", faults, check, {"settings": settings})

    def register_tools(self, settings: Settings, faults: Faults) -> tuple[Any, ...]:
        """All LangChain tools, each name once."""
        return self._gathered("register_tools", faults, results.tools, {"settings": settings})

    def register_commands(self, cli: typer.Typer, faults: Faults) -> None:
        """Lets plugins add commands to `cli`."""
        self._gathered("register_commands", faults, results.nothing, {"cli": cli})

    def message_received(self, message: Message, ticket: Ticket, faults: Faults) -> Message:
        """The message to go on with."""
        arguments = {"message": message, "ticket": ticket}
        return self._chained("message_received", faults, results.message, "message", arguments)

    def passages_found(
        self, message: Message, hits: Sequence[Hit], faults: Faults
    ) -> tuple[Hit, ...]:
        """The hits to answer from, best first."""
        arguments = {"message": message, "hits": tuple(hits)}
        return self._chained("passages_found", faults, results.hits, "hits", arguments)

    def answer_drafted(self, message: Message, answer: Answer, faults: Faults) -> Answer:
        """The answer to go on with; its sources are still to be checked."""
        arguments = {"message": message, "answer": answer}
        return self._chained("answer_drafted", faults, results.answer, "answer", arguments)

    def reply_sending(self, reply: Reply, faults: Faults) -> str | None:
        """The first plugin's reason to hold the reply back, as `plugin: reason`, or None."""
        for call in self._order["reply_sending"]:
            reason = self._call("reply_sending", call, faults, results.reason, {"reply": reply})
            if reason is not None:
                return f"{call.plugin_name}: {reason}"
        return None

    def ticket_solved(self, ticket: Ticket, faults: Faults) -> None:
        """Tells every plugin."""
        self._gathered("ticket_solved", faults, results.nothing, {"ticket": ticket})

    def console_panels(self, ticket: Ticket, faults: Faults) -> tuple[tuple[str, str], ...]:
        """All panels as (title, HTML not yet sanitised)."""
        return self._gathered("console_panels", faults, results.panels, {"ticket": ticket})

    def _chained(
        self,
        hook: str,
        faults: Faults,
        check: Callable[[T, Any], T],
        changing: str,
        arguments: dict[str, Any],
    ) -> T:
        for call in self._order[hook]:
            given: T = arguments[changing]
            changed = self._call(hook, call, faults, partial(check, given), arguments)
            if changed is not None:
                arguments = {**arguments, changing: changed}
        result: T = arguments[changing]
        return result

    def _gathered(
        self,
        hook: str,
        faults: Faults,
        check: Callable[[tuple[T, ...], Any], tuple[T, ...]],
        arguments: dict[str, Any],
    ) -> tuple[T, ...]:
        gathered: tuple[T, ...] = ()
        for call in self._order[hook]:
            more = self._call(hook, call, faults, partial(check, gathered), arguments)
            gathered += more or ()
        return gathered

    def _call(
        self,
        hook: str,
        call: pluggy.HookImpl,
        faults: Faults,
        check: Callable[[Any], T],
        arguments: Mapping[str, Any],
    ) -> T | None:
        """What one plugin returned, checked; None if that is nothing or a fault."""

        def work() -> T | None:
            result = call.function(*(arguments[name] for name in call.argnames))
            return None if result is None else check(result)

        passing = (SettingsError,) if hook.startswith("register_") else ()
        key = (call.plugin_name, hook)
        limit_s = hooks.TIME_LIMITS_S[hook]
        if key in self._hanging and not self._hanging[key].done():
            error = "not called: an earlier call has still not returned"
        else:
            future = self._threads.start(worded(work, passing))
            try:
                return future.result(limit_s)
            except FaultError as fault:
                error = str(fault)
            except TimeoutError:
                self._hanging[key] = future
                error = f"took longer than {limit_s:g} s"
        # The error may quote the customer: it goes to the ticket, and only the names to the log.
        _log().warning("failed_hook", plugin=call.plugin_name, hook=hook)
        faults.append(PluginFault(call.plugin_name, hook, error))
        return None

    def _load(self, entry: EntryPoint, disabled: Collection[str]) -> None:
        distribution = entry.dist.name if entry.dist else ""
        version = entry.dist.version if entry.dist else ""
        info = PluginInfo(entry.name, version, distribution)
        if entry.name in disabled:
            self._infos[entry.name] = replace(info, state="disabled")
            return
        try:
            plugin = self._in_time(entry.name, entry.load)
            self.register(entry.name, plugin, version=version, distribution=distribution)
        except PluginError as error:
            _log().warning("skipped_plugin", plugin=entry.name, reason=str(error))
            broken = replace(info, state="broken", error=str(error))
            # Two packages with one name: the second is listed beside the first, which runs.
            key = entry.name if entry.name not in self._infos else f"{entry.name} ({distribution})"
            self._infos[key] = replace(broken, name=key)

    def _in_time(self, name: str, work: Callable[[], T]) -> T:
        future = self._threads.start(worded(work, (SettingsError, PluginError)))
        try:
            return future.result(LOAD_LIMIT_S)
        except FaultError as fault:
            raise PluginError(f"Plugin {name} cannot be loaded: {fault}.") from None
        except TimeoutError:
            raise PluginError(
                f"Plugin {name} cannot be loaded: it took longer than {LOAD_LIMIT_S:g} s."
            ) from None


def _dashed(name: str) -> str:
    return name.lower().replace("_", "-")


def _log() -> Any:
    # structlog takes 60 ms to import, which `deskmate --help` need not wait for.
    from assistant import logs

    return logs.logger("deskmate.plugins")
