"""HTML -> Outline: what a reader of the page sees, without navigation, scripts and hidden text.

Markdown and reStructuredText come through here too, after their own parsers made HTML of them.
The tree is walked without recursion, so depth of nesting is no danger.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree, html

from assistant.errors import UnreadableError
from assistant.knowledge.outline import Outline

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup",
    "hr", "legend", "li", "main", "ol", "optgroup", "option", "p", "section", "summary",
    "table", "tbody", "tfoot", "thead", "tr", "ul",
}  # fmt: skip
# No empty line comes after these.
_TIGHT = {
    "dt", "li", "option", "summary", "tbody", "tfoot", "thead", "tr",
}  # fmt: skip
_MARKS = {"b", "strong", "em", "i", "code", "kbd", "q", "samp"}
_UNREAD = {
    "audio", "button", "canvas", "dialog", "footer", "head", "iframe", "input", "map", "nav",
    "noscript", "object", "script", "select", "style", "svg", "template", "textarea", "title",
    "video",
}  # fmt: skip
_UNREAD_ROLES = {"banner", "contentinfo", "navigation", "search"}
# Furniture of the usual page builders (Sphinx, Docusaurus, MkDocs, Bootstrap), and text that is
# for screen readers only.
_UNREAD_CLASSES = {
    "anchor-link", "breadcrumb", "breadcrumbs", "hash-link", "headerlink", "navbar",
    "pagination-nav", "sidebar", "sr-only", "table-of-contents", "toc", "visually-hidden",
}  # fmt: skip
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?:opacity|font-size)\s*:\s*0(?:\D|$)(?!\d)", re.I
)
_SAID_BY_META = {"audience": "audience", "product": "product", "og:url": "url"}


def read_html(text: str) -> Outline:
    """The outline of an HTML page or fragment.

    Whatever is no HTML is read as text, as browsers do.
    Raises UnreadableError when elements are nested more than 2,048 deep, libxml2's limit.
    """
    outline = Outline()
    if not text.strip():
        return outline
    parser = html.HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True
    )
    data = text.encode("utf-8", "replace")
    try:
        page = html.document_fromstring(data, parser=parser)
    except etree.ParserError:  # nothing but comments
        return outline
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log):
        raise UnreadableError("is nested too deeply to be read whole")
    outline.metadata = _metadata(page)
    content = _content(page)
    for element in [e for e in content.iter(etree.Element) if e is not content and _is_unread(e)]:
        element.drop_tree()
    _Walk(outline).through(content)
    return outline


def _metadata(page: Any) -> dict[str, str]:
    """What the page's head says about it."""
    said: dict[str, str] = {}
    titles = page.xpath("//head/title/text()")
    if titles:
        said["page title"] = " ".join(titles[0].split())
    if page.get("lang"):
        said["language"] = page.get("lang")
    for meta in page.iter("meta"):
        key = (meta.get("name") or meta.get("property") or "").lower()
        if key in _SAID_BY_META and meta.get("content"):
            said[_SAID_BY_META[key]] = meta.get("content")
    for link in page.iter("link"):
        if link.get("rel") == "canonical" and link.get("href"):
            said["url"] = link.get("href")
    return said


def _content(page: Any) -> Any:
    """The element that holds the page's own text: the only `main` or `article`, or all of it."""
    for query in ("//main | //*[@role='main']", "//article"):
        found = page.xpath(query)
        if len(found) == 1:
            return found[0]
    body = page.find("body")
    return page if body is None else body


def _is_unread(element: Any) -> bool:
    """Whether a reader of the page does not see the element, or it is not about the subject."""
    if element.tag in _UNREAD or element.get("role") in _UNREAD_ROLES:
        return True
    if _UNREAD_CLASSES.intersection((element.get("class") or "").split()):
        return True
    # The panels of tabs are hidden until somebody selects them.
    hidden = element.get("hidden") is not None and element.get("role") != "tabpanel"
    unseen = element.get("aria-hidden") == "true" and element.tag not in ("img", "i")
    return hidden or unseen or bool(_HIDDEN_STYLE.search(element.get("style") or ""))


