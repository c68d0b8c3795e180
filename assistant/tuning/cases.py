"""Solved tickets as cases to learn from and to measure on."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from assistant.errors import DeskmateError
from assistant.knowledge.lexical import Filter, Lexical
from assistant.messages import Encoding, Screen
from assistant.model.attachments import AttachmentReader
from assistant.model.encoder import MultimodalEncoder
from assistant.tickets.solved import Solved
from assistant.tuning.verdict import Run

EVERYTHING = Filter("internal")

VALIDATION = 0.25

Case = TypeVar("Case")


class _AboutArticle(Protocol):
    @property
    def article_id(self) -> str: ...


AboutArticle = TypeVar("AboutArticle", bound=_AboutArticle)


@dataclass(frozen=True)
class Question:
    """What a customer asked, encoded as without an adapter, and the article that settled it."""

    encoding: Encoding
    screens: tuple[Screen, ...]
    article_id: str


def read(
    solved: Sequence[Solved],
    attachments: AttachmentReader,
    encoder: MultimodalEncoder,
    lexical: Lexical,
    run: Run,
) -> list[Question]:
    """Reads and encodes what was asked in tickets, where the article is still in the index."""
    found = []
    for number, each in enumerate(solved, 1):
        if lexical.passages_of(each.article_id):
            came = attachments.read(each.attachments)
            encoding = encoder.encode_plain("\n".join([each.text, *came.texts]), came.screens)
            if encoding.text:
                found.append(Question(encoding, tuple(came.screens), each.article_id))
        run.told("reading tickets", number, len(solved))
    return found


def split_by_article(
    cases: Sequence[AboutArticle], share: float = VALIDATION
) -> tuple[list[AboutArticle], list[AboutArticle]]:
    """A part to learn from, and one with about `share` of the cases to measure on; no article is
    in both. The same articles stand in the same part in each run, as long as the cases are about
    the same articles."""
    counts = Counter(case.article_id for case in cases)
    wanted, kept = share * len(cases), set[str]()
    for article in sorted(counts, key=lambda name: hashlib.sha256(name.encode()).digest()):
        taken = sum(counts[name] for name in kept)
        if taken + counts[article] / 2 < wanted:
            kept.add(article)
    return (
        [case for case in cases if case.article_id not in kept],
        [case for case in cases if case.article_id in kept],
    )


def require(count: int, least: int, what: str) -> None:
    """Raises DeskmateError if there are too few cases to learn from."""
    if count < least:
        raise DeskmateError(f"{count} {what}, and at least {least} are needed.")


def require_both(training: Sequence[object], validation: Sequence[object], what: str) -> None:
    """Raises DeskmateError if the cases are about too few articles to be split."""
    if not training or not validation:
        raise DeskmateError(f"all {what} are about one article, and at least two are needed.")


def batches_of(
    cases: Sequence[Case], size: int
) -> Callable[[np.random.Generator], list[list[Case]]]:
    """Makes an epoch's batches: all cases in a new order."""

    def made(random: np.random.Generator) -> list[list[Case]]:
        order = random.permutation(len(cases))
        return [
            [cases[row] for row in order[start : start + size]]
            for start in range(0, len(order), size)
        ]

    return made


def name_of(cases: Iterable[str], state: Mapping[str, Tensor], seed: int) -> str:
    """A run's name for its checkpoint: what is learned from, where it starts, and the seed."""
    digest = hashlib.sha256(repr((sorted(cases), seed)).encode(errors="replace"))
    for name, value in sorted(state.items()):
        digest.update(name.encode() + value.detach().to(torch.float32).numpy().tobytes())
    return digest.hexdigest()
