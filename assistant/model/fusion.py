"""What matters on a screen: a weight for each of its lines of text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.resources import as_file, files

import torch
from torch import Tensor, nn

from assistant.messages import Screen, ScreenLine
from assistant.model.vision import LOOK

PLACE = 7
"""Numbers that say where a line stands and how it is written: see `features`."""

FEATURES = PLACE + len(LOOK)

_UNSEEN = (0.0,) * len(LOOK)  # of a line that did not come from our reader


def features(screen: Screen) -> Tensor:
    """What the weights of a screen's lines are made from [lines, 24]: how high a line is beside
    the others and in the picture, where it stands, its width, the reader's confidence, how many
    words it has, and its look."""
    if not screen.lines:
        return torch.zeros(0, FEATURES)
    heights = sorted(line.height_px for line in screen.lines)
    typical = heights[len(heights) // 2]
    return torch.tensor([_features(line, screen, typical) for line in screen.lines])


def _features(line: ScreenLine, screen: Screen, typical_height_px: float) -> list[float]:
    box = line.box
    return [
        math.log(max(line.height_px, 1.0) / max(typical_height_px, 1.0)),
        line.height_px / screen.height_px,
        (box.left + box.right) / 2 / screen.width_px,
        (box.top + box.bottom) / 2 / screen.height_px,
        (box.right - box.left) / screen.width_px,
        line.confidence,
        math.log(1 + len(line.text.split())),
        *(line.look or _UNSEEN),
    ]


class LineWeights(nn.Module):
    """Weighs the lines of a screen by their place and look.

    features [24] ─┬────────────────────────────── linear ── exp ── weight
         look [17] └── emphasis: 17 → 32 → 32 → 1 ──┘

    `emphasis` is trained on pictures that were dimmed, framed or tinted by rule, where it is known
    what is emphasised; what that is worth is learned from screenshots and their articles. Fresh,
    every line weighs 1.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("deviation", torch.ones(FEATURES))
        self.emphasis = nn.Sequential(
            nn.Linear(len(LOOK), width),
            nn.GELU(),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Linear(width, 1),
        )
        self.weight = nn.Linear(FEATURES + 2, 1)
        nn.init.zeros_(self.weight.weight)
        nn.init.zeros_(self.weight.bias)

    @classmethod
    def trained(cls) -> LineWeights:
        """The weights that the package brings."""
        weights = cls()
        weights.load_state_dict(trained("lines"))
        return weights

    def forward(self, features: Tensor) -> Tensor:
        """Features [lines, 24] to weights [lines], each above 0."""
        logit = self.emphasised(features).detach().clamp(-8, 8)  # [lines]
        known = self._standardised(features)  # [lines, 24]
        # Divided by their spread, so that the penalty on large numbers is fair to both.
        seen = torch.stack([logit / 4, 4 * logit.sigmoid()], dim=1)  # [lines, 2]
        weights: Tensor = self.weight(torch.cat([known, seen], dim=1))[:, 0].clamp(-5, 4).exp()
        return weights

    def emphasised(self, features: Tensor) -> Tensor:
        """The log-odds [lines] that a line stands in a part of the picture that is emphasised."""
        logits: Tensor = self.emphasis(self._standardised(features)[:, PLACE:])[:, 0]
        return logits

    def _standardised(self, features: Tensor) -> Tensor:
        return ((features - self.mean) / self.deviation).clamp(-4, 4)

    @torch.inference_mode()
    def weigh(self, screens: Sequence[Screen]) -> tuple[float, ...]:
        """The weights of all lines of `screens`, in order; the heaviest of each screen has 1."""
        weights: list[float] = []
        for screen in screens:
            if screen.lines:
                own = self(features(screen))
                weights += (own / own.max()).tolist()
        return tuple(weights)


def trained(part: str) -> dict[str, Tensor]:
    """The state of one part (`lines` or `articles`) of the weights that the package brings."""
    from safetensors.torch import load_file

    with as_file(files("assistant.model").joinpath("screens.safetensors")) as file:
        state = load_file(file)
    prefix = f"{part}."
    return {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
    }
