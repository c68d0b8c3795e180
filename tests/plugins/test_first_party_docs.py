"""docs/first-party-plugins.md says what is so."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from assistant.settings import Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "first-party-plugins.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAMED = {
    name: value
    for name, value in PROJECT["entry-points"]["deskmate.plugins"].items()
    if value.startswith("plugins.")  # connectors have pages of their own
}
OTHER_PAGES = {"redaction", "order-lookup", "mcp-servers"}


def test_every_table_of_settings_is_one_that_can_be_set() -> None:
    told = set()

    for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL):
        for name, table in Settings(**tomllib.loads(block)).plugins.items():
            plugin = EntryPoint(name, NAMED[name], "deskmate.plugins").load()
            plugin(plugin.Settings.model_validate(table))
            told.add(name)

    assert {"links", "survey", "business-hours", "incidents"} <= told <= NAMED.keys() - OTHER_PAGES


@pytest.mark.parametrize("name", sorted(NAMED))
def test_a_plugin_brings_no_heavy_library_before_it_is_used(name: str) -> None:
    module = NAMED[name].partition(":")[0]
    heavy = "torch transformers av PIL lxml starlette phonenumbers py3langid sqlalchemy spacy"
    code = (
        f"import assistant, {module}, sys;"
        f"print(*(m for m in '{heavy}'.split() if m in sys.modules))"
    )

    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert said.stdout.split() == []
