"""Does the explanation name what decided? The lines that it says mattered are taken out of each of
Plausible's screenshots, and what the right article is worth without them is measured.

`probability` is what the scorer gives the right article among those found, `hit@1` the share of
screenshots for which it comes first; `nothing masked` is where all start. Each task takes out the
first 1, 2, 3, 5 or 8 lines of an order; the lower both figures fall, the better the order knows
what decided:

- `deskmate`: what each line added to the right article's score, as `deskmate ask --explain` does.
- `deskmate/occlusion`: how much its log-odds fall when the line alone is left out, which takes a
  run of the scorer for each line.
- `deskmate/line weights`: how much each line counts, whichever article is asked about.
- `largest first`, `rarest words first`: lines by height, and by their rarest word's document
  frequency.
- `random`: the mean of five draws.

What is masked is no longer there for the model: the rest is weighed, encoded and matched anew. The
passages that compete stay those that the whole screenshot found. Screenshots whose article was not
found, or with fewer than 9 lines, are left out. In parentheses stands the interval of the
difference to `deskmate`: above 0 where that falls lower.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track

from assistant import Desk
from assistant.articles import Hit
from assistant.knowledge.explanation import contributions
from assistant.knowledge.indexing import embedded_text
from assistant.knowledge.lexical import Filter
from assistant.knowledge.matching import Candidate, Matches, match
from assistant.knowledge.words import content_words
from assistant.messages import Screen
from benchmarks import data, ours
from benchmarks.metrics import bootstrap_interval
from benchmarks.results import Results

MASKED = (1, 2, 3, 5, 8)
DRAWS = 5
FEWEST_LINES = max(MASKED) + 1

Mask = tuple[int, ...]
"""The rows of the lines that are taken out."""


def main() -> None:
    articles, pairs = data.screens("plausible")
    results = Results("explain")
    found: list[dict[str, NDArray[np.float64]]] = []
    whole: list[NDArray[np.float64]] = []
    with ours.indexed_desk(articles) as desk:
        reader = ours.RememberingReader()
        for number, (_, case) in enumerate(track(pairs, "masking")):
            screen = reader.read(case.screenshots[0].read_bytes())
            article = f"{ours.SOURCE}/{next(iter(case.relevant))}"
            if competition := _competition(desk, screen, article):
                whole.append(competition.judge([()])[0])
                found.append(_masked(competition, seed=number))
        reader.close()
    _publish(results, np.array(whole), found)


@dataclass(frozen=True)
class Competition:
    """A screenshot and the passages that were found for it; `article` is the right one."""

    desk: Desk
    screen: Screen
    article: str
    hits: Sequence[Hit]
    vectors: NDArray[np.float32]  # [hits, dim]
    lengths: dict[str, int]

    def judge(self, masks: Sequence[Mask]) -> NDArray[np.float64]:
        """The right article's probability and whether it comes first [masks, 2]."""
        screens = [self._without(mask) for mask in masks]
        vectors = self.desk.encoder.encode_texts([screen.text for screen in screens])
        judged = []
        for screen, vector in zip(screens, vectors, strict=True):
            weights = torch.tensor(self.desk.encoder.lines.weigh([screen]))
            matches = self._matches(screen, vector)
            row = matches.articles.index(self.article)
            with torch.inference_mode():
                probabilities = self.desk.retriever.scorer(weights, matches).softmax(0)
            judged.append((float(probabilities[row]), float(probabilities.argmax() == row)))
        return np.array(judged)

    def occlusion(self) -> NDArray[np.float64]:
        """How much the right article's log-odds fall without each line [lines], if what the whole
        screenshot means stays."""
        everything = self._logit(self.screen)
        lines = range(len(self.screen.lines))
        return np.array([everything - self._logit(self._without((line,))) for line in lines])

    def contributions(self) -> NDArray[np.float64]:
        """What each line added to the right article's score [lines]."""
        encoding = self.desk.encoder.encode("", [self.screen])
        matches = self._matches(self.screen, encoding.vector)
        row = matches.articles.index(self.article)
        weights = torch.tensor(encoding.weights)
        _, lines = contributions(self.desk.retriever.scorer, weights, matches, row)
        return lines.double().numpy()

    def _logit(self, screen: Screen) -> float:
        weights = torch.tensor(self.desk.encoder.lines.weigh([screen]))
        matches = self._matches(screen, None)
        with torch.inference_mode():
            scores = self.desk.retriever.scorer(weights, matches)
        row = matches.articles.index(self.article)
        others = torch.cat([scores[:row], scores[row + 1 :]])
        return float(scores[row] - others.logsumexp(0))

    def _without(self, mask: Mask) -> Screen:
        kept = (line for row, line in enumerate(self.screen.lines) if row not in mask)
        return replace(self.screen, lines=tuple(kept))

    def _matches(self, screen: Screen, vector: NDArray[np.float32] | None) -> Matches:
        cosines = [hit.similarity for hit in self.hits] if vector is None else self.vectors @ vector
        return match(
            [line.text for line in screen.lines],
            "",
            [
                Candidate(hit.passage, float(cosine), 0.0)
                for hit, cosine in zip(self.hits, cosines, strict=True)
            ],
            self.lengths,
            self.desk.lexical.rarity,
            self.desk.lexical.marked,
        )


