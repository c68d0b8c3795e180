"""The core multimodal model: text and screenshots to one vector in the passages' space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import nn

from assistant.messages import Encoding, Screen
from assistant.model import weights
from assistant.model.adapter import Adapter
from assistant.model.fusion import LineWeights
from assistant.model.heads import Heads
from assistant.model.screenshot import ScreenReader
from assistant.model.text import WIDTH_STEP, TextTower, Vectors


class MultimodalEncoder(nn.Module):
    """Text tower, screenshot reader and line weights, joined into one query encoding.

    words ──────────────┐
                        ├── text tower ─── vector [384]
    screenshots ─ lines ┤
                        └── line weights ─ weights [lines]

    A company's own training may add an `adapter` of the vector, and `heads` that classify the
    words; there are none at first.
    """

    def __init__(
        self, text_model: str = "all-MiniLM-L6-v2", *, threads: int = 0, precision: str = "auto"
    ) -> None:
        super().__init__()
        if threads:
            torch.set_num_threads(threads)
        self.weights = weights.find(text_model)
        self.text = TextTower(self.weights, precision=precision)
        self.reader = ScreenReader(threads=threads or torch.get_num_threads())
        self.lines = LineWeights.trained()
        self.adapter: Adapter | None = None
        self.heads: Heads | None = None

    @property
    def dim(self) -> int:
        """Length of the vectors: 384 with the embedded default."""
        return self.text.dim

    def encode(self, text: str, screens: Sequence[Screen] = ()) -> Encoding:
        """One message's words and its screenshots, already read, as one query."""
        encoding = self.encode_plain(text, screens)
        if self.adapter:
            encoding = self.adapter.applied(encoding)
        if self.heads and text.strip():
            encoding = replace(encoding, labels=self.heads.label(self.text, [text])[0])
        return encoding

    def encode_plain(self, text: str, screens: Sequence[Screen] = ()) -> Encoding:
        """The same without adapter and heads."""
        asked = text.strip()
        lines = tuple(line for screen in screens for line in screen.lines)
        joined = "\n".join([asked, *(line.text for line in lines)]).strip()
        if not (asked and lines):
            vector = self.text.encode([joined])[0]  # [dim]
            return Encoding(vector, joined, lines, self.lines.weigh(screens))
        vector, asked_vector = self.text.encode([joined, asked])  # [2, dim]
        return Encoding(vector, joined, lines, self.lines.weigh(screens), asked, asked_vector)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Passages' vectors [texts, dim], in the space of `encode`."""
        return self.text.encode(texts)

    def warm_up(self) -> None:
        """Makes the first message as fast as the next ones."""
        for width in range(WIDTH_STEP, 5 * WIDTH_STEP, WIDTH_STEP):
            self.text.encode(["word " * (width - 2)])  # with its first and last token: `width`
        self.reader.warm_up()
