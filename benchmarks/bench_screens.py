"""Which article is a screenshot about? 154 screenshots of Plausible's help centre, each shown in
exactly one of its 126 articles, are to find that article.

- `plausible/screenshot`: the screenshot alone.
- `plausible/text+screenshot`: with the alternative text that the article's author gave it, as a
  customer's words.
- `plausible/text`: those words alone.

Every system gets the same recognised text, read by Deskmate's reader, so that ranking is compared
and not recognition. `bm25` is bm25s over whole articles, `bm25/chunks` over chunks of 180 words
that overlap by 40, `minilm` is all-MiniLM-L6-v2 in sentence-transformers over the same chunks,
`rrf` fuses the three (k = 20). Deskmate takes the path of `deskmate rank`.

`ms p50 beside reading` is the time to rank once the text is read. Deskmate's `ms p50` includes
reading, and `reading ms p50` is the part of it: both are measured on a fixed sample of 20 pictures,
without any memory of earlier readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from rich.progress import track

from assistant import Desk
from benchmarks import data, ours
from benchmarks.data import Case
from benchmarks.peers import Plain
from benchmarks.ranking import Run, compare, run, run_text
from benchmarks.results import Results

SAMPLE = 20


def main() -> None:
    articles, pairs = data.screens("plausible")
    texts = [replace(case, text=words, screenshots=()) for words, case in pairs if words]
    tasks = {
        "plausible/screenshot": [case for _, case in pairs],
        "plausible/text+screenshot": [replace(case, text=words) for words, case in pairs],
    }
    results = Results("screens", ["bm25s", "sentence-transformers", "rapidocr"])
    plain = Plain(data.read_texts(articles))
    with ours.indexed_desk(articles) as desk:
        reader = ours.RememberingReader()
        for task, cases in tasks.items():
            desk.encoder.reader = reader
            recognised = [_recognised(reader, case) for case in track(cases, task)]
            runs = {"deskmate": run(partial(ours.rank, desk), cases)}
            runs |= _run_plain(plain, recognised)
            compare(results, task, cases, runs, time_metric="ms p50 beside reading")
            _time_with_reading(results, desk, task, cases)
        reader.close()
        runs = {"deskmate": run(partial(ours.rank, desk), texts), **_run_plain(plain, texts)}
        compare(results, "plausible/text", texts, runs)
    results.publish()


def _recognised(reader: ours.RememberingReader, case: Case) -> Case:
    """The case as a text: the words, then what is read in its screenshots."""
    screens = [reader.read(Path(path).read_bytes()).text for path in case.screenshots]
    return replace(case, text="\n".join(part for part in (case.text, *screens) if part))


def _run_plain(plain: Plain, cases: Sequence[Case]) -> dict[str, Run]:
    return {name: run_text(rank, cases) for name, rank in plain.ranks().items()}


def _time_with_reading(results: Results, desk: Desk, task: str, cases: Sequence[Case]) -> None:
    timed = desk.encoder.reader = ours.TimedReader()
    timed.warm_up()
    sample = [cases[i] for i in np.linspace(0, len(cases) - 1, SAMPLE).astype(int)]
    rankings = [
        desk.rank(case.text, case.screenshots).milliseconds
        for case in track(sample, f"timing {task}")
    ]
    results.add(task, "deskmate", "ms p50", float(np.median(rankings)), n=SAMPLE)
    results.add(task, "deskmate", "reading ms p50", float(np.median(timed.milliseconds)), n=SAMPLE)


if __name__ == "__main__":
    main()
