"""Deskmate as the benchmarks hold it: the path of `deskmate rank`, with its default settings."""

from __future__ import annotations

import hashlib
import inspect
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from assistant import Desk
from assistant.knowledge.readings import Readings
from assistant.knowledge.sources import Folder
from assistant.messages import Screen
from assistant.model import detection, recognition, screenshot, vision
from assistant.model.screenshot import ScreenReader
from assistant.settings import Settings
from benchmarks.data import Case

SOURCE = "articles"


@contextmanager
def indexed_desk(articles: Path, **settings: Any) -> Iterator[Desk]:
    """A warm desk whose index holds a folder of articles and nothing else."""
    with (
        tempfile.TemporaryDirectory(prefix="deskmate-bench-") as folder,
        Desk(Settings(data_dir=Path(folder), **settings)) as desk,
    ):
        desk.index(Folder(articles, source=SOURCE))
        desk.warm_up()
        yield desk


def rank(desk: Desk, case: Case) -> list[str]:
    """The articles' paths below the folder, best first."""
    ranking = desk.rank(case.text, case.screenshots)
    if ranking.unread:
        raise ValueError(f"case {case.id}: {ranking.unread}")
    return [article_path(article) for article in ranking.articles]


def article_path(article_id: str) -> str:
    """An article's path below the folder that was indexed."""
    return article_id.removeprefix(f"{SOURCE}/")


class TimedReader(ScreenReader):
    """Notes how long each reading took, in milliseconds."""

    def __init__(self) -> None:
        super().__init__(threads=torch.get_num_threads())
        self.milliseconds: list[float] = []

    def read(self, content: bytes) -> Screen:
        """As ScreenReader.read."""
        start = time.perf_counter()
        screen = super().read(content)
        self.milliseconds.append((time.perf_counter() - start) * 1_000)
        return screen


class RememberingReader(ScreenReader):
    """Reads each screenshot once and keeps what it read between runs, by the picture's content.

    The file lies in BENCHMARK_CACHE, by default in the user's cache folder. Its name changes with
    the reader's code and version, so that nothing stale is used.
    """

    def __init__(self) -> None:
        super().__init__(threads=torch.get_num_threads())
        self._readings = Readings(_readings_file(), super().read)

    def read(self, content: bytes) -> Screen:
        """As ScreenReader.read."""
        return self._readings.screen(content)

    def close(self) -> None:
        """Closes the file."""
        self._readings.close()


def _readings_file() -> Path:
    source = "".join(map(inspect.getsource, (screenshot, detection, recognition, vision)))
    code = hashlib.sha256(source.encode()).hexdigest()[:8]
    return cache_folder() / f"readings-{version('rapidocr')}-{code}.sqlite"


def cache_folder() -> Path:
    """Where benchmarks keep what takes long: BENCHMARK_CACHE, or in the user's cache folder."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get("BENCHMARK_CACHE") or default / "deskmate-benchmarks")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
