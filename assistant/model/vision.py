"""How the place of each line of text looks beside the rest of its picture.

A screenshot in a help article, or from a customer, often says by its look what it is about: the
page is dimmed around one control, a dialog lies over it, a button is lit, a frame is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.messages import Box

MAX_WIDTH_PX = 1000
"""Wider pictures are looked at in this width: colours and frames are still there."""

MAX_PIXELS = 2_500_000
"""Pages that were scrolled are taller than wide, and looked at smaller still."""

LOOK = (
    "ground − picture's median",
    "ground − picture's brightest",
    "ground − around it (3 line heights)",
    "ground − further around it (8 line heights)",
    "contrast of the letters",
    "saturation of the ground",
    "red frame near it",
    "red in it",
    "share of the picture darker than the ground",
    "share of the picture as bright as the ground",
    "brightness of the ground",
    "further around it − picture's median",
    "contrast − the highest among the lines",
    "ground − the brightest among the lines",
    "picture's brightest − its median",
    "picture's median",
    "picture's brightest",
)
"""What the numbers of a look are; all are made of brightnesses from 0 to 1."""

_BINS = 32

_ENOUGH_PIXELS = 4_000
"""For a median; a frame around a line, of a few thousand pixels in all, is still seen whole."""


def looks(pixels: NDArray[np.uint8], boxes: Sequence[Box]) -> NDArray[np.float32]:
    """The look of each line [lines, 17], as LOOK names its numbers.

    `pixels` are [height, width, 3] (blue, green, red), `boxes` the lines' places in them.
    """
    smaller, scale = reduced(pixels)
    picture = smaller.astype(np.float32) / np.float32(255)
    blue, green, red_channel = np.ascontiguousarray(picture.transpose(2, 0, 1))
    brightness = 0.114 * blue + 0.587 * green + 0.299 * red_channel  # Rec. 601 luma
    others = np.maximum(blue, green)
    saturation = np.maximum(others, red_channel) - np.minimum(np.minimum(blue, green), red_channel)
    red = np.maximum(red_channel - others, 0)

    sample = brightness[::3, ::3]
    median, brightest = np.quantile(sample, [0.5, 0.95])
    histogram, _ = np.histogram(sample, bins=_BINS, range=(0, 1))
    share = histogram / histogram.sum()
    darker = np.cumsum(share) - share / 2

    rows = []
    for box in boxes:
        left, top, right, bottom = (
            side * scale for side in (box.left, box.top, box.right, box.bottom)
        )
        place = (left, top, right, bottom)
        height = max(bottom - top, 4.0)
        ground = float(np.median(_around(brightness, place, 0.4 * height)))
        near = float(np.median(_around(brightness, place, 3 * height)))
        far = float(np.median(_around(brightness, place, 8 * height)))
        low, high = np.quantile(_around(brightness, place, 0), [0.03, 0.97])
        frame = _around(red, place, 1.2 * height)
        level = max(0, min(_BINS - 1, int(ground * _BINS)))
        rows.append(
            (
                ground - median,
                ground - brightest,
                ground - near,
                ground - far,
                high - low,
                np.median(_around(saturation, place, 0.4 * height)),
                np.quantile(frame, 0.97) - np.median(frame),
                np.median(_around(red, place, 0)),
                darker[level],
                share[max(0, level - 1) : level + 2].sum(),
                ground,
                far - median,
            )
        )
    if not rows:
        return np.zeros((0, len(LOOK)), np.float32)
    own = np.array(rows, np.float32)  # [lines, 12]
    against_others = own[:, [4, 10]] - own[:, [4, 10]].max(0)  # [lines, 2]
    whole = np.tile(np.array([brightest - median, median, brightest], np.float32), (len(own), 1))
    return np.concatenate([own, against_others, whole], axis=1)


def reduced(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], float]:
    """A picture [height, width, 3] at MAX_WIDTH_PX and MAX_PIXELS or less, and its scale."""
    height, width = pixels.shape[:2]
    scale = min(MAX_WIDTH_PX / width, (MAX_PIXELS / (width * height)) ** 0.5)
    if scale >= 1:
        return pixels, 1.0
    from PIL import Image

    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR)), scale


def _around(
    values: NDArray[np.float32], place: tuple[float, float, float, float], margin: float
) -> NDArray[np.float32]:
    """The part of `values` at a place and `margin` pixels around it; never empty, and thinned out
    where it is large."""
    left, top, right, bottom = place
    height, width = values.shape
    first_row = min(int(max(top - margin, 0)), height - 1)
    first_column = min(int(max(left - margin, 0)), width - 1)
    part = values[
        first_row : int(min(bottom + margin, height)) + 1,
        first_column : int(min(right + margin, width)) + 1,
    ]
    step = 1 + int((part.size / _ENOUGH_PIXELS) ** 0.5)
    return part[::step, ::step]
