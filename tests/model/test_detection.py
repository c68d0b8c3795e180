from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from assistant.model import detection
from assistant.model.detection import Quad, TextDetector


def page(
    size: tuple[int, int], *, font_px: int, lines: int, text: str = "Quota exceeded, upload stopped"
) -> NDArray[np.uint8]:
    """A white page [height, width, 3] with black lines of text from its top, evenly spaced."""
    image = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(font_px)
    for number in range(lines):
        draw.text((20, 10 + number * 2 * font_px), text, "black", font)
    return np.asarray(image)


def map_with(
    *bars: tuple[slice, slice], shape: tuple[int, int] = (60, 200), value: float = 0.9
) -> NDArray[np.float32]:
    """A map of probabilities with bars that are likely text."""
    probability = np.zeros(shape, np.float32)
    for bar in bars:
        probability[bar] = value
    return probability


def quad(left: float, top: float, right: float = 100, bottom: float | None = None) -> Quad:
    bottom = top + 20 if bottom is None else bottom
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], np.float32)


def test_the_height_of_letters_follows_the_font() -> None:
    small, large = (
        detection.letter_height(page((1000, 400), font_px=size, lines=3)) for size in (14, 60)
    )

    assert 7 < small < 14
    assert 30 < large < 60


def test_a_white_page_has_no_letters() -> None:
    assert detection.letter_height(page((300, 300), font_px=9, lines=0)) == 0


def test_large_letters_are_looked_at_from_further_away() -> None:
    near, _ = detection.view(page((1000, 400), font_px=14, lines=3))
    far, rows = detection.view(page((1000, 400), font_px=60, lines=3))

    assert near > 2 * far
    assert rows == 400


def test_a_wide_picture_is_made_smaller_but_looked_at_whole() -> None:
    width, height = 7680, 1440

    scale, rows = detection.view(page((width, height), font_px=16, lines=40))

    assert rows == height
    assert width * height * scale**2 <= 1.01 * detection.MAX_MEGAPIXELS * 1_000_000


def test_of_a_tall_page_with_small_letters_the_upper_part_is_looked_at() -> None:
    scale, rows = detection.view(page((800, 20_000), font_px=16, lines=600))

    assert 3 * 800 <= rows < 20_000
    assert 800 * rows * scale**2 <= 1.01 * detection.MAX_MEGAPIXELS * 1_000_000


def test_a_tall_page_with_large_letters_is_looked_at_whole() -> None:
    _, rows = detection.view(page((800, 20_000), font_px=64, lines=150))

    assert rows == 20_000


@pytest.mark.parametrize("size", [(9, 40_000), (40_000, 9)])
def test_strips_cost_no_more_than_other_pictures(size: tuple[int, int]) -> None:
    scale, rows = detection.view(page(size, font_px=9, lines=0))

    assert max(size[0], rows) * scale * 32 <= 1.01 * detection.MAX_MEGAPIXELS * 1_000_000


def test_a_line_grows_by_its_area_over_its_circumference() -> None:
    core = map_with((slice(20, 30), slice(50, 150)))

    (found,) = detection.lines(core)

    # From edge to edge the core is 99 × 9; it grows by 1.6 · 99 · 9 / (2 · (99 + 9)) on each side.
    left, top, right, bottom = *found[0], *found[2]
    assert (right - left, bottom - top) == pytest.approx((99 + 13.2, 9 + 13.2), abs=0.5)
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((99.5, 24.5), abs=1)


def test_what_is_unlikely_or_tiny_is_no_line() -> None:
    bar = (slice(20, 30), slice(50, 150))

    assert detection.lines(map_with(bar, value=0.4)) == []
    assert detection.lines(map_with((slice(20, 21), slice(50, 52)))) == []


def test_lines_side_by_side_are_read_from_left_to_right() -> None:
    name, value, below = quad(10, 12), quad(300, 10, right=400), quad(5, 50)

    ordered = detection.in_reading_order([below, value, name])

    assert [each[0].tolist() for each in ordered] == [[10, 12], [300, 10], [5, 50]]


def test_boxes_are_as_tight_from_further_away() -> None:
    pixels = page((1000, 400), font_px=48, lines=3)
    detector = TextDetector(threads=1)

    near, far = detector.find(pixels, 1.0), detector.find(pixels, 0.5)

    assert len(near) == len(far) == 3
    heights = [np.mean([np.ptp(each[:, 1]) for each in found]) for found in (near, far)]
    assert heights[1] / heights[0] == pytest.approx(1, abs=0.12)
    assert np.abs(np.array(near) - np.array(far)).max() < 12