class _Walk:
    """One walk through a page: the line being gathered, and where in lists and tables it is."""

    def __init__(self, outline: Outline) -> None:
        self.outline = outline
        self.words: list[str] = []  # of the line being gathered
        self.numbers: list[int | None] = []  # of the next item of each open list; None: bullets
        self.marker = ""  # waits for the first line of a list item
        self.rows: list[list[str]] = []  # cells of each open table row
        self.preformatted = 0

    def through(self, content: Any) -> None:
        for event, element in etree.iterwalk(content, events=("start", "end")):
            if event == "start":
                self.enter(element)
                self.words.append(element.text or "")
            else:
                self.leave(element)
                if element is not content:
                    self.words.append(element.tail or "")
        self.flush()

    def enter(self, element: Any) -> None:
        tag = element.tag
        if tag in _BLOCKS or tag in _HEADINGS or tag == "pre":
            self.flush()
        if tag in ("ul", "ol"):
            start = element.get("start") or ""
            first = int(start) if start.isdigit() and len(start) < 7 else 1
            self.numbers.append(first if tag == "ol" else None)
        elif tag == "li":
            marker = self.next_marker()
            if self.rows:
                self.words.append(marker)  # within a cell, items stand on one line
            else:
                self.marker = marker
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.words = []
        elif tag == "pre":
            self.preformatted += 1
        elif tag == "br":
            self.words.append("\n") if self.preformatted else self.flush()
        elif tag == "img" and element.get("src"):
            self.outline.picture(element.get("src"), element.get("alt") or "")

    def leave(self, element: Any) -> None:
        tag = element.tag
        if tag in _MARKS and not self.preformatted:
            self.outline.label("".join(element.itertext()))
        elif tag in _HEADINGS and not self.rows:
            text = "".join(self.words)
            self.words, self.marker = [], ""
            self.outline.heading(_HEADINGS[tag], text, _anchor(element))
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append(" ".join("".join(self.words).split()))
            self.words = []
        elif tag == "tr" and self.rows:
            cells = self.rows.pop()
            while cells and not cells[-1]:
                cells.pop()
            self.words.append(" | ".join(cells))
            self.flush()
        elif tag == "pre":
            self.flush_preformatted()
        elif tag in _BLOCKS or tag in _HEADINGS:
            self.flush()
            if tag in ("ul", "ol") and self.numbers:
                self.numbers.pop()
            if tag not in _TIGHT and not self.numbers and not self.rows:
                self.outline.gap()

    def next_marker(self) -> str:
        if not self.numbers or self.numbers[-1] is None:
            return "- "
        number = self.numbers[-1]
        self.numbers[-1] = number + 1
        return f"{number}. "

    def flush(self) -> None:
        """Ends the line being gathered. Within a table's cell, lines become one."""
        if self.rows and self.words:
            self.words.append(" ")
            return
        if self.preformatted:
            return
        text = " ".join("".join(self.words).split())
        self.words = []
        if text:
            self.put(text)

    def flush_preformatted(self) -> None:
        self.preformatted = max(0, self.preformatted - 1)
        if self.preformatted or self.rows:
            return
        code = "".join(self.words).strip("\n").expandtabs(4)
        self.words = []
        if code.strip():
            for line in code.split("\n"):
                self.put(line)
            if not self.numbers:
                self.outline.gap()

    def put(self, text: str) -> None:
        depth = min(len(self.numbers), 8)
        indent = "  " * (depth - 1 if self.marker else depth)
        self.outline.line(f"{indent}{self.marker}{text}" if text.strip() else "")
        self.marker = ""


def _anchor(heading: Any) -> str:
    """The id a link to this heading uses: its own, its section's, or that of a link within it."""
    if heading.get("id"):
        return str(heading.get("id"))
    parent = heading.getparent()
    if parent is not None and parent.get("id") and parent.tag in ("section", "div"):
        first = next((child for child in parent if child.tag in _HEADINGS), None)
        if first is heading:
            return str(parent.get("id"))
    for link in heading.iter("a"):
        if link.get("id") or link.get("name"):
            return str(link.get("id") or link.get("name"))
    return ""
