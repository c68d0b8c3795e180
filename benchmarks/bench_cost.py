"""What does each part cost, and would the text tower cost less in another form?

`parts`: each part of a message's way alone, one after the other, on screenshots of Plausible's help
centre and the words that their authors put beside them; `ms p50` and `ms p95` by the clock.
`reading` includes `looks`. `memory`: by how much the process grew when a part was loaded and first
used; `imports` are Python's and PyTorch's own.

`text tower`: one thread, TechQA's documents in passages of up to 256 tokens, and its questions one
at a time. `ms a passage` and `ms a question` are of the processor's time, which other work on the
machine disturbs least; the variants take turns, and what stands here is the median. `least cosine`
is that of the passage whose vector moved most from float32's; `techqa hit@k` ranks documents by
their nearest passage alone. `deskmate` is what Deskmate uses on this machine: bfloat16 where the
processor has it, else float32, in batches of about 1,000 tokens; `…, batches of 4,096` is the same
in larger ones. Static int8 is SmoothQuant by nncf.

`text tower/AVX2` imitates a processor without AVX-512, int8 and bfloat16 instructions for torch,
MKL and oneDNN (ONNX Runtime cannot be told to), on 48 passages.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from benchmarks import data
from benchmarks.results import Results

AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
SCREENSHOTS = 16
CHUNK = 24
QUESTIONS_TIMED = 48
LARGE_BATCH = 4_096


def main() -> None:
    results = Results("cost", ["torch", "onnxruntime", "openvino", "nncf", "chromadb", "rapidocr"])
    for name, megabytes in _in_own_process("memory").items():
        results.add("memory", name, "MB", megabytes)
    for name, milliseconds in _in_own_process("parts").items():
        for metric, share in (("ms p50", 50), ("ms p95", 95)):
            value = float(np.percentile(milliseconds, share))
            results.add("parts", name, metric, value, n=len(milliseconds))
    for task, environment in (("text tower", {}), ("text tower/AVX2", AVX2)):
        for system, figures in _in_own_process("towers", environment).items():
            for metric, value in figures.items():
                results.add(task, system, metric, value)
    results.publish()


def _in_own_process(what: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.bench_cost", what]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | (environment or {})
    )
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


# ── Memory ─────────────────────────────────────────────────────────────────────────────────────


def memory() -> dict[str, float]:
    """By how many megabytes the process grows with each part."""
    content = _screenshots()[0][1]
    articles = data.folder("screens/plausible") / "articles"
    before, grown = _resident_mb(), {}

    def note(name: str) -> None:
        nonlocal before
        now = _resident_mb()
        grown[name], before = now - before, now

    import torch
    import transformers  # noqa: F401 - for its size

    from assistant.model import weights
    from assistant.model.fusion import LineWeights
    from assistant.model.screenshot import ScreenReader
    from assistant.model.text import TextTower
    from benchmarks import ours

    note("imports")
    tower = TextTower(weights.find("all-MiniLM-L6-v2"))
    tower.encode(["How do I change a setting?"])
    note("text tower")
    ScreenReader(threads=torch.get_num_threads()).read(content)
    note("reading")
    LineWeights.trained()
    note("line weights")
    with ours.indexed_desk(articles) as desk:
        del tower
        desk.ask("How do I change a setting?")
        note("index, search and composing")
    return grown


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


# ── Parts ──────────────────────────────────────────────────────────────────────────────────────


def _screenshots() -> list[tuple[str, bytes]]:
    """Plausible's screenshots, evenly chosen, each with its author's words."""
    _, pairs = data.screens("plausible")
    worded = [(words, case.screenshots[0].read_bytes()) for words, case in pairs if words]
    return [worded[i] for i in np.linspace(0, len(worded) - 1, SCREENSHOTS).astype(int)]


@dataclass
class Clock:
    """Milliseconds of each part."""

    milliseconds: dict[str, list[float]] = field(default_factory=dict)

    def __call__(self, name: str, call: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = call()
        took = (time.perf_counter() - start) * 1_000
        self.milliseconds.setdefault(name, []).append(took)
        return result


def parts() -> dict[str, list[float]]:
    """The milliseconds that each part took for each screenshot."""
    from benchmarks import ours

    articles = data.folder("screens/plausible") / "articles"
    with ours.indexed_desk(articles) as desk:
        first, *_ = _screenshots()
        _take(desk, *first, Clock())  # the first ones open tables and grow buffers
        clock = Clock()
        for words, content in track(_screenshots(), "parts", console=_console()):
            _take(desk, words, content, clock)
    return clock.milliseconds


def _take(desk: Any, words: str, content: bytes, clock: Clock) -> None:
    import torch

    from assistant.answering import grounding
    from assistant.answering.question import Question
    from assistant.knowledge.explanation import contributions
    from assistant.knowledge.lexical import Filter
    from assistant.knowledge.retriever import CANDIDATES
    from assistant.model.screenshot import decode
    from assistant.model.vision import looks

    encoder, retriever, allowed = desk.encoder, desk.retriever, Filter()
    screen = clock("reading", lambda: encoder.reader.read(content))
    pixels, _ = decode(content)
    clock("looks", lambda: looks(pixels, [line.box for line in screen.lines]))
    clock("line weights", lambda: encoder.lines.weigh([screen]))
    clock("text tower, a question", lambda: encoder.encode_texts([words]))
    clock("text tower, a screenshot's text", lambda: encoder.encode_texts([screen.text]))
    clock("text tower, 16 passages", lambda: encoder.encode_texts([screen.text[:700]] * 16))
    encoding = encoder.encode(words, [screen])
    labels = [line.text for line in screen.lines]
    clock("Chroma", lambda: desk.store.search(encoding.vector, allowed, limit=CANDIDATES))
    for name, search in (
        ("BM25, passages", desk.lexical.search_passages),
        ("BM25, articles", desk.lexical.search_articles),
    ):
        clock(
            name,
            lambda search=search: search(encoding.text, allowed, labels=labels, limit=CANDIDATES),
        )
    hits = retriever.candidates(encoding, allowed, None)
    matches = clock("matching", lambda: retriever.matches(encoding, hits, allowed))
    weights = torch.tensor(encoding.weights)
    with torch.inference_mode():
        clock("scoring", lambda: retriever.scorer(weights, matches))
    clock("explaining", lambda: contributions(retriever.scorer, weights, matches, 0))
    found = tuple(retriever.search(encoding, allowed, limit=5))
    answer = clock("composing", lambda: desk.generator.invoke(Question(words, encoding, found)))
    clock("grounding", lambda: grounding.check(answer))


# ── The text tower ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Corpus:
    """TechQA's passages with their documents' names, and its questions with the right ones."""

    passages: list[str]
    documents: list[str]
    questions: list[str]
    relevant: list[frozenset[str]]


def towers() -> dict[str, dict[str, float]]:
    """Time, cosine and quality of each variant of the text tower."""
    from benchmarks import towers as made

    imitated = "ONEDNN_MAX_CPU_ISA" in os.environ
    corpus = _corpus()
    calibration = [batch for _, batch in _batches(corpus.passages[: made.CALIBRATION], 1)]
    kept = corpus.passages[-2 * CHUNK :] if imitated else corpus.passages
    questions = corpus.questions[:QUESTIONS_TIMED] if imitated else corpus.questions
    with tempfile.TemporaryDirectory(prefix="deskmate-bench-") as folder:
        runs = dict(made.variants(Path(folder), calibration, threads=1))
        if imitated:
            runs = {name: run for name, run in runs.items() if "onnxruntime" not in name}
        return _compared(runs, kept, questions, None if imitated else corpus)


def _compared(
    runs: Mapping[str, Any],
    passages: Sequence[str],
    questions: Sequence[str],
    corpus: Corpus | None,
) -> dict[str, dict[str, float]]:
    from assistant.model.text import TOKENS_PER_BATCH

    own = "torch bf16" if "torch bf16" in runs else "torch fp32"
    systems = {
        f"deskmate ({own})": (runs[own], TOKENS_PER_BATCH),
        f"{own}, batches of {LARGE_BATCH:,}": (runs[own], LARGE_BATCH),
        **{name: (run, TOKENS_PER_BATCH) for name, run in runs.items() if name != own},
    }
    vectors: dict[str, list[NDArray[np.float32]]] = {system: [] for system in systems}
    asked: dict[str, list[NDArray[np.float32]]] = {system: [] for system in systems}
    by_passage: dict[str, list[float]] = {system: [] for system in systems}
    by_question: dict[str, list[float]] = {system: [] for system in systems}
    for run, tokens in systems.values():
        for _, batch in _batches(passages[:4], tokens):
            run(batch)
    for start in track(range(0, len(passages), CHUNK), "passages", console=_console()):
        chunk = passages[start : start + CHUNK]
        for system, (run, tokens) in systems.items():
            encoded, milliseconds = _encode(run, chunk, tokens)
            vectors[system].append(encoded)
            by_passage[system].append(milliseconds / len(chunk))
    for question in track(questions, "questions", console=_console()):
        for system, (run, tokens) in systems.items():
            encoded, milliseconds = _encode(run, [question], tokens)
            asked[system].append(encoded)
            by_question[system].append(milliseconds)
    exact = np.concatenate(vectors["torch fp32" if own != "torch fp32" else next(iter(systems))])
    figures = {}
    for system in systems:
        encoded = np.concatenate(vectors[system])
        figures[system] = {
            "ms a passage": float(np.median(by_passage[system])),
            "ms a question": float(np.median(by_question[system])),
            "least cosine": float((encoded * exact).sum(1).min()),
        }
        if corpus:
            figures[system] |= _quality(corpus, encoded, np.concatenate(asked[system]))
    return figures


def _encode(run: Any, texts: Sequence[str], tokens: int) -> tuple[NDArray[np.float32], float]:
    """The vectors [texts, dim] and the milliseconds of the processor's time."""
    batches = list(_batches(texts, tokens))
    start = time.process_time()
    found = [run(batch) for _, batch in batches]
    milliseconds = (time.process_time() - start) * 1_000
    rows = [row for own, _ in batches for row in own]
    vectors = np.empty((len(texts), found[0].shape[1]), np.float32)
    vectors[rows] = np.concatenate(found)
    return vectors, milliseconds


