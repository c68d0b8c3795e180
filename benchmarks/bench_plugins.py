"""What do plugins cost beside their own work? Ten that change a message, and fifty installed ones.

Each system runs in a process of its own. `hook call`: one message through ten plugins, each of
which returns a changed copy; the microseconds that the ten plain functions take are taken off, and
what is left is the framework's. `start-up`: fifty packages of one plugin each are found and
loaded, the interpreter and the libraries being up already. Both are the fastest of many rounds,
since other work on the machine can only slow a round down. `first plugin`: the seconds from
`deskmate plugin new` to the end of its test, in an empty folder and the fastest of a few as well.

The peers do less: pluggy calls every plugin with the same message, without a time limit, a check of
what comes back, or care for one that raises; stevedore's manager the same, with a log line for one
that raises. Deskmate runs each plugin in a thread with a time limit, checks every field of what it
returned, and hands it to the next.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from assistant import Message, Ticket, hookimpl
from assistant.messages import now
from benchmarks.results import Results

PLUGINS_CALLED = 10
PLUGINS_INSTALLED = 50
GROUPS = ("deskmate.plugins", "bench.plugins")
CALLS = 2_000
ROUNDS = 3
ROOT = str(Path(__file__).parents[1])

MODULE = """\
from dataclasses import replace
from assistant import hookimpl

@hookimpl
def message_received(message, ticket):
    return replace(message, text=message.text + "!")

def received(message, ticket):
    return message_received(message, ticket)
"""


def main() -> None:
    results = Results("plugins", ["pluggy", "stevedore"])
    with tempfile.TemporaryDirectory(prefix="deskmate-bench-") as folder:
        _lay_down(Path(folder))
        for system in SYSTEMS:
            rounds = [_in_own_process(system, folder) for _ in range(ROUNDS)]
            call = min(one["call"] for one in rounds)
            start = min(one["start"] for one in rounds)
            results.add("hook call", system, "ms", call, n=CALLS)
            results.add("start-up", system, "ms/plugin", start, n=PLUGINS_INSTALLED)
    results.add("first plugin", "deskmate", "s", min(first_plugin() for _ in range(ROUNDS)))
    results.publish()


def first_plugin() -> float:
    """Seconds in which a plugin is written and its test passes."""
    with tempfile.TemporaryDirectory(prefix="deskmate-bench-") as folder:
        begun = time.perf_counter()
        for command in (["assistant", "plugin", "new", "first"], ["pytest", "deskmate-first"]):
            subprocess.run(
                [sys.executable, "-m", *command],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": ROOT},
                capture_output=True,
                check=True,
            )
        return time.perf_counter() - begun


def measure(system: str) -> None:
    """Prints this process's figures as JSON: milliseconds a call, and a plugin at the start."""
    start, call = SYSTEMS[system]()
    message = Message("bench", "1", "thread", "ann@example.com", "Where is my order?")
    ticket = Ticket(1, "bench", "thread", "ann@example.com", "", "open", now())
    own = _fastest(lambda: [_changed(message, ticket) for _ in range(PLUGINS_CALLED)])
    took = _fastest(lambda: call(message, ticket))
    print(json.dumps({"start": 1_000 * start / PLUGINS_INSTALLED, "call": 1_000 * (took - own)}))


def _fastest(work: Callable[[], object]) -> float:
    """Seconds of the fastest of many calls."""
    best = float("inf")
    for _ in range(CALLS):
        begun = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begun)
    return best


def _changed(message: Message, ticket: Ticket) -> Message:
    return replace(message, text=message.text + "!")


class Changes:
    """A plugin for all: deskmate and pluggy call `message_received`, stevedore `received`."""

    @hookimpl
    def message_received(self, message: Message, ticket: Ticket) -> Message:
        return _changed(message, ticket)

    def received(self, message: Message, ticket: Ticket) -> Message:
        return _changed(message, ticket)


Call = Callable[[Message, Ticket], object]


def deskmate() -> tuple[float, Call]:
    from assistant import logs  # noqa: F401
    from assistant.plugging import Plugins, loading

    granted = {f"bench-{n}": ["tickets:read", "tickets:write"] for n in range(PLUGINS_INSTALLED)}
    ours = [one.name for one in loading.find() if one.origin == loading.OURS]
    Plugins().register("warm", Changes())
    begun = time.perf_counter()
    found = Plugins.installed({}, ours, granted)
    took = time.perf_counter() - begun
    assert sum(info.state == "running" for info in found.list()) == PLUGINS_INSTALLED
    plugins = Plugins()
    for number in range(PLUGINS_CALLED):
        plugins.register(f"p{number}", Changes())
    return took, lambda message, ticket: plugins.message_received(message, ticket, [])


def pluggy() -> tuple[float, Call]:
    import pluggy

    from assistant import hooks

    manager = pluggy.PluginManager("deskmate")
    manager.add_hookspecs(hooks)
    begun = time.perf_counter()
    loaded = manager.load_setuptools_entrypoints("bench.plugins")
    took = time.perf_counter() - begun
    assert loaded == PLUGINS_INSTALLED
    manager = pluggy.PluginManager("deskmate")
    manager.add_hookspecs(hooks)
    for _ in range(PLUGINS_CALLED):
        manager.register(Changes())
    hook = manager.hook.message_received
    return took, lambda message, ticket: hook(message=message, ticket=ticket)


def stevedore() -> tuple[float, Call]:
    from stevedore.extension import Extension, ExtensionManager

    begun = time.perf_counter()
    found = ExtensionManager("bench.plugins")
    took = time.perf_counter() - begun
    assert len(found.names()) == PLUGINS_INSTALLED
    made = [Extension(f"p{n}", None, Changes, Changes()) for n in range(PLUGINS_CALLED)]
    manager = ExtensionManager.make_test_instance(made)
    return took, lambda message, ticket: manager.map_method("received", message, ticket)


SYSTEMS: dict[str, Callable[[], tuple[float, Call]]] = {
    "deskmate": deskmate,
    "pluggy": pluggy,
    "stevedore": stevedore,
}


def _lay_down(folder: Path) -> None:
    """Fifty packages as pip would install them, under both systems' entry points."""
    for number in range(PLUGINS_INSTALLED):
        name = f"bench_{number}"
        (folder / f"{name}.py").write_text(MODULE)
        about = folder / f"{name}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(
            "".join(f"[{group}]\nbench-{number} = {name}\n" for group in GROUPS)
        )


def _in_own_process(system: str, folder: str) -> dict[str, float]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([folder, ROOT]),
        "XDG_CACHE_HOME": tempfile.mkdtemp(dir=folder),  # stevedore keeps entry points there
    }
    code = f"from benchmarks.bench_plugins import measure; measure({system!r})"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    figures: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    main()
