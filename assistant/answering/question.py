"""What an answer is written from."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.articles import Hit
from assistant.messages import Encoding, Turn


@dataclass(frozen=True)
class Question:
    """A customer's words (empty if only screenshots came), as the model sees them, with the
    passages found and the conversation before."""

    text: str
    encoding: Encoding
    hits: tuple[Hit, ...]
    conversation: tuple[Turn, ...] = ()
