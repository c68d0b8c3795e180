"""The learned scorer: how likely each article is what a screenshot is about."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from assistant.knowledge.matching import SIGNALS, Matches
from assistant.model.fusion import trained

PARTS = (
    "words, best passage",
    "label, best passage",
    "words, line by line",
    "label, line by line",
    "words, best passages",
    "label, marked by the article",
    *SIGNALS,
)
"""What the scorer weighs: the lines' matches, summed by the lines' weights, in the article's best
passage, in whichever passage suits each line best (late interaction; Khattab and Zaharia, 2020,
arXiv:2004.12832), in its three best passages together, and among what its author marked; and the
signals of the whole article."""

BEST = 3
"""Passages of an article that are taken together."""


class ArticleScorer(nn.Module):
    """A weighted sum of twelve numbers an article, each standardised over the articles that are
    compared: small, so that what it learned on one product holds for another."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.full((len(PARTS),), 0.2))

    @classmethod
    def trained(cls) -> ArticleScorer:
        """The scorer that the package brings."""
        scorer = cls()
        scorer.load_state_dict(trained("articles"))
        return scorer

    def forward(self, line_weights: Tensor, matches: Matches) -> Tensor:
        """Weights [lines] to scores [articles]: log-probabilities up to a constant."""
        return self.parts(line_weights, matches) @ self.weights

    def parts(self, line_weights: Tensor, matches: Matches) -> Tensor:
        """The standardised numbers [articles, 12] that are weighed, as PARTS names them."""
        numbers = self.numbers(line_weights / line_weights.sum(), matches)
        return (numbers - numbers.mean(0)) / spread(numbers)

    def numbers(self, shares: Tensor, matches: Matches) -> Tensor:
        """The same numbers [articles, 12] before they are standardised, from the lines' shares
        [lines] of the weight: sums over the lines, or the greatest of such sums."""
        lines = torch.from_numpy(matches.lines)  # [lines, passages, 2]
        article_of = torch.from_numpy(matches.article_of)  # [passages]
        by_passage = torch.einsum("l,lpk->pk", shares, lines)  # [passages, 2]
        best_passage = _greatest(by_passage, article_of, len(matches.articles))
        by_line = _greatest(lines.transpose(0, 1), article_of, len(matches.articles))
        line_by_line = torch.einsum("l,alk->ak", shares, by_line)  # [articles, 2]
        best = _best(by_passage[:, 0], article_of, len(matches.articles))  # [articles]
        marked = shares @ torch.from_numpy(matches.marked)  # [articles]
        beside = torch.stack([best, marked], dim=1)  # [articles, 2]
        whole = torch.from_numpy(matches.signals)  # [articles, 6]
        return torch.cat([best_passage, line_by_line, beside, whole], dim=1)  # [articles, 12]


def spread(numbers: Tensor) -> Tensor:
    """What numbers [articles, 12] are divided by [12]: their standard deviations, never 0."""
    return numbers.std(0, correction=0) + 1e-4


def _greatest(values: Tensor, article_of: Tensor, articles: int) -> Tensor:
    """The greatest of the passages' values [passages, …] in each article [articles, …]."""
    index = article_of.view(-1, *[1] * (values.dim() - 1)).expand_as(values)
    greatest = torch.full((articles, *values.shape[1:]), -torch.inf)
    return greatest.scatter_reduce(0, index, values, "amax")


def _best(values: Tensor, article_of: Tensor, articles: int) -> Tensor:
    """The sum of the BEST greatest passages' values [passages] in each article [articles]."""
    order = values.argsort(descending=True)
    rank = torch.zeros_like(article_of)
    seen = torch.nn.functional.one_hot(article_of[order], articles).cumsum(
        0
    )  # [passages, articles]
    rank[order] = seen.gather(1, article_of[order][:, None])[:, 0]  # 1 is the article's best
    return torch.zeros(articles).index_add(0, article_of, values * (rank <= BEST))
