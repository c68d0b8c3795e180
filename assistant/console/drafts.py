"""What the ticket page shows of an outcome: the draft sentence by sentence, the passages under it,
and the screenshots with what the assistant looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.answering import grounding
from assistant.answering.grounding import Check
from assistant.console.views import Spot, spots
from assistant.messages import Citation, Outcome
from assistant.model.heatmap import kept
from assistant.tickets.outcomes import StoredOutcome
from assistant.tickets.replies import StoredReply
from assistant.tickets.timeline import File

PICTURES = {"image/png", "image/jpeg", "image/gif", "image/webp"}


@dataclass(frozen=True)
class Seen:
    """A screenshot as the assistant saw it, or a scene of a recording: `scene` counts from 0 and is
    None for the picture itself."""

    file: File
    width: int
    height: int
    spots: Sequence[Spot]
    scene: int | None = None

    @property
    def path(self) -> str:
        """Where its picture is, below the folder of files."""
        own = f"{self.file.message_id}/{self.file.position}"
        return own if self.scene is None else f"{own}/scenes/{self.scene}"


@dataclass(frozen=True)
class Draft:
    """An outcome for people: `text` is what would be, or was, sent; `waits` says why it waits for
    somebody, and is empty if it does not."""

    stored: StoredOutcome
    reply: StoredReply | None
    lines: Sequence[Sequence[Check]]
    citations: Sequence[Citation]
    seen: Sequence[Seen]
    text: str
    waits: str

    @property
    def read(self) -> str:
        """The customer's words as plugins left them for the assistant, secrets covered; nothing
        if no plugin changed them."""
        return next(
            (str(s.detail["read"]) for s in self.stored.outcome.trace if "read" in s.detail), ""
        )

    @property
    def id(self) -> int:
        """The outcome's number."""
        return self.stored.id


def draft(stored: StoredOutcome, reply: StoredReply | None, files: Sequence[File]) -> Draft:
    """What to show of an outcome; `files` are the attachments of the messages it covers."""
    outcome, answer = stored.outcome, stored.outcome.answer
    waits = ""
    if stored.draft_state == "waiting":
        waits = outcome.reason
    elif reply and reply.state in ("held", "failed"):
        waits = f"{reply.state}: {reply.error}"
    return Draft(
        stored,
        reply,
        grounding.lines(answer) if answer else (),
        answer.citations if answer else (),
        seen(stored.outcome, files),
        reply.reply.text if reply else outcome.text,
        waits,
    )


def seen(outcome: Outcome, files: Sequence[File]) -> list[Seen]:
    """The pictures and the recordings' scenes that were read, with their lines. None where a plugin
    gave the assistant other files than those that are stored."""
    screens: list[Mapping[str, Any]] = kept(outcome.trace)
    counts = _counts(outcome, files)
    if len(counts) != len(files) or sum(counts) != len(screens):
        return []
    why = outcome.hits[0].why if outcome.hits else None
    places = [
        (file, None if count == 1 and file.media_type in PICTURES else scene)
        for file, count in zip(files, counts, strict=True)
        for scene in range(count)
    ]
    return [
        Seen(file, screen["width_px"], screen["height_px"], own, scene)
        for (file, scene), (screen, own) in zip(places, spots(screens, why), strict=True)
    ]


def _counts(outcome: Outcome, files: Sequence[File]) -> Sequence[int]:
    """How many pictures each attachment showed. What was stored before this was noted is taken to
    have one in each picture and none in anything else."""
    for step in outcome.trace:
        if "pictures" in step.detail:
            return list(step.detail["pictures"])
    return [
        int(report.read and file.media_type in PICTURES)
        for file, report in zip(files, outcome.attachments, strict=False)
    ]
