"""Self-attention over what a message shows, to be measured against the line weights that the
package brings: the words, the lines of the screen and the regions under them look at each other.

The plan's fusion. It stands here and not in the package: `make bench-ablation` says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from assistant.knowledge.matching import Matches
from assistant.knowledge.scorer import ArticleScorer
from assistant.model.fusion import FEATURES, LineWeights

DIM = 384
"""Length of the text tower's vectors, and of what comes out."""


@dataclass(frozen=True)
class Seen:
    """What attention makes of a message.

    logits  [lines], to be added to the logarithms of the lines' weights
    vector  [384], of length 1, in the passages' space
    tokens  [lines, 384], each of length 1, for late interaction with the passages
    """

    logits: Tensor
    vector: Tensor
    tokens: Tensor


class SelfAttention(nn.Module):
    """softmax(QKᵀ / √d) V over all tokens of a message (Vaswani et al., 2017, arXiv:1706.03762)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens [tokens, width] to what each has gathered [tokens, width]."""
        count, width = tokens.shape
        q, k, v = (
            part.view(count, self.heads, -1).transpose(0, 1)  # [heads, tokens, width / heads]
            for part in self.queries_keys_values(tokens).chunk(3, dim=1)
        )
        attention = (q @ k.transpose(1, 2) / q.shape[2] ** 0.5).softmax(
            2
        )  # [heads, tokens, tokens]
        gathered: Tensor = self.out((attention @ v).transpose(0, 1).reshape(count, width))
        return gathered


class Layer(nn.Module):
    """Attention, then a network of each token's own, both added to what was there."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.before_attention, self.before_own = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = SelfAttention(width, heads)
        self.own = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens [tokens, width] to tokens [tokens, width]."""
        tokens = tokens + self.dropout(self.attention(self.before_attention(tokens)))
        return tokens + self.dropout(self.own(self.before_own(tokens)))


