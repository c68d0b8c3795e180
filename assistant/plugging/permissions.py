"""What a plugin asks for, and what it may do.

They decide which hooks are called and whose changes count. They do not confine a plugin's code,
which runs in this process: see docs/plugins.md, "What this does not stop".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import get_args

from assistant.errors import PluginError, SettingsError
from assistant.hooks import CHANGING, CONTRACT, NEEDS, OLDEST_CONTRACT, Permission

ALL: frozenset[Permission] = frozenset(get_args(Permission))


def asked(name: str, plugin: object, hooks: Iterable[str]) -> frozenset[Permission]:
    """What a plugin with these hooks asks for: what it declares, or else what its hooks need.

    Raises PluginError if it declares something else than permissions, or less than a hook needs.
    """
    hooks = tuple(hooks)
    declared = getattr(plugin, "permissions", None)
    if declared is None:
        changing = any(hook in CHANGING for hook in hooks)
        return frozenset(NEEDS[hook] for hook in hooks) | ({"tickets:write"} if changing else set())
    if isinstance(declared, str) or not isinstance(declared, Iterable):
        raise PluginError(f'Plugin {name}: permissions is a set of names, such as {{"network"}}.')
    wanted = frozenset(declared)
    if unknown := sorted(map(str, wanted - ALL)):
        raise PluginError(
            f"Plugin {name}: there is no permission {unknown[0]}. Known: {', '.join(sorted(ALL))}."
        )
    for hook in hooks:
        if NEEDS[hook] not in wanted:
            raise PluginError(
                f"Plugin {name}, hook {hook}: needs the permission {NEEDS[hook]}, which its"
                " `permissions` do not name."
            )
    return wanted


def refuse_unknown(grants: Mapping[str, Collection[str]]) -> None:
    """Raises SettingsError if something is granted that is no permission."""
    for name, granted in grants.items():
        if unknown := sorted(set(granted) - ALL):
            raise SettingsError(
                f"granted.{name}: there is no permission {unknown[0]!r}. Known:"
                f" {', '.join(sorted(ALL))}."
            )


def check_contract(name: str, plugin: object) -> None:
    """Raises PluginError if the plugin was written for a contract that this version has not."""
    wanted = getattr(plugin, "contract", CONTRACT)
    if not isinstance(wanted, int) or not OLDEST_CONTRACT <= wanted <= CONTRACT:
        newer = isinstance(wanted, int) and wanted > CONTRACT
        raise PluginError(
            f"Plugin {name}: written for version {wanted!r} of the plugin contract; this Deskmate"
            f" has {CONTRACT}. Upgrade {'Deskmate' if newer else 'the plugin'}."
        )
