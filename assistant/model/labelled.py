"""Labelled messages, and heads trained on them."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from assistant.errors import UnreadableError
from assistant.model import losses
from assistant.model.fitting import Epoch, fit
from assistant.model.heads import Heads, lower_tokens, stack
from assistant.model.text import TextTower

OUT_OF_SCOPE = ("out of scope", "out-of-scope", "out_of_scope", "oos")
"""An intent of one of these names says that a message is not for this desk."""

TARGETS = ("intent", "priority")
BATCH = 64
UPPER_RATE, HEAD_RATE, WEIGHT_DECAY = 2e-4, 2e-3, 0.01
MIXTURES = 0.3  # what the mixtures' loss counts beside that of the messages
OUT_OF_SCOPE_TIMES = 2  # how often such a message is shown in an epoch: there are few of them


@dataclass(frozen=True)
class Labelled:
    """A message's text with its labels; an empty one is unknown."""

    text: str
    intent: str
    priority: str = ""

    @property
    def in_scope(self) -> bool:
        """Whether it is for this desk."""
        return self.intent.lower() not in OUT_OF_SCOPE


@dataclass(frozen=True)
class Measured:
    """Heads on messages that they were not trained on, as shares: of those in scope, `accuracy`
    whose intent is right, and `kept` whose intent is right and that are not turned away; `recall`
    of those out of scope that are turned away, and `priority` whose priority is right: None where
    no message has such a label."""

    accuracy: float
    kept: float
    recall: float | None
    priority: float | None
    count: int


def read(file: Path) -> list[Labelled]:
    """Reads `text,intent[,priority]` from CSV with a head line, or from JSON lines.

    Raises UnreadableError naming the file and the line.
    """
    try:
        content = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{file}: cannot be read: {error}.") from error
    rows: list[Any]
    if file.suffix.lower() in (".jsonl", ".ndjson"):
        rows = []
        for number, line in enumerate(content.splitlines(), 1):
            if line.strip():
                try:
                    rows.append(json.loads(line))
                except json.JSONDecodeError as error:
                    raise UnreadableError(f"{file}:{number}: not JSON: {error}.") from error
    else:
        rows = list(csv.DictReader(content.splitlines(keepends=True)))
    found: dict[str, Labelled] = {}
    for number, row in enumerate(rows, 1):
        values = [row.get(key) or "" for key in ("text", *TARGETS)] if type(row) is dict else []
        if len(values) != 3 or not all(isinstance(value, str) for value in values):
            raise UnreadableError(f"{file}: row {number} is not an object of strings.")
        text, intent, priority = (value.strip() for value in values)
        if not text or not intent:
            raise UnreadableError(f'{file}: row {number} needs "text" and "intent".')
        found.setdefault(text, Labelled(text, intent, priority))
    return list(found.values())


def labels_of(messages: Sequence[Labelled]) -> dict[str, list[str]]:
    """The labels that stand on the messages, by target; a target with one label is none."""
    intents = sorted({message.intent for message in messages if message.in_scope})
    priorities = sorted({message.priority for message in messages if message.priority})
    return {"intent": intents} | ({"priority": priorities} if len(priorities) > 1 else {})


def split(
    messages: Sequence[Labelled], share: float = 0.1, seed: int = 0
) -> tuple[list[Labelled], list[Labelled]]:
    """A training part and a validation part with about `share` of each intent's messages: the same
    ones in each run, whatever the file's order."""

    def place(message: Labelled) -> bytes:
        return hashlib.sha256(f"{seed}\n{message.text}".encode(errors="replace")).digest()

    training: list[Labelled] = []
    validation: list[Labelled] = []
    for intent in sorted({message.intent for message in messages}):
        own = sorted((each for each in messages if each.intent == intent), key=place)
        kept = round(share * len(own))
        validation += own[:kept]
        training += own[kept:]
    return training, validation


def too_few(messages: Sequence[Labelled], least: int) -> dict[str, int]:
    """The intents with fewer than `least` messages, and how many they have."""
    counts = Counter(message.intent for message in messages)
    return {intent: count for intent, count in sorted(counts.items()) if count < least}


