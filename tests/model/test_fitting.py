from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from assistant.model.fitting import Epoch, fit

X = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
Y = X @ torch.tensor([1.0, -2.0, 0.5])


class KilledError(Exception):
    pass


class Line(nn.Module):
    """A regression with dropout, so that random numbers matter."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Linear(3, 1)
        self.dropout = nn.Dropout(0.1)
        nn.init.zeros_(self.weight.weight)
        nn.init.zeros_(self.weight.bias)

    def loss(self, rows: list[int]) -> Tensor:
        return ((self.weight(self.dropout(X[rows]))[:, 0] - Y[rows]) ** 2).mean()

    def score(self) -> float:
        return -float(((self.weight(X)[:, 0] - Y) ** 2).mean().detach())


def run(
    model: Line,
    checkpoint: Path | None = None,
    *,
    name: str = "one",
    epochs: int = 6,
    patience: int = 6,
    rate: float = 0.1,
    die_in: int | None = None,
) -> tuple[Epoch, ...]:
    begun = 0

    def batches(random: np.random.Generator) -> list[list[int]]:
        nonlocal begun
        begun += 1
        if begun == die_in:
            raise KilledError
        return [rows.tolist() for rows in np.split(random.permutation(64), 8)]

    return fit(
        model,
        torch.optim.AdamW(model.parameters(), lr=rate),
        batches,
        model.loss,
        model.score,
        epochs=epochs,
        patience=patience,
        checkpoint=checkpoint,
        run=name,
    )


def test_a_run_that_was_interrupted_gives_what_it_would_have_given(tmp_path: Path) -> None:
    whole, first, second = Line(), Line(), Line()
    expected = run(whole)

    with pytest.raises(KilledError):
        run(first, tmp_path / "c.safetensors", die_in=4)
    resumed = run(second, tmp_path / "c.safetensors", die_in=4)

    assert resumed[1:] == expected[1:]
    assert torch.equal(second.weight.weight, whole.weight.weight)


def test_a_checkpoint_of_another_run_is_not_taken_up(tmp_path: Path) -> None:
    run(Line(), tmp_path / "c.safetensors", name="one", epochs=2)

    history = run(Line(), tmp_path / "c.safetensors", name="two", epochs=2)

    assert len(history) == 3
    assert history[1:] == run(Line(), epochs=2)[1:]


def test_a_damaged_checkpoint_begins_anew(tmp_path: Path) -> None:
    file = tmp_path / "c.safetensors"
    file.write_bytes(b"no tensors")

    assert run(Line(), file)[1:] == run(Line())[1:]


def test_the_best_epoch_is_kept_and_training_stops_when_it_gets_no_better() -> None:
    model = Line()

    history = run(model, epochs=50, patience=2, rate=3.0)

    scores = [epoch.score for epoch in history]
    assert model.score() == pytest.approx(max(scores))
    assert len(history) < 51
    assert len(scores) - 1 - scores.index(max(scores)) == 2


def test_a_model_that_got_no_better_stays_as_it_was() -> None:
    model = Line()
    with torch.no_grad():
        model.weight.weight.copy_(torch.tensor([[1.0, -2.0, 0.5]]))

    run(model, epochs=2, patience=2, rate=1.0)

    assert torch.equal(model.weight.weight, torch.tensor([[1.0, -2.0, 0.5]]))
