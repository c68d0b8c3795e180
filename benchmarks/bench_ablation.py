"""What is each part worth? The parts of the screenshot model, added one after the other, on
products that none of them learned from.

- `chatwoot/…`: learned on Mattermost's documentation, measured on Chatwoot's. `mattermost/…`: the
  other way round. `plausible/…`: learned on both.
- `…/screenshot`: the screenshot alone. `…/text+screenshot`: with its author's words, where there
  are some.

`words alone` leaves the picture out; `+ reading` adds the text in it to the query; `+ matches` adds
up, unlearned, how its lines match the passages found; `+ training` learns what each of these
numbers is worth; `+ layout` weighs the lines by their place and size; `+ pixels` by their look too,
as LOOK names it; `+ emphasis` learns from pictures that were dimmed, framed or tinted by rule as
well: this is how the package's weights are made.

Two more parts are each measured on top of that. `… + regions` adds what EfficientNet-Lite0 sees
under and around each line, in 32 components. `… + attention` lets words and lines look at each
other; it starts from what was learned before, and is the mean of three seeds, each of which keeps a
fifth of the articles to know when to stop.

In parentheses: the difference to the line before it; of the last two, to `+ emphasis`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from rich.progress import track
from torch import Tensor

from assistant import Desk, training
from assistant.articles import Hit
from assistant.knowledge.indexing import embedded_text
from assistant.knowledge.lexical import Filter
from assistant.knowledge.scorer import ArticleScorer
from assistant.messages import Screen
from assistant.model import fusion
from assistant.model.fusion import FEATURES, PLACE, LineWeights
from assistant.model.screenshot import decode
from assistant.training import Example
from benchmarks import attention, data, ours, train_screens
from benchmarks.attention import AttentiveRanker, ScreenAttention, Shown
from benchmarks.data import Case
from benchmarks.metrics import bootstrap_interval, quality
from benchmarks.regions import EfficientNetLite0, RegionWeights, regions
from benchmarks.results import Results

LEARNED = {
    "chatwoot": ("mattermost",),
    "mattermost": ("chatwoot",),
    "plausible": ("mattermost", "chatwoot"),
}
"""Each product that is measured, and those that are learned from for it."""

COMPONENTS = 32
"""Of the regions' features, by their variance."""

SEEDS = 3

Scores = Callable[[Shown], Tensor]
"""A model: what a screenshot shows to scores [articles]."""


@dataclass(frozen=True)
class Measured:
    """A case, with the articles that its words alone find and those that words and lines find, best
    first; and what the learned parts are given, unless its article was not found at all."""

    case: Case
    by_words: Sequence[str]
    by_reading: Sequence[str]
    shown: Shown | None


@dataclass(frozen=True)
class Product:
    """A product's cases, and its emphasised pictures: features [lines, 24] and which [lines] stand
    in an emphasised place."""

    cases: Sequence[Measured]
    emphasised: tuple[Tensor, Tensor]


def main() -> None:
    results = Results("ablation", ["efficientnet-lite-pytorch"])
    reader = ours.RememberingReader()
    products = {name: _product(name, reader) for name in LEARNED}
    for measured, learned in LEARNED.items():
        steps = _steps([products[name] for name in learned])
        for task, cases in _tasks(products[measured].cases).items():
            _compare(results, f"{measured}/{task}", cases, steps)
    results.publish()


def _tasks(cases: Sequence[Measured]) -> Mapping[str, Sequence[Measured]]:
    return {
        "screenshot": [each for each in cases if not each.case.text],
        "text+screenshot": [each for each in cases if each.case.text],
    }


