"""The manual's pictures: which stand in a mail, and how large."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assistant.articles import Picture
from connectors.email import pictures
from tests.pictures import png


def drawn(file: Path, size: tuple[int, int], mode: str = "RGB") -> Picture:
    """A picture of noise, which no format makes small."""
    noise = np.random.default_rng(7).integers(0, 255, (size[1], size[0], len(mode)), np.uint8)
    Image.fromarray(noise, mode).save(file)
    return Picture(str(file), "Noise")


def test_a_small_picture_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png("Settings"))

    (found,) = pictures.inline([(2, Picture(str(tmp_path / "a.png"), " Settings "))])

    assert (found.number, found.alt, found.kind) == (2, "Settings", "png")
    assert found.content == png("Settings")


@pytest.mark.parametrize(("name", "mode"), [("a.png", "RGBA"), ("a.webp", "RGB"), ("a.bmp", "RGB")])
def test_a_large_one_or_one_of_a_rare_kind_is_made_fit(
    tmp_path: Path, name: str, mode: str
) -> None:
    picture = drawn(tmp_path / name, (1_400, 300), mode)

    (found,) = pictures.inline([(1, picture)])

    assert found.kind in ("png", "jpeg")
    assert len(found.content) <= pictures.MOST_BYTES
    assert Image.open(io.BytesIO(found.content)).width == pictures.WIDEST_PIXELS


def test_what_is_gone_broken_or_one_too_many_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(png("Settings")[:60])
    good = [drawn(tmp_path / f"{n}.png", (40, 40)) for n in range(4)]
    bad = [Picture(str(tmp_path / "gone.png")), Picture(str(tmp_path / "broken.png"))]

    found = pictures.inline([(1, picture) for picture in (*bad, *good)])

    assert len(found) == pictures.MOST
