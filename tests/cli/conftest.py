from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant import cli
from assistant.desk import Desk
from assistant.model.encoder import MultimodalEncoder

Run = Callable[..., "Ran"]


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(
    tmp_path: Path,
    encoder: MultimodalEncoder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs `deskmate …` in an empty folder, as its script does: `run("ask", "…")`.

    In this process, with the model that is loaded already, since loading takes seconds.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(Desk, "encoder", encoder)

    def make(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["deskmate", *map(str, arguments)])
        monkeypatch.setattr(os, "environ", os.environ.copy())
        capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        shown = capsys.readouterr()
        return Ran(code, shown.out, shown.err)

    return make


@pytest.fixture
def indexed_here(data_dir: Path, tmp_path: Path) -> Path:
    """The folder that commands run in has the help centre's index."""
    (tmp_path / "deskmate.toml").write_text(
        f'data_dir = "{data_dir}"\n[policy]\nreply_at = 0.5\ndraft_at = 0.2\n'
    )
    return tmp_path
