"""Is each sentence of an answer supported by the passages it cites?

A sentence without a citation of its own is covered by those of its block (a paragraph, or a list
with the line before it). It is supported if it stands in a cited passage word for word; or if all
its numbers, codes, addresses and quoted labels stand there, it negates no more and no less, and
most of its content words do. This catches what an answer adds; it does not prove entailment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.knowledge.sentences import sentences
from assistant.knowledge.words import covered
from assistant.messages import Answer, Citation

MIN_COVERED = 0.6

_MARK = re.compile(r"\s*\[(\d+)\]")
# Addresses, quoted labels, and whatever holds a digit: these must stand in the source as they are.
_EXACT = re.compile(r"https?://\S+|[\w.+-]+@[\w-]+\.[\w.]+|[“\"«]([^”\"»]{1,80})[”\"»]|\S*\d\S*")
_NEGATION = re.compile(r"\b(?:not|no|never|none|cannot|without|\w+n['’]t)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Check:
    """One sentence of an answer and, if its passages do not support it, why."""

    sentence: str
    supported: bool
    why: str = ""


def check(answer: Answer) -> list[Check]:
    """Checks every sentence of the answer against the passages that it cites."""
    by_number = {citation.number: citation for citation in answer.citations}
    checks: list[Check] = []
    for block in re.split(r"\n\s*\n", answer.text):
        block_numbers = _numbers(block)
        for line in block.split("\n"):
            for sentence in sentences(_joined_marks(line)):
                words = _MARK.sub("", sentence).strip()
                if not any(character.isalnum() for character in words):
                    continue
                cited = [
                    by_number[number]
                    for number in _numbers(sentence) or block_numbers
                    if number in by_number
                ]
                checks.append(_check(words, cited))
    return checks


def _check(sentence: str, cited: Sequence[Citation]) -> Check:
    if not cited:
        return Check(sentence, False, "it cites nothing")
    sources = "\n".join(
        " > ".join(citation.passage.heading_path) + "\n" + citation.passage.text
        for citation in cited
    )
    if _plain(sentence) in _plain(sources):
        return Check(sentence, True)
    for exact in _exact(sentence):
        if _plain(exact) not in _plain(sources):
            return Check(sentence, False, f"{exact!r} does not stand in what it cites")
    share = covered(sentence, sources)
    if share < MIN_COVERED:
        return Check(sentence, False, f"only {share:.0%} of its words stand in what it cites")
    if _NEGATION.search(sentence) and not _NEGATION.search(sources):
        return Check(sentence, False, "it denies what its source does not")
    return Check(sentence, True)


def _joined_marks(line: str) -> str:
    """Moves citation marks before the full stop they follow, so that a sentence keeps its own."""
    return re.sub(r"([.!?])((?:\s*\[\d+\])+)", r"\2\1", line)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in _MARK.findall(text)]


def _exact(sentence: str) -> list[str]:
    body = re.sub(r"^\s*\d{1,4}[.)]\s", "", sentence)
    return [
        (match.group(1) or match.group()).strip(".,;:!?()[]") for match in _EXACT.finditer(body)
    ]


def _plain(text: str) -> str:
    """Text for exact comparison: case, marks of emphasis, quotes' shapes and white space folded."""
    text = re.sub(r"[*_`“”\"«»]", "", text.lower().replace("’", "'"))
    return re.sub(r"\s+", " ", text).strip(" .")
