from __future__ import annotations

from pathlib import Path

import pytest

from assistant.articles import Picture
from assistant.errors import KnowledgeError, UnreadableError
from assistant.knowledge.readings import Readings
from assistant.messages import Box, Screen, ScreenLine

SCREEN = Screen((ScreenLine("Error ü", Box(1, 2, 3.5, 4), 2.0, 0.9),), 100, 50, "a note")


class Reader:
    """Counts how often it reads."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, content: bytes) -> Screen:
        self.count += 1
        if content == b"damaged":
            raise UnreadableError("the image is damaged")
        return SCREEN


def test_a_picture_is_read_once_even_by_another_process(tmp_path: Path) -> None:
    reader = Reader()
    first = Readings(tmp_path / "readings.sqlite", reader)
    first.screen(b"picture")
    first.close()

    second = Readings(tmp_path / "readings.sqlite", reader)

    assert second.screen(b"picture") == SCREEN
    assert reader.count == 1
    second.close()


def test_another_picture_under_the_same_name_is_read_anew(tmp_path: Path) -> None:
    reader = Reader()
    readings = Readings(tmp_path / "readings.sqlite", reader)
    for content in (b"one", b"two", b"one"):
        (tmp_path / "a.png").write_bytes(content)
        assert readings.text(Picture(str(tmp_path / "a.png"))) == "Error ü"

    assert reader.count == 2


def test_what_cannot_be_read_is_noted_and_empty(tmp_path: Path) -> None:
    readings = Readings(tmp_path / "readings.sqlite", Reader())
    (tmp_path / "bad.png").write_bytes(b"damaged")

    texts = [readings.text(Picture(str(tmp_path / name))) for name in ("bad.png", "gone.png")]

    assert texts == ["", ""]
    (bad, why), (gone, _) = readings.failures
    assert (bad, why) == (str(tmp_path / "bad.png"), "the image is damaged")
    assert gone == str(tmp_path / "gone.png")


def test_a_damaged_memory_is_said(tmp_path: Path) -> None:
    (tmp_path / "readings.sqlite").write_bytes(b"no database at all" * 100)

    with pytest.raises(KnowledgeError, match=r"readings.sqlite: .*delete the file"):
        Readings(tmp_path / "readings.sqlite", Reader())
