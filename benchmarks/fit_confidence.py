"""Fits the confidence of an answer: the numbers in `assistant/answering/policy.py`.

Learned on TechQA's questions (those without an answer included) and on Chatwoot's screenshots with
and without their authors' words, each with questions about something else entirely beside them;
reported on Plausible's and on the example help centre's, which it never saw. An answer counts as
right if the passage that it cites first is from the right article.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from assistant.answering.policy import Signals
from assistant.messages import Attachment, Message, Ticket, now
from assistant.model.attachments import AttachmentReader
from benchmarks import data, ours

NAMES = [field.name for field in fields(Signals)]
OFF_TOPIC = 100
LEVELS = (0.3, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Measured:
    """Signals [answers, signals] and whether each answer was right [answers]."""

    signals: NDArray[np.float32]
    right: NDArray[np.float32]


def main() -> None:
    """Fits, prints the numbers to copy, and how well they hold elsewhere."""
    reader = ours.RememberingReader()
    texts, questions = data.techqa()
    others = data.off_topic(OFF_TOPIC)
    with tempfile.TemporaryDirectory() as folder:
        techqa = _measure(data.write_texts(texts, Path(folder)), [*questions, *others], reader)
    articles, asked = _asked("chatwoot")
    chatwoot = _measure(articles, [*asked, *others], reader)
    weights, intercept = _fit([techqa, chatwoot])
    print(f"_INTERCEPT = {intercept:.2f}")
    print("_WEIGHTS = " + ", ".join(f"{n}={w:.2f}" for n, w in zip(NAMES, weights, strict=True)))
    articles, asked = _asked("plausible")
    plausible = _measure(articles, [*asked, *others], reader)
    example = _measure(data.HELP_CENTRE / "articles", [*data.help_centre(), *others], reader)
    for name, measured in (
        ("techqa (fitted)", techqa),
        ("chatwoot (fitted)", chatwoot),
        ("plausible", plausible),
        ("example help centre", example),
    ):
        _report(name, measured, weights, intercept)


def _asked(product: str) -> tuple[Path, list[data.Case]]:
    """Each screenshot of a help centre alone, with its author's words, and the words alone."""
    articles, pairs = data.screens(product)
    cases = []
    for words, case in pairs:
        cases += [case] + [replace(case, text=words)] * bool(words)
        cases += [replace(case, text=words, screenshots=())] * bool(words)
    return articles, cases


def _measure(
    articles: Path, cases: Sequence[data.Case], reader: ours.RememberingReader
) -> Measured:
    rows, right = [], []
    with ours.indexed_desk(articles) as desk:
        pipeline = replace(desk.pipeline, attachments=AttachmentReader(reader.read, max_mb=25))
        ticket = Ticket(0, "bench", "bench", "bench", "", "open", now())
        for case in cases:
            files = tuple(Attachment.of(path) for path in case.screenshots)
            message = Message("bench", case.id, "bench", "bench", case.text, attachments=files)
            outcome = pipeline.answer(message, ticket)
            decide = next((step for step in outcome.trace if step.name == "decide"), None)
            if outcome.answer is None or decide is None or not decide.detail:
                continue  # nothing was cited, or it was no question: a person was asked for
            rows.append([float(decide.detail[name]) for name in NAMES])
            cited = ours.article_path(outcome.answer.citations[0].passage.article_id)
            right.append(float(cited in case.relevant))
    return Measured(np.array(rows, np.float32), np.array(right, np.float32))


def _fit(sets: Sequence[Measured]) -> tuple[list[float], float]:
    """Logistic regression, each set counting the same, weights not negative."""
    raw = torch.zeros(len(NAMES) + 1, requires_grad=True)
    optimizer = torch.optim.LBFGS([raw], max_iter=500)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        weights, intercept = nn.functional.softplus(raw[:-1]), raw[-1]
        total = 0.001 * (weights**2).sum()
        for measured in sets:
            logits = torch.from_numpy(measured.signals) @ weights + intercept
            total = total + nn.functional.binary_cross_entropy_with_logits(
                logits, torch.from_numpy(measured.right)
            )
        total.backward()
        return total

    optimizer.step(loss)
    return nn.functional.softplus(raw[:-1]).detach().tolist(), float(raw[-1].detach())


def _report(name: str, measured: Measured, weights: Sequence[float], intercept: float) -> None:
    confidence = 1 / (1 + np.exp(-(measured.signals @ np.array(weights) + intercept)))
    print(f"\n{name}: {len(confidence)} answers, {measured.right.mean():.2f} right")
    print("\n".join(_levels(confidence, measured.right)))


def _levels(confidence: NDArray[np.float32], right: NDArray[np.float32]) -> Iterator[str]:
    for level in LEVELS:
        above = confidence >= level
        share = right[above].mean() if above.any() else float("nan")
        yield f"  at {level} or more: {above.mean():.2f} of the answers, {share:.2f} of them right"


if __name__ == "__main__":
    main()
