from __future__ import annotations

import sqlite3
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Run


def test_init_writes_a_file_that_says_every_setting(run: Run, tmp_path: Path) -> None:
    ran = run("init", "new/folder")

    assert ran.code == 0
    text = (tmp_path / "new/folder/deskmate.toml").read_text()
    assert "# passage_words = 180" in text
    sections = {
        "knowledge",
        "model",
        "answering",
        "policy",
        "tools",
        "inbox",
        "http",
        "console",
        "privacy",
    }
    assert set(tomllib.loads(text)) == sections


def test_init_never_overwrites(run: Run, tmp_path: Path) -> None:
    run("init")
    (tmp_path / "deskmate.toml").write_text("# mine\n")

    ran = run("init")

    assert (ran.code, "exists already" in ran.err) == (2, True)
    assert (tmp_path / "deskmate.toml").read_text() == "# mine\n"


def test_init_where_no_file_can_be_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    ran = run("init", "file")

    assert (ran.code, "file/deskmate.toml: " in ran.err) == (2, True)


def test_plugins_are_listed_with_state_and_hooks(run: Run) -> None:
    ran = run("plugins")

    assert ran.code == 0
    assert "redaction" in ran.out
    assert "running" in ran.out
    assert "message_received" in ran.out


@pytest.mark.usefixtures("indexed_here")
def test_the_doctor_finds_a_good_desk_good(run: Run) -> None:
    ran = run("doctor")

    assert ran.code == 0, ran.out
    assert ran.out.count("ok ") == 11
    assert "all-MiniLM-L6-v2 from package" in ran.out
    assert "5 articles" in ran.out


BROKEN = {
    "an empty index": ('data_dir = "d"', "failed index", "Run `deskmate index PATH`"),
    "no such database": (
        'database_url = "oracle://x"',
        "failed database",
        "Use SQLite or PostgreSQL",
    ),
    "an unreachable database": (
        'database_url = "postgresql://127.0.0.1:9/x"',
        "failed database",
        "Is the server running?",
    ),
    "redaction switched off": ('disabled_plugins = ["redaction"]', "failed plugins", "secrets"),
    "a connector that nobody makes": (
        '[connectors.slak]\ntoken = "x"',
        "failed connectors",
        "connectors.slak: no installed plugin made a connector",
    ),
    "a chat model that nobody knows": (
        '[answering]\nchat_model = "nowhere:x"',
        "failed chat model",
        "answering.chat_model = 'nowhere:x'",
    ),
    "a folder that is none": ('data_dir = "file/d"', "failed index", "can be written to"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_the_doctor_says_what_is_broken_and_what_to_do(run: Run, tmp_path: Path, what: str) -> None:
    content, failed, advice = BROKEN[what]
    (tmp_path / "file").write_text("")
    (tmp_path / "deskmate.toml").write_text(content + "\n")

    ran = run("doctor")

    assert ran.code == 1
    (line,) = [line for line in ran.out.splitlines() if line.startswith(failed)]
    assert advice in line
    assert "Traceback" not in ran.err


def test_the_doctor_says_which_plugins_tools_could_not_be_made(run: Run, tmp_path: Path) -> None:
    (tmp_path / "trying").mkdir()
    (tmp_path / "trying/shop.py").write_text(
        "from assistant import hookimpl\n\n"
        "@hookimpl\n"
        "def register_tools(settings):\n"
        "    raise ConnectionError('the shop is closed')\n"
    )
    (tmp_path / "deskmate.toml").write_text('plugin_folder = "trying"\n')

    ran = run("doctor")

    (line,) = [line for line in ran.out.splitlines() if line.startswith("failed tools")]
    assert "plugin shop, register_tools: ConnectionError: the shop is closed" in line


def tables(file: Path) -> set[str]:
    with sqlite3.connect(file) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}


def test_the_database_goes_up_and_down(run: Run, tmp_path: Path) -> None:
    up = run("db", "upgrade")
    assert up.code == 0
    assert "tickets" in tables(tmp_path / ".deskmate/deskmate.sqlite")

    down = run("db", "downgrade", "base")

    assert down.code == 0, down.err
    assert "tickets" not in tables(tmp_path / ".deskmate/deskmate.sqlite")


def test_a_revision_that_is_none_is_six(run: Run) -> None:
    run("db", "upgrade")

    ran = run("db", "downgrade", "nonsense")

    assert (ran.code, "'nonsense'" in ran.err) == (6, True)


def test_plugins_add_commands(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package as pip would install it: a module and its entry point."""
    (tmp_path / "greeter.py").write_text(
        "from assistant import hookimpl\n\n"
        "@hookimpl\n"
        "def register_commands(cli):\n"
        "    @cli.command()\n"
        "    def greet(name: str) -> None:\n"
        "        print('Hello', name)\n"
    )
    about = tmp_path / "greeter-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: greeter\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[deskmate.plugins]\ngreeter = greeter\n")
    (tmp_path / "deskmate.toml").write_text('[granted]\ngreeter = ["commands"]\n')
    monkeypatch.syspath_prepend(str(tmp_path))

    assert "Hello Ann" in run("greet", "Ann").out
    assert "greet" in run("--help").out
    assert "greeter" in run("plugins").out


def test_a_plugin_whose_commands_fail_is_said(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "faulty.py").write_text(
        "from assistant import hookimpl\n\n"
        "@hookimpl\n"
        "def register_commands(cli):\n"
        "    raise RuntimeError('no commands today')\n"
    )
    about = tmp_path / "faulty-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[deskmate.plugins]\nfaulty = faulty\n")
    (tmp_path / "deskmate.toml").write_text('[granted]\nfaulty = ["commands"]\n')
    monkeypatch.syspath_prepend(str(tmp_path))

    ran = run("--help")

    assert ran.code == 0
    assert "Plugin faulty, register_commands: RuntimeError: no commands today" in ran.err
