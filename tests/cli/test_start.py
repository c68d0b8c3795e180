"""What holds for every command: help, exit codes, errors without tracebacks, late imports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run

MAIN = "from assistant.cli import main; main()"
HEAVY = "torch transformers chromadb langchain langchain_core sqlalchemy rapidocr onnxruntime dbos"


def deskmate(*arguments: str, folder: Path, code: str = MAIN) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["init"], ["plugins", "--help"]])
def test_heavy_libraries_are_not_loaded_for_light_commands(
    tmp_path: Path, arguments: list[str]
) -> None:
    tell = (
        "import atexit, sys\n"
        f"heavy = set({HEAVY.split()})\n"
        "atexit.register(lambda: print('LOADED', heavy & sys.modules.keys()))\n" + MAIN
    )

    ran = deskmate(*arguments, folder=tmp_path, code=tell)

    assert ran.returncode == 0, ran.stderr
    assert "LOADED set()" in ran.stdout


def test_help_lists_the_commands_and_exit_codes(run: Run) -> None:
    ran = run("--help")

    assert ran.code == 0
    named = ["ask", "chat", "index", "rank", "serve", "tickets", "plugins", "db", "doctor", "init"]
    for word in named:
        assert word in ran.out
    assert "6 database" in ran.out


def test_help_comes_although_the_settings_are_broken(run: Run, tmp_path: Path) -> None:
    (tmp_path / "deskmate.toml").write_text("answr = 1")

    ran = run("--help")

    assert ran.code == 0
    assert "answr: no such setting" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["no-such-command"], 2), (["ask"], 2), (["ask", "--no-such"], 2), (["tickets", "show"], 2)],
)
def test_wrong_usage_is_two(run: Run, arguments: list[str], code: int) -> None:
    ran = run(*arguments)

    assert ran.code == code
    assert "Traceback" not in ran.err


def test_a_wrong_setting_is_two_and_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "deskmate.toml").write_text("[policy]\nreply_at = 7\n")

    ran = run("ask", "Hello?")

    assert ran.code == 2
    assert "Error: deskmate.toml: policy.reply_at = 7" in ran.err
    assert "Traceback" not in ran.err


def test_debug_shows_where_an_error_comes_from(tmp_path: Path) -> None:
    (tmp_path / "deskmate.toml").write_text("answr = 1")

    plain = deskmate("ask", "Hello?", folder=tmp_path)
    debug = deskmate("--debug", "ask", "Hello?", folder=tmp_path)

    assert (plain.returncode, "Traceback" in plain.stderr) == (2, False)
    assert "Traceback" in debug.stderr
    assert "answr: no such setting" in debug.stderr


@pytest.mark.parametrize("form", [["--config", "my.toml"], ["--config=my.toml"]])
def test_another_settings_file_can_be_named(run: Run, tmp_path: Path, form: list[str]) -> None:
    (tmp_path / "deskmate.toml").write_text("broken")
    (tmp_path / "my.toml").write_text('disabled_plugins = ["redaction"]\n')

    ran = run(*form, "plugins")

    assert ran.code == 0, ran.err
    assert "disabled" in ran.out


def test_interrupted_is_130(tmp_path: Path, data_dir: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", f"import time, assistant.desk as d\n"
         "def wait(*a, **k): print('asked', flush=True); time.sleep(60)\n"
         f"d.Desk.ask = wait\n{MAIN}", "ask", "Hello?"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # What a shell starts in the background ignores Ctrl-C, and hands that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)

    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Traceback" not in err
