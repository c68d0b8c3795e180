from __future__ import annotations

import io

import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from assistant.messages import Box, Screen, ScreenLine
from assistant.model.encoder import MultimodalEncoder
from assistant.model.fusion import FEATURES, LineWeights, features
from assistant.model.vision import LOOK

LABELS = ("Preferences", "Security", "Billing details", "Danger zone")


def line(text: str, top: float) -> ScreenLine:
    return ScreenLine(text, Box(10, top, 110, top + 20), 20, 0.9, (0.0,) * len(LOOK))


SCREEN = Screen((line("Save", 10), line("Delete this account", 60)), 200, 100)


def picture(spotlight: str | None) -> bytes:
    """A settings page; with a spotlight on one label, the rest is dimmed."""
    page = Image.new("RGB", (900, 500), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(28)
    for row, label in enumerate(LABELS):
        draw.text((80, 60 + 100 * row), label, "#333", font)
    if spotlight:
        place = (50, 35 + 100 * LABELS.index(spotlight), 400, 120 + 100 * LABELS.index(spotlight))
        lit = page.crop(place)
        page = page.point(lambda value: int(value * 0.6))
        page.paste(lit, place[:2])
    out = io.BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


def test_untrained_every_line_weighs_the_same() -> None:
    assert LineWeights().weigh([SCREEN]) == (1.0, 1.0)


def test_the_heaviest_line_of_each_screen_weighs_1() -> None:
    model = LineWeights()
    torch.nn.init.normal_(model.weight.weight)

    weights = model.weigh([SCREEN, Screen((), 5, 5), SCREEN])

    assert len(weights) == 4
    assert max(weights[:2]) == max(weights[2:]) == 1.0
    assert min(weights) > 0


def test_features_say_where_a_line_stands() -> None:
    found = features(SCREEN)

    assert found.shape == (2, FEATURES)
    assert found[1, 3].item() == pytest.approx(0.7)  # its middle, from the top
    assert found[1, 6].item() == pytest.approx(torch.tensor(4.0).log().item())  # three words


@pytest.mark.parametrize("label", LABELS)
def test_the_line_in_the_spotlight_weighs_most(encoder: MultimodalEncoder, label: str) -> None:
    screen = encoder.reader.read(picture(label))

    encoding = encoder.encode("", [screen])

    heaviest = max(zip(encoding.weights, encoding.lines, strict=True), key=lambda pair: pair[0])
    assert heaviest[1].text == label


def test_on_a_plain_page_no_line_stands_out_as_in_a_spotlight(encoder: MultimodalEncoder) -> None:
    def spread(content: bytes) -> float:
        return min(encoder.encode("", [encoder.reader.read(content)]).weights)

    assert spread(picture(None)) > spread(picture("Security"))
