"""Writes a new plugin's package: what `deskmate plugin new NAME` makes."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from assistant.errors import PluginError
from assistant.hooks import CONTRACT

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "deskmate-$name"
version = "0.1.0"
description = "A plugin for Deskmate."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["deskmate"]

[project.entry-points."deskmate.plugins"]
$name = "$module:$klass"

[tool.hatch.build.targets.wheel]
only-include = ["$module.py"]

[tool.pytest.ini_options]
addopts = "-p assistant.testing.fixtures"
pythonpath = ["."]
"""

_PLUGIN = '''\
"""Writes out abbreviations, so that they find the articles that do not use them."""

from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from assistant import Message, Ticket, hookimpl


class $klass:
    contract = $contract
    permissions = frozenset({"tickets:read", "tickets:write"})

    class Settings(BaseModel):
        model_config = ConfigDict(extra="forbid")

        words: dict[str, str] = Field(
            {"2FA": "two-factor authentication"},
            description="Abbreviations, and what they stand for.",
        )

    def __init__(self, settings: Settings) -> None:
        self.words = settings.words

    @hookimpl
    def message_received(self, message: Message, ticket: Ticket) -> Message | None:
        """Called first, before anything reads the message."""
        text = message.text
        for short, long in self.words.items():
            text = text.replace(short, long)
        return replace(message, text=text)
'''

_TEST = """\
from assistant.testing.desk import PluginDesk
from $module import $klass


def test_abbreviations_are_written_out(plugin_desk: PluginDesk) -> None:
    plugin_desk.add("$name", $klass, {"words": {"VAT": "value added tax"}})

    assert plugin_desk.receive("Is VAT due?").text == "Is value added tax due?"
"""

_README = """\
# $name

A plugin for Deskmate. It writes out abbreviations in what customers ask; replace that by what yours
is for. `docs/plugins.md` of Deskmate says what the other hooks do.

```sh
pip install -e .
pytest
deskmate plugins enable $name
```

```toml
# deskmate.toml
[plugins.$name.words]
"2FA" = "two-factor authentication"
```
"""


def write(name: str, folder: Path) -> Path:
    """Writes the package `deskmate-NAME` into `folder`, and returns where it is.

    Raises PluginError if the name cannot be one, or the package's folder exists already.
    """
    if not _NAME.fullmatch(name):
        raise PluginError(f"{name!r}: a plugin's name is small letters, digits and single dashes.")
    module = f"deskmate_{name.replace('-', '_')}"
    root = folder / f"deskmate-{name}"
    files = {
        "pyproject.toml": _PYPROJECT,
        f"{module}.py": _PLUGIN,
        f"tests/test_{module}.py": _TEST,
        "README.md": _README,
    }
    values = {
        "name": name,
        "module": module,
        "klass": "".join(part.capitalize() for part in name.split("-")),
        "contract": CONTRACT,
    }
    try:
        (root / "tests").mkdir(parents=True)
        for path, text in files.items():
            (root / path).write_text(Template(text).substitute(values), encoding="utf-8")
    except FileExistsError as error:
        raise PluginError(f"{root}: exists already. Move it away, or take another name.") from error
    except OSError as error:
        raise PluginError(f"{root}: {error.strerror}.") from error
    return root
