"""Texts as the word index holds them, and queries as it takes them (SQLite's FTS5)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from assistant.knowledge.words import FUNCTION_WORDS, LONGEST_LABEL

MAX_QUERY_WORDS = 128
"""Of a screenshot's hundreds of words, so many distinct ones: more make a query only slower."""

# Scripts written without spaces between words are indexed character by character and searched by
# pairs of characters, since FTS5's tokenizer would take a whole sentence for one word.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_UNSPACED_CHARACTER = re.compile(f"[{_UNSPACED}]")
_WORD = re.compile(f"[{_UNSPACED}]+|[^\\W_{_UNSPACED}]+")


def query(text: str, labels: Sequence[str] = ()) -> str:
    """An FTS5 query: any of the distinct words, each quoted, so that nothing in a customer's text
    is taken for an operator. Function words count only where there are no others.

    A screen's `labels` are searched as phrases too, so that "Delete account" counts for more than
    both words apart, the more the rarer it is; the numbers in them say nothing.
    """
    phrases = [words(label) for label in labels]
    numbers = {word for phrase in phrases for word in phrase if word.isdigit()}
    distinct = dict.fromkeys(words(text))
    telling = [word for word in distinct if word not in FUNCTION_WORDS and word not in numbers]
    terms = [term for word in telling or distinct for term in _terms(word)][:MAX_QUERY_WORDS]
    terms += dict.fromkeys(
        " ".join(phrase) for phrase in phrases if 2 <= len(phrase) <= LONGEST_LABEL
    )
    return " OR ".join(f'"{term}"' for term in terms) or '""'


def words(text: str) -> list[str]:
    """The words of a text in lower case; a run of characters without spaces is one."""
    return _WORD.findall(_folded(text).lower())


def label(text: str) -> str:
    """One spelling of a label on a screen and in an article; empty if it is too long for one."""
    spelled = words(spaced(text))
    return " ".join(spelled) if len(spelled) <= LONGEST_LABEL else ""


def _terms(word: str) -> list[str]:
    """What to search for a word: itself or, in an unspaced script, its pairs of characters."""
    if not _UNSPACED_CHARACTER.match(word):
        return [word]
    return [" ".join(word[i : i + 2]) for i in range(len(word) - 1)] or [word]


def spaced(text: str) -> str:
    """A text with a space around each character of a script that is written without spaces."""
    return _UNSPACED_CHARACTER.sub(r" \g<0> ", _folded(text))


def _folded(text: str) -> str:
    """One spelling for what looks the same: ligatures, full-width letters, separate accents."""
    return unicodedata.normalize("NFKC", text)


def phrase(text: str) -> str:
    """An FTS5 query for words in this order."""
    return '"' + " ".join(term for word in words(text) for term in _terms(word)) + '"'
