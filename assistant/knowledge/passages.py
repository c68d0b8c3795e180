"""Article -> Passage: along its headings, in pieces small enough to be found and cited."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from assistant.articles import Article, Passage, Picture, Section
from assistant.knowledge.sentences import sentences

SMALL_WORDS = 40  # sections with fewer words are joined with a neighbour
OVERLAP_WORDS = 40  # at most, and at most two sentences, are repeated where a section is cut
_CHARACTERS_A_WORD = 8  # bounds passages in scripts without spaces, and tables of numbers
# Kana, ideographs, Hangul, Thai: written without spaces, or with few.
_WITHOUT_SPACES = re.compile(
    "[\u0e00-\u0eff\u3000-\u303f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uff65\U00020000-\U0003ffff]"
)
_LONGEST_PROSE = 20_000  # characters; a longer line is data, and is cut between its words
_STEP = re.compile(r"\s*(?:\d{1,4}[.)]|[-*•])\s")

ReadPicture = Callable[[Picture], str]


def split(
    article: Article, *, max_words: int = 180, read_picture: ReadPicture | None = None
) -> list[Passage]:
    """The article's passages in order.

    A passage has at most `max_words` words and `8 * max_words` characters; two characters of a
    script without spaces count as a word. Longer sections are cut between paragraphs, list items
    or sentences, and the next piece repeats up to two sentences. Neighbouring sections that are
    tiny are joined under the heading they share, and keep their own headings as lines of the text.
    `read_picture` gives the text in a picture; with the pictures' alternative texts it becomes
    `picture_text`, bounded like a passage.
    Ids are made of the article's id, heading path, position and text: equal input, equal ids.
    """
    passages = []
    for ordinal, piece in enumerate(_pieces(article, max_words)):
        path = piece.heading_path
        key = "\x1f".join((article.id, *path, str(ordinal), piece.text))
        url = f"{article.url}#{piece.anchor}" if article.url and piece.anchor else article.url
        passages.append(
            Passage(
                id=hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32],
                article_id=article.id,
                heading_path=path,
                text=piece.text,
                url=url,
                picture_text=_picture_text(piece.pictures, read_picture, max_words),
                source=article.source,
                product=article.product,
                language=article.language,
                audience=article.audience,
                pictures=piece.pictures,
            )
        )
    return passages


@dataclass(frozen=True)
class _Piece:
    heading_path: tuple[str, ...]
    text: str
    anchor: str
    pictures: tuple[Picture, ...]


def _pieces(article: Article, max_words: int) -> Iterator[_Piece]:
    for group in _groups(article.sections, max_words):
        path = _shared(group)
        text = "\n\n".join(part for part in (_shown(s, path) for s in group) if part)
        pictures = tuple(picture for section in group for picture in section.pictures)
        anchor = max(group, key=lambda section: _words(section.text)).anchor
        for i, piece in enumerate(_cut(text or path[-1], max_words)):
            yield _Piece(path, piece, anchor, pictures if i == 0 else ())


def _groups(sections: Sequence[Section], max_words: int) -> Iterator[list[Section]]:
    """Neighbouring sections in the groups that become passages: one each, but tiny ones together
    with those beside them that share a heading below the title, or all of whose text is tiny."""
    group: list[Section] = []
    for section in sections:
        if group and not _belongs(group, section, max_words):
            yield group
            group = []
        group.append(section)
    if group:
        yield group


def _belongs(group: list[Section], section: Section, max_words: int) -> bool:
    """Whether `section` joins `group`: one of both is tiny, together they fit, and what they
    would be cited under still says what they are about."""
    joined = [*group, section]
    path = _shared(joined)
    size = sum(_words(_shown(part, path)) for part in joined)
    if size > max_words or _too_long("".join(part.text for part in joined), max_words):
        return False
    tiny = min(sum(_words(part.text) for part in group), _words(section.text)) < SMALL_WORDS
    if size < SMALL_WORDS:
        return True
    under_one_heading = len(path) > 1 or path == group[0].heading_path
    return tiny and under_one_heading


def _shared(group: Sequence[Section]) -> tuple[str, ...]:
    """The headings that all sections of a group stand under."""
    shared = group[0].heading_path
    for section in group[1:]:
        same = 0
        for a, b in zip(shared, section.heading_path, strict=False):
            if a != b:
                break
            same += 1
        shared = shared[:same]
    return shared or group[0].heading_path[:1] or ("",)


def _shown(section: Section, path: tuple[str, ...]) -> str:
    """A section's text under the headings that the passage's own path does not name."""
    own = [*section.heading_path[len(path) :], section.text]
    return "\n".join(part for part in own if part)


def _cut(text: str, max_words: int) -> list[str]:
    """`text` in pieces of at most `max_words`."""
    if not _too_long(text, max_words):
        return [text]
    pieces: list[str] = []
    current = ""
    for unit in _units(text, max_words):
        if current and _too_long(current + unit, max_words):
            pieces += [_trimmed(current)] if current.strip() else []
            current = _overlap(current, unit, max_words)
        current += unit
    if current.strip():
        pieces.append(_trimmed(current))
    return pieces


def _trimmed(piece: str) -> str:
    """Without space around it, except the indentation of its first line."""
    return piece.rstrip().lstrip("\n")


def _units(text: str, max_words: int) -> Iterator[str]:
    """`text` in the largest parts that fit a passage, each with the space behind it: whole lists
    and paragraphs, else their lines, else sentences, else words, else characters."""
    for block in re.findall(r".+?(?:\n\n+|\Z)", text, re.S):
        if not _too_long(block, max_words):
            yield block
            continue
        for line in _lines_with_steps(block, max_words):
            if _too_long(line, max_words):
                yield from _sentence_units(line, max_words)
            else:
                yield line


def _lines_with_steps(block: str, max_words: int) -> Iterator[str]:
    """A block's lines; a step keeps the lines that are indented under it, where they fit."""
    step = ""
    for line in block.splitlines(keepends=True):
        goes_on = (
            step and line[:1] == " " and _STEP.match(step) and not _too_long(step + line, max_words)
        )
        if goes_on:
            step += line
            continue
        if step:
            yield step
        step = line
    if step:
        yield step


