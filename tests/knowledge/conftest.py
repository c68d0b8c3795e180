from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.articles import Article
from assistant.knowledge.sources import Folder

Read = Callable[..., Article]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Writes one file into an empty folder and reads it: `read("a.md", "# Title …")`."""

    def write_and_read(name: str, content: str | bytes, **defaults: object) -> Article:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        folder = Folder(tmp_path, **defaults)  # type: ignore[arg-type]
        return next(f for f in folder.files() if getattr(f, "id", "") == name).read()

    return write_and_read


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real help centres, which is not part of the project."""
    folder = Path(os.environ.get("DESKMATE_DATA", "../shared/data"))
    if not (folder / "screens").is_dir():
        pytest.skip(f"no real data at {folder}; set DESKMATE_DATA to its folder")
    return folder
