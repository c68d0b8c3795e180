"""Voice notes become text, by a speech model on this machine.

    [plugins.voice-notes]
    model = "openai/whisper-small"      # a folder or a hub name; without one it does nothing

What was said goes on as a file of text in the recording's place; the recording is stored as it
came.
"""

from __future__ import annotations

import io
import threading
from dataclasses import replace
from functools import cached_property
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from assistant import Attachment, Message, UnreadableError, hookimpl

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RATE_HZ = 16_000
CHUNK_S = 30.0
SUFFIXES = {".m4a", ".mp3", ".ogg", ".opus", ".wav", ".aac", ".flac", ".amr", ".oga", ".weba"}


class VoiceNotes:
    """The plugin: `[plugins.voice-notes]`."""

    permissions = frozenset({"tickets:read", "tickets:write"})

    class Settings(BaseModel):
        """What listens, and for how long."""

        model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

        model: str = Field("", description="Speech model for transformers; empty: none.")
        max_seconds: float = Field(120, gt=0, le=600, description="Of a note; the rest is left.")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()

    @hookimpl
    def message_received(self, message: Message) -> Message | None:
        """Replaces recordings by what is said in them."""
        if not self.settings.model:
            return None
        attachments = tuple(self._heard(attachment) for attachment in message.attachments)
        changed = attachments != message.attachments
        return replace(message, attachments=attachments) if changed else None

    def _heard(self, attachment: Attachment) -> Attachment:
        suffix = PurePath(attachment.filename).suffix.lower()
        if not attachment.content or not (
            attachment.media_type.startswith("audio/") or suffix in SUFFIXES
        ):
            return attachment
        try:
            said = self.transcribe(samples(attachment.content, self.settings.max_seconds))
        except UnreadableError as error:
            return replace(attachment, content=b"", missing=str(error))
        if not said:
            return replace(attachment, content=b"", missing="nothing is said in it")
        return Attachment("text/plain", f"{attachment.filename}.txt", said.encode())

    def transcribe(self, sound: NDArray[np.float32]) -> str:
        """What is said; `sound` is [samples], one channel at RATE_HZ, from -1 to 1."""
        with self._lock:  # one at a time: it takes all cores
            heard = self._recogniser({"raw": sound, "sampling_rate": RATE_HZ})
        return str(heard["text"]).strip()

    @cached_property
    def _recogniser(self) -> Any:
        from transformers import pipeline

        return pipeline(
            "automatic-speech-recognition", model=self.settings.model, chunk_length_s=CHUNK_S
        )


def samples(content: bytes, max_seconds: float) -> NDArray[np.float32]:
    """A recording's samples, one channel at RATE_HZ. Raises UnreadableError."""
    import av
    import numpy as np

    pieces: list[NDArray[np.float32]] = []
    wanted = int(max_seconds * RATE_HZ)
    try:
        with av.open(io.BytesIO(content), "r") as recording:
            if not recording.streams.audio:
                raise UnreadableError("there is no sound in it")
            resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
            for frame in recording.decode(audio=0):
                pieces += [made.to_ndarray()[0] for made in resampler.resample(frame)]
                if sum(map(len, pieces)) >= wanted:
                    break
            pieces += [made.to_ndarray()[0] for made in resampler.resample(None)]
    except av.FFmpegError as error:
        raise UnreadableError("the recording is damaged, or of an unknown kind") from error
    if not pieces:
        raise UnreadableError("there is no sound in it")
    return np.concatenate(pieces)[:wanted].astype(np.float32)
