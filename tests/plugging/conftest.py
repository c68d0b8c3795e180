"""A desk's plugins, made of functions."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from assistant import Message, hookimpl, hooks
from assistant.plugging import Faults, Plugins, registry


@pytest.fixture
def plugins() -> Plugins:
    return Plugins()


@pytest.fixture
def faults() -> Faults:
    return []


@pytest.fixture
def plugin() -> Callable[..., SimpleNamespace]:
    """Makes a plugin with one hook: `does` takes the hook's arguments by their names."""

    def make(hook: str, does: Callable[..., Any], **marks: bool) -> SimpleNamespace:
        return SimpleNamespace(**{hook: hookimpl(specname=hook, **marks)(does)})

    return make


@pytest.fixture
def adds(plugin: Callable[..., SimpleNamespace]) -> Callable[..., SimpleNamespace]:
    """Makes a plugin that adds a word to every message."""

    def make(word: str, **marks: bool) -> SimpleNamespace:
        def does(message: Message) -> Message:
            return replace(message, text=f"{message.text} {word}")

        return plugin("message_received", does, **marks)

    return make


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """What a hanging plugin waits for, with limits short enough for a test."""
    monkeypatch.setitem(hooks.TIME_LIMITS_S, "message_received", 0.3)
    monkeypatch.setattr(registry, "LOAD_LIMIT_S", 0.3)
    release = threading.Event()
    yield release
    release.set()


class Package:
    """Writes installed packages of one plugin, as pip would, and forgets their modules."""

    def __init__(self, site: Path) -> None:
        self.site = site
        self.names: set[str] = set()

    def write(self, package: str, plugin: str, modules: dict[str, str]) -> None:
        """Writes these modules of `package`; others stay as they are."""
        self.names.add(package)
        about = self.site / f"{package}-1.0.dist-info"
        for folder in (about, self.site / package):
            folder.mkdir(exist_ok=True)
        for name, code in modules.items():
            (self.site / package / f"{name}.py").write_text(code)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[deskmate.plugins]\n{plugin} = {package}\n")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """Installs packages for one test."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)
    package = Package(site)
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] in package.names]:
        del sys.modules[name]
