"""A message's attachments, read or accounted for."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from assistant.errors import UnreadableError
from assistant.messages import Attachment, AttachmentReport, Screen
from assistant.model import recording

MAX_TEXT_CHARACTERS = 10_000
"""Of a log file: a question is not made of megabytes."""

_TEXT_SUFFIXES = {".txt", ".log", ".json", ".csv", ".md", ".xml", ".yaml", ".yml", ".ini"}
_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"}
_FILM_SUFFIXES = {".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi"}
_SOUND_SUFFIXES = {".m4a", ".mp3", ".ogg", ".opus", ".wav", ".aac", ".flac", ".amr"}


@dataclass(frozen=True)
class AttachmentsRead:
    """What was read, and a report on each attachment in the order they came."""

    screens: list[Screen] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    reports: list[AttachmentReport] = field(default_factory=list)


class AttachmentReader:
    """Reads pictures, recordings of a screen and text files of at most `max_mb` megabytes each."""

    def __init__(self, read_screen: Callable[[bytes], Screen], *, max_mb: int) -> None:
        self._read_screen = read_screen
        self._max_mb = max_mb

    def read(self, attachments: Sequence[Attachment]) -> AttachmentsRead:
        """Reads what can be read; never raises for a bad file, but says so in its report."""
        result = AttachmentsRead()
        for attachment in attachments:
            try:
                note, read = self._read_one(attachment, result), True
            except UnreadableError as error:
                note, read = str(error), False
            result.reports.append(
                AttachmentReport(attachment.filename, attachment.media_type, read, note)
            )
        return result

    def _read_one(self, attachment: Attachment, result: AttachmentsRead) -> str:
        if attachment.missing:
            raise UnreadableError(attachment.missing)
        if not attachment.content:
            raise UnreadableError("the file is empty")
        if len(attachment.content) > self._max_mb * 1_000_000:
            raise UnreadableError(f"it is larger than {self._max_mb} MB")
        suffix = PurePath(attachment.filename).suffix.lower()
        kind = attachment.media_type.partition("/")[0]
        if kind == "audio" or suffix in _SOUND_SUFFIXES:
            raise UnreadableError("voice notes and other sound cannot be heard here")
        if shows_screens(attachment.media_type, attachment.filename):
            screens, note = read_screens(attachment.content, self._read_screen)
            result.screens.extend(screens)
            return note
        if kind == "text" or suffix in _TEXT_SUFFIXES:
            text = _decoded(attachment.content)
            result.texts.append(text[:MAX_TEXT_CHARACTERS])
            if len(text) > MAX_TEXT_CHARACTERS:
                return f"only its first {MAX_TEXT_CHARACTERS} characters were read"
            return f"{len(text)} characters of text"
        raise UnreadableError(f"files of the kind {attachment.media_type} are not read")


def shows_screens(media_type: str, filename: str) -> bool:
    """Whether an attachment is looked at: a picture, or a recording of a screen."""
    suffix = PurePath(filename).suffix.lower()
    kind = media_type.partition("/")[0]
    return kind in ("image", "video") or suffix in _IMAGE_SUFFIXES | _FILM_SUFFIXES


def pictures(content: bytes) -> tuple[bytes, ...]:
    """The image files that are looked at: a recording's scenes, or the picture itself.

    Raises UnreadableError.
    """
    return recording.read(content).scenes if recording.is_recording(content) else (content,)


def read_screens(
    content: bytes, read_screen: Callable[[bytes], Screen]
) -> tuple[list[Screen], str]:
    """The screens of a picture, or of a recording's scenes, and a note on what was read.

    What stands in several scenes is read from the first of them only. Raises UnreadableError.
    """
    if not recording.is_recording(content):
        screen = read_screen(content)
        return [screen], "; ".join(part for part in (_counted(screen), screen.note) if part)
    film = recording.read(content)
    screens: list[Screen] = []
    known: set[str] = set()
    for scene in film.scenes:
        screen = read_screen(scene)
        new = tuple(line for line in screen.lines if line.text not in known)
        known |= {line.text for line in new}
        screens.append(replace(screen, lines=new))
    return screens, f"a recording, {film.note}; {_lines(len(known))}"


def _decoded(content: bytes) -> str:
    """The text, in UTF-8 or, as Windows writes logs, in UTF-16 with its byte order mark."""
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if utf16 else "utf-8-sig", errors="replace")
    if "\x00" in text:
        raise UnreadableError("it is not a text, whatever its name says")
    return text


def _counted(screen: Screen) -> str:
    return _lines(len(screen.lines))


def _lines(count: int) -> str:
    return "no text was found in it" if count == 0 else f"{count} line{'s'[: count > 1]} of text"
