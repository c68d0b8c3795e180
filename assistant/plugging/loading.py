"""From an entry point to a plugin that is built, with its hooks and settings checked."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from importlib.metadata import EntryPoint
from typing import Any

import pluggy
from pydantic import BaseModel, ValidationError

from assistant import hooks
from assistant.errors import PluginError, SettingsError

GROUP = "deskmate.plugins"


def order(entry: EntryPoint) -> tuple[bool, str, str]:
    """Deskmate's own first, so that another package cannot take the place of a first-party
    plugin by taking its name."""
    distribution = entry.dist.name if entry.dist else ""
    return distribution != "deskmate", entry.name, distribution


def build(
    name: str, plugin: Any, table: Mapping[str, Any]
) -> tuple[object, type[BaseModel] | None]:
    """The plugin to register and the model of its settings; a class is called once.

    Raises SettingsError naming `plugins.NAME.key`.
    """
    model = getattr(plugin, "Settings", None) if isinstance(plugin, type) else None
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        if table:
            raise SettingsError(f"plugins.{name}: this plugin has no settings. Remove the table.")
        return (plugin() if isinstance(plugin, type) else plugin), None
    known = {field.alias or key for key, field in model.model_fields.items()}
    if unknown := sorted(set(table) - known):
        raise SettingsError(
            f"plugins.{name}.{unknown[0]}: no such setting. "
            f"Known here: {', '.join(sorted(known)) or 'none'}."
        )
    try:
        settings = model.model_validate(dict(table))
    except ValidationError as error:
        raise SettingsError(_explain(name, error)) from None
    return plugin(settings), model


def _explain(name: str, error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in ("plugins", name, *problem["loc"]))
        if problem["type"] == "missing":
            lines.append(f"{key}: missing. Set it, or add {name!r} to disabled_plugins.")
        else:
            lines.append(f"{key} = {problem['input']!r}: {problem['msg']}.")
    return "\n".join(lines)


def add(manager: pluggy.PluginManager, name: str, plugin: object) -> tuple[str, ...]:
    """Registers `plugin` and returns the names of its hooks.

    Raises PluginError, and leaves `manager` without the plugin, if a hook has an unknown name or
    argument, is async, or is a wrapper.
    """
    try:
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
    return tuple(sorted(caller.name for caller in callers))


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
