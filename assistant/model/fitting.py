"""The loop that trains: epochs, early stopping, checkpoints."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

Batch = TypeVar("Batch")

WARM_UP = 0.1
"""Share of the steps in which the learning rate rises; then it falls to 0 in a straight line."""

LONGEST_GRADIENT = 1.0


@dataclass(frozen=True)
class Epoch:
    """An epoch's mean loss, and the score on the validation part after it: higher is better."""

    loss: float
    score: float


def fit(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches: Callable[[np.random.Generator], Sequence[Batch]],
    loss: Callable[[Batch], Tensor],
    score: Callable[[], float],
    *,
    epochs: int,
    patience: int,
    seed: int = 0,
    checkpoint: Path | None = None,
    run: str = "",
    told: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Epoch, ...]:
    """Trains `model`, and leaves it as it was after its best epoch, or before the first one if no
    epoch made it better. Returns the epochs; the first has only the score before training.

    Stops after `patience` epochs without a better score. Each epoch's random numbers come from
    `seed` and its number, so that a run that is interrupted and taken up again from `checkpoint`
    gives what it would have given. `run` names what is trained on what: a checkpoint of another
    run is not taken up. `told` hears how many of how many steps are done.
    """
    rates = [group["lr"] for group in optimizer.param_groups]
    past = _resume(checkpoint, run, model, optimizer) if checkpoint else None
    if past is None:
        history = [Epoch(math.nan, score())]
        best = _copy(model)
    else:
        history, best = past
    while len(history) <= epochs and not _stale(history, patience):
        number = len(history)
        torch.manual_seed(seed + number)
        ordered = batches(np.random.default_rng([seed, number]))
        model.train()
        losses = []
        for step, batch in enumerate(ordered):
            done = (number - 1) + step / len(ordered)  # epochs
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * _share_of_rate(done / epochs)
            value = loss(batch)
            optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), LONGEST_GRADIENT)
            optimizer.step()
            losses.append(value.item())
            told((number - 1) * len(ordered) + step + 1, epochs * len(ordered))
        model.eval()
        history.append(Epoch(sum(losses) / max(1, len(losses)), score()))
        if history[-1].score > max(epoch.score for epoch in history[:-1]):
            best = _copy(model)
        if checkpoint:
            _save(checkpoint, run, model, optimizer, history, best)
    model.load_state_dict(best)
    model.eval()
    return tuple(history)


def _share_of_rate(done: float) -> float:
    """`done` is the share of the whole run, from 0 to 1."""
    return min((done + 0.01 * WARM_UP) / WARM_UP, (1 - done) / (1 - WARM_UP), 1.0)


def _stale(history: Sequence[Epoch], patience: int) -> bool:
    scores = [epoch.score for epoch in history]
    return len(scores) - 1 - scores.index(max(scores)) >= patience


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def _save(
    file: Path,
    run: str,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    history: Iterable[Epoch],
    best: dict[str, Tensor],
) -> None:
    """Whole or not at all, so that a run that is killed here has its last checkpoint."""
    state = {f"model.{name}": value for name, value in _copy(model).items()}
    state |= {f"best.{name}": value for name, value in best.items()}
    for row, values in optimizer.state_dict()["state"].items():
        state |= {f"optimizer.{row}.{name}": torch.as_tensor(v) for name, v in values.items()}
    metadata = {"run": run, "history": json.dumps([asdict(epoch) for epoch in history])}
    partial = file.with_suffix(".partial")
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: v.clone().contiguous() for name, v in state.items()}, partial, metadata)
    os.replace(partial, file)


def _resume(
    file: Path, run: str, model: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[list[Epoch], dict[str, Tensor]] | None:
    if not file.is_file():
        return None
    try:
        with safe_open(file, "pt") as opened:
            metadata = opened.metadata()
            state = {
                name: opened.get_tensor(name)
                for name in opened.keys()  # noqa: SIM118
            }
    except (SafetensorError, OSError):
        return None
    if not metadata or metadata.get("run") != run:
        return None
    model.load_state_dict(under("model.", state))
    kept = optimizer.state_dict()
    for name, value in under("optimizer.", state).items():
        row, part = name.split(".", 1)
        kept["state"].setdefault(int(row), {})[part] = value
    optimizer.load_state_dict(kept)
    history = [Epoch(**epoch) for epoch in json.loads(metadata["history"])]
    return history, under("best.", state)


def under(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, named without it."""
    return {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
    }
