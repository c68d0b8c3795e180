"""Trains the heads: intent, priority, out of scope."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from assistant.errors import DeskmateError
from assistant.model import labelled
from assistant.model.heads import Heads
from assistant.model.labelled import Labelled
from assistant.model.text import TextTower
from assistant.tuning import cases
from assistant.tuning.verdict import Run, Verdict, settle

LEAST = 10
"""Messages of each intent: nine to learn from, one to measure on."""


def train(
    messages: Sequence[Labelled], tower: TextTower, in_use: Heads | None, run: Run
) -> Verdict:
    """Trains heads on labelled messages. Without heads in use, the new ones must do better than
    the most frequent intent does.

    Raises DeskmateError if an intent has too few messages.
    """
    few = labelled.too_few(messages, LEAST)
    if few:
        named = ", ".join(f"{intent} ({count})" for intent, count in list(few.items())[:5])
        raise DeskmateError(
            f"{len(few)} of the intents have fewer than {LEAST} messages: {named}."
            " Label more messages of them, or take these out."
        )
    cases.require(len(labelled.labels_of(messages)["intent"]), 2, "intents")
    training, validation = labelled.split(messages)
    heads, history = labelled.fit_heads(
        tower,
        training,
        validation,
        seed=run.seed,
        checkpoint=run.checkpoint("heads"),
        told=lambda done, total: run.told("heads", done, total),
    )
    found = labelled.measure(heads, tower, validation)
    inside = [message for message in validation if message.in_scope]
    usual = Counter(message.intent for message in inside).most_common(1)[0][0]
    verdict = Verdict.of(
        "heads",
        "accuracy",
        _right(in_use, tower, inside) if in_use else [m.intent == usual for m in inside],
        _right(heads, tower, inside),
        history,
    )
    about = {"labels": heads.labels, "kept": found.kept, "recall": found.recall}
    return settle(run, verdict, heads.state_dict(), about)


def _right(heads: Heads, tower: TextTower, messages: Sequence[Labelled]) -> list[bool]:
    found = heads.label(tower, [message.text for message in messages])
    return [labels.intent == m.intent for labels, m in zip(found, messages, strict=True)]
