"""Is each sentence of an answer supported by the passages it cites?

A sentence without a citation of its own is covered by those of its block (a paragraph, or a list
with the line before it). It is supported if it is a whole sentence of a cited passage; or if all
its numbers, codes, addresses, names and quoted labels stand there, it negates no more and no less
than the sentence there that is nearest to it, and most of its content words stand there. This
catches what an answer adds; it does not prove entailment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from assistant.knowledge.sentences import sentences
from assistant.knowledge.words import covered
from assistant.messages import Answer, Citation

MIN_COVERED = 0.6

_MARK = re.compile(r"\s*\[(\d+)\]")
# What must stand in the source as it is: addresses, labels in quotes or bold, whatever holds a
# digit (with its currency), numbers in words, and names, which are capitals within a sentence.
_EXACT = re.compile(
    r"https?://\S+|[\w.+-]+@[\w-]+\.[\w.]+"
    r"|(?:[“\"«`]|\*\*)(?P<label>[^”\"»`*]{1,80})(?:[”\"»`]|\*\*)"
    r"|\S*\d\S*(?:\s[€$£¥%])?"
    r"|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|sixty|ninety"
    r"|hundred|thousand|million|half|twice|double)\b"
    r"|(?<=[\w,] )[A-Z]\w+(?: [A-Z]\w+)*"
)
_STEP_NUMBER = re.compile(r"^\s*\d{1,4}[.)]\s", re.MULTILINE)
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|neither|nor|nobody|nothing|cannot|without|unless|\w+n['’]t)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Check:
    """One sentence of an answer, without its marks, and the numbers of what it cites; and, if that
    does not support it, why."""

    sentence: str
    supported: bool
    why: str = ""
    cites: tuple[int, ...] = ()


def check(answer: Answer) -> list[Check]:
    """Checks every sentence of the answer against the passages that it cites."""
    return [checked for line in lines(answer) for checked in line]


def lines(answer: Answer) -> list[list[Check]]:
    """The answer's lines as their checked sentences; between paragraphs stands an empty one."""
    by_number = {citation.number: citation for citation in answer.citations}
    laid_out: list[list[Check]] = []
    for block in re.split(r"\n\s*\n", answer.text):
        if laid_out:
            laid_out.append([])
        for line in block.split("\n"):
            checks = []
            for sentence in sentences(_joined_marks(line)):
                words = _MARK.sub(partial(_left, by_number), sentence).strip()
                if any(character.isalnum() for character in words):
                    cited = _cited(sentence, by_number) or _cited(block, by_number)
                    numbers = tuple(dict.fromkeys(citation.number for citation in cited))
                    checks.append(replace(_check(words, cited), cites=numbers))
            if checks:
                laid_out.append(checks)
    return laid_out


def _cited(text: str, by_number: Mapping[int, Citation]) -> list[Citation]:
    numbers = [int(number) for number in _MARK.findall(text)]
    return [by_number[number] for number in numbers if number in by_number]


def _left(by_number: Mapping[int, Citation], mark: re.Match[str]) -> str:
    """What is no citation, such as `items[0]` in a source, belongs to the sentence."""
    return "" if int(mark[1]) in by_number else mark[0]


def _check(sentence: str, cited: Sequence[Citation]) -> Check:
    if not cited:
        return Check(sentence, False, "it cites nothing")
    sources = "\n".join(
        " > ".join(citation.passage.heading_path) + "\n" + citation.passage.text
        for citation in cited
    )
    own = [plain for plain in map(_plain, sentences(sources)) if plain]
    if _stands_in(_plain(sentence), "\n".join(own), "\n"):
        return Check(sentence, True)
    unnumbered = _plain(_STEP_NUMBER.sub("", sources))
    for exact in _exact(sentence):
        if not _stands_in(_plain(exact), unnumbered):
            return Check(sentence, False, f"{exact!r} does not stand in what it cites")
    share = covered(sentence, sources)
    if share < MIN_COVERED:
        return Check(sentence, False, f"only {share:.0%} of its words stand in what it cites")
    nearest = max(own, key=lambda source: covered(sentence, source), default="")
    if bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(nearest)):
        return Check(sentence, False, f"only one of it and “{nearest}” denies something")
    return Check(sentence, True)


def _joined_marks(line: str) -> str:
    """Moves citation marks before the full stop they follow, so that a sentence keeps its own."""
    return re.sub(r"([.!?])((?:\s*\[\d+\])+)", r"\2\1", line)


def _exact(sentence: str) -> list[str]:
    body = _STEP_NUMBER.sub("", sentence)
    return [
        (match["label"] or match.group()).strip(".,;:!?()[]") for match in _EXACT.finditer(body)
    ]


def _stands_in(words: str, text: str, boundary: str = "") -> bool:
    """Whether `words` stand in `text` between boundaries, or else as whole words and numbers: a
    “5” does not stand in “15”, in “5.2” or in “50”."""
    pattern = r"\s+".join(map(re.escape, words.split()))
    if boundary:
        return bool(re.search(rf"(?:^|{boundary}){pattern}(?:{boundary}|$)", text))
    return bool(re.search(rf"(?<![\w$€£])(?<!\d[.,]){pattern}(?![\w%€$£])(?![.,]\d)", text))


def _plain(text: str) -> str:
    """Text for exact comparison: case, marks of emphasis, quotes' shapes and white space folded."""
    text = re.sub(r"[*_`“”\"«»]", "", text.lower().replace("’", "'"))
    return re.sub(r"\s+", " ", text).strip(" .")
