"""Words as they are compared between a question, a passage and an answer."""

from __future__ import annotations

import re
from functools import lru_cache

import snowballstemmer

_WORD = re.compile(r"[^\W_]+(?:[.\-'’][^\W_]+)*")
_STEMMER = snowballstemmer.stemmer("english")

LONGEST_LABEL = 8
"""Words in a line of a screen that is taken for a label; longer lines are prose."""

# Words that say nothing about what a question is about.
FUNCTION_WORDS = frozenset(
    """a about after all also am an and any are as at be because been before being but by can cannot
    can't could did do does doesn't doing don't down each for from had has have having he hello help
    her here hers hey hi him his how i i'm i've if in into is isn't it it's its just let like me
    more most my no nor not now of off on once only or other our out over own please same she should
    so some such than thank thanks that that's the their them then there these they this those
    through to too under until up us very want was we were what when where which while who why will
    with won't would you you're your""".split()  # noqa: SIM905
)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    return str(_STEMMER.stemWord(word))


def content_words(text: str) -> dict[str, str]:
    """The words of `text` that carry meaning: their stems, each with the word as first written,
    in order."""
    words: dict[str, str] = {}
    for word in _WORD.findall(text):
        lowered = word.lower().replace("’", "'")
        if lowered not in FUNCTION_WORDS:
            words.setdefault(stem(lowered), word)
    return words


def covered(part: str, whole: str) -> float:
    """The share, from 0 to 1, of `part`'s content words that stand in `whole`; 1 if it has none."""
    wanted = content_words(part).keys()
    return len(wanted & content_words(whole).keys()) / len(wanted) if wanted else 1.0
