"""What a customer says about the conversation instead of asking something: that it is solved,
thanks, or that a person is wanted.

A remark is recognised only if nothing else is said: each clause has to be one of a few forms, and
what is in doubt is a question, which at worst is answered once too often. The forms of each
language stand in `remarks.toml`. The language is not detected, since a few words do not allow it:
all clauses of a remark have to be of one language, whichever it is.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from assistant.messages import Message, Outcome, Turn

CONFIRMED = Outcome("solve", "the customer says that it is solved", text="")
THANKED = Outcome("ignore", "the customer says thanks and asks nothing", text="")
WANTED = "the customer asks for a person"

_FORMS = Path(__file__).with_suffix(".toml")
_NAME = re.compile(r"[^\W\d]+(?: [^\W\d]+){0,2}")
_PART = re.compile(r"<(\w+)>")


@dataclass(frozen=True)
class _Language:
    """The forms of one language; each pattern is for a whole clause without accents."""

    between: re.Pattern[str]
    confirmed: re.Pattern[str]
    thanked: re.Pattern[str]
    greeted: re.Pattern[str]
    signed: re.Pattern[str]
    wanted: re.Pattern[str]
    answer: str


def decide(message: Message, conversation: tuple[Turn, ...]) -> Outcome | None:
    """The outcome of a message that is nothing but a remark, given what was said before; None for
    everything else."""
    if message.attachments:
        return None
    if language := _wants_person(message.text):
        return Outcome("hand over", WANTED, language.answer)
    if any(turn.author != "customer" for turn in conversation):
        if confirms(message):
            return CONFIRMED
        if any(_says(message.text, language, language.thanked) for language in _languages()):
            return THANKED
    return None


def confirms(message: Message) -> bool:
    """Whether the message says that the problem is solved, and nothing else but thanks."""
    return not message.attachments and any(
        _says(message.text, language, language.confirmed) for language in _languages()
    )


def asks_for_person(text: str) -> bool:
    """Whether one of the sentences asks for a person to talk to, in so many words."""
    return _wants_person(text) is not None


def _wants_person(text: str) -> _Language | None:
    sentences = [_bare(part.strip()) for part in re.split(r"[.!?;,\n]+", _plain(text))]
    for language in _languages():
        if any(language.wanted.fullmatch(sentence) for sentence in sentences):
            return language
    return None


def _says(text: str, language: _Language, form: re.Pattern[str]) -> bool:
    """Whether a clause has this form, and all others, up to a signature, thank or greet."""
    if "?" in text:
        return False
    said = False
    clauses = _clauses(text, language)
    for number, clause in enumerate(clauses):
        if language.signed.fullmatch(clause):
            rest = clauses[number + 1 :]
            return said and (not rest or (len(rest) == 1 and bool(_NAME.fullmatch(rest[0]))))
        if form.fullmatch(clause):
            said = True
        elif not (language.thanked.fullmatch(clause) or language.greeted.fullmatch(clause)):
            return False
    return said


def _clauses(text: str, language: _Language) -> list[str]:
    # With their accents: the Italian "è" is no "e".
    parts = re.split(r"[.!,;:\n()–—-]+", language.between.sub(",", _plain(text)))
    return [_bare(clause) for part in parts if (clause := part.strip())]


def _plain(text: str) -> str:
    """Lower case, straight apostrophes, one space between words, no emoji."""
    text = re.sub(r"[’`´]", "'", unicodedata.normalize("NFC", text).lower())
    text = re.sub(r"[^\w\s'.!?,;:()–—-]|:-?\)", " ", text)
    return re.sub(r"[^\S\n]+", " ", text)


def _bare(text: str) -> str:
    """Without accents, which many leave out."""
    apart = unicodedata.normalize("NFD", text.replace("ß", "ss"))
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


@cache
def _languages() -> tuple[_Language, ...]:
    return tuple(map(_read, tomllib.loads(_FORMS.read_text(encoding="utf-8")).values()))


def _read(table: Mapping[str, Any]) -> _Language:
    parts: Mapping[str, str] = table["parts"]

    def whole(form: str) -> str:
        return _PART.sub(lambda found: f"(?:{whole(parts[found.group(1)])})", form)

    def any_of(name: str) -> str:
        return "|".join(f"(?:{whole(form)})" for form in table[name])

    thanked = any_of("thanked")
    confirmed = f"(?:(?:{thanked}) )?(?:{any_of('confirmed')})(?: (?:{thanked}))?"
    return _Language(
        between=re.compile(rf"\b(?:{'|'.join(table['and'])})\b"),
        confirmed=re.compile(_bare(confirmed)),
        thanked=re.compile(_bare(thanked)),
        greeted=re.compile(_bare(any_of("greeted"))),
        signed=re.compile(_bare(any_of("signed"))),
        wanted=re.compile(_bare(any_of("wanted"))),
        answer=table["answer"],
    )
