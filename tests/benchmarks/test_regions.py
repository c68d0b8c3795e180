from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from assistant.messages import Box
from benchmarks.regions import EfficientNetLite0, PatchTokens, regions

LIT, PLAIN = Box(40, 40, 120, 56), Box(40, 160, 120, 176)


@pytest.fixture
def page() -> np.ndarray:
    pixels = np.full((224, 224, 3), 90, np.uint8)
    pixels[32:64, 32:128] = 250
    return pixels


def test_a_lit_place_looks_different_from_the_rest_of_the_page(page: np.ndarray) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    tower = EfficientNetLite0()

    seen, whole = regions(tower, page, [LIT, PLAIN])

    assert seen.shape == (2, 2 * sum(EfficientNetLite0.CHANNELS))
    assert whole.shape == (sum(EfficientNetLite0.CHANNELS),)
    assert seen[0].norm() > seen[1].norm()


def test_any_vision_transformer_of_transformers_can_be_the_tower(
    page: np.ndarray, tmp_path: Path
) -> None:
    from transformers import SiglipVisionConfig, SiglipVisionModel

    torch.manual_seed(0)
    tiny = SiglipVisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
    )
    SiglipVisionModel(tiny).save_pretrained(tmp_path)

    seen, whole = regions(PatchTokens(str(tmp_path)), page, [LIT, PLAIN])

    assert seen.shape == (2, 32)
    assert whole.shape == (16,)
    assert not torch.allclose(seen[0], seen[1])


def test_a_picture_without_lines_has_no_regions(page: np.ndarray) -> None:
    pytest.importorskip("efficientnet_lite_pytorch")

    seen, _ = regions(EfficientNetLite0(), page, [])

    assert seen.shape == (0, 2 * sum(EfficientNetLite0.CHANNELS))
