from __future__ import annotations

import pytest

from assistant.errors import UnreadableError
from assistant.messages import Attachment, Box, Screen, ScreenLine
from assistant.model import attachments
from assistant.model.attachments import MAX_TEXT_CHARACTERS, AttachmentReader

LINE = ScreenLine("Error KT-4031", Box(0, 0, 9, 9), 9, 1.0)


def read_screen(content: bytes) -> Screen:
    if content == b"damaged":
        raise UnreadableError("the image is damaged")
    return Screen((LINE,) * len(content), 100, 100, "only the first of its pictures was read")


@pytest.fixture
def reader() -> AttachmentReader:
    return AttachmentReader(read_screen, max_mb=1)


ACCOUNTED_FOR = {
    "a screenshot": ("a.png", "image/png", b"1", True, "1 line of text; only the first of its"),
    "several lines": ("a.png", "image/png", b"12", True, "2 lines of text"),
    "a picture by its name": ("a.JPG", "application/octet-stream", b"1", True, "1 line"),
    "a damaged picture": ("a.png", "image/png", b"damaged", False, "the image is damaged"),
    "a log": ("kite.log", "application/octet-stream", b"boom", True, "4 characters of text"),
    "a Windows log": ("k.log", "text/plain", "boom".encode("utf-16"), True, "4 characters"),
    "a long log": ("k.log", "text/plain", b"x" * 20_000, True, "only its first 10000 characters"),
    "bytes called text": ("k.txt", "text/plain", b"a\x00b", False, "it is not a text"),
    "a voice note": (
        "v.m4a",
        "audio/mp4",
        b"1",
        False,
        "voice notes and other sound",
    ),
    "sound by its name": ("v.MP3", "application/octet-stream", b"1", False, "cannot be heard"),
    "a program": ("a.exe", "application/x-msdownload", b"MZ", False, "application/x-msdownload"),
    "a large file": ("a.png", "image/png", b"1" * 1_000_001, False, "it is larger than 1 MB"),
    "an empty file": ("a.txt", "text/plain", b"", False, "the file is empty"),
}


@pytest.mark.parametrize("kind", ACCOUNTED_FOR)
def test_every_attachment_is_accounted_for(reader: AttachmentReader, kind: str) -> None:
    name, media_type, content, was_read, note = ACCOUNTED_FOR[kind]

    (report,) = reader.read([Attachment(media_type, name, content)]).reports

    assert (report.filename, report.media_type, report.read) == (name, media_type, was_read)
    assert note in report.note


def test_a_bad_file_does_not_keep_the_others_from_being_read(reader: AttachmentReader) -> None:
    result = reader.read(
        [
            Attachment("image/png", "1.png", b"damaged"),
            Attachment("image/png", "2.png", b"1"),
            Attachment("text/plain", "3.log", b"boom"),
        ]
    )

    assert [report.read for report in result.reports] == [False, True, True]
    assert [screen.text for screen in result.screens] == ["Error KT-4031"]
    assert result.texts == ["boom"]


def test_a_log_is_read_up_to_its_limit(reader: AttachmentReader) -> None:
    result = reader.read([Attachment("text/plain", "a.log", b"x" * 20_000)])

    assert len(result.texts[0]) == MAX_TEXT_CHARACTERS


def test_what_was_shown_is_not_read_again_while_there_is_room_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[bytes] = []

    def read_screen(content: bytes) -> Screen:
        looked.append(content)
        return Screen((), 10, 10)

    first, second = (Attachment("image/png", "a.png", letter * 100) for letter in (b"a", b"b"))
    reader = AttachmentReader(read_screen, max_mb=1)
    for one in (first, second, first):
        reader.shown(one)
    reader.read([first, second])
    monkeypatch.setattr(attachments, "REMEMBERED_BYTES", 150)
    for one in (first, second):
        reader.shown(one)
    reader.read([first, second])

    a, b = first.content, second.content
    assert looked == [a, b, a, b, a], "only the newest found room the second time"
