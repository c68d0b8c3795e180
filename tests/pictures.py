"""Pictures for tests, with real text that the recogniser reads."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw, ImageFont

SIZE = (360, 240)


def screenshot(text: str = "Error KT-4031", mode: str = "RGB", size: tuple[int, int] = SIZE) -> Any:
    """A white picture with black text, a line of it for each line of `text`."""
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).text((20, 30), text, "black", ImageFont.load_default(26), spacing=14)
    return image.convert(mode)


def encoded(image: Any, kind: str = "PNG", **options: Any) -> bytes:
    """An image file's bytes."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png(text: str = "Error KT-4031") -> bytes:
    """A PNG file with this text."""
    return encoded(screenshot(text))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a hundred bytes whose header claims so many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b""))
    )
