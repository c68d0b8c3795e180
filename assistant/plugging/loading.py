"""Finds plugins, and makes each one that is built, with its hooks and settings checked."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pluggy
from pydantic import BaseModel, ValidationError

from assistant import hooks
from assistant.errors import PluginError, SettingsError
from assistant.plugging import secrets

GROUP = "deskmate.plugins"
OURS = "deskmate"


@dataclass(frozen=True)
class Candidate:
    """A plugin that was found and whose code has not run. `origin` is its package, or its file.

    `trusted` ones need no grant: Deskmate's own, and files in the folder that the operator named.
    """

    name: str
    version: str
    origin: str
    trusted: bool
    load: Callable[[], Any]


def find(folder: Path | None = None) -> list[Candidate]:
    """What is installed, and what lies in `folder`.

    Deskmate's own stand first, so that nothing else can take a first-party plugin's place by
    taking its name. Raises SettingsError if there is no such folder.
    """
    found = [_installed(entry) for entry in entry_points(group=GROUP)]
    found.sort(key=lambda one: (one.origin != OURS, one.name, one.origin))
    if folder is None:
        return found
    if not folder.is_dir():
        raise SettingsError(f"plugin_folder = '{folder}': there is no such folder. Make it.")
    files = sorted(file for file in folder.glob("*.py") if not file.stem.startswith("_"))
    return found + [in_file(file) for file in files]


def in_file(file: Path) -> Candidate:
    """The plugin in one file: its global `plugin` if it has one, or else the module itself."""
    name = file.stem.lower().replace("_", "-")
    return Candidate(name, "", str(file), trusted=True, load=partial(_load_file, name, file))


def _installed(entry: EntryPoint) -> Candidate:
    origin, version = (entry.dist.name, entry.dist.version) if entry.dist else ("", "")
    return Candidate(entry.name, version, origin, trusted=origin == OURS, load=entry.load)


def _load_file(name: str, file: Path) -> Any:
    spec = importlib.util.spec_from_file_location(f"deskmate_plugin_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise PluginError(f"Plugin {name}: {file} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, "plugin", module)


def build(name: str, plugin: Any, table: Mapping[str, Any]) -> tuple[object, BaseModel | None]:
    """The plugin to register and its settings; a class is called once.

    Raises SettingsError naming `plugins.NAME.key`.
    """
    model = getattr(plugin, "Settings", None) if isinstance(plugin, type) else None
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        if table:
            raise SettingsError(f"plugins.{name}: this plugin has no settings. Remove the table.")
        return (plugin() if isinstance(plugin, type) else plugin), None
    settings = validated(name, model, table)
    return plugin(settings), settings


def validated(name: str, model: type[BaseModel], table: Mapping[str, Any]) -> BaseModel:
    """A plugin's settings. Raises SettingsError naming `plugins.NAME.key`."""
    known = {field.alias or key for key, field in model.model_fields.items()}
    if unknown := sorted(set(table) - known):
        raise SettingsError(
            f"plugins.{name}.{unknown[0]}: no such setting. "
            f"Known here: {', '.join(sorted(known)) or 'none'}."
        )
    try:
        return model.model_validate(dict(table))
    except ValidationError as error:
        raise SettingsError(_explain(name, model, error)) from None


def _explain(name: str, model: type[BaseModel], error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in ("plugins", name, *problem["loc"]))
        if problem["type"] == "missing":
            lines.append(f"{key}: missing. Set it, or add {name!r} to disabled_plugins.")
        elif secrets.is_secret(model, problem["loc"]) or not problem["loc"]:
            lines.append(f"{key}: {problem['msg']}.")  # a whole table may hold secrets too
        else:
            lines.append(f"{key} = {problem['input']!r}: {problem['msg']}.")
    return "\n".join(lines)


def add(
    manager: pluggy.PluginManager, name: str, plugin: object
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Registers `plugin`; returns the names of its hooks, and warnings of what is deprecated.

    Raises PluginError, and leaves `manager` without the plugin, if a hook has an unknown name or
    argument, is async, or is a wrapper.
    """
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            manager.register(plugin, name)
        callers = manager.get_hookcallers(plugin) or []
        if not callers:
            raise PluginError(f"Plugin {name} has no hook: mark its functions with @hookimpl.")
        for caller in callers:
            _check(name, caller)
    except pluggy.PluginValidationError as error:
        _remove(manager, plugin)
        # pluggy's message names plugin and hook, then the definition, then what is wrong with it.
        what = "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
        raise PluginError(f"{what}.") from None
    except BaseException:
        _remove(manager, plugin)
        raise
    return tuple(sorted(caller.name for caller in callers)), tuple(str(w.message) for w in said)


def _check(name: str, caller: pluggy.HookCaller) -> None:
    if caller.name not in hooks.TIME_LIMITS_S:
        close = difflib.get_close_matches(caller.name, hooks.TIME_LIMITS_S, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(hooks.TIME_LIMITS_S)}."
        raise PluginError(f"Plugin {name}: there is no hook {caller.name}. {hint}")
    for call in caller.get_hookimpls():
        if call.plugin_name != name:
            continue
        if call.wrapper or call.hookwrapper:
            raise PluginError(f"Plugin {name}, hook {caller.name}: wrappers are not supported.")
        if inspect.iscoroutinefunction(call.function):
            raise PluginError(
                f"Plugin {name}, hook {caller.name}: must be a plain function, not async."
            )


def _remove(manager: pluggy.PluginManager, plugin: object) -> None:
    if manager.is_registered(plugin):
        manager.unregister(plugin)


def turn(call: pluggy.HookImpl) -> tuple[int, str]:
    """Sorts a hook's plugins: those marked tryfirst, the others, those marked trylast."""
    return (0 if call.tryfirst else 2 if call.trylast else 1), call.plugin_name
