"""The first-party plugins that pyproject.toml names."""

from __future__ import annotations

import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

from assistant.plugging import Plugins


def test_every_first_party_plugin_registers_with_its_default_settings() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    named = project["project"]["entry-points"]["deskmate.plugins"]
    plugins = Plugins()

    for name, value in named.items():
        plugins.register(name, EntryPoint(name, value, "deskmate.plugins").load())

    assert {info.name for info in plugins.list() if info.hooks} == set(named)
