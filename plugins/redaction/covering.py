"""Covers what is private on a picture.

The reader's lines are searched as one text, so that a private key over ten lines is one find. A
find's place within its line is measured with a typeface of common proportions, and a margin.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from assistant import Attachment, Box, ScreenLine
from plugins.redaction.kinds import Find, Kind
from plugins.redaction.misread import find_on_screen

if TYPE_CHECKING:
    from PIL import Image

MARGIN = 1.0
"""Of a line's height, to the left and right of a find: fonts differ in where a word stands."""

MOST = 0.6
"""A find that takes more of its line than this covers all of it."""

COLOUR = "#202020"


def private_boxes(lines: Collection[ScreenLine], kinds: Collection[Kind]) -> list[Box]:
    """Where on a picture something private stands."""
    return boxes_of(find_on_screen("\n".join(line.text for line in lines), kinds), lines)


def boxes_of(finds: Collection[Find], lines: Collection[ScreenLine]) -> list[Box]:
    """Where finds in the text of these lines stand on the picture."""
    boxes = []
    start = 0
    for line in lines:
        end = start + len(line.text)
        for find in finds:
            if find.start < end and find.end > start:
                part = max(find.start, start) - start, min(find.end, end) - start
                boxes.append(_part(line, *part))
        start = end + 1
    return boxes


def covered(
    attachment: Attachment, pictures: Collection[tuple[bytes, Collection[Box]]]
) -> Iterator[Attachment]:
    """The attachment's pictures with the boxes covered, as new files without any metadata. What
    else it held, such as a recording's frames between its scenes, is gone."""
    stem = PurePath(attachment.filename).stem or "picture"
    for number, (content, boxes) in enumerate(pictures, 1):
        name = stem if len(pictures) == 1 else f"{stem}-{number}"
        yield Attachment("image/png", f"{name}.png", _cover(content, boxes))


def _part(line: ScreenLine, start: int, end: int) -> Box:
    box, text = line.box, line.text
    width, margin = box.right - box.left, MARGIN * line.height_px
    left, right = (width * _width(text[:place]) / (_width(text) or 1) for place in (start, end))
    above = 0.15 * line.height_px  # descenders, and what smoothing leaves
    if right - left > MOST * width or line.height_px > width:
        left, right = 0.0, width
    return Box(
        max(box.left + left - margin, box.left - above),
        box.top - above,
        min(box.left + right + margin, box.right + above),
        box.bottom + above,
    )


def _cover(content: bytes, boxes: Collection[Box]) -> bytes:
    from PIL import Image, ImageDraw, ImageOps

    page = ImageOps.exif_transpose(Image.open(io.BytesIO(content))).convert("RGBA")
    picture = Image.new("RGBA", page.size, "white")  # as the reader sees it
    picture.alpha_composite(page)
    picture = picture.convert("RGB")
    draw = ImageDraw.Draw(picture)
    for box in boxes:
        draw.rectangle((box.left, box.top, box.right, box.bottom), COLOUR)
    return _png(picture)


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def _width(text: str) -> float:
    return float(_font().getlength(text)) if text else 0.0


@cache
def _font() -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(32)
