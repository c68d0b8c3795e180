"""What decided, shown on the screenshot itself: dimmed, with a warm light on its lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from assistant.messages import Box, Screen, Step
from assistant.model.screenshot import decode

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

MAX_HEIGHT_PX = 2_400
"""Of a taller picture only the parts around the framed lines are shown."""

FRAMED, WEAKEST_FRAMED = 8, 0.02
"""So many lines at most get a frame and a number, 1 for the one that added most, if they added at
least this share of what it added."""

_DIMMED = 0.45
_WARM = (255, 120, 0)  # red, green, blue
_AROUND_PX = 120
_SEAM_PX = 10


def weighed(screens: Sequence[Screen], weights: Sequence[float]) -> list[dict[str, Any]]:
    """The screens as a trace keeps them, in plain JSON values: the size of each, and each line's
    text, box (left, top, right, bottom) and weight. `weights` are those of all screens' lines."""
    remaining = iter(weights)
    return [
        {
            "width_px": screen.width_px,
            "height_px": screen.height_px,
            "lines": [
                {
                    "text": line.text,
                    "box": [round(side) for side in vars(line.box).values()],
                    "weight": round(next(remaining), 3),
                }
                for line in screen.lines
            ],
        }
        for screen in screens
    ]


def kept(trace: Iterable[Step]) -> list[Mapping[str, Any]]:
    """The screens that the trace of a message holds, as `weighed` made them."""
    return [screen for step in trace for screen in step.detail.get("screens", ())]


def heat_maps(
    screens: Sequence[Mapping[str, Any]], lines: Sequence[float], contents: Sequence[bytes]
) -> list[Image.Image]:
    """One heat map for each screenshot: `screens` as `weighed` made them, `lines` what each of
    their lines added to a passage (`Explanation.lines`), `contents` the files of the same
    screenshots. The strongest line of all has the full light."""
    strongest = max(lines, default=0.0)
    maps, start = [], 0
    for screen, content in zip(screens, contents, strict=True):
        boxes = [Box(*line["box"]) for line in screen["lines"]]
        own = lines[start : start + len(boxes)]
        start += len(boxes)
        maps.append(draw(content, boxes, own, strongest))
    return maps


def draw(
    content: bytes, boxes: Sequence[Box], heat: Sequence[float], strongest: float
) -> Image.Image:
    """An image file's picture with the heat [lines] of its lines, each from 0 to `strongest`; what
    is below 0 spoke against the passage and gets no light. Raises UnreadableError."""
    import numpy as np
    from PIL import Image

    pixels = decode(content)[0][:, :, ::-1].astype(np.float32)  # [height, width, red green blue]
    shares = [max(value, 0.0) / strongest if strongest > 0 else 0.0 for value in heat]
    lit = _light(pixels.shape[:2], boxes, shares)[:, :, None]  # [height, width, 1], from 0 to 1
    grey = pixels.mean(2, keepdims=True) * _DIMMED
    warm = 0.62 * pixels + 0.38 * np.array(_WARM, np.float32)
    seen = Image.fromarray((grey * (1 - lit) + warm * lit).astype(np.uint8))
    strong = [row for row, share in enumerate(shares) if share >= WEAKEST_FRAMED]
    framed = [boxes[row] for row in sorted(strong, key=lambda row: -shares[row])[:FRAMED]]
    _frame(seen, framed)
    return _cut(seen, framed) if seen.height > MAX_HEIGHT_PX else seen


def _light(
    size: tuple[int, ...], boxes: Sequence[Box], shares: Sequence[float]
) -> NDArray[np.float32]:
    """How much light falls on each pixel [height, width], from 0 to 1."""
    import numpy as np

    light = np.zeros(size, np.float32)
    for box, share in zip(boxes, shares, strict=True):
        margin = 0.35 * (box.bottom - box.top)
        place = light[
            max(0, int(box.top - margin)) : int(box.bottom + margin) + 1,
            max(0, int(box.left - margin)) : int(box.right + margin) + 1,
        ]
        # The root shows what added a tenth of the strongest as well.
        np.maximum(place, share**0.5, out=place)
    return light


def _frame(picture: Image.Image, boxes: Sequence[Box]) -> None:
    """Draws a frame and a number around each box."""
    from PIL import ImageDraw, ImageFont

    canvas = ImageDraw.Draw(picture)
    thickness = max(2, picture.width // 600)
    for number, box in enumerate(boxes, 1):
        height = box.bottom - box.top
        margin = 0.35 * height + thickness
        canvas.rectangle(
            (box.left - margin, box.top - margin, box.right + margin, box.bottom + margin),
            outline=_WARM,
            width=thickness,
        )
        font = ImageFont.load_default(max(12.0, min(0.8 * height, 28.0)))
        at = (box.left - margin, box.top - margin)
        left, top, right, bottom = canvas.textbbox(at, str(number), font)
        canvas.rectangle((left - 3, top - 2, right + 3, bottom + 2), fill=_WARM)
        canvas.text(at, str(number), "white", font)


def _cut(picture: Image.Image, boxes: Sequence[Box]) -> Image.Image:
    """The parts of a tall picture around the boxes, one below the other; its top if there is no
    box."""
    from PIL import Image

    bands: list[list[int]] = []
    for box in sorted(boxes, key=lambda box: box.top):
        top = max(0, int(box.top) - _AROUND_PX)
        bottom = min(picture.height, int(box.bottom) + _AROUND_PX)
        if bands and top <= bands[-1][1]:
            bands[-1][1] = max(bands[-1][1], bottom)
        else:
            bands.append([top, bottom])
    bands = bands or [[0, MAX_HEIGHT_PX]]
    height = sum(bottom - top for top, bottom in bands) + _SEAM_PX * (len(bands) - 1)
    shown = Image.new("RGB", (picture.width, height), "white")
    at = 0
    for top, bottom in bands:
        shown.paste(picture.crop((0, top, picture.width, bottom)), (0, at))
        at += bottom - top + _SEAM_PX
    return shown
