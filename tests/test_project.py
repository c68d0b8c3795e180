"""The project as a newcomer meets it: what its pages and its package promise is there."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import click
import pytest
import typer

from assistant import errors
from assistant.cli import EXIT_CODES, command_line
from assistant.plugging import Plugins

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("examples/*/README.md")),
]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))


@pytest.fixture(scope="module")
def commands() -> dict[str, Any]:
    """Deskmate's commands, first-party plugins' too, and, under a group's name, the group's."""

    def names(command: click.Command) -> dict[str, Any]:
        return {name: names(sub) for name, sub in getattr(command, "commands", {}).items()}

    app = command_line()
    plugins = Plugins()
    for name, value in PROJECT["entry-points"]["deskmate.plugins"].items():
        plugins.register(name, EntryPoint(name, value, "deskmate.plugins").load())
    plugins.register_commands(app, [])
    return names(typer.main.get_command(app))


@pytest.fixture(scope="module")
def targets() -> set[str]:
    """What `make` can make, benchmarks included."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    benchmarks = {f"bench-{file.stem[6:]}" for file in ROOT.glob("benchmarks/bench_*.py")}
    return set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE)) | benchmarks


def code(page: Path) -> str:
    """A page's code: fenced, indented, or between backticks."""
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    indented = re.findall(r"^ {4}\S.*", text, re.MULTILINE)
    return "\n".join([*fenced, *indented, *re.findall(r"`([^`\n]+)`", text)])


def test_scripts_lead_somewhere() -> None:
    for name, value in PROJECT["scripts"].items():
        assert callable(EntryPoint(name, value, "scripts").load())


@every_page
def test_documented_commands_exist(page: Path, commands: dict[str, Any]) -> None:
    called = re.findall(r"(?:^|bin/|\s)deskmate ((?:[a-z][a-z-]* ?)+)", code(page))

    for words in (call.split() for call in called):
        assert words[0] in commands, f"{page.name}: deskmate {words[0]}"
        if commands[words[0]] and len(words) > 1:
            assert words[1] in commands[words[0]], f"{page.name}: deskmate {' '.join(words)}"


@every_page
def test_documented_make_targets_exist(page: Path, targets: set[str]) -> None:
    called = re.findall(r"(?:^|\s)make ((?:[a-z-]+ ?)+)", code(page), re.MULTILINE)

    assert {target for call in called for target in call.split()} <= targets


@every_page
def test_links_lead_to_files_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'<img src="([^"]+)"', text)

    for link in (link.split("#")[0] for link in links if not re.match(r"https?:|#", link)):
        assert (page.parent / link).exists(), f"{page.name}: {link}"


def test_exit_codes_are_documented_as_the_errors_have_them() -> None:
    page = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    raised = {error.exit_code for error in vars(errors).values() if isinstance(error, type)}

    assert raised | {0, 130} == documented
    assert all(f" {number} " in f" {EXIT_CODES}" for number in documented)


def test_everything_that_is_depended_on_is_pinned() -> None:
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().split()}
    extras = PROJECT["optional-dependencies"]
    used = [*extras["test"], *extras["bench"], *extras["tracing"], *extras["mcp"]]
    wanted = [*PROJECT["dependencies"], *(one for one in used if "deskmate[" not in one)]

    def plain(name: str) -> str:
        return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", name)[0]).lower()

    assert {plain(name) for name in wanted} <= {plain(name) for name in pinned}


def test_the_wheel_holds_packages_and_migrations_and_nothing_else(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--no-build-isolation", "-w", tmp_path, ROOT], check=True)

    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())

    for migration in (ROOT / "alembic").rglob("*.py"):
        place = migration.relative_to(ROOT / "alembic").as_posix()
        assert f"assistant/tickets/migrations/{place}" in names
    assert "plugins/redaction/__init__.py" in names
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"assistant", "connectors", "plugins"}