def _competition(desk: Desk, screen: Screen, article: str) -> Competition | None:
    if len(screen.lines) < FEWEST_LINES:
        return None
    hits = desk.retriever.candidates(desk.encoder.encode("", [screen]), Filter("internal"), None)
    articles = list({hit.passage.article_id for hit in hits})
    if article not in articles:
        return None
    vectors = _vectors(desk, hits)
    return Competition(desk, screen, article, hits, vectors, desk.lexical.lengths(articles))


_known: dict[str, NDArray[np.float32]] = {}


def _vectors(desk: Desk, hits: Sequence[Hit]) -> NDArray[np.float32]:
    """The vectors [hits, dim] of the passages, each encoded once."""
    new = [hit.passage for hit in hits if hit.passage.id not in _known]
    encoded = desk.encoder.encode_texts([embedded_text(passage) for passage in new])
    _known.update(zip((passage.id for passage in new), encoded, strict=True))
    return np.stack([_known[hit.passage.id] for hit in hits])


def _masked(case: Competition, *, seed: int) -> dict[str, NDArray[np.float64]]:
    """For each order of the lines, probability and hit@1 without its first ones [masked, 2]."""
    random = np.random.default_rng(seed)
    count = len(case.screen.lines)
    orders = {
        "deskmate": np.argsort(-case.contributions(), kind="stable"),
        "deskmate/occlusion": np.argsort(-case.occlusion(), kind="stable"),
        **{name: np.argsort(-np.array(key(case)), kind="stable") for name, key in BY.items()},
        **{f"random {draw}": random.permutation(count) for draw in range(DRAWS)},
    }
    masks = [tuple(sorted(order[:k].tolist())) for order in orders.values() for k in MASKED]
    distinct = list(dict.fromkeys(masks))
    judged = dict(zip(distinct, case.judge(distinct), strict=True))
    values = np.array([judged[mask] for mask in masks]).reshape(len(orders), len(MASKED), 2)
    own = dict(zip(orders, values, strict=True))
    drawn = [own.pop(f"random {draw}") for draw in range(DRAWS)]
    return own | {"random": np.mean(drawn, axis=0)}


def _rarest_word(case: Competition) -> list[float]:
    words = [list(content_words(line.text).values()) for line in case.screen.lines]
    rarity = case.desk.lexical.rarity([word.lower() for own in words for word in own])
    return [max((rarity[word.lower()] for word in own), default=0.0) for own in words]


BY: dict[str, Callable[[Competition], Sequence[float]]] = {
    "deskmate/line weights": lambda case: case.desk.encoder.lines.weigh([case.screen]),
    "largest first": lambda case: [line.height_px for line in case.screen.lines],
    "rarest words first": _rarest_word,
}


def _publish(
    results: Results, whole: NDArray[np.float64], found: Sequence[dict[str, NDArray[np.float64]]]
) -> None:
    for column, metric in enumerate(("probability", "hit@1")):
        task = f"masked/{metric}"
        results.add(task, "nothing masked", "0 lines", whole[:, column].mean(), n=len(whole))
        for system in found[0]:
            for at, k in enumerate(MASKED):
                values, own = (
                    np.array([case[name][at, column] for case in found])
                    for name in (system, "deskmate")
                )
                interval = None if system == "deskmate" else bootstrap_interval(own, values)
                mean, metric_name = values.mean(), f"{k} line{'s'[: k > 1]}"
                results.add(task, system, metric_name, mean, n=len(found), interval=interval)
    results.publish()


if __name__ == "__main__":
    main()
