from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from assistant.errors import UnreadableError
from assistant.messages import Attachment
from assistant.model import recording
from assistant.model.attachments import AttachmentReader
from assistant.model.encoder import MultimodalEncoder
from tests.films import animation, film, sound
from tests.pictures import bomb, png, screenshot

SETTINGS, BILLING, ERROR = (screenshot(t) for t in ("Settings", "Billing", "Error KT-4031"))
Make = Callable[..., bytes]


def sizes(content: bytes) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(scene)).size for scene in recording.read(content).scenes]


def same(scene: bytes, picture: Any) -> bool:
    """Whether a scene shows this picture and no other one of ours."""

    def distance(other: Any) -> int:
        shown = Image.open(io.BytesIO(scene)).convert("L")
        pairs = zip(shown.tobytes(), other.convert("L").tobytes(), strict=True)
        return sum(abs(one - two) for one, two in pairs)

    return bool(distance(picture) == min(map(distance, (SETTINGS, BILLING, ERROR))))


@pytest.mark.parametrize(
    "make",
    [
        film,
        lambda scenes: film(scenes, "webm"),
        lambda scenes: film(scenes, "matroska"),
        lambda scenes: film(scenes, "avi"),
        animation,
        lambda scenes: animation(scenes, "WEBP"),
    ],
    ids=["mp4", "webm", "mkv", "avi", "gif", "webp"],
)
def test_each_scene_is_kept_once_and_in_order(make: Make) -> None:
    content = make([(SETTINGS, 2), (BILLING, 1), (ERROR, 3)])

    read = recording.read(content)

    assert recording.is_recording(content)
    assert len(read.scenes) == 3
    assert all(map(same, read.scenes, (SETTINGS, BILLING, ERROR)))
    assert read.note == "3 scenes"


def test_a_pointer_that_moves_makes_no_scene() -> None:
    frames = []
    for n in range(8):
        moved = SETTINGS.copy()
        ImageDraw.Draw(moved).ellipse((100 + 20 * n, 150, 106 + 20 * n, 156), "black")
        frames.append((moved, 0.5))

    assert recording.read(film(frames)).note == "1 scene"


def test_of_many_scenes_the_last_and_the_longest_are_kept() -> None:
    pages = []
    for n in range(9):
        page = SETTINGS.copy()
        ImageDraw.Draw(page).rectangle((40 * n, 100, 40 * n + 39, 239), "black")
        pages.append((page, 3 if n == 2 else 1))

    read = recording.read(film([*pages, (ERROR, 1)]))

    assert len(read.scenes) == recording.MAX_SCENES
    assert read.note == "6 of its 10 scenes"
    assert same(read.scenes[-1], ERROR)


def test_only_the_beginning_of_a_long_one_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MAX_SECONDS", 2.0)

    read = recording.read(film([(SETTINGS, 4), (ERROR, 4)]))

    assert len(read.scenes) == 1
    assert "only its first 2 seconds were looked at" in read.note


def test_what_is_too_large_is_not_decoded() -> None:
    with pytest.raises(UnreadableError, match="more than the 40 million"):
        recording.read(bomb(9_000, 9_000))


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\x00\x00\x18ftypisom" + b"\x00" * 99,
        b"\x1aE\xdf\xa3" + b"\x00" * 99,
        film([(SETTINGS, 1)])[:300],
        animation([(SETTINGS, 1), (ERROR, 1)])[:900],
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
    ],
    ids=["mp4 of nothing", "matroska of nothing", "half a film", "half a GIF", "HLS", "concat"],
)
def test_what_cannot_be_decoded_says_so(content: bytes) -> None:
    with pytest.raises(UnreadableError):
        recording.read(content)


def test_a_film_without_pictures_is_sound() -> None:
    with pytest.raises(UnreadableError, match="sound is not heard here"):
        recording.read(sound())


def test_a_still_picture_is_no_recording() -> None:
    assert not recording.is_recording(png())
    assert not recording.is_recording(b"text")


def test_what_stands_on_a_recording_is_read_once(encoder: MultimodalEncoder) -> None:
    content = film(
        [(screenshot("Settings\nBilling"), 1), (screenshot("Settings\nError KT-4031"), 1)]
    )

    read = AttachmentReader(encoder.reader.read, max_mb=25).read(
        [Attachment("video/mp4", "film.mp4", content)]
    )

    assert [screen.text for screen in read.screens] == ["Settings\nBilling", "Error KT-4031"]
    (report,) = read.reports
    assert (report.read, report.note) == (True, "a recording, 2 scenes; 3 lines of text")


def test_real_recordings_have_a_few_scenes() -> None:
    folder = Path(os.environ.get("DESKMATE_DATA", "../shared/data")) / "screens/mattermost/clips"
    if not folder.is_dir():
        pytest.skip(f"no real recordings at {folder}; set DESKMATE_DATA to the folder of the data")

    for clip in sorted(folder.glob("*.gif")):
        assert 2 <= len(recording.read(clip.read_bytes()).scenes) <= recording.MAX_SCENES
