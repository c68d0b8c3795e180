"""Reads single lines of text (PP-OCRv6's recogniser)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.model import networks
from assistant.model.detection import Quad

HEIGHT_PX = 48
"""The height in which lines are read."""

MAX_COLUMNS = 24_000
"""Of all lines of a picture, in pixels. Most screenshots of a help centre have about 10,000."""

MAX_COLUMNS_OF_LINE = 4_800
"""What is more than a hundred times as wide as tall is no line that can be read."""

NARROWEST = 0.8
"""How narrow lines are made where all of them have more than MAX_COLUMNS. At 0.8 of their width one
character in 70 more is read differently, at 0.65 one in 35."""

_STEP_PX = 16


@dataclass(frozen=True)
class Line:
    """A line that is to be read, and in how many columns of pixels."""

    quad: Quad
    columns: int


class LineRecogniser:
    """Reads `threads` lines at a time, each in its own width: lines that are filled up to a common
    width cost what the widest does."""

    def __init__(self, *, threads: int) -> None:
        self._network = networks.session("PP-OCRv6_rec_small.onnx", threads=1)
        characters = self._network.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._characters = np.array(["", *characters, " "])  # class 0 is CTC's blank
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="reading")

    def read(self, pixels: NDArray[np.uint8], lines: Sequence[Line]) -> list[tuple[str, float]]:
        """Text and confidence (0 to 1) of these lines of a picture.

        `pixels` are [height, width, 3] (blue, green, red).
        """
        return list(self._pool.map(lambda line: self._read(straightened(pixels, line)), lines))

    def _read(self, line: NDArray[np.uint8]) -> tuple[str, float]:
        width = line.shape[1]
        columns = -(-width // _STEP_PX) * _STEP_PX
        batch = np.zeros((1, 3, HEIGHT_PX, columns), np.float32)
        batch[0, :, :, :width] = line.transpose(2, 0, 1) / np.float32(127.5) - 1
        (probability,) = self._network.run(None, {"x": batch})  # [1, steps, classes]
        return decode(probability[0], self._characters)


def affordable(quads: Sequence[Quad]) -> list[Line]:
    """The lines that are read, in their order: all of them, made narrower if need be, or as many
    of the largest as MAX_COLUMNS allows."""
    widths = np.array([_columns(quad) for quad in quads])
    narrowing = np.clip(MAX_COLUMNS / max(1, widths.sum()), NARROWEST, 1)
    widths = np.maximum(1, (widths * narrowing).astype(int))
    by_size = sorted(range(len(quads)), key=lambda i: -_size_class(quads[i]))
    count = int(np.searchsorted(np.cumsum(widths[by_size]), MAX_COLUMNS, side="right"))
    return [Line(quads[i], int(widths[i])) for i in sorted(by_size[:count])]


def straightened(pixels: NDArray[np.uint8], line: Line) -> NDArray[np.uint8]:
    """A line made level: [48, columns, 3]."""
    import cv2

    quad = np.roll(line.quad, -1, axis=0) if _stands(line.quad) else line.quad  # it runs downwards
    size = (line.columns, HEIGHT_PX)
    target = np.array([(0, 0), (size[0], 0), size, (0, size[1])], np.float32)
    turn = cv2.getPerspectiveTransform(quad, target)
    level = cv2.warpPerspective(
        pixels, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return level.astype(np.uint8, copy=False)


def decode(probability: NDArray[np.float32], characters: NDArray[np.str_]) -> tuple[str, float]:
    """The text of a line from its steps' probabilities [steps, classes], and their mean.

    The likeliest class of each step, without repetitions and blanks (Graves et al., Connectionist
    Temporal Classification, 2006, best path decoding).
    """
    best = probability.argmax(axis=1)  # [steps]
    kept = best != 0
    kept[1:] &= best[1:] != best[:-1]
    if not kept.any():
        return "", 0.0
    return "".join(characters[best[kept]]), float(probability[kept, best[kept]].mean())


def _columns(quad: Quad) -> int:
    """How many columns a line has in its own proportions."""
    along, across = _sides(quad)[::-1] if _stands(quad) else _sides(quad)
    return min(MAX_COLUMNS_OF_LINE, max(1, round(HEIGHT_PX * along / across)))


def _size_class(quad: Quad) -> int:
    """Half octaves of height: lines of one font differ by some pixels, as they have ascenders or
    not."""
    return round(2 * math.log2(min(_sides(quad))))


def _sides(quad: Quad) -> tuple[float, float]:
    """Width and height, at least a pixel each."""
    along, across = (float(np.linalg.norm(quad[0] - quad[corner])) for corner in (1, 3))
    return max(along, 1.0), max(across, 1.0)


def _stands(quad: Quad) -> bool:
    width, height = _sides(quad)
    return height >= 1.5 * width