def _compare(
    results: Results, task: str, cases: Sequence[Measured], steps: Mapping[str, Scores]
) -> None:
    """Adds each step's quality, and the interval of its difference to the step before."""
    rankings = {"words alone": [each.by_words for each in cases]} if cases[0].case.text else {}
    rankings["+ reading"] = [each.by_reading for each in cases]
    for step, scores in steps.items():
        rankings[step] = [_ranked(scores, each) for each in track(cases, f"{task} {step}")]
    before = None
    for step, ranked in rankings.items():
        found = quality(ranked, [each.case.relevant for each in cases])
        for metric, values in found.items():
            interval = before and bootstrap_interval(before[metric], values)
            results.add(task, step, metric, values.mean(), n=len(cases), interval=interval or None)
        if not step.startswith("…"):
            before = found


@torch.no_grad()
def _ranked(scores: Scores, measured: Measured) -> list[str]:
    """The articles, best first; none if the right one was not found."""
    if measured.shown is None:
        return []
    order = scores(measured.shown).argsort(descending=True, stable=True).tolist()
    return [ours.article_path(measured.shown.matches.articles[row]) for row in order]


def _steps(products: Sequence[Product]) -> dict[str, Scores]:
    """What is learned from `products`, step by step."""
    learned = [[each.shown for each in product.cases if each.shown] for product in products]
    pictures = [
        torch.cat(part) for part in zip(*(each.emphasised for each in products), strict=True)
    ]
    components = _components(torch.cat([shown.regions for own in learned for shown in own]))

    def with_regions(shown: Shown) -> Tensor:
        return torch.cat([shown.features, components(shown.regions)], 1)

    steps: dict[str, Scores] = {"+ matches": _linear(LineWeights(), ArticleScorer(), _first(0))}
    for step, columns in (("+ training", 0), ("+ layout", PLACE), ("+ pixels", FEATURES)):
        model = _train(LineWeights(), learned, _first(columns))
        steps[step] = _linear(*model, _first(columns))
    steps["+ emphasis"] = _linear(
        *_train(LineWeights(), learned, _first(FEATURES), pictures), _first(FEATURES)
    )
    steps["… + regions"] = _linear(
        *_train(RegionWeights(COMPONENTS), learned, with_regions, pictures), with_regions
    )
    steps["… + attention"] = _attention(learned, pictures)
    return steps


def _first(columns: int) -> Callable[[Shown], Tensor]:
    """The first of the lines' features; the others are 0 for every line, which says nothing."""

    def features(shown: Shown) -> Tensor:
        kept = shown.features.clone()
        kept[:, columns:] = 0
        return kept  # [lines, 24]

    return features


def _linear(
    lines: LineWeights, articles: ArticleScorer, features: Callable[[Shown], Tensor]
) -> Scores:
    return lambda shown: articles(lines(features(shown)), shown.matches)


def _train(
    lines: LineWeights,
    learned: Sequence[Sequence[Shown]],
    features: Callable[[Shown], Tensor],
    pictures: Sequence[Tensor] = (),
) -> tuple[LineWeights, ArticleScorer]:
    """As the package's weights are made; without `pictures`, emphasis is not learned first."""
    articles = ArticleScorer()
    if pictures:
        training.fit_emphasis(lines, *pictures)
    else:
        seen = torch.cat([features(shown)[:, :FEATURES] for own in learned for shown in own])
        lines.mean.copy_(seen.mean(0))
        lines.deviation.copy_(seen.std(0) + 1e-4)
    examples = [
        [Example(features(shown), shown.matches, shown.target) for shown in own] for own in learned
    ]
    training.fit_ranking(lines, articles, examples)
    return lines, articles


def _components(seen: Tensor) -> Callable[[Tensor], Tensor]:
    """The principal components of regions' features [lines, channels], as a function of some."""
    mean, deviation = seen.mean(0), seen.std(0) + 1e-3
    torch.manual_seed(0)
    standard = ((seen - mean) / deviation).clamp(-4, 4)
    *_, directions = torch.pca_lowrank(standard, COMPONENTS, niter=4)  # [channels, components]
    spread = (standard @ directions).std(0)

    def components(regions: Tensor) -> Tensor:
        standard = ((regions - mean) / deviation).clamp(-4, 4)
        return (standard @ directions / spread).clamp(-4, 4) / 2  # [lines, components]

    return components


