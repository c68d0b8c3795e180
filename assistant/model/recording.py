"""A recording of a screen to the few pictures that show what happened in it.

Films are decoded by FFmpeg (PyAV), animated GIF, WebP and PNG by Pillow. Frames are looked at twice
a second. While they stay alike they are one scene, and its last frame, in which everything has come
up, stands for it. Kept are the last scene, where the error usually is, and those that stood
longest.
"""

from __future__ import annotations

import io
import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.errors import UnreadableError
from assistant.model.screenshot import MAX_MEGAPIXELS

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SCENES = 6
MAX_SECONDS = 180.0  # of the recording
DECODE_SECONDS = 20.0  # of this machine's time
LOOK_SECONDS = 0.5
THUMBNAIL = (160, 90)  # pixels in which scenes are compared
CHANGED_LEVELS = 16  # of 255; less is noise of the compression
CHANGED_SHARE = 0.01  # of the pixels: a toast, not a pointer


@dataclass(frozen=True)
class Recording:
    """The scenes of a recording as image files, in order; `note` says what a reader of the result
    has to know."""

    scenes: tuple[bytes, ...]
    note: str


@dataclass
class _Scene:
    first: Any  # thumbnail [90, 160] of its first frame
    last: Image
    began: float  # seconds
    ended: float


def is_recording(content: bytes) -> bool:
    """Whether the file is a film, or a picture that moves."""
    from PIL import Image

    if _container(content):
        return True
    try:
        with Image.open(io.BytesIO(content)) as image:
            return bool(getattr(image, "is_animated", False))
    except Exception:  # what it is instead is said by whoever reads it
        return False


def read(content: bytes) -> Recording:
    """The scenes of a film (MP4, MOV, WebM, Matroska, AVI) or an animated picture.

    Raises UnreadableError, saying why, for what is none, is damaged, too large or shows nothing.
    """
    scenes: list[_Scene] = []
    count, cut_at = 0, 0.0
    stop_at = time.monotonic() + DECODE_SECONDS
    with closing(_frames(content, stop_at)) as frames:
        for seconds, frame in frames:
            if seconds > MAX_SECONDS or time.monotonic() > stop_at:
                cut_at = seconds
                break
            thumbnail = _thumbnail(frame)
            if scenes and not _differs(scenes[-1].first, thumbnail):
                scenes[-1].last, scenes[-1].ended = frame, seconds
                continue
            if scenes:
                scenes[-1].ended = seconds
            count += 1
            scenes.append(_Scene(thumbnail, frame, seconds, seconds))
            scenes = _longest(scenes, 2 * MAX_SCENES)  # no more of them in memory
    if not scenes:
        raise UnreadableError("no picture was found in it")
    kept = _longest(scenes, MAX_SCENES)
    notes = [f"{len(kept)} of its {count} scenes" if count > len(kept) else _counted(count)]
    if cut_at:
        notes.append(f"only its first {cut_at:.0f} seconds were looked at")
    return Recording(tuple(_file(scene.last) for scene in kept), "; ".join(notes))


def _longest(scenes: list[_Scene], limit: int) -> list[_Scene]:
    """The last scene, and of the others those that stood longest, in order."""
    before = sorted(scenes[:-1], key=lambda scene: scene.began - scene.ended)[: limit - 1]
    return sorted([*before, scenes[-1]], key=lambda scene: scene.began)


def _frames(content: bytes, stop_at: float) -> Generator[tuple[float, Image], None, None]:
    """The time in seconds and the picture of frames, about two a second, and of the last one; after
    `stop_at` of each."""
    if container := _container(content):
        return _film(content, container, stop_at)
    return _animation(content, stop_at)


def _container(content: bytes) -> str:
    """FFmpeg's name of the format; empty if it is no film of a known one.

    FFmpeg is never left to guess: among what it knows are play lists, which name other files.
    """
    if content[4:8] == b"ftyp":
        return "mp4"
    if content[:4] == b"\x1aE\xdf\xa3":
        return "matroska"
    if content[:4] == b"RIFF" and content[8:12] == b"AVI ":
        return "avi"
    return ""


def _film(
    content: bytes, container: str, stop_at: float
) -> Generator[tuple[float, Image], None, None]:
    import av

    try:
        with av.open(io.BytesIO(content), "r", format=container) as film:
            if not film.streams.video:
                raise UnreadableError("there are no pictures in it, and sound is not heard here")
            stream = film.streams.video[0]
            _check(stream.width, stream.height)
            stream.thread_type = "AUTO"
            due, last = 0.0, None
            for number, frame in enumerate(film.decode(stream)):
                # Some recorders write no times.
                at = frame.time if frame.time is not None else number / 25
                _check(frame.width, frame.height)
                last = (at, frame)
                if at >= due or time.monotonic() > stop_at:
                    due, last = at + LOOK_SECONDS, None
                    yield at, _image(frame)
            if last:
                yield last[0], _image(last[1])
    except av.FFmpegError as error:
        raise UnreadableError(f"the recording is damaged ({error})") from error


def _image(frame: Any) -> Image:
    image: Image = frame.to_image()
    return image


def _animation(content: bytes, stop_at: float) -> Generator[tuple[float, Image], None, None]:
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(content))
    except Exception as error:
        raise UnreadableError("not a recording of a kind that can be read") from error
    _check(*image.size)
    at = due = 0.0
    frames = getattr(image, "n_frames", 1)
    for number in range(frames):
        try:
            image.seek(number)
            image.load()
            at += (image.info.get("duration") or 100) / 1_000
            if at >= due or number == frames - 1 or time.monotonic() > stop_at:
                due = at + LOOK_SECONDS
                yield at, image.convert("RGB")
        except Exception as error:
            raise UnreadableError(f"the recording is damaged or cut off ({error})") from error


def _check(width: int, height: int) -> None:
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise UnreadableError(
            f"it has {width} × {height} pixels, more than the {MAX_MEGAPIXELS} million that are"
            " read"
        )


def _thumbnail(frame: Image) -> Any:
    import numpy as np
    from PIL import Image

    small = frame.convert("L").resize(THUMBNAIL, Image.Resampling.BOX)
    return np.asarray(small, dtype=np.int16)


def _differs(one: Any, other: Any) -> bool:
    return bool((abs(one - other) > CHANGED_LEVELS).mean() > CHANGED_SHARE)


def _file(frame: Image) -> bytes:
    out = io.BytesIO()
    frame.save(out, "BMP")  # the fastest to write and to read
    return out.getvalue()


def _counted(scenes: int) -> str:
    return f"{scenes} scene{'s'[: scenes > 1]}"
