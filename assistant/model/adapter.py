"""A small correction of questions' vectors, learned from a company's own questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assistant.messages import Encoding


class Adapter(nn.Module):
    """Moves a question's vector towards the passages that answered questions like it; passages
    stay where they are, so that nothing has to be indexed again.

    vector ─┬───────────────────────────── + ── length 1
            └── down [64] ── GELU ── up ──┘

    `up` begins at zero, so that an untrained adapter changes nothing (Houlsby et al., 2019,
    arXiv:1902.00751).
    """

    def __init__(self, dim: int, width: int = 64) -> None:
        super().__init__()
        self.down = nn.Linear(dim, width)
        self.up = nn.Linear(width, dim)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, vectors: Tensor) -> Tensor:
        """Vectors [batch, dim] to vectors of length 1 [batch, dim]."""
        moved = vectors + self.up(nn.functional.gelu(self.down(vectors)))
        return nn.functional.normalize(moved, dim=1)

    @classmethod
    def restored(cls, state: Mapping[str, Tensor]) -> Adapter:
        """An adapter as it was trained, from its `state_dict`."""
        width, dim = state["down.weight"].shape
        adapter = cls(dim, width)
        adapter.load_state_dict(state)
        return adapter.eval()

    def applied(self, encoding: Encoding) -> Encoding:
        """A question with its vectors moved."""
        asked = encoding.asked_vector
        return replace(
            encoding,
            vector=self._moved(encoding.vector),
            asked_vector=None if asked is None else self._moved(asked),
        )

    @torch.inference_mode()
    def _moved(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        moved: NDArray[np.float32] = self(torch.from_numpy(vector)[None])[0].numpy()
        return moved
