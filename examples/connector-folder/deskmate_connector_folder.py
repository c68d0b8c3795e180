"""A connector for anything that can write a file: scripts, scanners, other systems' exports.

    FOLDER/question.txt       a message; or question.json: {"text", "sender", "thread", "subject"}
    FOLDER/question.png       its screenshots stand beside it: question.png, question.2.jpg …
    FOLDER/accepted/          where messages go once Deskmate has stored them
    FOLDER/rejected/          where unreadable ones go, each with a .reason.txt
    FOLDER/replies/           one JSON file a reply

Write screenshots first and the message last, under another ending, then rename it: a name that
ends in .txt or .json is taken as a whole message.
"""

import hashlib
import json
import logging
import mimetypes
import os
import re
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant import Accept, Attachment, Connector, Message, Reply, SettingsError, hookimpl

log = logging.getLogger("deskmate.connectors.folder")


class FolderSettings(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: Path = Field(description="The folder to watch.")
    seconds: float = Field(1.0, gt=0, description="Time between two looks into it.")


class Written(BaseModel):
    """What a JSON message may say; a text file is its `text`."""

    model_config = ConfigDict(extra="forbid")

    text: str
    sender: str = "unknown"
    thread: str = ""
    subject: str = ""


@hookimpl
def register_connectors(settings: Any) -> list[Connector]:
    table = settings.connectors.get("folder")
    if table is None:
        return []
    try:
        return [FolderConnector(FolderSettings(**table))]
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in ("connectors.folder", *first["loc"]))
        raise SettingsError(f"{key}: {first['msg']}.") from error


class FolderConnector:
    name = "folder"

    def __init__(self, settings: FolderSettings) -> None:
        self.folder, self.seconds = settings.path, settings.seconds
        self.accepted, self.rejected, self.replies = (
            self.folder / name for name in ("accepted", "rejected", "replies")
        )
        for folder in (self.accepted, self.rejected, self.replies):
            folder.mkdir(parents=True, exist_ok=True)

    def run(self, accept: Accept, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                for file in self._waiting():
                    self._take(file, accept)
                    if stop.is_set():
                        return
            except Exception:
                # A disk that is away, a database that is locked: what waits here comes again.
                log.exception("look_failed folder=%s", self.folder)
            stop.wait(self.seconds)

    def _waiting(self) -> list[Path]:
        """Messages, the oldest first."""
        found = [f for f in self.folder.iterdir() if f.suffix in (".txt", ".json") and f.is_file()]
        return sorted(found, key=lambda file: (file.stat().st_mtime_ns, file.name))

    def _take(self, file: Path, accept: Accept) -> None:
        pictures = list(self._pictures(file))
        try:
            message = read(file, pictures)
        except ValueError as error:
            write(self.rejected / f"{file.name}.reason.txt", f"{file.name}: {error}\n")
            move((*pictures, file), self.rejected)
        else:
            accept(message)
            move((*pictures, file), self.accepted, prefix=f"{message.external_id}-")

    def _pictures(self, file: Path) -> Iterator[Path]:
        beside = re.compile(re.escape(file.stem) + r"(\.\d+)?\.(png|jpe?g|webp|gif)", re.IGNORECASE)
        return (path for path in sorted(self.folder.iterdir()) if beside.fullmatch(path.name))

    def send(self, reply: Reply) -> str:
        file = self._reply_file(reply)
        citations = [{"number": c.number, "url": c.passage.url} for c in reply.citations]
        content = {"id": reply.id, "thread": reply.thread_id, "to": reply.to, "text": reply.text}
        content |= {"subject": reply.subject, "citations": citations}
        write(file, json.dumps(content, ensure_ascii=False, indent=2))
        return file.name

    def find_sent(self, reply: Reply) -> str | None:
        file = self._reply_file(reply)
        return file.name if file.exists() else None

    def _reply_file(self, reply: Reply) -> Path:
        """The same reply has the same name, whatever characters its id holds."""
        return self.replies / f"{hashlib.sha256(reply.id.encode()).hexdigest()[:32]}.json"


def read(file: Path, pictures: list[Path]) -> Message:
    """The message in `file`; its id stays the same for as long as the file is not changed."""
    content = file.read_bytes()
    text = content.decode("utf-8")
    written = Written.model_validate_json(text) if file.suffix == ".json" else Written(text=text)
    known_by = f"{file.name}\0{file.stat().st_mtime_ns}\0".encode() + content
    external_id = hashlib.sha256(known_by).hexdigest()[:16]
    attachments = tuple(
        Attachment(mimetypes.guess_type(p.name)[0] or "image/png", p.name, p.read_bytes())
        for p in pictures
    )
    thread = written.thread or external_id
    return Message(
        "folder", external_id, thread, written.sender, written.text, written.subject, attachments
    )


def move(files: Iterable[Path], folder: Path, prefix: str = "") -> None:
    """The message is the last of `files`: if this stops half way, it is still there and is accepted
    again under the same id, which Deskmate knows."""
    for file in files:
        os.replace(file, folder / f"{prefix}{file.name}")


def write(file: Path, text: str) -> None:
    """Writes all of `file` or nothing: a crash leaves no half of it, and a power cut neither."""
    part = file.with_name(f"{file.name}.{os.getpid()}-{threading.get_ident()}.part")
    with part.open("w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    os.replace(part, file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
