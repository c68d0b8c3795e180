"""What replies and notes say."""

from __future__ import annotations

from assistant import Citation, Notice, Reply
from connectors.email import wording


def answer(reply: Reply, language: str | None, approved_by: str | None, author: str) -> str:
    """A reply as plain text: its words, its sources, and who wrote it."""
    words = wording.of(language)
    parts = [reply.text.strip()]
    if reply.citations:
        parts.append("\n".join([f"{words.sources}:", *map(_source, reply.citations)]))
    if author != "staff":
        by = words.checked if approved_by else words.by_assistant
        parts.append(f"{by} {words.person}")
    return "\n\n".join(parts)


def note(notice: Notice) -> str:
    """An internal note: what waits for a colleague, and why."""
    heads = {
        "draft": "Deskmate would answer this, and is not sure enough to send it.",
        "hand over": "Deskmate leaves this to a person.",
        "held": "Deskmate has an answer, which waits for a person.",
        "failed": "Deskmate has an answer that could not be written.",
    }
    parts = [f"{heads[notice.kind]}\nWhy: {notice.reason}"]
    if notice.text and notice.kind != "hand over":
        parts.append(f"The answer:\n\n{notice.text.strip()}")
    if notice.citations:
        parts.append("\n".join(["Sources:", *map(_source, notice.citations)]))
    if notice.kind != "hand over":
        parts.append(
            "To send it as it is, write an internal note with the one word: send\n"
            "To drop it: discard. Your own answer to the customer takes its place."
        )
    return "\n\n".join(parts)


def _source(citation: Citation) -> str:
    where = f" – {citation.passage.url}" if citation.passage.url else ""
    return f"[{citation.number}] {citation.passage.title}{where}"