def _attention(learned: Sequence[Sequence[Shown]], pictures: Sequence[Tensor]) -> Scores:
    """The mean of rankers that differ in seed, and in the fifth of the articles that says when to
    stop."""
    names = sorted({shown.article for own in learned for shown in own})
    rankers = []
    for seed in range(SEEDS):
        order = np.random.default_rng(seed).permutation(names)
        held_out = set(order[: max(1, len(names) // 5)])
        kept = [[shown for shown in own if shown.article not in held_out] for own in learned]
        model = _train(LineWeights(), kept, _first(FEATURES), pictures)
        torch.manual_seed(seed)
        ranker = AttentiveRanker(*model, ScreenAttention(0))
        validation = [shown for own in learned for shown in own if shown.article in held_out]
        attention.fit(ranker, [shown for own in kept for shown in own], validation, seed=seed)
        rankers.append(ranker)

    def scores(shown: Shown) -> Tensor:
        return torch.stack([ranker(shown)[0].softmax(0) for ranker in rankers]).mean(0)

    return scores


def _product(name: str, reader: ours.RememberingReader) -> Product:
    """Reads, encodes and matches a product's cases; looks at its pictures."""
    articles, pairs = data.screens(name)
    tower = EfficientNetLite0()
    vectors: dict[str, Tensor] = {}
    cases = []
    with ours.indexed_desk(articles) as desk:
        for words, case in track(pairs, f"{name}: matching"):
            content = case.screenshots[0].read_bytes()
            screen = reader.read(content)
            pixels, _ = decode(content)
            seen, _ = regions(tower, pixels, [line.box for line in screen.lines])
            texts = torch.from_numpy(desk.encoder.encode_texts([li.text for li in screen.lines]))
            for text in dict.fromkeys(("", words)):
                asked = replace(case, text=text)
                cases.append(_measured(desk, asked, screen, seen, texts, vectors))
    learns = any(name in learned for learned in LEARNED.values())
    emphasised = train_screens._pictures(name, reader) if learns else (torch.zeros(0),) * 2
    return Product(cases, emphasised)


def _measured(
    desk: Desk,
    case: Case,
    screen: Screen,
    seen: Tensor,
    texts: Tensor,
    vectors: dict[str, Tensor],
) -> Measured:
    """`seen` [lines, 992] and `texts` [lines, 384] are of the screen's lines; `vectors` remembers
    passages'."""
    allowed = Filter("internal")
    by_words = _found(desk.retriever.search(desk.encoder.encode(case.text), allowed, limit=None))
    encoding = desk.encoder.encode(case.text, [screen])
    hits = desk.retriever.candidates(encoding, allowed, None)
    by_reading = _found(hits)
    right = next(iter(case.relevant))
    if not screen.lines or right not in by_reading:
        return Measured(case, by_words, by_reading, None)
    unknown = [hit.passage for hit in hits if hit.passage.id not in vectors]
    made = torch.from_numpy(desk.encoder.encode_texts([embedded_text(each) for each in unknown]))
    vectors.update(zip([each.id for each in unknown], made, strict=True))
    matches = desk.retriever.matches(encoding, hits, allowed)
    shown = Shown(
        article=right,
        features=fusion.features(screen),
        regions=seen,
        lines=texts,
        query=torch.from_numpy(encoding.vector),
        passages=torch.stack([vectors[hit.passage.id] for hit in hits]),
        matches=matches,
        target=matches.articles.index(f"{ours.SOURCE}/{right}"),
    )
    return Measured(case, by_words, by_reading, shown)


def _found(hits: Sequence[Hit]) -> list[str]:
    return list(dict.fromkeys(ours.article_path(hit.passage.article_id) for hit in hits))


if __name__ == "__main__":
    main()
