"""What an answer is written from."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.messages import Encoding, Hit, Turn


@dataclass(frozen=True)
class Question:
    """A customer's words (empty if only screenshots came), as the model sees them, with the
    passages found and the conversation before."""

    text: str
    encoding: Encoding
    hits: tuple[Hit, ...]
    conversation: tuple[Turn, ...] = ()
