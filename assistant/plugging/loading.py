"""Finds plugins, and makes each one that is built, with its hooks and settings checked."""

from __future__ import annotations

import difflib
import importlib.util
import inspect
import json
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pluggy
from pydantic import BaseModel, ValidationError

from assistant import hooks
from assistant.errors import PluginError, SettingsError
from assistant.plugging import importing, secrets

GROUP = "deskmate.plugins"
OURS = "deskmate"


@dataclass(frozen=True)
class Candidate:
    """A plugin that was found and whose code has not run. `origin` is its package, or its file.

    `trusted` ones need no grant: Deskmate's own, and files in the folder that the operator named.
    `load` imports it as Python does, once a process, and `anew` whatever was imported before.
    `number` and `granted` are those of a version that the operator brought.
    """

    name: str
    version: str
    origin: str
    trusted: bool
    load: Callable[[], Any]
    anew: Callable[[], Any]
    granted: tuple[str, ...] | None = None
    number: int = 0


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


def edited() -> dict[Path, list[str]]:
    """The projects that are installed to be edited (`pip install -e`), with their plugins."""
    found: dict[Path, list[str]] = {}
    for entry in entry_points(group=GROUP):
        told = entry.dist.read_text("direct_url.json") if entry.dist else None
        where = json.loads(told) if told else {}
        if entry.dist and entry.dist.name != OURS and where.get("dir_info", {}).get("editable"):
            root = Path(url2pathname(urlsplit(where["url"]).path)).resolve()
            if root.is_dir():
                found.setdefault(root, []).append(entry.name)
    return found


def in_file(file: Path) -> Candidate:
    """The plugin in one file: its global `plugin` if it has one, or else the module itself."""
    load = partial(load_file, file)
    return Candidate(name_of(file), "", str(file), trusted=True, load=load, anew=load)


def name_of(file: Path) -> str:
    """The name of the plugin in a file."""
    return file.stem.lower().replace("_", "-")


def load_file(file: Path) -> Any:
    """Runs a plugin's file. Raises whatever it raises."""
    module = importing.load(file.parent, file.stem, {file.stem})
    return getattr(module, "plugin", module)


def _installed(entry: EntryPoint) -> Candidate:
    origin, version = (entry.dist.name, entry.dist.version) if entry.dist else ("", "")
    ours, anew = origin == OURS, partial(_load_anew, entry)
    return Candidate(entry.name, version, origin, trusted=ours, load=entry.load, anew=anew)


def target_of(entry: EntryPoint) -> str:
    """What an entry point names, without its extras."""
    return entry.value.partition("[")[0].strip()


def _load_anew(entry: EntryPoint) -> Any:
    top = entry.module.partition(".")[0]
    spec = importlib.util.find_spec(top)
    inside = spec.submodule_search_locations if spec else None
    place = inside[0] if inside else spec.origin if spec else None
    if place is None:
        raise PluginError(f"Plugin {entry.name}: its package {top} is no longer there.")
    return importing.load(Path(place).parent, target_of(entry), {top})


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


def hooked(name: str, plugin: object) -> tuple[dict[str, pluggy.HookImpl], tuple[str, ...]]:
    """The hooks that `plugin` has, by name, and warnings of what is deprecated.

    Raises PluginError if a hook has an unknown name or argument, is async, or is a wrapper. Each
    plugin is checked by a manager of its own: a desk's plugins change while it works, and one that
    is refused must leave nothing behind.
    """
    manager = pluggy.PluginManager("deskmate")
    manager.add_hookspecs(hooks)
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            manager.register(plugin, name)
    except pluggy.PluginValidationError as error:
        # pluggy's message names plugin and hook, then the definition, then what is wrong with it.
        what = "; ".join(line.strip() for line in str(error).splitlines() if line.strip())
        raise PluginError(f"{what}.") from None
    callers = manager.get_hookcallers(plugin) or []
    if not callers:
        raise PluginError(f"Plugin {name} has no hook: mark its functions with @hookimpl.")
    calls = {caller.name: _only(name, caller) for caller in callers}
    return calls, tuple(str(warning.message) for warning in said)


def _only(name: str, caller: pluggy.HookCaller) -> pluggy.HookImpl:
    if caller.name not in hooks.TIME_LIMITS_S:
        close = difflib.get_close_matches(caller.name, hooks.TIME_LIMITS_S, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(hooks.TIME_LIMITS_S)}."
        raise PluginError(f"Plugin {name}: there is no hook {caller.name}. {hint}")
    call, *more = caller.get_hookimpls()
    if more:
        raise PluginError(f"Plugin {name}, hook {caller.name}: has two functions. Join them.")
    if call.wrapper or call.hookwrapper:
        raise PluginError(f"Plugin {name}, hook {caller.name}: wrappers are not supported.")
    if inspect.iscoroutinefunction(call.function):
        raise PluginError(
            f"Plugin {name}, hook {caller.name}: must be a plain function, not async."
        )
    return call


def turn(call: pluggy.HookImpl) -> tuple[int, str]:
    """Sorts a hook's plugins: those marked tryfirst, the others, those marked trylast."""
    return (0 if call.tryfirst else 2 if call.trylast else 1), call.plugin_name
