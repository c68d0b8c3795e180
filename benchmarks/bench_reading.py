"""How fast is a screenshot read, and is as much read in it? Deskmate's reader and RapidOCR with its
defaults, both from the file's bytes, with all cores, picture by picture and in turn.

`plausible` and `chatwoot` are screenshots of two help centres (of Chatwoot's every third),
`20,000 px tall` is a page made of Plausible's, 1,280 pixels wide, read three times. hit@k is how
often the article that shows a screenshot is among the first k that bm25s finds with the words that
were read, and nothing else. `same characters` says how well the two readings agree: the F1 measure
over the runs of three characters in their lines. `processor ms p50` adds up the time on all cores;
`max / p50` compares the slowest picture with the median of the task, for the tall page with
Plausible's. `peak MB` is the memory of a process that reads the task's five largest pictures and
does nothing else.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from assistant.model.screenshot import ScreenReader
from benchmarks import data
from benchmarks.data import Case
from benchmarks.peers import BM25
from benchmarks.ranking import Run, compare
from benchmarks.results import Results

Read = Callable[[bytes], list[str]]
"""The lines in an image file's bytes."""

TALL = "20,000 px tall"
TALL_SIZE = (1_280, 20_000)
LARGEST = 5


@dataclass
class Readings:
    """What one system read in each picture, and how long it took."""

    lines: list[list[str]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)
    processor_milliseconds: list[float] = field(default_factory=list)


def main() -> None:
    results = Results("reading", ["rapidocr", "onnxruntime", "bm25s"])
    articles, pairs = data.screens("plausible")
    cases = [case for _, case in pairs]
    readers = {name: make() for name, make in READERS.items()}
    for read in readers.values():
        read(cases[0].screenshots[0].read_bytes())
    median = _measure(results, "plausible", readers, BM25(*_texts(articles)), cases)
    articles, pairs = data.screens("chatwoot")
    _measure(
        results, "chatwoot", readers, BM25(*_texts(articles)), [case for _, case in pairs[::3]]
    )
    page = tall_page([case.screenshots[0].read_bytes() for case in cases])
    found = read_in_turn(TALL, readers, [page] * 3)
    for system, readings in found.items():
        results.add(TALL, system, "ms p50", float(np.median(readings.milliseconds)))
        _add_costs(results, TALL, system, readings, median[system], [page])
    results.publish()


def deskmate() -> Read:
    """Deskmate's reader with all cores."""
    reader = ScreenReader(threads=len(os.sched_getaffinity(0)))
    return lambda content: [line.text for line in reader.read(content).lines]


def rapidocr() -> Read:
    """RapidOCR with its defaults, which take all cores."""
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "error"})
    return lambda content: list(engine(content).txts or ())


READERS: dict[str, Callable[[], Read]] = {"deskmate": deskmate, "rapidocr": rapidocr}


def read_in_turn(
    task: str, readers: dict[str, Read], pictures: Sequence[bytes]
) -> dict[str, Readings]:
    """Each picture is read by every reader before the next one is; who begins changes."""
    found = {system: Readings() for system in readers}
    for number, content in enumerate(track(pictures, task)):
        order = list(readers) if number % 2 else list(readers)[::-1]
        for system in order:
            start, processor = time.perf_counter(), time.process_time()
            found[system].lines.append(readers[system](content))
            spent = time.process_time() - processor
            found[system].milliseconds.append((time.perf_counter() - start) * 1_000)
            found[system].processor_milliseconds.append(spent * 1_000)
    return found


def agreement(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """F1 of two readings' runs of three characters; lines may come in any order."""
    first, second = _runs(ours), _runs(theirs)
    total = first.total() + second.total()
    return 2 * (first & second).total() / total if total else 1.0


def tall_page(pictures: Sequence[bytes]) -> bytes:
    """A PNG of TALL_SIZE: pictures below each other, each as wide as the page."""
    page = Image.new("RGB", TALL_SIZE, "white")
    top = 0
    for content in pictures:
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        height = round(picture.height * page.width / picture.width)
        page.paste(picture.resize((page.width, height), Image.Resampling.LANCZOS), (0, top))
        top += height
        if top >= page.height:
            break
    file = io.BytesIO()
    page.save(file, "PNG")
    return file.getvalue()


def _measure(
    results: Results, task: str, readers: dict[str, Read], index: BM25, cases: Sequence[Case]
) -> dict[str, float]:
    """Adds a task's rows; the systems' median milliseconds."""
    pictures = [case.screenshots[0].read_bytes() for case in cases]
    found = read_in_turn(task, readers, pictures)
    runs = {
        system: Run([index.rank("\n".join(each)) for each in got.lines], got.milliseconds)
        for system, got in found.items()
    }
    compare(results, task, cases, runs)
    medians = {}
    for system, readings in found.items():
        medians[system] = float(np.median(readings.milliseconds))
        _add_costs(results, task, system, readings, medians[system], pictures)
        same = [
            agreement(ours, theirs)
            for ours, theirs in zip(readings.lines, found["rapidocr"].lines, strict=True)
        ]
        results.add(task, system, "same characters", float(np.mean(same)))
    return medians


def _add_costs(
    results: Results,
    task: str,
    system: str,
    readings: Readings,
    median: float,
    pictures: Sequence[bytes],
) -> None:
    slowest = max(readings.milliseconds)
    results.add(task, system, "ms p95", float(np.percentile(readings.milliseconds, 95)))
    results.add(task, system, "ms max", slowest)
    results.add(task, system, "max / p50", slowest / median)
    processor = float(np.median(readings.processor_milliseconds))
    results.add(task, system, "processor ms max", max(readings.processor_milliseconds))
    results.add(task, system, "processor ms p50", processor)
    results.add(task, system, "peak MB", _peak_mb(system, pictures))


def _peak_mb(system: str, pictures: Sequence[bytes]) -> float:
    largest = sorted(pictures, key=lambda content: -_pixels(content))[:LARGEST]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return float(pool.apply(_read_alone, (system, largest)))


def _read_alone(system: str, pictures: Sequence[bytes]) -> float:
    read = READERS[system]()
    for content in pictures:
        read(content)
    status = Path("/proc/self/status").read_text("ascii")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024 / 1e6


def _pixels(content: bytes) -> int:
    width, height = Image.open(io.BytesIO(content)).size
    return width * height


def _runs(lines: Sequence[str]) -> Counter[str]:
    """Runs of three characters; a line's ends count as blanks."""
    padded = [f" {line.strip()} " for line in lines]
    return Counter(line[i : i + 3] for line in padded for i in range(len(line) - 2))


def _texts(articles: Path) -> tuple[list[str], list[str]]:
    texts = data.read_texts(articles)
    return list(texts.values()), list(texts)


if __name__ == "__main__":
    main()