def _sentence_units(line: str, max_words: int) -> Iterator[str]:
    if len(line) > _LONGEST_PROSE:
        yield from _word_units(line, max_words)
        return
    start = 0
    found = sentences(line)
    for i, sentence in enumerate(found):
        end = line.index(sentence, start) + len(sentence)
        end = line.index(found[i + 1], end) if i + 1 < len(found) else len(line)
        unit = line[start:end]
        start = end
        yield from _word_units(unit, max_words) if _too_long(unit, max_words) else [unit]


def _word_units(unit: str, max_words: int) -> Iterator[str]:
    most = max(max_words // 2, 1)
    longest = most * _CHARACTERS_A_WORD
    current, count = "", 0
    for word in re.findall(r"\s*\S+\s*?(?=\s|\Z)|\s+", unit):
        for i in range(0, len(word), longest):
            part = word[i : i + longest]
            if current and (count >= most or len(current) + len(part) > longest):
                yield current
                current, count = "", 0
            current += part
            count += 1
    if current:
        yield current


def _overlap(before: str, unit: str, max_words: int) -> str:
    """The end of a piece, repeated at the start of the next: up to two sentences that fit."""
    repeated = ""
    for sentence in reversed(sentences(before)[-2:]):
        longer = f"{sentence}\n{repeated}" if repeated else f"{sentence}\n"
        if _words(longer) > OVERLAP_WORDS or _too_long(longer + unit, max_words):
            break
        repeated = longer
    return repeated


def _too_long(text: str, max_words: int) -> bool:
    return len(text) > max_words * _CHARACTERS_A_WORD or _words(text) > max_words


def _words(text: str) -> int:
    words = len(text.split())
    return words if text.isascii() else words + len(_WITHOUT_SPACES.findall(text)) // 2


def _picture_text(
    pictures: Sequence[Picture], read_picture: ReadPicture | None, max_words: int
) -> str:
    lines: list[str] = []
    for picture in pictures:
        lines += [picture.alt, read_picture(picture) if read_picture else ""]
    text = "\n".join(line.strip() for line in lines if line.strip())
    return _cut(text, max_words)[0] if text else ""
