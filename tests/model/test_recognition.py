from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from assistant.model import recognition
from assistant.model.detection import Quad, TextDetector
from assistant.model.recognition import MAX_COLUMNS, Line, LineRecogniser
from tests.pictures import screenshot

CHARACTERS = np.array(["", "a", "b", " "])


@pytest.fixture(scope="module")
def recogniser() -> LineRecogniser:
    return LineRecogniser(threads=2)


def quad(width: float, height: float, top: float = 0) -> Quad:
    bottom = top + height
    return np.array([(0, top), (width, top), (width, bottom), (0, bottom)], np.float32)


def probabilities(*classes: int, sure: float = 0.9) -> np.ndarray:
    """Steps [steps, 4] of which each is this sure of its class."""
    steps = np.full((len(classes), 4), (1 - sure) / 3, np.float32)
    steps[np.arange(len(classes)), classes] = sure
    return steps


def test_repetitions_are_one_character_unless_a_blank_is_between() -> None:
    text, confidence = recognition.decode(probabilities(0, 1, 1, 0, 1, 3, 2, 2), CHARACTERS)

    assert text == "aa b"
    assert confidence == pytest.approx(0.9)


def test_blanks_alone_are_no_text() -> None:
    assert recognition.decode(probabilities(0, 0, 0), CHARACTERS) == ("", 0.0)


def test_lines_keep_their_proportions() -> None:
    chosen = recognition.affordable([quad(100, 24), quad(48, 48), quad(20, 80)])

    # The last one is a line that runs downwards.
    assert [line.columns for line in chosen] == [200, 48, 192]


def test_lines_that_are_too_many_are_read_narrower() -> None:
    chosen = recognition.affordable([quad(1000, 48)] * 28)

    assert len(chosen) == 28
    assert sum(line.columns for line in chosen) == pytest.approx(MAX_COLUMNS, abs=40)


def test_of_far_too_many_the_largest_are_read_in_their_order() -> None:
    small = [quad(1000, 12, top=20 * number) for number in range(30)]
    heading = quad(1000, 60, top=700)

    chosen = recognition.affordable([*small, heading])

    assert 2 < len(chosen) < 31
    assert chosen[-1].quad is heading
    assert all(
        line.quad is each for line, each in zip(chosen, small[: len(chosen) - 1], strict=False)
    )
    assert sum(line.columns for line in chosen) <= MAX_COLUMNS


def test_a_picture_without_lines_has_none_to_read() -> None:
    assert recognition.affordable([]) == []


@pytest.mark.parametrize("degrees", [0, 8, 270], ids=["level", "askew", "downwards"])
def test_lines_are_read_as_they_stand(recogniser: LineRecogniser, degrees: int) -> None:
    turned = screenshot("Quota exceeded").rotate(degrees, expand=True, fillcolor="white")
    pixels = np.ascontiguousarray(np.asarray(turned)[:, :, ::-1])

    found = TextDetector(threads=1).find(pixels, 1.0)

    ((text, confidence),) = recogniser.read(pixels, recognition.affordable(found))
    assert text == "Quota exceeded"
    assert confidence > 0.9


def test_a_line_is_straightened_to_its_columns() -> None:
    pixels = np.asarray(Image.new("RGB", (200, 100), "white"))

    line = recognition.straightened(pixels, Line(quad(100, 25), columns=192))

    assert line.shape == (48, 192, 3)
    assert line.min() == 255
