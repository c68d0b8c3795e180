"""Reads a screenshot: its lines of text with boxes, size and confidence (RapidOCR, PP-OCRv6)."""

from __future__ import annotations

import io
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assistant.errors import UnreadableError
from assistant.messages import Box, ScreenLine
from assistant.model.vision import looks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_MEGAPIXELS = 40
"""A screenshot of three 4K monitors side by side has 25; decompressing more costs memory only."""

MIN_SIDE_PX = 8

# "0x80070005" is read with a capital O more often than not.
_HEX_CODE = re.compile(r"\bOx(?=[0-9A-Fa-f]{2,}\b)")


@dataclass(frozen=True)
class Screen:
    """A screenshot that was read. `note` says what a reader of the result has to know."""

    lines: tuple[ScreenLine, ...]
    width_px: int
    height_px: int
    note: str = ""

    @property
    def text(self) -> str:
        """All lines in reading order."""
        return "\n".join(line.text for line in self.lines)


class ScreenReader:
    """Reads screenshots one at a time: the recogniser already uses all `threads`."""

    def __init__(self, *, threads: int) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._engine: Any = None

    def read(self, content: bytes) -> Screen:
        """Reads an image file's bytes (PNG, JPEG, WebP, GIF, BMP, TIFF …).

        Raises UnreadableError, saying why, for what is no image, is damaged or too large.
        """
        pixels, note = decode(content)
        with self._lock:
            engine = self._load()
            try:
                result = engine(pixels)
            except Exception as error:  # the recogniser's own, for shapes it cannot scale
                raise UnreadableError(
                    f"no text could be looked for in {pixels.shape[1]} × {pixels.shape[0]} pixels"
                ) from error
        lines = () if result.txts is None else tuple(_lines(result, pixels))
        height, width = pixels.shape[:2]
        return Screen(lines, width, height, note)

    def warm_up(self) -> None:
        """Loads the recogniser, so that the first customer does not wait for it."""
        with self._lock:
            self._load()

    def _load(self) -> Any:
        if self._engine is None:
            from rapidocr import RapidOCR

            self._engine = RapidOCR(
                params={
                    "Global.use_cls": False,  # screenshots are upright
                    "Global.log_level": "error",
                    "EngineConfig.onnxruntime.intra_op_num_threads": self._threads,
                }
            )
        return self._engine


def _lines(result: Any, pixels: NDArray[np.uint8]) -> list[ScreenLine]:
    boxes = []
    for corners in result.boxes:
        left, top = corners.min(axis=0)
        right, bottom = corners.max(axis=0)
        boxes.append(Box(float(left), float(top), float(right), float(bottom)))
    return [
        ScreenLine(
            _HEX_CODE.sub("0x", text), box, box.bottom - box.top, float(score), tuple(look.tolist())
        )
        for text, score, box, look in zip(
            result.txts, result.scores, boxes, looks(pixels, boxes), strict=True
        )
    ]


def decode(content: bytes) -> tuple[NDArray[np.uint8], str]:
    """An image file's bytes to pixels [height, width, 3] (blue, green, red) and a note.

    The size is checked from the header, before any pixel is decompressed.
    """
    import numpy as np
    from PIL import Image, ImageOps

    if not content:
        raise UnreadableError("the file is empty")
    # Pillow's decoders raise errors of a dozen kinds for files that are damaged, or made to harm.
    try:
        image = Image.open(io.BytesIO(content))
    except Image.DecompressionBombError as error:
        raise UnreadableError(_too_large("its header claims")) from error
    except Exception as error:
        raise UnreadableError("not an image of a kind that can be read") from error
    width, height = image.size
    if width * height > MAX_MEGAPIXELS * 1_000_000:
        raise UnreadableError(_too_large(f"it has {width} × {height} pixels,"))
    if min(width, height) < MIN_SIDE_PX:
        raise UnreadableError(f"too small to show anything ({width} × {height} pixels)")
    several = getattr(image, "is_animated", False)
    try:
        upright = ImageOps.exif_transpose(image).convert("RGBA")
    except Exception as error:
        raise UnreadableError(f"the image is damaged or cut off ({error})") from error
    page = Image.new("RGBA", upright.size, "white")
    page.alpha_composite(upright)
    note = "only the first of its pictures was read" if several else ""
    return np.asarray(page.convert("RGB"))[:, :, ::-1].copy(), note


def _too_large(found: str) -> str:
    return f"{found} more than the {MAX_MEGAPIXELS} million pixels that are read"