def fit_heads(
    tower: TextTower,
    training: Sequence[Labelled],
    validation: Sequence[Labelled],
    *,
    epochs: int = 6,
    patience: int = 3,
    seed: int = 0,
    checkpoint: Path | None = None,
    told: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Heads, tuple[Epoch, ...]]:
    """Trains heads by cross-entropy, and stops when the validation part gets no better."""
    torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    labels = labels_of(training)
    heads = Heads(tower, labels).to(device)
    tokens = lower_tokens(tower, [message.text for message in training], heads.lower)
    targets = _targets(training, labels)
    held_out = lower_tokens(tower, [message.text for message in validation], heads.lower)
    expected = _targets(validation, labels)
    background = len(labels["intent"])
    shown = [
        row
        for row in range(len(training))
        for _ in range(1 if training[row].in_scope else OUT_OF_SCOPE_TIMES)
    ]

    def batches(random: np.random.Generator) -> list[list[int]]:
        # Texts of like length together, so that little is padded.
        order = random.permutation(shown)
        made = [
            some[start : start + BATCH]
            for part in np.array_split(order, max(1, len(order) // (16 * BATCH)))
            for some in [sorted(part.tolist(), key=lambda row: len(tokens[row]))]
            for start in range(0, len(some), BATCH)
        ]
        return [made[row] for row in random.permutation(len(made))]

    def loss(rows: list[int]) -> Tensor:
        own = {target: values[rows].to(device) for target, values in targets.items()}
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            vectors = heads(*stack([tokens[row] for row in rows], device))  # [batch, …]
            value = losses.classification(heads.logits(vectors), own)
            mixed = _mixtures(vectors, own["intent"], background)
            if len(mixed):
                strange = torch.full((len(mixed),), background, device=device)
                value = value + MIXTURES * losses.classification(
                    {"intent": heads.logits(mixed)["intent"]}, {"intent": strange}
                )
        return value

    def score() -> float:
        found = heads.predict(held_out)
        right = [
            (found[target][known, : len(names)].argmax(1) == expected[target][known]).float()
            for target, names in labels.items()
            for known in [(expected[target] >= 0) & (expected[target] < len(names))]
            if known.any()
        ]
        return sum(float(each.mean()) for each in right) / max(1, len(right))

    optimizer = torch.optim.AdamW(
        [
            {"params": heads.upper.parameters(), "lr": UPPER_RATE},
            {"params": heads.heads.parameters(), "lr": HEAD_RATE},
        ],
        weight_decay=WEIGHT_DECAY,
    )
    history = fit(
        heads,
        optimizer,
        batches,
        loss,
        score,
        epochs=epochs,
        patience=patience,
        seed=seed,
        checkpoint=checkpoint,
        run=_name(training, validation, epochs, seed),
        told=told,
    )
    inside = expected["intent"] < background
    heads.keep_aside(heads.predict(held_out)["intent"][inside])
    return heads.cpu(), history


def measure(heads: Heads, tower: TextTower, messages: Sequence[Labelled]) -> Measured:
    """How well heads do on messages: see `Measured`."""
    found = heads.label(tower, [message.text for message in messages])
    pairs = list(zip(messages, found, strict=True))
    inside = [(each, own) for each, own in pairs if each.in_scope]
    return Measured(
        _share([own.intent == each.intent for each, own in inside]) or 0.0,
        _share([own.intent == each.intent and own.in_scope for each, own in inside]) or 0.0,
        _share([not own.in_scope for each, own in pairs if not each.in_scope]),
        _share(
            [own.priority == each.priority for each, own in pairs if each.priority and own.priority]
        ),
        len(messages),
    )


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _targets(
    messages: Sequence[Labelled], labels: Mapping[str, Sequence[str]]
) -> dict[str, Tensor]:
    """The row of each message's label, by target [messages]; UNLABELLED where there is none."""
    rows = {target: {name: row for row, name in enumerate(labels[target])} for target in labels}
    found = {
        target: torch.tensor(
            [rows[target].get(getattr(each, target), losses.UNLABELLED) for each in messages]
        )
        for target in labels
    }
    outside = torch.tensor([not message.in_scope for message in messages])
    found["intent"][outside] = len(labels["intent"])
    return found


def _mixtures(vectors: Tensor, intents: Tensor, background: int) -> Tensor:
    """Vectors [batch, width] mixed with others of another intent: what lies between two intents is
    neither."""
    other = torch.randperm(len(vectors), device=vectors.device)
    share = 0.3 + 0.4 * torch.rand(len(vectors), 1, device=vectors.device)
    differ = (intents != intents[other]) & (intents < background) & (intents[other] < background)
    return (share * vectors + (1 - share) * vectors[other])[differ]


def _name(
    training: Sequence[Labelled], validation: Sequence[Labelled], epochs: int, seed: int
) -> str:
    what = repr((training, validation, epochs, seed, UPPER_RATE, HEAD_RATE))
    return hashlib.sha256(what.encode(errors="replace")).hexdigest()
