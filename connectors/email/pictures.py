"""The manual's pictures, as they stand in a mail's HTML."""

from __future__ import annotations

import hashlib
import io
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import Citation, DeskmateError

if TYPE_CHECKING:
    from assistant import Desk
    from assistant.articles import Picture

MOST = 3  # pictures of one mail
WIDEST_PIXELS = 1_000
MOST_BYTES = 400_000  # of one picture
MOST_FILE_BYTES = 20_000_000  # of one that is made smaller
MOST_PIXELS = 50_000_000
_SHOWN = {"PNG": "png", "JPEG": "jpeg", "GIF": "gif"}  # what every mail program shows

log = logging.getLogger("deskmate.connectors.email")


@dataclass(frozen=True)
class Inline:
    """A picture in a mail; `number` is that of the citation it belongs to, `kind` its subtype."""

    number: int
    alt: str
    kind: str
    content: bytes = field(repr=False)

    @property
    def cid(self) -> str:
        """Its name within the mail: equal pictures, equal names."""
        return f"{hashlib.sha256(self.content).hexdigest()[:24]}@deskmate"


def cited(desk: Desk, citations: Sequence[Citation]) -> tuple[Inline, ...]:
    """The pictures of what an answer cites. An index that cannot be read keeps no answer back."""
    try:
        return inline(desk.pictures(citations)) if citations else ()
    except DeskmateError as error:
        log.warning("missed_pictures error=%s", type(error).__name__)
        return ()


def inline(pictures: Iterable[tuple[int, Picture]]) -> tuple[Inline, ...]:
    """The first pictures that can be shown, with their citations' numbers. What is gone, no picture
    or too large after all is left out: the sources' links lead there."""
    found: list[Inline] = []
    for number, picture in pictures:
        if len(found) < MOST and (fitted := _fitted(Path(picture.path))):
            found.append(Inline(number, picture.alt.strip(), *fitted))
    return tuple(found)


def _fitted(file: Path) -> tuple[str, bytes] | None:
    """Kind and content of a picture, made smaller where it is large; None if it cannot be shown."""
    from PIL import Image

    try:
        if file.stat().st_size > MOST_FILE_BYTES:
            return None
        content = file.read_bytes()
        with Image.open(io.BytesIO(content)) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            small = image.width <= WIDEST_PIXELS and len(content) <= MOST_BYTES
            if small and image.format in _SHOWN:
                return _SHOWN[image.format], content
            image.thumbnail((WIDEST_PIXELS, 10 * WIDEST_PIXELS))
            flat = Image.new("RGB", image.size, "white")
            flat.paste(image, mask=image.convert("RGBA").getchannel("A"))
            for kind, options in (("png", {"optimize": True}), ("jpeg", {"quality": 80})):
                saved = io.BytesIO()
                flat.save(saved, kind, **options)
                if saved.tell() <= MOST_BYTES:
                    return kind, saved.getvalue()
    except Exception:  # whatever a broken picture raises
        return None
    return None
