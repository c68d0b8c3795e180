from __future__ import annotations

import math

import pytest
import torch

from assistant.model.losses import UNLABELLED, classification, contrastive, ranking


def test_the_contrastive_loss_falls_as_questions_near_their_own_passages() -> None:
    passages = torch.eye(4)
    articles = torch.arange(4)

    right = contrastive(passages, passages, articles)
    wrong = contrastive(passages.roll(1, 0), passages, articles)

    assert right < 0.001
    assert wrong > 10


def test_with_nothing_to_tell_them_apart_it_is_the_log_of_the_batch() -> None:
    same = torch.ones(4, 1)

    assert contrastive(same, same, torch.arange(4)).item() == pytest.approx(math.log(4))


def test_a_passage_of_the_same_article_is_no_negative() -> None:
    questions = torch.eye(2)
    passages = torch.eye(2)[[0, 0]]

    different = contrastive(questions[[0, 0]], passages, torch.tensor([0, 1]))
    same = contrastive(questions[[0, 0]], passages, torch.tensor([0, 0]))

    assert different.item() == pytest.approx(math.log(2))
    assert same.item() == pytest.approx(0)


def test_hard_negatives_count_unless_they_are_of_the_right_article() -> None:
    question = passage = torch.eye(2)[:1]
    article = torch.tensor([7])

    hard = contrastive(question, passage, article, passage, torch.tensor([8]))
    own = contrastive(question, passage, article, passage, torch.tensor([7]))

    assert hard.item() == pytest.approx(math.log(2) / 2)
    assert own.item() == pytest.approx(0)


def test_texts_without_a_label_do_not_count() -> None:
    logits = {"intent": torch.tensor([[5.0, 0.0], [0.0, 5.0]])}

    both = classification(logits, {"intent": torch.tensor([0, 0])}, smoothing=0)
    first = classification(logits, {"intent": torch.tensor([0, UNLABELLED])}, smoothing=0)

    assert first < 0.01
    assert both > 2
    assert classification(logits, {"intent": torch.tensor([UNLABELLED] * 2)}).item() == 0


def test_ranking_is_cross_entropy_over_the_articles() -> None:
    assert ranking(torch.zeros(5), 3).item() == pytest.approx(math.log(5))
