"""Whether new weights are better than those in use, and what a run of training tells."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from torch import Tensor

from assistant.model.fitting import Epoch
from assistant.model.live import Live, Part

CONFIDENT = 1.645
"""Standard errors: beyond them lies one in twenty of a normal distribution."""


@dataclass(frozen=True)
class Run:
    """A run of training: where its weights go, its seed, and who hears what is done, and how many
    of how many steps."""

    live: Live
    seed: int = 0
    told: Callable[[str, int, int], None] = lambda what, done, total: None

    def checkpoint(self, part: Part) -> Path:
        """Where a part that is being trained is kept after each epoch."""
        return self.live.folder / f"{part}.checkpoint.safetensors"


@dataclass(frozen=True)
class Verdict:
    """A part after training: its mean score on `cases` cases that were not learned from, with the
    weights in use before and with the new ones, and the standard error of the difference. `metric`
    names the score; higher is better."""

    part: Part
    metric: str
    cases: int
    before: float
    after: float
    error: float
    history: tuple[Epoch, ...]

    @classmethod
    def of(
        cls,
        part: Part,
        metric: str,
        before: Sequence[float],
        after: Sequence[float],
        history: tuple[Epoch, ...],
    ) -> Verdict:
        """The verdict on the scores of the same cases, before and after."""
        old, new = np.array(before, np.float64), np.array(after, np.float64)
        error = float((new - old).std(ddof=1) / len(new) ** 0.5) if len(new) > 1 else math.inf
        return cls(part, metric, len(new), float(old.mean()), float(new.mean()), error, history)

    @property
    def live(self) -> bool:
        """Whether the new weights are better, and so were taken into use: with 95 % confidence
        (one-sided), since the epoch was chosen on the same cases and some are always better by
        luck."""
        return self.after - self.before > CONFIDENT * self.error


def settle(
    run: Run,
    verdict: Verdict,
    state: Mapping[str, Tensor],
    about: Mapping[str, object] | None = None,
) -> Verdict:
    """Takes new weights into use if they are better; what `about` says is noted with them."""
    if verdict.live:
        figures = {
            "metric": verdict.metric,
            "cases": verdict.cases,
            "before": verdict.before,
            "after": verdict.after,
            "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        run.live.put(verdict.part, state, {**(about or {}), **figures})
    run.checkpoint(verdict.part).unlink(missing_ok=True)
    return verdict


def write_report(verdicts: Sequence[Verdict], notes: Sequence[str], folder: Path) -> Path:
    """Writes `report.md` into `folder`: what was trained, what it is worth, and why a part was not
    trained; and beside it the curves as `PART.png`, if matplotlib is installed. Returns the
    report's path."""
    lines = ["# Training report", "", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), ""]
    for verdict in verdicts:
        used = "in use from the next start on" if verdict.live else "not taken into use"
        lines += [
            f"## {verdict.part}: {used}",
            "",
            f"{verdict.metric.capitalize()} on {verdict.cases} cases that were not learned from:"
            f" {verdict.before:.3f} before, {verdict.after:.3f} after (standard error of the"
            f" difference {verdict.error:.3f}).",
            "",
        ]
        if _draw(verdict, folder / f"{verdict.part}.png"):
            lines += [f"![Loss and score by epoch]({verdict.part}.png)", ""]
        lines += ["| epoch | loss | score |", "| --: | --: | --: |"]
        lines += [
            f"| {number} | {'–' if math.isnan(epoch.loss) else f'{epoch.loss:.4f}'}"
            f" | {epoch.score:.4f} |"
            for number, epoch in enumerate(verdict.history)
        ]
        lines.append("")
    lines += [f"- {note}" for note in notes]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "report.md"
    file.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return file


def _draw(verdict: Verdict, file: Path) -> bool:
    """Whether there is a library to draw the curves with; then they are drawn."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(6, 3), layout="constrained")
    loss, score = figure.subplots(1, 2)
    epochs = range(len(verdict.history))
    loss.plot(epochs, [epoch.loss for epoch in verdict.history], marker=".")
    loss.set(title="loss", xlabel="epoch")
    score.plot(epochs, [epoch.score for epoch in verdict.history], marker=".", label="new")
    score.axhline(verdict.before, color="grey", linestyle="--", label="in use before")
    score.set(title=verdict.metric, xlabel="epoch")
    score.legend()
    figure.savefig(file, dpi=120)
    return True
