"""What messages want: BANKING77 (77 intents of a bank's customers; test set) and CLINC150 (150
intents; in scope and out of scope), with the heads that `deskmate train` makes.

The peer is scikit-learn's logistic regression on the same text model's vectors, as they come. Both
are trained on the training part; for out of scope, both turn away what looks stranger than 98 % of
the validation part, and CLINC150's 100 training messages that are out of scope are background to
both. `accuracy` counts every message in scope; `accuracy, kept` only those that are also not turned
away. Of BANKING77's training part, one message in twenty is kept aside to stop by.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from assistant.messages import STRANGE
from assistant.model import labelled, weights
from assistant.model.labelled import Labelled
from assistant.model.text import TextTower
from benchmarks import data
from benchmarks.metrics import PerCase, bootstrap_interval
from benchmarks.ours import cache_folder
from benchmarks.results import Results

C = 10.0
"""Logistic regression's, the best of 1, 10 and 100 on both validation parts."""

OUT = labelled.OUT_OF_SCOPE[0]

Parts = dict[str, list[Labelled]]
System = dict[str, PerCase]
"""A metric's value for each message that it is about."""


def main() -> None:
    results = Results("intents", peers=("scikit-learn", "torch", "transformers"))
    tasks = ("banking77", "clinc150")
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn"), _one_thread) as pool:
        for task, (heads, peer) in zip(tasks, pool.map(run, tasks), strict=True):
            for system, found in (("deskmate", heads), ("logistic regression", peer)):
                for metric, values in found.items():
                    results.add(
                        task,
                        system,
                        metric,
                        float(values.mean()),
                        n=len(values),
                        interval=None
                        if system == "deskmate"
                        else bootstrap_interval(heads[metric], values),
                    )
    results.publish()


def run(task: str) -> tuple[System, System]:
    """Trains both systems on one task, and measures them on its test part."""
    parts = banking77() if task == "banking77" else clinc150()
    tower = TextTower(weights.find("all-MiniLM-L6-v2"))
    peer = _logistic_regression(tower, parts)
    print(f"{task}: logistic regression is trained", flush=True)
    heads, history = labelled.fit_heads(
        tower,
        parts["training"],
        parts["validation"],
        checkpoint=cache_folder() / f"{task}.safetensors",
        told=lambda done, total: (
            print(f"{task}: step {done} of {total}", flush=True) if done % 50 == 0 else None
        ),
    )
    for number, epoch in enumerate(history):
        print(f"{task}: epoch {number}: loss {epoch.loss:.3f}, validation {epoch.score:.4f}")
    print(f"{task}: validation: {labelled.measure(heads, tower, parts['validation'])}", flush=True)
    found = heads.label(tower, [message.text for message in parts["test"]])
    ours = _told(
        parts["test"],
        [labels.intent for labels in found],
        [not labels.in_scope for labels in found],
    )
    return ours, peer


def banking77() -> Parts:
    """BANKING77's training part, one message in twenty of it for validation, and its test part."""
    training, validation = labelled.split(_table("train"), share=0.05)
    return {"training": training, "validation": validation, "test": _table("test")}


def clinc150() -> Parts:
    """CLINC150's parts, each with its messages that are out of scope."""
    file = data.folder("intents/clinc150/data_full.json")
    rows = json.loads(file.read_text(encoding="utf-8"))
    names = {"training": "train", "validation": "val", "test": "test"}
    return {
        part: [Labelled(text, intent) for text, intent in rows[name] + rows[f"oos_{name}"]]
        for part, name in names.items()
    }


def _table(part: str) -> list[Labelled]:
    with data.folder(f"intents/banking77/{part}.csv").open(encoding="utf-8") as file:
        return [Labelled(row["text"], row["category"]) for row in csv.DictReader(file)]


def _logistic_regression(tower: TextTower, parts: Parts) -> System:
    vectors = {
        part: tower.encode([message.text for message in messages])
        for part, messages in parts.items()
    }
    intents = [each.intent if each.in_scope else OUT for each in parts["training"]]
    model = LogisticRegression(C=C, max_iter=1000).fit(vectors["training"], intents)
    inside = [row for row, name in enumerate(model.classes_) if name != OUT]
    likely = {part: model.predict_proba(own)[:, inside] for part, own in vectors.items()}
    known = [row for row, each in enumerate(parts["validation"]) if each.in_scope]
    least = np.quantile(likely["validation"][known].max(1), 1 - STRANGE)
    return _told(
        parts["test"],
        list(model.classes_[inside][likely["test"].argmax(1)]),
        list(likely["test"].max(1) < least),
    )


def _told(
    messages: Sequence[Labelled], intents: Sequence[str], turned_away: Sequence[bool]
) -> System:
    inside = [row for row, message in enumerate(messages) if message.in_scope]
    outside = [row for row, message in enumerate(messages) if not message.in_scope]
    right = np.array([intents[row] == messages[row].intent for row in inside], np.float64)
    if not outside:
        return {"accuracy": right}
    kept = np.array([not turned_away[row] for row in inside], np.float64)
    return {
        "accuracy": right,
        "accuracy, kept": right * kept,
        "out-of-scope recall": np.array([turned_away[row] for row in outside], np.float64),
    }


def _one_thread() -> None:
    torch.set_num_threads(1)


if __name__ == "__main__":
    main()
