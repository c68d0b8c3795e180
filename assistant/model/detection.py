"""Finds the lines of text in a picture (PP-OCRv6's detector)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from assistant.model import networks

if TYPE_CHECKING:
    import cv2

Quad = NDArray[np.float32]
"""A line's corners [4, 2] in pixels: upper left, upper right, lower right, lower left."""

LETTER_PX = 9.0
"""The height of letters, without ascenders, at which a picture is looked at. At 9 pixels 19 of 20
lines are found with the same box as at twice the size, at 5 pixels a fifth of them merge."""

MAX_SCALE = 1.5
MAX_MEGAPIXELS = 1.3
"""Of what is looked at: a picture of more, after scaling, is made smaller still."""

TALL = 3
"""Times as tall as wide: what is taller is a page that was scrolled. To see all of it at once, its
letters would be made too small to find, so that only its upper part is looked at."""

SMALLEST = 2 / 3
"""How much smaller than wanted a tall page's letters may be made, to see more of it."""

SAMPLE_MEGAPIXELS = 2.5
"""Of a tall picture, so much is enough to see how tall its letters are."""

_STEP_PX = 32  # the network halves its input five times

# As RapidOCR has them for this network.
_TEXT, _LINE, _GROWTH, _MIN_SIDE_PX = 0.3, 0.5, 1.6, 3


class TextDetector:
    """Finds lines with `threads` threads."""

    def __init__(self, *, threads: int) -> None:
        self._network = networks.session("PP-OCRv6_det_small.onnx", threads=threads)

    def find(self, pixels: NDArray[np.uint8], scale: float) -> list[Quad]:
        """The lines' corners in reading order.

        `pixels` are [height, width, 3] (blue, green, red); they are looked at `scale` times as
        large as they are.
        """
        import cv2

        size = [max(1, round(side * scale)) for side in pixels.shape[1::-1]]
        smoothly = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        seen = cv2.resize(pixels, size, interpolation=smoothly)
        right, bottom = (-side % _STEP_PX for side in size)
        seen = cv2.copyMakeBorder(seen, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
        batch = cv2.dnn.blobFromImage(seen, 1 / 127.5, mean=(127.5,) * 3)  # [1, 3, rows, columns]
        (probability,) = self._network.run(None, {"x": batch})  # [1, 1, rows, columns]
        furthest = np.array(pixels.shape[1::-1], np.float32) - 1
        quads = [
            (quad / scale).clip(0, furthest).astype(np.float32) for quad in lines(probability[0, 0])
        ]
        return in_reading_order(quads)


def view(pixels: NDArray[np.uint8]) -> tuple[float, int]:
    """At which scale a picture is best looked at, and how many of its rows."""
    height, width = pixels.shape[:2]
    letters = letter_height(pixels)
    wanted = min(MAX_SCALE, LETTER_PX / letters) if letters else 1.0
    affordable = MAX_MEGAPIXELS * 1_000_000
    rows = min(height, max(TALL * width, int(affordable / (width * (SMALLEST * wanted) ** 2))))
    whole = (affordable / (width * rows)) ** 0.5
    return min(wanted, whole, affordable / (_STEP_PX * max(width, rows))), rows


def letter_height(pixels: NDArray[np.uint8]) -> float:
    """About how tall the letters of a picture are, in pixels; 0 if it seems to have none.

    It is the median over what is connected by edges and about as tall as wide.
    """
    import cv2

    part = pixels[: max(1, int(SAMPLE_MEGAPIXELS * 1_000_000 / pixels.shape[1]))]
    grey = cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
    edges = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 40
    _, _, found, _ = cv2.connectedComponentsWithStats(edges.astype(np.uint8))
    width, height = found[1:, cv2.CC_STAT_WIDTH], found[1:, cv2.CC_STAT_HEIGHT]
    letters = (height >= 4) & (height <= 100) & (width < 2.5 * height) & (width > 0.15 * height)
    return float(np.median(height[letters])) if letters.any() else 0.0


def lines(probability: NDArray[np.float32]) -> list[Quad]:
    """The lines in a map [height, width] of how likely each pixel belongs to the core of one.

    A line's core is shrunk so that neighbours stay apart; its box is grown back by the area over
    the circumference, times 1.6 (Liao et al., Real-time Scene Text Detection with Differentiable
    Binarization, 2020).
    """
    import cv2

    mask = cv2.dilate((probability > _TEXT).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        core = cv2.minAreaRect(contour)
        centre, (width, height), angle = core
        if min(width, height) < _MIN_SIDE_PX or _mean(probability, core) < _LINE:
            continue
        width, height = width - 1, height - 1  # what the dilation added
        growth = _GROWTH * width * height / (width + height)
        grown = cv2.boxPoints((centre, (width + growth, height + growth), angle))
        found.append(_upright(grown.astype(np.float32)))
    return found


def in_reading_order(quads: list[Quad]) -> list[Quad]:
    """From top to bottom, and from left to right where one begins less than half a line below
    the one before."""
    if not quads:
        return []
    top_down = sorted(quads, key=lambda quad: float(quad[0, 1]))
    half = np.median([quad[:, 1].max() - quad[:, 1].min() for quad in quads]) / 2
    rows: list[list[Quad]] = []
    for quad in top_down:
        if rows and quad[0, 1] - rows[-1][-1][0, 1] < half:
            rows[-1].append(quad)
        else:
            rows.append([quad])
    return [quad for row in rows for quad in sorted(row, key=lambda quad: float(quad[0, 0]))]


def _mean(probability: NDArray[np.float32], rectangle: cv2.typing.RotatedRect) -> float:
    """The mean inside a rectangle that may be turned."""
    import cv2

    corners = cv2.boxPoints(rectangle)
    limit = np.array(probability.shape[::-1]) - 1
    left, top = np.clip(np.floor(corners.min(0)), 0, limit).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(0)), 0, limit).astype(int)
    inside = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(inside, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(probability[top : bottom + 1, left : right + 1], inside)[0])


def _upright(corners: NDArray[np.float32]) -> Quad:
    """The corners of a rectangle, the upper left one first, and clockwise."""
    by_column = corners[np.argsort(corners[:, 0], kind="stable")]
    upper_left, lower_left = sorted(by_column[:2], key=lambda corner: float(corner[1]))
    upper_right, lower_right = sorted(by_column[2:], key=lambda corner: float(corner[1]))
    return np.array([upper_left, upper_right, lower_right, lower_left], np.float32)
