"""Templates, and how moments, differences and answers are shown in them.

Everything is escaped by Jinja; `Markup` is made in one place only, of plugins' panels after they
were sanitised.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import nh3
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from assistant.articles import Explanation
from assistant.messages import Citation

PANEL_TAGS = {"p", "br", "ul", "ol", "li", "strong", "em", "code", "pre", "a", "dl", "dt", "dd"} | {
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "h3",
    "h4",
    "span",
    "small",
}
"""What a plugin's panel may hold: no pictures and no style, since both can reach out."""

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")
STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True)
class Piece:
    """A piece of a text as it became: kept, added or removed."""

    what: Literal["kept", "added", "removed"]
    text: str


@dataclass(frozen=True)
class Spot:
    """A line on a screenshot: its place in pixels, from 0 to 1 how much it decided, and what it
    added to the score of the passage that was found first."""

    text: str
    left: int
    top: int
    width: int
    height: int
    share: float
    added: float


def render(template: str, **values: Any) -> str:
    """A page's HTML."""
    return _environment().get_template(template).render(**values)


def changes(before: str, after: str) -> list[Piece]:
    """How the one text became the other, word by word."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    pieces: list[Piece] = []
    for _, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if old[a:b] == new[c:d]:
            pieces.append(Piece("kept", "".join(old[a:b])))
            continue
        if b > a:
            pieces.append(Piece("removed", "".join(old[a:b])))
        if d > c:
            pieces.append(Piece("added", "".join(new[c:d])))
    return pieces


def quoted(citation: Citation) -> tuple[str, str, str]:
    """The passage's text before the quotation, the quotation, and the text after it; an empty
    quotation if it does not stand there word for word."""
    text = citation.passage.text
    pattern = r"\s+".join(map(re.escape, citation.quote.split()))
    found = re.search(pattern, text) if pattern else None
    if found is None:
        return text, "", ""
    return text[: found.start()], found.group(), text[found.end() :]


def spots(
    screens: Sequence[Mapping[str, Any]], why: Explanation | None
) -> list[tuple[Mapping[str, Any], list[Spot]]]:
    """The lines of each screen that was read, the strongest with a share of 1. Where no passage
    was found, lines count as the model weighed them."""
    lines = [line for screen in screens for line in screen["lines"]]
    explained = why is not None and len(why.lines) == len(lines)
    added = list(why.lines) if why and explained else [line["weight"] for line in lines]
    strongest = max(added, default=0.0)
    heat, shown = iter(added), []
    for screen in screens:
        own = []
        for line in screen["lines"]:
            left, top, right, bottom = line["box"]
            value = next(heat)
            share = max(0.0, value) / strongest if strongest > 0 else 0.0
            size = (right - left, bottom - top)
            own.append(Spot(line["text"], left, top, *size, round(share, 2), value))
        shown.append((screen, own))
    return shown


def decisive(parts: Mapping[str, float], limit: int = 4) -> list[tuple[str, float]]:
    """The signals that added or took away most, the strongest first."""
    found = [(name, value) for name, value in parts.items() if value]
    return sorted(found, key=lambda part: -abs(part[1]))[:limit]


def panel(html: str) -> Markup:
    """A plugin's panel, with everything taken out that is not text and its plain structure."""
    clean = nh3.clean(
        html,
        tags=PANEL_TAGS,
        attributes={"a": {"href"}, "td": {"colspan"}, "th": {"colspan"}},
        url_schemes={"https", "http", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)  # noqa: S704 - sanitised just now


def ago(moment: datetime) -> str:
    """How long ago, in the largest unit."""
    seconds = max(0.0, (datetime.now(UTC) - moment).total_seconds())
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return "now"


def moment(value: datetime) -> str:
    """A moment in UTC, to the minute."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"


def number(count: int, what: str) -> str:
    """So many things: 1 ticket, 2 tickets."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def safe_link(url: str) -> str:
    """An address that a page may link to, or nothing: articles name their own."""
    return url if re.match(r"https?://", url, re.IGNORECASE) else ""


@cache
def static(name: str) -> str:
    """The address of a file of ours, with its content's hash, so that a new version is a new
    address."""
    digest = sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{digest}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("assistant.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(ago=ago, moment=moment, panel=panel, safe_link=safe_link)
    environment.globals.update(
        static=static, number=number, quoted=quoted, changes=changes, decisive=decisive
    )
    environment.globals["ui"] = environment.get_template("macros.html").module
    return environment
