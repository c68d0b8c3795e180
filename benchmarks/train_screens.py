"""Trains the weights that the package brings (`assistant/model/screens.safetensors`) on the
screenshots of Mattermost's and Chatwoot's documentation: `make train`.

Before the weights are written, it says how they would do on a product that they did not see:
learned on one, measured on the other. Plausible's screenshots, on which the benchmarks report, are
not touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from safetensors.torch import save_file

from assistant import Desk, training
from assistant.knowledge.lexical import Filter
from assistant.knowledge.scorer import PARTS, ArticleScorer
from assistant.messages import Box, Screen
from assistant.model import fusion
from assistant.model.fusion import LineWeights
from assistant.model.screenshot import decode
from assistant.model.vision import looks, reduced
from assistant.training import Example
from benchmarks import data, ours

PRODUCTS = ("mattermost", "chatwoot")
VARIANTS = 6
"""How often each picture is emphasised anew."""

WEIGHTS = Path(fusion.__file__).with_name("screens.safetensors")


@dataclass(frozen=True)
class Cases:
    """A product's screenshots whose article was among those found, and how many others there are:
    nothing can be learned from these, but they count as failures."""

    examples: Sequence[Example]
    missed: int


def main() -> None:
    reader = ours.RememberingReader()
    pictures = {product: _pictures(product, reader) for product in PRODUCTS}
    cases = {product: _cases(product, reader) for product in PRODUCTS}
    for learned, measured in (PRODUCTS, PRODUCTS[::-1]):
        model = _train([pictures[learned]], [cases[learned].examples])
        print(f"learned on {learned}, measured on {measured}:", _told(model, cases[measured]))
    lines, articles = _train(list(pictures.values()), [own.examples for own in cases.values()])
    for product in PRODUCTS:
        print(f"learned on both, measured on {product}:", _told((lines, articles), cases[product]))
    for name, weight in zip(PARTS, articles.weights.tolist(), strict=True):
        print(f"  {weight:6.2f}  {name}")
    state = {f"lines.{name}": value for name, value in lines.state_dict().items()}
    state |= {f"articles.{name}": value for name, value in articles.state_dict().items()}
    save_file(state, WEIGHTS)
    print(f"{WEIGHTS}: {WEIGHTS.stat().st_size / 1000:.0f} kB")


def _train(
    pictures: Sequence[tuple[torch.Tensor, torch.Tensor]], examples: Sequence[Sequence[Example]]
) -> tuple[LineWeights, ArticleScorer]:
    torch.manual_seed(0)
    lines, articles = LineWeights(), ArticleScorer()
    features, emphasised = (torch.cat(part) for part in zip(*pictures, strict=True))
    training.fit_emphasis(lines, features, emphasised)
    training.fit_ranking(lines, articles, examples)
    return lines, articles


def _told(model: tuple[LineWeights, ArticleScorer], cases: Cases) -> str:
    found = training.measure(*model, cases.examples, cases.missed)
    total = len(cases.examples) + cases.missed
    return f"hit@1 {found.hit_at_1:.3f}, hit@5 {found.hit_at_5:.3f} of {total}"


def _pictures(product: str, reader: ours.RememberingReader) -> tuple[torch.Tensor, torch.Tensor]:
    """Features [lines, 24] of the lines of emphasised pictures, and which lines are emphasised."""
    random = np.random.default_rng(0)
    features, emphasised = [], []
    _, pairs = data.screens(product)
    for _, case in track(pairs, f"{product}: emphasising"):
        content = case.screenshots[0].read_bytes()
        screen = reader.read(content)
        if len(screen.lines) < 3:
            continue
        pixels, screen = _reduced(decode(content)[0], screen)
        boxes = [line.box for line in screen.lines]
        for _ in range(VARIANTS):
            changed, inside = training.emphasise(pixels, boxes, random)
            seen = looks(changed, boxes)
            lines = [
                replace(line, look=tuple(look.tolist()))
                for line, look in zip(screen.lines, seen, strict=True)
            ]
            features.append(fusion.features(replace(screen, lines=tuple(lines))))
            emphasised.append(torch.from_numpy(inside).float())
    return torch.cat(features), torch.cat(emphasised)


def _reduced(pixels: NDArray[np.uint8], screen: Screen) -> tuple[NDArray[np.uint8], Screen]:
    """A picture no wider than what is looked at, so that changing it is quick."""
    smaller, scale = reduced(pixels)
    lines = tuple(
        replace(
            line,
            box=Box(*(scale * side for side in vars(line.box).values())),
            height_px=line.height_px * scale,
        )
        for line in screen.lines
    )
    return smaller, Screen(lines, smaller.shape[1], smaller.shape[0])


def _cases(product: str, reader: ours.RememberingReader) -> Cases:
    """Each screenshot alone, and with its author's words where there are some."""
    articles, pairs = data.screens(product)
    examples: list[Example | None] = []
    with ours.indexed_desk(articles) as desk:
        for words, case in track(pairs, f"{product}: matching"):
            screen = reader.read(case.screenshots[0].read_bytes())
            article = f"{ours.SOURCE}/{next(iter(case.relevant))}"
            for text in ("", words) if words else ("",):
                examples.append(_example(desk, text, screen, article))
    found = [example for example in examples if example]
    return Cases(found, len(examples) - len(found))


def _example(desk: Desk, text: str, screen: Screen, article: str) -> Example | None:
    encoding = desk.encoder.encode(text, [screen])
    allowed = Filter("internal")
    hits = desk.retriever.candidates(encoding, allowed, None)
    matches = desk.retriever.matches(encoding, hits, allowed) if encoding.lines else None
    if matches is None or article not in matches.articles:
        return None
    return Example(fusion.features(screen), matches, matches.articles.index(article))


if __name__ == "__main__":
    main()
