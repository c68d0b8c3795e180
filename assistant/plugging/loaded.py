"""What is known of a plugin, and of one that was loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pluggy
from pydantic import BaseModel

from assistant.plugging import loading

PluginState = Literal["running", "disabled", "not enabled", "broken"]


@dataclass(frozen=True)
class PluginInfo:
    """One line of `deskmate plugins`; `error` says why a broken plugin was skipped.

    `asked` are the permissions it needs, `granted` those it has; `warnings` name what it uses that
    is deprecated. A plugin that is `not enabled` was found and nothing of it has run. `number` is
    that of a version that was brought beside the installed one, or 0.
    """

    name: str
    version: str
    distribution: str
    hooks: tuple[str, ...] = ()
    state: PluginState = "running"
    error: str = ""
    settings: BaseModel | None = None
    asked: frozenset[str] = frozenset()
    granted: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()
    required: bool = False
    number: int = 0

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


@dataclass(frozen=True)
class Turn:
    """One plugin's turn in a hook: what is called, and what a version that is tried has there."""

    live: pluggy.HookImpl | None
    shadow: pluggy.HookImpl | None

    @property
    def place(self) -> tuple[int, str]:
        """Sorts turns."""
        call = self.live or self.shadow
        assert call is not None
        return loading.turn(call)
