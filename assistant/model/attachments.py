"""A message's attachments, read or accounted for."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from assistant.errors import UnreadableError
from assistant.messages import Attachment, AttachmentReport, Screen, Shown
from assistant.model import recording

MAX_TEXT_CHARACTERS = 10_000
"""Of a log file: a question is not made of megabytes."""

REMEMBERED_BYTES = 64_000_000  # of pictures: those of the messages that wait, some hundreds

_TEXT_SUFFIXES = {".txt", ".log", ".json", ".csv", ".md", ".xml", ".yaml", ".yml", ".ini"}
_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"}
_FILM_SUFFIXES = {".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi"}
_SOUND_SUFFIXES = {".m4a", ".mp3", ".ogg", ".opus", ".wav", ".aac", ".flac", ".amr"}


@dataclass(frozen=True)
class AttachmentsRead:
    """What was read, and a report on each attachment in the order they came; `counts` says how many
    of the screens each of them showed."""

    screens: list[Screen] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    reports: list[AttachmentReport] = field(default_factory=list)


class AttachmentReader:
    """Reads pictures, recordings of a screen and text files of at most `max_mb` megabytes each.

    What plugins had read with `shown` is remembered until `read` needs it, so that no picture is
    read twice.
    """

    def __init__(self, read_screen: Callable[[bytes], Screen], *, max_mb: int) -> None:
        self._read_screen = read_screen
        self._max_mb = max_mb
        self._remembered: dict[str, tuple[Shown, str]] = {}

    def shown(self, attachment: Attachment) -> Shown:
        """The pictures that an attachment shows, each with what is read in it: itself, or the
        scenes of a recording. Empty for other files, and for what cannot be read."""
        if not shows_screens(attachment.media_type, attachment.filename):
            return ()
        try:
            self._refuse_unreadable(attachment)
            seen = self._remembered.get(attachment.sha256) or look(
                attachment.content, self._read_screen
            )
        except UnreadableError:
            return ()
        self._remembered[attachment.sha256] = seen
        known = list(self._remembered.items())
        size = sum(_size(shown) for _, (shown, _) in known)
        for sha256, (shown, _) in known[:-1]:
            if size <= REMEMBERED_BYTES:
                break
            self._remembered.pop(sha256, None)
            size -= _size(shown)
        return seen[0]

    def read(self, attachments: Sequence[Attachment]) -> AttachmentsRead:
        """Reads what can be read; never raises for a bad file, but says so in its report."""
        result = AttachmentsRead()
        for attachment in attachments:
            before = len(result.screens)
            try:
                note, read = self._read_one(attachment, result), True
            except UnreadableError as error:
                note, read = str(error), False
            result.counts.append(len(result.screens) - before)
            result.reports.append(
                AttachmentReport(attachment.filename, attachment.media_type, read, note)
            )
        return result

    def _read_one(self, attachment: Attachment, result: AttachmentsRead) -> str:
        self._refuse_unreadable(attachment)
        suffix = PurePath(attachment.filename).suffix.lower()
        kind = attachment.media_type.partition("/")[0]
        if kind == "audio" or suffix in _SOUND_SUFFIXES:
            raise UnreadableError("voice notes and other sound cannot be heard here")
        if shows_screens(attachment.media_type, attachment.filename):
            remembered = self._remembered.pop(attachment.sha256, None)
            shown, note = remembered or look(attachment.content, self._read_screen)
            result.screens.extend(_once(shown))
            return note
        if kind == "text" or suffix in _TEXT_SUFFIXES:
            text = _decoded(attachment.content)
            result.texts.append(text[:MAX_TEXT_CHARACTERS])
            if len(text) > MAX_TEXT_CHARACTERS:
                return f"only its first {MAX_TEXT_CHARACTERS} characters were read"
            return f"{len(text)} characters of text"
        raise UnreadableError(f"files of the kind {attachment.media_type} are not read")

    def _refuse_unreadable(self, attachment: Attachment) -> None:
        if attachment.missing:
            raise UnreadableError(attachment.missing)
        if not attachment.content:
            raise UnreadableError("the file is empty")
        if len(attachment.content) > self._max_mb * 1_000_000:
            raise UnreadableError(f"it is larger than {self._max_mb} MB")


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


def look(content: bytes, read_screen: Callable[[bytes], Screen]) -> tuple[Shown, str]:
    """A picture, or a recording's scenes, each with what is read in it, and a note on that.

    Raises UnreadableError.
    """
    if not recording.is_recording(content):
        screen = read_screen(content)
        counted = _lines(len(screen.lines))
        return ((content, screen),), "; ".join(part for part in (counted, screen.note) if part)
    film = recording.read(content)
    shown = tuple((scene, read_screen(scene)) for scene in film.scenes)
    count = sum(len(screen.lines) for screen in _once(shown))
    return shown, f"a recording, {film.note}; {_lines(count)}"


def read_screens(
    content: bytes, read_screen: Callable[[bytes], Screen]
) -> tuple[list[Screen], str]:
    """The screens of a picture, or of a recording's scenes, and a note on what was read.

    What stands in several scenes is read from the first of them only. Raises UnreadableError.
    """
    shown, note = look(content, read_screen)
    return _once(shown), note


def _size(shown: Shown) -> int:
    return sum(len(content) for content, _ in shown)


def _once(shown: Shown) -> list[Screen]:
    known: set[str] = set()
    screens: list[Screen] = []
    for _, screen in shown:
        new = screen.lines
        if len(shown) > 1:
            new = tuple(line for line in screen.lines if line.text not in known)
            known |= {line.text for line in new}
        screens.append(replace(screen, lines=new))
    return screens


def _decoded(content: bytes) -> str:
    """The text, in UTF-8 or, as Windows writes logs, in UTF-16 with its byte order mark."""
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    text = content.decode("utf-16" if utf16 else "utf-8-sig", errors="replace")
    if "\x00" in text:
        raise UnreadableError("it is not a text, whatever its name says")
    return text


def _lines(count: int) -> str:
    return "no text was found in it" if count == 0 else f"{count} line{'s'[: count > 1]} of text"
