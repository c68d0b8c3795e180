"""Recordings for tests, of pictures with real text."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import av

from tests.pictures import encoded

RATE = 10  # pictures a second


def film(scenes: Sequence[tuple[Any, float]], container: str = "mp4") -> bytes:
    """A film that shows each picture for so many seconds."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as made:
        stream: Any = made.add_stream("libvpx" if container == "webm" else "mpeg4", rate=RATE)
        stream.width, stream.height = scenes[0][0].size
        stream.pix_fmt, stream.bit_rate = "yuv420p", 4_000_000
        for picture, seconds in scenes:
            for _ in range(round(seconds * RATE)):
                made.mux(stream.encode(av.VideoFrame.from_image(picture.convert("RGB"))))
        made.mux(stream.encode())
    return out.getvalue()


def sound() -> bytes:
    """A voice note as Slack has them: an MP4 without pictures."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as made:
        stream: Any = made.add_stream("aac", rate=16_000)
        stream.layout = "mono"
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1_024)
        frame.sample_rate = 16_000
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        made.mux(stream.encode(frame))
        made.mux(stream.encode())
    return out.getvalue()


def animation(scenes: Sequence[tuple[Any, float]], kind: str = "GIF") -> bytes:
    """The same as an animated picture."""
    first, *others = [picture for picture, _ in scenes]
    times = [round(1_000 * seconds) for _, seconds in scenes]
    return encoded(first, kind, save_all=True, append_images=others, duration=times)
