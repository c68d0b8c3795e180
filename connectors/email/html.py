"""What a person sees of an HTML mail, as text: hidden words dropped, quotations apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from inscriptis.html_engine import Inscriptis
from inscriptis.model.config import ParserConfig
from lxml import etree
from lxml.html import Element, HtmlElement, HTMLParser, document_fromstring

LONGEST = 1_000_000  # bytes that are read
_DROPPED = ("script", "style", "head", "title", "template", "noscript", "object", "iframe", "svg")

_HIDES = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|opacity:0*\.?0*(?:[;!]|$)|mso-hide:all|"
    r"font-size:0*(?:\.\d+)?(?:[01]?px|pt|em|rem|%)?(?:[;!]|$)|text-indent:-\d{3,}|"
    r"(?:left|top|right|margin-left|margin-top):-\d{3,}|clip:rect\(0|clip-path:inset\((?:50|100)%|"
    r"(?:max-)?height:0(?:px)?;.*overflow:hidden|overflow:hidden;.*(?:max-)?height:0(?:px)?(?:;|$)|"
    r"transform:scale\(0"
)
_COLOR = re.compile(r"(?:^|;)color:([^;!]+)")
_BACKGROUND = re.compile(r"background(?:-color)?:([^;!]+)")
_UNSEEN_ON_WHITE = re.compile(
    r"white|transparent|#f[c-f]f[c-f]f[c-f]|#f[c-f]{2}|#f{6}00|"
    r"rgba?\(25[2-5],25[2-5],25[2-5](?:,[\d.]+%?)?\)|rgba\(\d+,\d+,\d+,0?\.?0*\)|hsla?\(.*,100%.*\)"
)
_RULE = re.compile(r"([^{}]{1,500})\{([^{}]{0,2000})\}")
_SIMPLE_SELECTOR = re.compile(r"\s*(?:[a-z0-9]*)([.#])([\w-]+)\s*")

# How mail programs mark what they quote, and where what they quote goes on to the end.
_QUOTES = (
    "//blockquote[@type='cite' or contains(@style,'border-left')]",
    "//blockquote[contains(@class,'gmail_quote')]",
    "//div[contains(@class,'gmail_quote')]",
    "//*[contains(@class,'yahoo_quoted') or contains(@class,'protonmail_quote')]",
    "//*[contains(@class,'moz-cite-prefix') or contains(@class,'zmail_extra')]",
    "//*[@id='OLK_SRC_BODY_SECTION' or contains(@id,'yahoo_quoted')]",
)
_QUOTES_TO_THE_END = (
    "//*[@id='divRplyFwdMsg' or @id='appendonsend' or @id='stopSpelling' or @id='zwchr'"
    " or @id='mail-editor-reference-message-container']",
    "//div[contains(translate(@style,' ',''),'border:none;border-top:solid#') and .//b]",
    "//hr[following::b[starts-with(normalize-space(.),'From:')]]",
)
_FORWARD = re.compile(
    r"-{2,} ?forwarded message|begin forwarded message|weitergeleitete nachricht", re.I
)


@dataclass(frozen=True)
class Visible:
    """A mail's HTML as text. `pictures` and `quoted_pictures` are the Content-IDs of the images
    shown in each part."""

    text: str
    quoted: str
    pictures: frozenset[str]
    quoted_pictures: frozenset[str]


def read(html: str) -> Visible:
    """What is seen. Raises ValueError if it cannot be read as HTML."""
    content = html.encode("utf-8", "replace")[:LONGEST].replace(b"\x00", b"")
    try:
        tree = document_fromstring(content, parser=HTMLParser(encoding="utf-8"))
    except (etree.LxmlError, AssertionError) as error:
        raise ValueError("no HTML") from error
    hiding = _hiding_rules(tree)
    for element in list(tree.iter()):
        if not isinstance(element.tag, str) or element.tag in _DROPPED or _hidden(element, hiding):
            _take_out(element)
    quotes = list(_quotations(tree))
    quoted = "\n".join(_text(element) for element in quotes)
    shown_in_quotes = [cid for element in quotes for cid in _cids(element)]
    return Visible(_text(tree), quoted, frozenset(_cids(tree)), frozenset(shown_in_quotes))


def _hiding_rules(tree: HtmlElement) -> frozenset[str]:
    """`.class` and `#id` of the style sheets' rules that hide; those for other media left out."""
    found = set()
    for style in tree.iter("style"):
        sheet = re.sub(r"/\*.{0,5000}?\*/", "", (style.text or "")[:100_000], flags=re.DOTALL)
        for selectors, declarations in _RULE.findall(sheet.partition("@media")[0]):
            if _HIDES.search(_squeezed(declarations)):
                for selector in selectors.split(","):
                    if match := _SIMPLE_SELECTOR.fullmatch(selector):
                        found.add("".join(match.groups()))
    return frozenset(found)


def _hidden(element: HtmlElement, hiding: frozenset[str]) -> bool:
    if element.tag in ("html", "body"):
        return False
    if element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    names = [f".{name}" for name in (element.get("class") or "").split()]
    if not hiding.isdisjoint([*names, f"#{element.get('id')}"]):
        return True
    style = _squeezed(element.get("style") or "")
    if _HIDES.search(style):
        return True
    found = _COLOR.search(style)
    color = found.group(1) if found else (element.get("color") or "").strip().lower()
    return bool(color and _UNSEEN_ON_WHITE.fullmatch(color) and not _on_color(element))


def _on_color(element: HtmlElement) -> bool:
    """Whether a background that is not white lies under the element."""
    for each in (element, *element.iterancestors()):
        found = _BACKGROUND.search(_squeezed(each.get("style") or ""))
        color = found.group(1) if found else (each.get("bgcolor") or "").lower()
        if color and color not in ("inherit", "none"):
            return not _UNSEEN_ON_WHITE.fullmatch(color)
    return False


def _quotations(tree: HtmlElement) -> Iterator[HtmlElement]:
    """Takes the quotations out of the tree, outermost ones first."""
    for path in _QUOTES_TO_THE_END:
        for first in tree.xpath(path)[:1]:
            if not _forwards(first):
                yield _from_here(first)
    for path in _QUOTES:
        for element in tree.xpath(path):
            if element.getroottree().getroot() is tree and not _forwards(element):
                _take_out(element)
                yield element


def _from_here(first: HtmlElement) -> HtmlElement:
    """Takes an element and all that follows it, at every level, out of the tree."""
    taken = Element("div")
    levels = [first, *first.iterancestors()]
    following = [first, *(each for level in levels for each in level.itersiblings())]
    for each in following:
        taken.append(each)  # with the text behind it
    for level in levels[1:]:
        level.tail = None
    return taken


def _forwards(element: HtmlElement) -> bool:
    return bool(_FORWARD.search("".join(element.itertext())[:300]))


def _text(element: HtmlElement) -> str:
    text = Inscriptis(element, ParserConfig(display_images=False)).get_text()
    lines = [line.strip().replace("\xa0", " ") for line in text.splitlines()]
    return "\n".join(lines).strip()


def _cids(element: HtmlElement) -> Iterator[str]:
    for image in element.iter("img"):
        source = image.get("src") or ""
        if source[:4].lower() == "cid:":
            yield source[4:].strip()


def _take_out(element: HtmlElement) -> None:
    """Removes an element; the text behind it stays where it was."""
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + element.tail
        else:
            before.tail = (before.tail or "") + element.tail
        element.tail = None
    parent.remove(element)


def _squeezed(style: str) -> str:
    """A style without spaces, in lower case."""
    return "".join(style[:2_000].split()).lower()
