"""Versions of plugins that the operator brought beside what is installed, and which of them runs.

    data_dir/plugins/orders/
      1/, 2/         the code of each, as it was when it was brought
      versions.json  {"used": [{"number": 1, "granted": [...]}], "shadow": {"number": 2, ...}}

The last of `used` runs in the place of what is installed, which runs if there is none. `shadow`
sees live messages, and what it makes of them is recorded and not used. `granted` is what the
operator agreed to. The file is replaced as a whole: a running desk reads the old or the new.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from assistant.errors import PluginError
from assistant.plugging import importing
from assistant.plugging.loading import GROUP, Candidate, load_file, target_of

FILE = "versions.json"


@dataclass(frozen=True)
class Brought:
    """One version that was brought."""

    number: int
    granted: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """The versions of one plugin that run: those that were promoted, oldest first, and the one that
    is tried."""

    used: tuple[Brought, ...] = ()
    shadow: Brought | None = None


class Versions:
    """The versions in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> Iterator[str]:
        """The plugins of which versions were brought."""
        return (file.parent.name for file in sorted(self.folder.glob(f"*/{FILE}")))

    def state(self, name: str) -> State:
        """Raises PluginError if it cannot be read."""
        path = self.folder / name / FILE
        if not path.is_file():
            return State()
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            used = tuple(_brought(one) for one in stored["used"])
            return State(used, _brought(stored["shadow"]) if stored["shadow"] else None)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise PluginError(f"{path}: cannot be read: {error}. Remove it, or mend it.") from error

    def bring(self, name: str, source: str) -> int:
        """Copies a `.py` file, or has pip install a wheel, a project's folder or a package, without
        its dependencies; returns the number of the version. From a path, pip uses no network.

        Raises PluginError if that fails.
        """
        if Path(name).name != name:
            raise PluginError(f"{name!r}: a plugin's name is no path.")
        home = self.folder / name
        number = 1 + max((int(f.name) for f in home.glob("*") if f.name.isdigit()), default=0)
        place, path = home / str(number), Path(source)
        place.mkdir(parents=True)
        try:
            if path.suffix == ".py" and path.is_file():
                shutil.copy(path, place)
            else:
                _install(source, place)
            self.candidate(name, Brought(number))
        except PluginError:
            shutil.rmtree(place)
            raise
        return number

    def candidate(self, name: str, brought: Brought) -> Candidate:
        """One version, to be loaded. Raises PluginError if its folder has no plugin of the name."""
        place = self.folder / name / str(brought.number)
        own = {path.name.partition(".")[0] for path in place.glob("*")}
        entries = [
            (entry, found)
            for found in distributions(path=[str(place)])
            for entry in found.entry_points.select(group=GROUP)
        ]
        for entry, found in entries:
            if entry.name == name:
                load = partial(importing.load, place, target_of(entry), own)
                return _candidate(name, found.version, found.name, load, brought)
        files = list(place.glob("*.py"))
        if not entries and len(files) == 1:
            load = partial(load_file, files[0])
            return _candidate(name, "", files[0].name, load, brought)
        has = ", ".join(entry.name for entry, _ in entries) or "none"
        raise PluginError(f"{place}: has no plugin named {name}. It has: {has}.")

    def drop(self, name: str, brought: Brought) -> None:
        """Removes the code of a version that shall not be tried."""
        shutil.rmtree(self.folder / name / str(brought.number))

    def shadow(self, name: str, brought: Brought) -> None:
        """Has this version see live messages from now on, instead of an earlier one."""
        self._write(name, replace(self.state(name), shadow=brought))

    def promote(self, name: str) -> Brought:
        """Has the version that is tried run. Raises PluginError if none is."""
        state = self.state(name)
        if state.shadow is None:
            raise PluginError(f"{name}: no version is tried. `deskmate plugins shadow` begins it.")
        self._write(name, State((*state.used, state.shadow)))
        return state.shadow

    def roll_back(self, name: str) -> State:
        """One step back: ends the trial of a version, or else goes back to what ran before it was
        promoted. Raises PluginError if there is nothing to go back from."""
        state = self.state(name)
        if state == State():
            raise PluginError(f"{name}: what is installed runs, so there is no way back from here.")
        back = State(state.used) if state.shadow else State(state.used[:-1])
        self._write(name, back)
        return back

    def _write(self, name: str, state: State) -> None:
        path = self.folder / name / FILE
        beside = path.with_name(f".{FILE}.new")
        beside.write_text(json.dumps(asdict(state), indent=1), encoding="utf-8")
        beside.replace(path)


def _candidate(
    name: str, version: str, origin: str, load: Callable[[], Any], brought: Brought
) -> Candidate:
    return Candidate(name, version, origin, True, load, load, brought.granted, brought.number)


def _brought(stored: Any) -> Brought:
    return Brought(int(stored["number"]), tuple(stored["granted"]))


def _install(source: str, place: Path) -> None:
    options = ["--no-deps", "--quiet", "--disable-pip-version-check", "--target", str(place)]
    if Path(source).exists():
        options.append("--no-index")
    if Path(source).is_dir():
        options.append("--no-build-isolation")  # which would fetch the project's build tool
    ran = subprocess.run(  # noqa: S603 - no shell, and the operator's own words
        [sys.executable, "-m", "pip", "install", *options, "--", source],
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        said = (ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"])[-1]
        raise PluginError(f"{source}: is no .py file, and pip cannot install it: {said}")
