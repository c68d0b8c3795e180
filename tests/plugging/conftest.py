"""A desk's plugins, made of functions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
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
