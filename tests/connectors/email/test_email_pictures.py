"""The manual's pictures: which stand in a mail, and how large."""

from __future__ import annotations

import io
from email import message_from_bytes
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assistant import Reply
from assistant.articles import Picture
from connectors.email import compose, pictures
from connectors.email.envelope import Envelope
from connectors.email.settings import Mailbox
from connectors.email.tokens import Tokens
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


def test_a_picture_stands_beside_the_html_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png("Settings"))
    shown = pictures.inline([(1, Picture(str(tmp_path / "a.png"), 'The "settings"'))])
    box = Mailbox(address="s@example.com", imap_host="i", smtp_host="s", password="x")
    reply = Reply("r1", 7, "email", "support/x", "Ana <ana@other.example>", "Help", "Here. [1]")

    mail = compose.answer(reply, box, Tokens(["key"]), Envelope(), None, pictures=shown)

    message = message_from_bytes(mail.raw)
    (image,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
    (html,) = [part for part in message.walk() if part.get_content_type() == "text/html"]
    words = str(html.get_payload(decode=True), "utf-8")
    assert image["Content-ID"] == f"<{shown[0].cid}>"
    assert image.get_payload(decode=True) == png("Settings")
    assert f'<img src="cid:{shown[0].cid}" alt="The &#34;settings&#34;"' in words
    assert message.get_content_type() == "multipart/alternative"
