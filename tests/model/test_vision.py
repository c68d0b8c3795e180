from __future__ import annotations

import numpy as np
import pytest

from assistant.messages import Box
from assistant.model.vision import LOOK, MAX_WIDTH_PX, looks

ABOVE = Box(20, 20, 120, 40)
BELOW = Box(20, 120, 120, 140)


def page(brightness: int, width: int = 300) -> np.ndarray:
    return np.full((200, width, 3), brightness, np.uint8)


def look(pixels: np.ndarray, box: Box, name: str) -> float:
    row = [ABOVE, BELOW].index(box)
    return float(looks(pixels, [ABOVE, BELOW])[row, LOOK.index(name)])


def test_a_line_in_the_light_is_brighter_than_the_dimmed_page() -> None:
    pixels = page(120)
    pixels[100:160, 10:200] = 255

    assert look(pixels, BELOW, "ground − picture's median") == pytest.approx(135 / 255, abs=0.01)
    assert look(pixels, ABOVE, "ground − picture's median") == pytest.approx(0, abs=0.01)
    assert look(pixels, ABOVE, "ground − the brightest among the lines") < -0.5


def test_a_red_frame_is_seen_at_the_line_it_surrounds() -> None:
    pixels = page(255)
    pixels[105:155, 5:140] = (0, 0, 230)
    pixels[110:150, 10:135] = 255

    assert look(pixels, BELOW, "red frame near it") > 0.8
    assert look(pixels, ABOVE, "red frame near it") == 0


def test_a_coloured_button_is_saturated() -> None:
    pixels = page(255)
    pixels[115:145, 15:125] = (230, 60, 80)

    assert look(pixels, BELOW, "saturation of the ground") > 0.5
    assert look(pixels, ABOVE, "saturation of the ground") == 0


def test_a_wide_picture_is_looked_at_in_less_detail() -> None:
    pixels = page(120, width=4 * MAX_WIDTH_PX)
    pixels[:, 2 * MAX_WIDTH_PX :] = 255
    dark, bright = Box(100, 20, 600, 80), Box(3_000, 20, 3_500, 80)

    ground = looks(pixels, [dark, bright])[:, LOOK.index("brightness of the ground")]

    assert ground == pytest.approx([120 / 255, 1.0], abs=0.01)


def test_a_picture_without_lines_has_no_looks() -> None:
    assert looks(page(255), []).shape == (0, len(LOOK))


@pytest.mark.parametrize(
    "box", [Box(-5, -5, 400, 300), Box(299, 199, 299, 199), Box(500, 500, 600, 600)]
)
def test_a_box_at_or_beyond_the_edge_has_a_look(box: Box) -> None:
    assert np.isfinite(looks(page(255), [box])).all()
