"""Trains the adapter of questions' vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from assistant.articles import Passage
from assistant.knowledge.indexing import embedded_text
from assistant.knowledge.lexical import Lexical
from assistant.knowledge.retriever import Retriever
from assistant.model import losses
from assistant.model.adapter import Adapter
from assistant.model.encoder import MultimodalEncoder
from assistant.model.fitting import fit
from assistant.tuning import cases
from assistant.tuning.cases import EVERYTHING, Question
from assistant.tuning.verdict import Run, Verdict, settle

LEAST = 100
RATE, BATCH, EPOCHS, PATIENCE = 1e-3, 32, 15, 4
HARD = 3
"""Passages for each question that BM25 finds and that are not of the right article."""


@dataclass(frozen=True)
class Pair:
    """A question's vector [dim], the nearest passage's of the right article [dim], that article's
    number, and the vectors of hard negatives [hard, dim] with their articles [hard]."""

    question: Tensor
    passage: Tensor
    article: int
    hard: Tensor
    hard_articles: Tensor


def train(
    questions: Sequence[Question],
    encoder: MultimodalEncoder,
    retriever: Retriever,
    lexical: Lexical,
    run: Run,
) -> Verdict:
    """Trains the adapter by the contrastive loss. Raises DeskmateError if there are too few
    questions."""
    cases.require(len(questions), LEAST, "solved tickets whose answer cites an article")
    training, validation = cases.split_by_article(questions)
    cases.require_both(training, validation, "solved tickets")
    numbers = {name: row for row, name in enumerate(sorted({q.article_id for q in questions}))}
    pairs = []
    for number, question in enumerate(training, 1):
        pairs.append(_pair(question, numbers, encoder, lexical))
        run.told("finding negatives", number, len(training))
    torch.manual_seed(run.seed)
    model = Adapter(encoder.dim)

    def loss(batch: Sequence[Pair]) -> Tensor:
        return losses.contrastive(
            model(torch.stack([pair.question for pair in batch])),
            torch.stack([pair.passage for pair in batch]),
            torch.tensor([pair.article for pair in batch]),
            torch.cat([pair.hard for pair in batch]),
            torch.cat([pair.hard_articles for pair in batch]),
        )

    history = fit(
        model,
        torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.1),
        cases.batches_of(pairs, BATCH),
        loss,
        lambda: float(np.mean(reciprocal_ranks(model, validation, retriever))),
        epochs=EPOCHS,
        patience=PATIENCE,
        seed=run.seed,
        checkpoint=run.checkpoint("questions"),
        run=cases.name_of((q.article_id + q.encoding.text for q in questions), {}, run.seed),
        told=lambda done, total: run.told("questions", done, total),
    )
    state = run.live.load("questions")
    in_use = None if state is None else Adapter.restored(state)
    verdict = Verdict.of(
        "questions",
        "mean reciprocal rank",
        reciprocal_ranks(in_use, validation, retriever),
        reciprocal_ranks(model, validation, retriever),
        history,
    )
    return settle(run, verdict, model.state_dict())


def reciprocal_ranks(
    model: Adapter | None, questions: Sequence[Question], retriever: Retriever
) -> list[float]:
    """1 by the rank of each question's article in the fused rankings; 0 if it was not found."""
    found = []
    for question in questions:
        encoding = model.applied(question.encoding) if model else question.encoding
        hits = retriever.candidates(encoding, EVERYTHING, None)
        articles = list(dict.fromkeys(hit.passage.article_id for hit in hits))
        right = question.article_id in articles
        found.append(1 / (1 + articles.index(question.article_id)) if right else 0.0)
    return found


def _pair(
    question: Question, numbers: dict[str, int], encoder: MultimodalEncoder, lexical: Lexical
) -> Pair:
    asked = torch.from_numpy(question.encoding.vector)
    own = _vectors(lexical.passages_of(question.article_id), encoder)  # [passages, dim]
    found = lexical.search_passages(
        question.encoding.text,
        EVERYTHING,
        labels=[line.text for line in question.encoding.lines],
        limit=10 * HARD,
    )
    others = [passage for passage, article in found if article != question.article_id][:HARD]
    hard = list(lexical.passages(others).values())
    return Pair(
        asked,
        own[int((own @ asked).argmax())],
        numbers[question.article_id],
        _vectors(hard, encoder),
        torch.tensor([numbers.get(p.article_id, -1) for p in hard], dtype=torch.long),
    )


def _vectors(passages: Sequence[Passage], encoder: MultimodalEncoder) -> Tensor:
    texts = [embedded_text(passage) for passage in passages]
    return torch.from_numpy(encoder.encode_texts(texts)).view(-1, encoder.dim)
