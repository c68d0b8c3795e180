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
    """A screenshot as the assistant saw it."""

    file: File
    width: int
    height: int
    spots: Sequence[Spot]


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
    """The pictures that were read, with their lines. Recordings are left out: their scenes are not
    kept as files."""
    screens: list[Mapping[str, Any]] = kept(outcome.trace)
    read = [
        file
        for file, report in zip(files, outcome.attachments, strict=False)
        if report.read and file.media_type in PICTURES
    ]
    if len(read) != len(screens):
        return []
    why = outcome.hits[0].why if outcome.hits else None
    return [
        Seen(file, screen["width_px"], screen["height_px"], own)
        for file, (screen, own) in zip(read, spots(screens, why), strict=True)
    ]