def _batches(texts: Sequence[str], tokens: int) -> Iterator[tuple[list[int], Any]]:
    """Batches as `TextTower.encode_batches` makes them."""
    from assistant.model.text import batches

    tokenizer = _tokenizer()
    ids = tokenizer(list(texts), truncation=True, max_length=256)["input_ids"]
    return batches(ids, 256, tokens)


_loaded: list[Any] = []


def _tokenizer() -> Any:
    if not _loaded:
        from transformers import AutoTokenizer

        from assistant.model import weights

        _loaded.append(AutoTokenizer.from_pretrained(weights.find("all-MiniLM-L6-v2").folder))
    return _loaded[0]


def _corpus() -> Corpus:
    from assistant.articles import Article, Section
    from assistant.knowledge.indexing import embedded_text
    from assistant.knowledge.passages import split

    documents, cases = data.techqa()
    answerable = [case for case in cases if case.relevant]
    passages, names = [], []
    for name, text in documents.items():
        for passage in split(Article(name, name, (Section((name,), text),))):
            passages.append(embedded_text(passage))
            names.append(name)
    return Corpus(
        passages, names, [case.text for case in answerable], [case.relevant for case in answerable]
    )


def _quality(
    corpus: Corpus, passages: NDArray[np.float32], questions: NDArray[np.float32]
) -> dict[str, float]:
    """hit@1 and hit@5 of documents, each as near as its nearest passage."""
    from benchmarks.metrics import quality

    ranked = []
    for cosines in questions @ passages.T:  # [passages]
        order = np.argsort(-cosines)
        ranked.append(list(dict.fromkeys(corpus.documents[row] for row in order))[:10])
    found = quality(ranked, corpus.relevant)
    return {f"techqa {metric}": float(found[metric].mean()) for metric in ("hit@1", "hit@5")}


def _console() -> Any:
    from rich.console import Console

    return Console(stderr=True)


MEASURES: Mapping[str, Callable[[], Mapping[str, Any]]] = {
    "memory": memory,
    "parts": parts,
    "towers": towers,
}

if __name__ == "__main__":
    if len(sys.argv) == 2:
        print(json.dumps(MEASURES[sys.argv[1]]()))
    else:
        main()
