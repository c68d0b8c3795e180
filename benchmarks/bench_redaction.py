"""How much of what is private is taken out of messages, in text and in screenshots, and how much
else? Deskmate's redaction, and presidio's analyzer with its defaults.

The messages are made up (`benchmarks/private.py`); half of their lines hold nothing private.
`recall` is the share of values of which nothing is left: no character in text, no character's
pixels on screenshots. `precision` is the share of what was taken out, in characters or in
rectangles, that touches a value of any kind.

Deskmate's kinds are all that it has: those of the default settings, and e-mail, telephone and name.
presidio runs with its predefined recognizers for English, as `AnalyzerEngine()` does, and gets the
lines that Deskmate's reader read; what it finds is covered by the same code. It finds names with a
spaCy model, which is not on the package index: it runs with a blank one and finds none. It has no
recognizer of keys.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from typing import get_args

import numpy as np
from rich.progress import track

from assistant import Box
from assistant.model.screenshot import ScreenReader
from benchmarks import private
from benchmarks.results import Results
from plugins.redaction import covering, misread
from plugins.redaction.finding import find_private
from plugins.redaction.kinds import Find, Kind

TEXTS, SCREENSHOTS, SEED = 1_000, 240, 11
OURS: tuple[Kind, ...] = get_args(Kind)

Finder = Callable[[str], list[Find]]


def main() -> None:
    results = Results("redaction", ["presidio-analyzer", "phonenumbers", "python-stdnum"])
    theirs = presidio()
    in_text: dict[str, Finder] = {
        "deskmate": lambda text: find_private(text, OURS),
        "presidio": theirs,
    }
    on_screen: dict[str, Finder] = {
        "deskmate": lambda text: misread.find_on_screen(text, OURS),
        "presidio": theirs,
    }
    measure_texts(results, in_text)
    measure_screenshots(results, on_screen)
    results.publish()


def presidio() -> Finder:
    """presidio's analyzer with its predefined recognizers and no model of names."""
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    path = tempfile.mkdtemp(prefix="deskmate-blank-en-")
    spacy.blank("en").to_disk(path)
    models = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": path}]}
    engine = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=models).create_engine())

    def find(text: str) -> list[Find]:
        return [Find(r.start, r.end, "key") for r in engine.analyze(text, language="en")]

    return find


def measure_texts(results: Results, finders: dict[str, Finder]) -> None:
    """Adds the rows of what is found in text."""
    messages = list(private.messages(TEXTS, SEED))
    for system, find in finders.items():
        hidden: Counter[str] = Counter()
        total: Counter[str] = Counter()
        right = wrong = 0
        for lines in track(messages, f"text, {system}"):
            text, values = as_text(lines)
            seen = np.zeros(len(text), bool)
            for one in find(text):
                seen[one.start : one.end] = True
            is_value = np.zeros(len(text), bool)
            for kind, start, end in values:
                total[kind] += 1
                hidden[kind] += bool(seen[start:end].all())
                is_value[start:end] = True
            right += int((seen & is_value).sum())
            wrong += int((seen & ~is_value).sum())
        add(results, "text", system, hidden, total, right, wrong)


def as_text(lines: private.Lines) -> tuple[str, list[tuple[str, int, int]]]:
    """The text, and kind, start and end of each value; those of several lines are one."""
    text, values = "", list[tuple[str, int, int]]()
    for row, line in enumerate(lines):
        text += "\n" if row else ""
        for piece in line:
            if piece.goes_on:
                values[-1] = (piece.kind, values[-1][1], len(text) + len(piece.text))
            elif piece.kind:
                values.append((piece.kind, len(text), len(text) + len(piece.text)))
            text += piece.text
    return text, values


def measure_screenshots(results: Results, finders: dict[str, Finder]) -> None:
    """Adds the rows of what is covered on screenshots."""
    reader = ScreenReader(threads=len(os.sched_getaffinity(0)))
    hidden = {system: Counter[str]() for system in finders}
    total: Counter[str] = Counter()
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for number, lines in enumerate(
        track(list(private.messages(SCREENSHOTS, SEED + 1)), "screenshots")
    ):
        picture = private.drawn(lines, number)
        read = reader.read(picture.content).lines
        total.update(kind for kind, _ in picture.values)
        for system, find in finders.items():
            boxes = covering.boxes_of(find("\n".join(line.text for line in read)), read)
            for kind, places in picture.values:
                hidden[system][kind] += all(under(place, boxes) for place in places)
            for box in boxes:
                touches = any(under(p, [box]) for _, places in picture.values for p in places)
                right[system] += touches
                wrong[system] += not touches
    for system in finders:
        add(results, "screenshots", system, hidden[system], total, right[system], wrong[system])


def under(place: tuple[float, float, float, float], boxes: list[Box]) -> bool:
    """Whether at least half of a character's width is covered."""
    left, top, right, bottom = place
    for box in boxes:
        width = min(right, box.right) - max(left, box.left)
        height = min(bottom, box.bottom) - max(top, box.top)
        if width >= 0.5 * (right - left) and height >= 0.8 * (bottom - top):
            return True
    return False


def add(
    results: Results,
    task: str,
    system: str,
    hidden: Counter[str],
    total: Counter[str],
    right: int,
    wrong: int,
) -> None:
    """One system's rows."""
    for kind in private.KINDS:
        results.add(task, system, f"recall {kind}", hidden[kind] / total[kind], n=total[kind])
    results.add(task, system, "precision", right / max(1, right + wrong), n=right + wrong)


if __name__ == "__main__":
    main()
