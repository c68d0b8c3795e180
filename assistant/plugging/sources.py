"""Where a desk's plugins come from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assistant.plugging import loading
from assistant.plugging.loading import Candidate
from assistant.plugging.versions import State, Versions


@dataclass(frozen=True)
class Sources:
    """Where a desk's plugins come from, and what the operator said of them."""

    disabled: Collection[str] = ()
    grants: Mapping[str, Collection[str]] = field(default_factory=dict)
    folder: Path | None = None
    versions: Versions | None = None

    def find(self) -> list[Candidate]:
        """What was found; a version that was promoted stands in the place of what is installed."""
        found = {id(one): one for one in loading.find(self.folder)}
        for name in self.versions.names() if self.versions else ():
            if self.versions and (used := self.versions.state(name).used):
                first = next((key for key, one in found.items() if one.name == name), -1)
                found[first] = self.versions.candidate(name, used[-1])
        return list(found.values())

    def state(self, name: str) -> State:
        """Which versions of a plugin were brought."""
        return self.versions.state(name) if self.versions else State()
