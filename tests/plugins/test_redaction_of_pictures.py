"""Redaction on screenshots, with the real reader: what was covered is nowhere afterwards."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assistant import Attachment, Box, Message, Screen, ScreenLine
from assistant.desk import Desk
from assistant.model.attachments import AttachmentReader
from assistant.model.encoder import MultimodalEncoder
from assistant.plugging import Plugins
from assistant.settings import Inbox, Settings
from assistant.testing.desk import PluginDesk
from plugins.redaction import Redaction
from plugins.redaction.covering import boxes_of, private_boxes
from plugins.redaction.kinds import Find
from plugins.redaction.misread import find_on_screen
from tests.films import film
from tests.pictures import encoded, png, screenshot
from tests.recording import RecordingConnector

CARD = "4111 1111 1111 1111"
SHOWN = f"Payment failed\n{CARD}\nError KT-4031"
KINDS = Redaction.Settings().kinds


@pytest.fixture
def plugin_desk(encoder: MultimodalEncoder) -> PluginDesk:
    """A desk in memory that really reads pictures."""
    desk = PluginDesk(show=AttachmentReader(encoder.reader.read, max_mb=20).shown)
    desk.add("redaction", Redaction)
    return desk


def with_file(content: bytes, name: str = "shot.png", media_type: str = "image/png") -> Message:
    attachment = Attachment(media_type, name, content)
    return Message("test", "1", "t", "ann@example.com", "See", attachments=(attachment,))


def read(encoder: MultimodalEncoder, message: Message) -> str:
    shown = AttachmentReader(encoder.reader.read, max_mb=20).shown
    return "\n".join(screen.text for a in message.attachments for _, screen in shown(a))


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGB"), ("JPEG", "RGB"), ("PNG", "P"), ("WEBP", "RGB")]
)
def test_a_card_number_is_covered_and_the_error_beside_it_stays(
    plugin_desk: PluginDesk, encoder: MultimodalEncoder, kind: str, mode: str
) -> None:
    arrived = plugin_desk.arrive(with_file(encoded(screenshot(SHOWN, mode), kind)))

    text = read(encoder, arrived)
    assert "Payment failed" in text
    assert "KT-4031" in text
    assert not any(digits in text for digits in ("4111", "1111"))


def test_only_the_pixels_of_the_find_change(plugin_desk: PluginDesk) -> None:
    before = png(SHOWN)

    (after,) = plugin_desk.arrive(with_file(before)).attachments

    old, new = (np.asarray(Image.open(io.BytesIO(c)).convert("L")) for c in (before, after.content))
    changed = np.flatnonzero((old != new).any(axis=1))
    assert old.shape == new.shape
    assert 60 < changed.min() < changed.max() < 110  # the second line


def test_metadata_goes_with_it_and_a_turned_picture_is_covered_where_it_shows(
    plugin_desk: PluginDesk, encoder: MultimodalEncoder
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    exif[0x010E] = f"paid with {CARD}"
    turned = screenshot(SHOWN).rotate(90, expand=True)

    arrived = plugin_desk.arrive(with_file(encoded(turned, "JPEG", exif=exif, quality=95)))

    (after,) = arrived.attachments
    assert CARD.encode() not in after.content
    assert not Image.open(io.BytesIO(after.content)).getexif()
    assert "1111" not in read(encoder, arrived)
    assert "KT-4031" in read(encoder, arrived)


def test_a_picture_with_nothing_private_is_stored_as_it_came(plugin_desk: PluginDesk) -> None:
    message = with_file(png())

    assert plugin_desk.arrive(message) is not None
    assert plugin_desk.arrive(message).attachments == message.attachments


def test_of_a_recording_its_covered_scenes_are_kept(
    plugin_desk: PluginDesk, encoder: MultimodalEncoder
) -> None:
    content = film([(screenshot("Settings"), 2), (screenshot(SHOWN), 2)])

    arrived = plugin_desk.arrive(with_file(content, "film.mp4", "video/mp4"))

    assert [a.filename for a in arrived.attachments] == ["film-1.png", "film-2.png"]
    assert "1111" not in read(encoder, arrived)
    assert "Settings" in read(encoder, arrived)


def test_screenshots_can_be_left_alone(encoder: MultimodalEncoder) -> None:
    desk = PluginDesk(show=AttachmentReader(encoder.reader.read, max_mb=20).shown)
    desk.add("redaction", Redaction, {"screenshots": False})
    message = with_file(png(SHOWN))

    assert desk.arrive(message).attachments == message.attachments


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_log_is_replaced_for_what_reads_it_and_stored_as_it_came(
    plugin_desk: PluginDesk, encoding: str
) -> None:
    message = with_file(f"paid with {CARD}\n".encode(encoding), "shop.log", "text/plain")

    assert plugin_desk.arrive(message).attachments == message.attachments
    assert plugin_desk.receive(message).attachments[0].content == b"paid with [card number]\n"


def test_other_files_stay(plugin_desk: PluginDesk) -> None:
    message = with_file(b"\x00\xff" + CARD.encode(), "a.bin", "application/octet-stream")

    assert plugin_desk.arrive(message).attachments == message.attachments
    assert plugin_desk.receive(message).attachments == message.attachments


# --- Through the real path ---


@pytest.fixture
def desk(data_dir: Path, encoder: MultimodalEncoder, tmp_path: Path) -> Iterator[Desk]:
    plugins = Plugins()
    plugins.register("redaction", Redaction)
    settings = Settings(data_dir=data_dir, inbox=Inbox(quiet_seconds=0.0, worker_name="red"))
    with Desk(settings, plugins=plugins) as desk:
        desk.encoder = encoder
        desk.connectors = {"test": RecordingConnector(tmp_path / "sent.jsonl", name="test")}
        yield desk


def test_neither_the_database_nor_the_trace_holds_what_the_screenshot_showed(
    desk: Desk, data_dir: Path
) -> None:
    original = png(SHOWN)

    desk.inbox.accept(with_file(original))
    ticket = desk.tickets.find("test", "t")
    assert ticket is not None
    (stored,) = desk.tickets.waiting("test", "1")[1]
    outcome = desk.pipeline.answer(stored.message, ticket)
    desk.tickets.outcomes.store(ticket.id, stored.message, ["1"], outcome)
    desk.close()

    kept = b"".join(f.read_bytes() for f in data_dir.rglob("*") if f.is_file())
    trace = str([step.detail for step in outcome.trace])
    assert "KT-4031" in trace
    assert b"KT-4031" in kept
    assert "1111" not in trace
    assert not any(word in kept for word in (b"4111 1111", b"41111111", original))


def test_no_picture_is_read_twice_for_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    contents = []
    reader = desk.encoder.reader
    once = reader.read
    monkeypatch.setattr(reader, "read", lambda content: contents.append(content) or once(content))

    desk.inbox.accept(with_file(png()))
    ticket = desk.tickets.find("test", "t")
    assert ticket is not None
    desk.pipeline.answer(desk.tickets.waiting("test", "1")[1][0].message, ticket)

    assert contents == [png()]


# --- What readers mistake ---

MISREAD = [
    ("Card 4111 1111 1111 1171", "card"),  # no check digit is right
    ("Card 4l11 1111 111I 1111", "card"),
    ("3782 822463 1000S", "card"),
    ("DE89 3704 0044 O532 0130 00", "iban"),
    ("GB82 WEST 1234 5698 7654 3Z", "iban"),
    ("ghp a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R", "key"),
    ("AKlA" + "IOSFODNN7EXAMPLE", "key"),
    ("---BEGIN PRlVATE KEY---\nMIIEowIBAAKCAQEA1b2c3\nmore of it is on this line", "key"),
]


@pytest.mark.parametrize(("text", "kind"), MISREAD)
def test_what_has_the_shape_of_a_secret_is_covered_although_it_was_misread(
    text: str, kind: str
) -> None:
    assert [find.kind for find in find_on_screen(text, KINDS)] == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "Order 2024-118273, version 4.12.3",
        "550e8400-e29b-41d4-a716-446655440000",
        "Error 0x80070005 at 2024-01-18 09:30:00",
        "3f786850e387550fdab836ed7e6dc881de23001b",
        "SOLD BIGGEST SIZE Only",
    ],
)
def test_what_a_ticket_needs_is_not_covered(text: str) -> None:
    assert find_on_screen(text, KINDS) == []


def test_a_find_covers_its_part_of_the_line_and_every_line_that_it_runs_over() -> None:
    lines = [
        ScreenLine("to the left and a long way on the value", Box(0, 0, 390, 10), 10, 1.0),
        ScreenLine("goes on", Box(0, 20, 70, 30), 10, 1.0),
        ScreenLine("not here", Box(0, 40, 80, 50), 10, 1.0),
    ]
    text = "\n".join(line.text for line in lines)

    first, second = boxes_of([Find(text.index("value"), text.index("goes") + 7, "key")], lines)

    assert 250 < first.left < 345
    assert first.right >= 390
    assert (second.left <= 0, second.right >= 70) == (True, True)
    assert private_boxes(lines, KINDS) == []


def test_a_screen_without_lines_has_nothing_to_cover() -> None:
    assert private_boxes(Screen((), 10, 10).lines, KINDS) == []
    assert replace(Screen((), 10, 10)).text == ""
