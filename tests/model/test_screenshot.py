from __future__ import annotations

import random
import re
import warnings

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from assistant.errors import UnreadableError
from assistant.model.encoder import MultimodalEncoder
from assistant.model.screenshot import _HEX_CODE, ScreenReader, decode
from tests.pictures import SIZE, bomb, encoded, png, screenshot


@pytest.fixture(scope="module")
def reader(encoder: MultimodalEncoder) -> ScreenReader:
    return encoder.reader


def test_lines_are_read_from_top_to_bottom_with_their_places(reader: ScreenReader) -> None:
    screen = reader.read(png("Upload stopped\nKT-4031\nQuota exceeded"))

    assert screen.text == "Upload stopped\nKT-4031\nQuota exceeded"
    assert (screen.width_px, screen.height_px) == SIZE
    assert [line.confidence > 0.8 for line in screen.lines] == [True] * 3
    first, second, _ = screen.lines
    assert first.box.bottom <= second.box.top
    assert 15 < first.height_px < 45
    assert abs(first.box.left - 20) < 10


def test_codes_in_hexadecimal_keep_their_zero(reader: ScreenReader) -> None:
    assert reader.read(png("Error 0x80070005")).text == "Error 0x80070005"


@pytest.mark.parametrize(
    ("read", "mended"),
    [
        ("Ox80070005", "0x80070005"),
        ("code OxC0FFEE!", "code 0xC0FFEE!"),
        ("Oxford", "Oxford"),
        ("BOx80", "BOx80"),
        ("Ox", "Ox"),
    ],
)
def test_an_o_before_hexadecimal_digits_is_a_zero(read: str, mended: str) -> None:
    assert _HEX_CODE.sub("0x", read) == mended


def sixteen_bits() -> Image.Image:
    return Image.fromarray(np.asarray(screenshot(mode="L")).astype(np.uint16) * 257)


def black_on_nothing() -> Image.Image:
    """Black letters on a transparent ground, as some programs save them."""
    grey = screenshot(mode="L")
    image = Image.new("RGBA", grey.size, (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), mask=grey.point(lambda value: 255 - value))
    return image


def turned() -> bytes:
    """As a telephone saves a photograph: lying down, with a note which way is up."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(screenshot().rotate(90, expand=True), "JPEG", exif=exif)


KINDS = {
    "grey": lambda: encoded(screenshot(mode="L")),
    "16 bits": lambda: encoded(sixteen_bits()),
    "transparent": lambda: encoded(black_on_nothing()),
    "palette with a transparent colour": lambda: encoded(screenshot(mode="P"), transparency=0),
    "CMYK JPEG": lambda: encoded(screenshot(mode="CMYK"), "JPEG"),
    "EXIF says turned": turned,
    "WebP": lambda: encoded(screenshot(), "WEBP"),
    "BMP": lambda: encoded(screenshot(), "BMP"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_picture_shows_black_letters_on_white(kind: str) -> None:
    pixels, note = decode(KINDS[kind]())

    assert pixels.shape == (SIZE[1], SIZE[0], 3)
    expected = np.asarray(screenshot())[:, :, ::-1]
    assert np.abs(pixels.astype(int) - expected).mean() < 6
    assert note == ""


def test_colours_come_in_the_order_the_recogniser_wants() -> None:
    pixels, _ = decode(encoded(Image.new("RGB", (9, 9), (255, 0, 0))))

    assert pixels[0, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_picture_is_read_and_that_is_said(kind: str) -> None:
    frames = [screenshot("first").convert("RGB"), screenshot("second").convert("RGB")]

    pixels, note = decode(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))

    assert np.abs(pixels.astype(int) - np.asarray(frames[0])).mean() < 6
    assert note == "only the first of its pictures was read"


UNREADABLE = {
    "empty": (b"", "the file is empty"),
    "text": (b"hello", "not an image of a kind that can be read"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image of a kind"),
    "PDF": (b"%PDF-1.7\n1 0 obj", "not an image of a kind"),
    "cut off": (png()[:600], "damaged or cut off"),
    "bomb": (bomb(60_000, 60_000), "more than the 40 million pixels"),
    "smaller bomb": (bomb(10_000, 10_000), "10000 × 10000 pixels, more than the 40 million"),
    "one pixel": (encoded(Image.new("RGB", (1, 1))), r"too small to show anything \(1 × 1"),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_is_said(reader: ScreenReader, kind: str) -> None:
    content, why = UNREADABLE[kind]

    with pytest.raises(UnreadableError, match=why):
        reader.read(content)


def test_a_strip_of_a_few_pixels_width_has_no_lines(reader: ScreenReader) -> None:
    strip = encoded(Image.new("RGB", (9, 40_000), "white"))

    assert reader.read(strip).lines == ()


def test_of_a_page_too_long_to_read_it_is_said_how_much_was(reader: ScreenReader) -> None:
    page = Image.new("RGB", (700, 12_000), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(14)
    for row in range(10, 12_000, 100):
        draw.text((10, row), "Invoice paid", "black", font)

    screen = reader.read(encoded(page))

    assert {line.text for line in screen.lines} == {"Invoice paid"}
    assert (screen.width_px, screen.height_px) == (700, 12_000)
    assert re.match(r"only the upper \d+ of its 12000 rows of pixels were read", screen.note)


def test_a_picture_without_text_has_no_lines(reader: ScreenReader) -> None:
    assert reader.read(encoded(Image.new("RGB", (64, 64), "white"))).lines == ()


def test_damaged_files_are_never_more_than_unreadable() -> None:
    chance = random.Random(7)
    kinds = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "ICO", "TGA", "PCX", "DDS", "PPM", "SGI")
    whole = [encoded(screenshot(size=(60, 40)), kind) for kind in kinds]
    warnings.simplefilter("ignore")

    for _ in range(3_000):
        content = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 6)):
            content[chance.randrange(chance.choice([100, len(content)]))] = chance.randrange(256)
        if chance.random() < 0.3:
            content = content[: chance.randrange(len(content))]
        try:
            pixels, _ = decode(bytes(content))
        except UnreadableError:
            continue
        assert pixels.ndim == 3
