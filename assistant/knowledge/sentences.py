"""Text -> its sentences and steps, each exactly as it stands in the text."""

from __future__ import annotations

import re

from sentencex import get_sentence_boundaries

_ASCII_ENDS = (".", "!", "?")
_MARKER = re.compile(r"\s*(?:(?:\d{1,4}|[a-zA-Z])[.)]|[-*•])\s+")


def sentences(text: str) -> list[str]:
    """The sentences of `text` in order; each line, such as a list item or a row, is at least one.

    Every one is an exact substring of `text`, without space around it, and together they hold all
    its words. sentencex (Wikimedia) knows abbreviations, numbers, quotations and the punctuation
    of many scripts. It also ends a sentence at a full stop within `README.md` or `v2.Config`; here
    none ends before a letter that follows without a space, unless the script has no spaces.
    """
    found: list[str] = []
    for line in text.split("\n"):
        start = 0
        marker = _MARKER.match(line)
        offset = marker.end() if marker else 0
        for boundary in get_sentence_boundaries("en", line[offset:]):
            end = offset + boundary["end_index"]
            if end < len(line) and line[end - 1] in _ASCII_ENDS and not line[end].isspace():
                continue
            sentence = line[start:end].strip()
            if sentence:
                found.append(sentence)
            start = end
        rest = line[start:].strip()
        if rest:
            found.append(rest)
    return found
