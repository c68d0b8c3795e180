from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from assistant.answering.question import Question
from assistant.articles import Hit, Passage
from assistant.messages import Encoding
from tests.answering.chat_server import ChatServer


@pytest.fixture
def passage() -> Callable[..., Passage]:
    """Makes a passage from its text; each text is an article of its own."""

    def make(text: str, title: str = "Plans") -> Passage:
        return Passage(f"id of {text}", f"help/{title}.md", (title,), text)

    return make


@pytest.fixture
def question(passage: Callable[..., Passage]) -> Callable[..., Question]:
    """Makes a question with a hit for each of the passages' texts, best first."""

    def make(text: str, *found: str) -> Question:
        hits = tuple(
            Hit(passage(own), 1.0 / n, {"meaning": n, "words": n}, 0.8)
            for n, own in enumerate(found, 1)
        )
        return Question(text, Encoding(np.zeros(384, dtype=np.float32), text), hits)

    return make


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    """A chat model on this machine."""
    server = ChatServer()
    yield server
    server.close()
