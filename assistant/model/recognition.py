"""Reads single lines of text (PP-OCRv6's recogniser)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from assistant.model import networks
from assistant.model.detection import Quad

HEIGHT_PX = 48
"""The height in which lines are read."""

MAX_COLUMNS = 4_800
"""Of one line: what is more than a hundred times as wide as tall is no line that can be read."""

_STEP_PX = 32


class LineRecogniser:
    """Reads `threads` lines at a time, each in its own width: lines that are filled up to a common
    width cost what the widest does."""

    def __init__(self, *, threads: int) -> None:
        self._network = networks.session("PP-OCRv6_rec_small.onnx", threads=1)
        characters = self._network.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._characters = np.array(["", *characters, " "])  # class 0 is CTC's blank
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="reading")

    def read(self, pixels: NDArray[np.uint8], quads: Sequence[Quad]) -> list[tuple[str, float]]:
        """Text and confidence (0 to 1) of the lines at these places of a picture.

        `pixels` are [height, width, 3] (blue, green, red).
        """
        return list(self._pool.map(lambda quad: self._read(straightened(pixels, quad)), quads))

    def _read(self, line: NDArray[np.uint8]) -> tuple[str, float]:
        width = line.shape[1]
        columns = -(-width // _STEP_PX) * _STEP_PX
        batch = np.zeros((1, 3, HEIGHT_PX, columns), np.float32)
        batch[0, :, :, :width] = line.transpose(2, 0, 1) / np.float32(127.5) - 1
        (probability,) = self._network.run(None, {"x": batch})  # [1, steps, classes]
        return decode(probability[0], self._characters)


def columns(quad: Quad) -> int:
    """How many columns of pixels a line has when it is read."""
    along, across = sorted(_sides(quad), reverse=True) if _stands(quad) else _sides(quad)
    return min(MAX_COLUMNS, max(1, round(HEIGHT_PX * along / across)))


def straightened(pixels: NDArray[np.uint8], quad: Quad) -> NDArray[np.uint8]:
    """The line in a quad, level and HEIGHT_PX tall: [48, columns, 3]."""
    import cv2

    size = (columns(quad), HEIGHT_PX)
    if _stands(quad):
        quad = np.roll(quad, -1, axis=0)  # its text runs downwards
    target = np.array([(0, 0), (size[0], 0), size, (0, size[1])], np.float32)
    turn = cv2.getPerspectiveTransform(quad, target)
    line = cv2.warpPerspective(
        pixels, turn, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return line.astype(np.uint8, copy=False)


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


def _sides(quad: Quad) -> tuple[float, float]:
    """Width and height of a quad, at least a pixel each."""
    along, across = (float(np.linalg.norm(quad[0] - quad[corner])) for corner in (1, 3))
    return max(along, 1.0), max(across, 1.0)


def _stands(quad: Quad) -> bool:
    width, height = _sides(quad)
    return height >= 1.5 * width
