from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from assistant.messages import Box, Screen, ScreenLine, Step
from assistant.model.heatmap import MAX_HEIGHT_PX, draw, heat_maps, kept, weighed
from tests.pictures import encoded

FIRST, SECOND = Box(40, 40, 200, 60), Box(40, 140, 200, 160)


def page(width: int = 400, height: int = 300) -> bytes:
    return encoded(Image.new("RGB", (width, height), "white"))


def at(picture: Image.Image, box: Box) -> NDArray[np.int64]:
    """The colour (red, green, blue) in the middle of a box."""
    middle = (int(box.left + box.right) // 2, int(box.top + box.bottom) // 2)
    return np.array(picture.getpixel(middle), np.int64)


def test_what_added_most_is_warm_and_the_rest_is_dimmed() -> None:
    picture = draw(page(), [FIRST, SECOND], [2.0, 0.5], strongest=2.0)

    warm, weaker, dimmed = (at(picture, box) for box in (FIRST, SECOND, Box(300, 200, 310, 210)))
    assert picture.size == (400, 300)
    assert dimmed.max() < 130
    assert warm[0] > weaker[0] > dimmed[0]
    assert warm[0] > warm[2] + 50


def test_a_line_that_spoke_against_gets_no_light() -> None:
    picture = draw(page(), [FIRST, SECOND], [2.0, -3.0], strongest=2.0)

    assert (at(picture, SECOND) == at(picture, Box(300, 200, 310, 210))).all()


def test_where_nothing_added_anything_all_is_dimmed() -> None:
    picture = draw(page(), [FIRST], [-1.0], strongest=0.0)

    assert np.asarray(picture).max() < 130


def test_of_a_tall_picture_the_parts_that_decided_are_shown() -> None:
    boxes = [Box(40, 3_000, 200, 3_020), Box(40, 15_000, 200, 15_020)]

    picture = draw(page(300, 20_000), boxes, [1.0, 0.8], strongest=1.0)

    assert picture.width == 300
    assert picture.height < 700
    rows = np.asarray(picture).astype(int)[:, 100]  # [height, red green blue]
    lit = rows[:, 0] > rows[:, 2] + 50
    assert np.flatnonzero(np.diff(lit.astype(int)) == 1).size >= 2


def test_a_tall_picture_without_heat_shows_its_top() -> None:
    assert draw(page(300, 9_000), [], [], strongest=0.0).height == MAX_HEIGHT_PX


@pytest.mark.parametrize("box", [Box(-5, -5, 10, 10), Box(390, 290, 500, 400)])
def test_a_box_at_the_edge_is_drawn(box: Box) -> None:
    assert draw(page(), [box], [1.0], strongest=1.0).size == (400, 300)


def test_heat_maps_are_drawn_from_what_a_trace_keeps() -> None:
    screens = [
        Screen((ScreenLine("Save", FIRST, 20, 0.9),), 400, 300),
        Screen((), 400, 300),
        Screen((ScreenLine("Help", FIRST, 20, 0.9), ScreenLine("Save", SECOND, 20, 0.9)), 400, 300),
    ]
    stored = json.loads(json.dumps(weighed(screens, (1.0, 0.25, 1.0))))
    trace = [Step("read", 1.0), Step("encode", 1.0, {"screens": stored})]

    first, second, third = heat_maps(kept(trace), (0.5, 0.0, 2.0), [page()] * 3)

    assert [line["weight"] for screen in kept(trace) for line in screen["lines"]] == [1, 0.25, 1]
    assert at(third, SECOND)[0] > at(first, FIRST)[0] > at(second, FIRST)[0]
