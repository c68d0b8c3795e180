"""Recordings' scenes as pictures, which are taken out of them again when somebody looks: they are
not stored."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict

from assistant.messages import Attachment
from assistant.model.attachments import pictures
from assistant.model.screenshot import decode

KEPT = 8  # recordings
QUALITY = 85


class Scenes:
    """The scenes of the recordings that were looked at last. One recording is decoded at a time,
    whoever asks, so that looking takes one core at most."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[bytes, ...]] = OrderedDict()

    def of(self, recording: Attachment) -> tuple[bytes, ...]:
        """Its scenes as JPEG files, in order. Raises UnreadableError."""
        with self._lock:
            if recording.sha256 not in self._kept:
                shown = pictures(recording.content)
                self._kept[recording.sha256] = tuple(map(_jpeg, shown))
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(recording.sha256)
            return self._kept[recording.sha256]


def _jpeg(picture: bytes) -> bytes:
    from PIL import Image

    pixels = decode(picture)[0][:, :, ::-1]  # [height, width, red green blue]
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
