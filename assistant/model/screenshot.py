"""Reads a screenshot: its lines of text with boxes, size and confidence (PP-OCRv6)."""

from __future__ import annotations

import io
import re
import threading

import numpy as np
from numpy.typing import NDArray

from assistant.errors import UnreadableError
from assistant.messages import Box, Screen, ScreenLine
from assistant.model import detection, recognition
from assistant.model.detection import Quad, TextDetector
from assistant.model.recognition import LineRecogniser
from assistant.model.vision import looks

MAX_MEGAPIXELS = 40
"""A screenshot of three 4K monitors side by side has 25; decompressing more costs memory only."""

MIN_SIDE_PX = 8

MIN_CONFIDENCE = 0.5
"""Below it, what was read is mostly an icon."""

# "0x80070005" is read with a capital O more often than not.
_HEX_CODE = re.compile(r"\bOx(?=[0-9A-Fa-f]{2,}\b)")


class ScreenReader:
    """Reads screenshots one at a time: each reading already uses all `threads`."""

    def __init__(self, *, threads: int) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._networks: tuple[TextDetector, LineRecogniser] | None = None

    def read(self, content: bytes) -> Screen:
        """Reads an image file's bytes (PNG, JPEG, WebP, GIF, BMP, TIFF …).

        Raises UnreadableError, saying why, for what is no image, is damaged or too large.
        """
        pixels, note = decode(content)
        height, width = pixels.shape[:2]
        scale, rows = detection.view(pixels)
        notes = [note] if note else []
        if rows < height:
            notes.append(f"only the upper {rows} of its {height} rows of pixels were read")
            pixels = pixels[:rows]
        with self._lock:
            detector, recogniser = self._load()
            found = detector.find(pixels, scale)
            chosen = recognition.affordable(found)
            texts = recogniser.read(pixels, chosen)
        if len(chosen) < len(found):
            notes.append(f"only the {len(chosen)} largest of its {len(found)} lines were read")
        lines = _lines([line.quad for line in chosen], texts, pixels)
        return Screen(tuple(lines), width, height, "; ".join(notes))

    def warm_up(self) -> None:
        """Loads the networks, so that the first customer does not wait for them."""
        with self._lock:
            self._load()

    def _load(self) -> tuple[TextDetector, LineRecogniser]:
        if self._networks is None:
            self._networks = (
                TextDetector(threads=self._threads),
                LineRecogniser(threads=self._threads),
            )
        return self._networks


def _lines(
    quads: list[Quad], texts: list[tuple[str, float]], pixels: NDArray[np.uint8]
) -> list[ScreenLine]:
    read = [
        (_HEX_CODE.sub("0x", text), confidence, Box(*map(float, (*quad.min(0), *quad.max(0)))))
        for quad, (text, confidence) in zip(quads, texts, strict=True)
        if text.strip() and confidence >= MIN_CONFIDENCE
    ]
    seen = looks(pixels, [box for _, _, box in read])
    return [
        ScreenLine(text, box, box.bottom - box.top, confidence, tuple(look.tolist()))
        for (text, confidence, box), look in zip(read, seen, strict=True)
    ]


def decode(content: bytes) -> tuple[NDArray[np.uint8], str]:
    """An image file's bytes to pixels [height, width, 3] (blue, green, red) and a note.

    The size is checked from the header, before any pixel is decompressed.
    """
    import cv2
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
        page = ImageOps.exif_transpose(image)
        if page.has_transparency_data:
            above = page.convert("RGBA")
            page = Image.new("RGBA", above.size, "white")
            page.alpha_composite(above)
        pixels = np.asarray(page.convert("RGB"))
    except Exception as error:
        raise UnreadableError(f"the image is damaged or cut off ({error})") from error
    note = "only the first of its pictures was read" if several else ""
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR).astype(np.uint8, copy=False), note


def _too_large(found: str) -> str:
    return f"{found} more than the {MAX_MEGAPIXELS} million pixels that are read"
