"""Finds what is private in text that was read off a picture, where characters are mistaken.

A digit that was read as another spoils a check digit, and a gap inside a key its form. So what has
the shape of a card number, an IBAN or a key is taken for one although it fails the check: a covered
order number can be asked for again, a card number in a ticket cannot be taken back.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from plugins.redaction.finding import find_private, merged
from plugins.redaction.kinds import Find, Kind

_DIGIT = r"[\dOoQDIl|SBZG]"
_GAP = r"[ .\u00a0\u2009-]{1,2}"
_CARD = re.compile(
    rf"(?<![\w-])(?:{_DIGIT}{{4}}{_GAP}){{3}}{_DIGIT}{{1,7}}(?![\w-])"
    rf"|(?<![\w-])3{_DIGIT}{{3}}{_GAP}{_DIGIT}{{6}}{_GAP}{_DIGIT}{{4,5}}(?![\w-])"
    rf"|(?<![\w-])[3-6]{_DIGIT}{{14,15}}(?![\w-])"
)
_IBAN = re.compile(
    r"(?<![A-Za-z0-9])[A-Z1l|0]{2}[ ]?[\dOIl|SBZ]{2}"
    r"(?:[ .]?[A-Z0-9Ol|]{4}){3,7}(?:[ .]?[A-Z0-9Ol|]{1,4})?"
    r"(?![A-Za-z0-9])"
)
_KEY = re.compile(
    r"(?<![\w-])(?:"
    r"(?:AK|AS)[I1l]A[ A-Z0-9]{12,20}"
    r"|gh[oprsu][_ -]{1,2}[\w -]{20,}|github[_ ]pat[_ ][\w ]{20,}|g[l1I]pat[- ][\w -]{15,}"
    r"|xox[abprs][- ][\w -]{10,}"
    r"|(?:[s5][kK]|r[kK]|p[kK])[_ -]{1,2}(?:[l1I]ive|test)[_ ]{0,2}[\w ]{12,}"
    r"|A[I1l]za[\w -]{25,}|[s5]k[- ](?:proj|ant|or|svcacct)[- ][\w -]{15,}"
    r"|SG\.[\w. -]{30,}|npm[_ ][\w]{30,}|hf[_ ][\w]{25,}|pypi-AgE[\w -]{40,}"
    r"|(?:eyJ|eyj|ey[I1l])[\w. -]{20,}(?:\n[\w.-]{20,})*"
    r")"
)
_PRIVATE_KEY = re.compile(
    r"-{2,}[ ]?BEG[I1l]N[^\n]{0,40}?KEY[^\n]*"
    r"(?:\n(?![^\n]*-{2,}[ ]?END)[^\n]{16,})*(?:\n[^\n]*END[^\n]*)?"
)
_EMAIL = re.compile(r"(?<![\w.])[\w.+%'-]{1,64} ?@ ?[\w-]{1,63}(?:\. ?[\w-]{2,63}){1,4}(?![\w-])")


def find_on_screen(text: str, kinds: Collection[Kind]) -> list[Find]:
    """What the lines of a screen hold of these kinds, in order."""
    found = list(find_private(text, kinds))
    if "card" in kinds:
        found += [Find(*m.span(), "card") for m in _CARD.finditer(text) if _is_mostly_digits(m[0])]
    if "iban" in kinds:
        found += [Find(*m.span(), "iban") for m in _IBAN.finditer(text) if _is_mostly_digits(m[0])]
    if "key" in kinds:
        for pattern in (_KEY, _PRIVATE_KEY):
            found += [Find(*m.span(), "key") for m in pattern.finditer(text)]
    if "email" in kinds:
        found += [Find(*m.span(), "email") for m in _EMAIL.finditer(text)]
    return merged(found)


def _is_mostly_digits(text: str) -> bool:
    return sum(c.isdigit() for c in text) >= 0.55 * sum(c.isalnum() for c in text)