class ScreenAttention(nn.Module):
    """Words, lines and regions to line weights, one vector and a vector a line.

    words  [384] ───────────────────────── linear ──┐
    lines  text [384] ──────────────────── linear ──┤
           place and look [24] ─────────── linear ──┼── layers ─┬─ logits [lines]
           region [components] ─────────── linear ──┘           ├─ gate · ─ + text ─ [384]
                                                                └─ gate · ─ + text ─ [lines, 384]

    Gates and the head of the logits start at zero: untrained, it changes nothing.
    """

    def __init__(
        self,
        regions: int,
        *,
        width: int = 64,
        layers: int = 2,
        heads: int = 4,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.words = nn.Linear(DIM, width)
        self.text = nn.Linear(DIM, width)
        self.place_and_look = nn.Linear(FEATURES, width)
        self.region = nn.Linear(regions, width) if regions else None
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.ModuleList(Layer(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.logit = nn.Linear(width, 1)
        self.out = nn.Linear(width, DIM)
        self.gates = nn.Parameter(torch.zeros(2))
        nn.init.zeros_(self.logit.weight)
        nn.init.zeros_(self.logit.bias)

    def forward(self, words: Tensor, lines: Tensor, features: Tensor, regions: Tensor) -> Seen:
        """The query's vector [384], the lines' vectors [lines, 384], their standardised features
        [lines, 24] and regions [lines, components]."""
        of_lines = self.text(lines) + self.place_and_look(features)  # [lines, width]
        if self.region is not None:
            of_lines = of_lines + self.region(regions)
        tokens = torch.cat([self.words(words)[None], of_lines])  # [1 + lines, width]
        tokens = self.dropout(tokens)
        for layer in self.layers:
            tokens = layer(tokens)
        tokens = self.norm(tokens)
        out = self.out(tokens)  # [1 + lines, 384]
        return Seen(
            self.logit(tokens[1:])[:, 0],
            nn.functional.normalize(words + self.gates[0] * out[0], dim=0),
            nn.functional.normalize(lines + self.gates[1] * out[1:], dim=1),
        )


@dataclass(frozen=True)
class Shown:
    """A screenshot beside the articles found for it.

    features  [lines, 24], as `fusion.features`
    regions   [lines, components]
    lines     [lines, 384] and `query` [384], their and the whole query's vectors
    passages  [passages, 384], the vectors of those in `matches`
    target    the row of the article that shows it
    """

    article: str
    features: Tensor
    regions: Tensor
    lines: Tensor
    query: Tensor
    passages: Tensor
    matches: Matches
    target: int


class AttentiveRanker(nn.Module):
    """Line weights and article scorer as they were learned, with attention in between: it moves the
    weights, and adds two numbers an article, both weighing 0 at first. These are the greatest
    cosine of its vector and a passage, and of each line's vector and a passage, summed by the
    lines' weights (MaxSim; Khattab and Zaharia, 2020, arXiv:2004.12832)."""

    def __init__(
        self, lines: LineWeights, articles: ArticleScorer, attention: ScreenAttention
    ) -> None:
        super().__init__()
        self.lines, self.articles, self.attention = deepcopy((lines, articles, attention))
        self.lines.requires_grad_(False)
        self.added = nn.Parameter(torch.zeros(2))

    def forward(self, shown: Shown, kept: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Scores [articles], and the cosines [articles] of its vector alone. With `kept`, only
        these rows of the lines are looked at."""
        matches, features, regions, texts = (
            shown.matches,
            shown.features,
            shown.regions,
            shown.lines,
        )
        if kept is not None:
            features, regions, texts = features[kept], regions[kept], texts[kept]
            rows = kept.numpy()
            matches = replace(matches, lines=matches.lines[rows], marked=matches.marked[rows])
        with torch.no_grad():
            learned = self.lines(features)  # [lines]
            known = self.lines._standardised(features)
        seen = self.attention(shown.query, texts, known, regions)
        weights = learned * seen.logits.clamp(-4, 4).exp()  # [lines]
        article_of, count = torch.from_numpy(matches.article_of), len(matches.articles)
        cosine = _greatest(
            (shown.passages @ seen.vector)[:, None], article_of, count
        )  # [articles, 1]
        by_line = _greatest(shown.passages @ seen.tokens.T, article_of, count)  # [articles, lines]
        late = by_line @ (weights / weights.sum())  # [articles]
        numbers = torch.cat([cosine, late[:, None]], 1)  # [articles, 2]
        numbers = (numbers - numbers.mean(0)) / (numbers.std(0, correction=0) + 1e-4)
        return self.articles(weights, matches) + numbers @ self.added, cosine[:, 0]


def fit(
    ranker: AttentiveRanker,
    learned: Sequence[Shown],
    validation: Sequence[Shown],
    *,
    epochs: int = 10,
    rate: float = 1e-3,
    temperature: float = 0.05,
    contrast: float = 0.2,
    hidden: float = 0.3,
    seed: int = 0,
) -> float:
    """Trains the attention, what is added and, on, the article scorer: by cross-entropy over the
    articles found, and of the vector alone by InfoNCE (van den Oord et al., 2018,
    arXiv:1807.03748), with those articles, which BM25 and meaning found, as hard negatives.

    Up to the share `hidden` of the lines is left out, anew each time. The epoch that is best on
    `validation` is kept, which may be none; returns by how much it lowered the cross-entropy there.
    """
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    parameters = [each for each in ranker.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    start = least = loss_of(ranker, validation)
    best = deepcopy(ranker.state_dict())
    for _ in range(epochs):
        ranker.train()
        for step, row in enumerate(random.permutation(len(learned)), 1):
            shown = learned[row]
            kept = random.random(len(shown.features)) >= hidden * random.random()
            kept[int(random.integers(len(kept)))] = True
            scores, cosine = ranker(shown, torch.from_numpy(np.flatnonzero(kept)))
            target = torch.tensor(shown.target)
            loss = nn.functional.cross_entropy(scores, target)
            loss = loss + contrast * nn.functional.cross_entropy(cosine / temperature, target)
            loss.backward()
            if step % 8 == 0:
                nn.utils.clip_grad_norm_(parameters, 1.0)
                optimizer.step()
                optimizer.zero_grad()
        schedule.step()
        found = loss_of(ranker, validation)
        if found < least:
            least, best = found, deepcopy(ranker.state_dict())
    ranker.load_state_dict(best)
    ranker.eval()
    return start - least


@torch.no_grad()
def loss_of(ranker: AttentiveRanker, cases: Sequence[Shown]) -> float:
    """The mean cross-entropy."""
    ranker.eval()
    losses = [
        nn.functional.cross_entropy(ranker(each)[0], torch.tensor(each.target)) for each in cases
    ]
    return float(torch.stack(losses).mean())


def _greatest(values: Tensor, article_of: Tensor, articles: int) -> Tensor:
    """The greatest of the passages' values [passages, …] in each article [articles, …]."""
    index = article_of[:, None].expand_as(values)
    greatest = torch.full((articles, values.shape[1]), -torch.inf)
    return greatest.scatter_reduce(0, index, values, "amax")
