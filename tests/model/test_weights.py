from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import WeightsError
from assistant.model import weights
from assistant.model.text import TextTower

PACKAGED = weights._PACKAGED["all-MiniLM-L6-v2"]


def test_the_default_comes_from_its_package() -> None:
    found = weights.find("all-MiniLM-L6-v2")

    assert found.origin == "package"
    assert (found.folder / "model.safetensors").is_file()


def test_its_name_on_the_hub_means_the_package_too() -> None:
    assert weights.find("sentence-transformers/all-MiniLM-L6-v2").origin == "package"


def test_a_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("all-MiniLM-L6-v2").mkdir()
    Path("all-MiniLM-L6-v2/config.json").write_text("{}")

    assert weights.find("all-MiniLM-L6-v2").origin == "folder"


def test_weights_that_are_not_the_expected_ones_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = replace(PACKAGED, sha256="0" * 64)
    monkeypatch.setitem(weights._PACKAGED, "all-MiniLM-L6-v2", other)

    with pytest.raises(WeightsError, match=r"model.safetensors: SHA-256 is 53aa.*Reinstall it"):
        weights.find("all-MiniLM-L6-v2")


def test_a_name_that_is_nothing_says_what_could_be_named() -> None:
    with pytest.raises(WeightsError, match=r"neither a folder .*one of: all-MiniLM-L6-v2"):
        weights.find("no such/model/at all")


def test_a_hub_that_cannot_be_reached_is_said(tmp_path: Path) -> None:
    code = "from assistant.model.weights import find; find('someone/some-model')"

    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert "WeightsError: model.text = 'someone/some-model': no weights found" in ran.stderr
    assert "the hub did not give it" in ran.stderr


@pytest.mark.parametrize("missing", ["model.safetensors", "tokenizer.json"])
def test_a_folder_that_lacks_a_part_is_said(tmp_path: Path, missing: str) -> None:
    whole = weights.find("all-MiniLM-L6-v2").folder
    folder = tmp_path / "model"
    folder.mkdir()
    for file in whole.iterdir():
        if file.is_file() and file.name not in (missing, "vocab.txt"):
            shutil.copy(file, folder)

    with pytest.raises(WeightsError, match="holds no whole text model"):
        TextTower(weights.find(str(folder)))


def test_weights_that_are_cut_off_are_said(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(weights.find("all-MiniLM-L6-v2").folder, tmp_path / "model"))
    os.truncate(folder / "model.safetensors", 10_000)

    with pytest.raises(WeightsError, match="holds no whole text model"):
        TextTower(weights.find(str(folder)))
