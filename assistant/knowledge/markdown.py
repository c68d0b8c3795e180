"""Markdown -> HTML with markdown-it, tolerant of what documentation builders add to it.

Known are MDX (imports, components, expressions), Docusaurus's and MkDocs's admonitions, MyST's
directives and roles, template tags of Jekyll and Hugo, and GitHub's alerts. Each becomes the text
that a reader of the built page would see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from assistant.errors import UnreadableError
from assistant.knowledge import restructured
from assistant.knowledge.outline import Outline
from assistant.knowledge.webpage import read_html

_CHUNK = 200_000  # characters given to the parser at once: bounds the memory its tokens take
_DEEPEST = 60  # levels of lists and quotations
_HEADING = re.compile(r"^#{1,6}[ \t]")
_FENCE = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})([^`\n]*)$")
_ATTRIBUTES = r"""(?:[^<>{}"']|"[^"\n]*"|'[^'\n]*'|\{(?:[^{}]|\{[^{}]*\})*\}){0,2000}"""
_COMPONENT = re.compile(
    rf"(?P<code>(?P<ticks>`+)[^`\n]+?(?P=ticks))"
    rf"|(?P<start>^[ \t]*)?<(?P<close>/?)(?P<name>[A-Z][a-z][\w.]*|[A-Z](?=[ \t/>])|[A-Z]+[a-z]\w*)"
    rf"(?P<attributes>(?:\s{_ATTRIBUTES})?)/?>(?P<end>[ \t]*$)?",
    re.M,
)
_SHOWN_ATTRIBUTE = re.compile(r"""(?:^|\s)(?:title|label)=["']([^"'\n]+)["']""")
_EXPRESSION = re.compile(r"""(\s[\w-]+)=\{((?:[^{}]|\{[^{}]*\})*)\}""")
_LITERAL = re.compile(r"""["'`]([^"'`\n]+)["'`]""")
_ADMONITION = re.compile(r"^([ \t>]*):{3,}[ \t]*(?:\{?[\w-]+\}?)?[ \t]*(.*?)[ \t]*$", re.M)
_TITLE_ATTRIBUTE = re.compile(r"""\{[^{}]*title=["']([^"']*)["'][^{}]*\}|^\[(.*)\]$|\{[^{}]*\}""")
_INDENTED_ADMONITION = re.compile(
    r"""^(?P<indent> *)(?:!!!|\?\?\?\+?)[ \t]+[\w -]+?(?:[ \t]+"(?P<title>[^"\n]*)")?[ \t]*\n"""
    r"""(?P<body>(?:(?P=indent) {4}[^\n]*\n|[ \t]*\n)*)""",
    re.M,
)
_TABS = re.compile(
    r"""^( *)===\+?!?[ \t]+"([^"\n]+)"[ \t]*\n((?:\1 {4}[^\n]*\n|[ \t]*\n)*)""", re.M
)
_DROPPED = re.compile(
    r"^import\s+[^\n]*['\"][^'\"\n]+['\"];?[ \t]*$"
    r"|^import\s+\{[^{}]*\}\s+from\s+['\"][^'\"\n]+['\"];?[ \t]*$"
    r"|^export\s+(?:const|let|var|function|default|class)\b(?:[^\n]+\n)*[^\n]*$"
    r"|\{/\*.*?\*/\}"  # MDX's comments
    r"|\{%-?[^\n]*?-?%\}|\{\{[<%][^\n]*?[%>]\}\}"  # tags of Jekyll and Hugo
    r"|^[ \t]*\{[!%\w][^{}\n]*\}[ \t]*$"  # a macro alone on its line
    r"|^\([\w-]+\)=[ \t]*$"  # MyST's label
    r"|^[ \t]*\[(?:TOC|\[_TOC_\])\][ \t]*$"
    r"|(?<=> )\[!\w+\][ \t]*$"  # GitHub's alert
    r"|\{' '\}",
    re.M | re.S,
)
_ROLE = re.compile(r"\{[a-zA-Z:+-]+\}`(?:([^`<\n]+?) ?<[^`>\n]*>|([^`\n]+))`")  # MyST's
_EXPLICIT_ID = re.compile(r"\s*\{(?:/\*\s*)?#([^\s{}]+?)(?:\s*\*/)?(?:\s[^{}]*)?\}\s*$")
_INLINE = re.compile(r"\[([^\]\[\n]+)\]\([^()\s]+\)|\*\*([^*\n]+)\*\*|`([^`\n]+)`")
_PLACEHOLDER = re.compile(r"^</?[A-Z0-9_-]{2,}>$")
_RESTRUCTURED = re.compile(
    r"^\.\. \S|^:orphan:|:[a-z]+:`[^`]+`|(?<!`)``(?!`)[^`\n]+``(?!`)|`[^`\n]+ <[^<>\n]+>`_",
    re.M,
)
_MARKDOWN = re.compile(r"^ *```|\]\([^)\s]+\)|(?<![`:])`(?!`)[^`\n<]+`(?![`_])", re.M)


def read_markdown(text: str) -> Outline:
    """The outline of a Markdown document whose front matter is already taken off.

    A document that is reStructuredText under a Markdown name is read as such.
    Raises UnreadableError when lists or quotations are nested so deeply that text would be lost.
    """
    if is_restructured(text):
        return restructured.read_restructured(text)
    return read_html(to_html(text))


def is_restructured(text: str) -> bool:
    """Whether `text` has more of reStructuredText's marks than of Markdown's, fences apart."""
    prose = re.sub(r"^ *```.*?^ *```[ \t]*$", "", text, flags=re.S | re.M)
    marks = len(_RESTRUCTURED.findall(prose))
    return marks > 0 and marks >= len(_MARKDOWN.findall(text))


def to_html(text: str) -> str:
    """`text` as HTML; headings carry the ids that GitHub and Docusaurus give them."""
    plain = "".join(
        part if is_code else _without_additions(part) for is_code, part in _fenced(text)
    )
    parser = MarkdownIt(
        "commonmark", {"html": True, "maxNesting": _DEEPEST}, renderer_cls=_Renderer
    )
    parser.enable(["table", "strikethrough"])
    if plain != text and re.search(r"^\s*</?[A-Z][a-z]|^import ", text, re.M):
        parser.disable("code")  # MDX has no indented code: components indent their text instead
    environment: dict[str, Any] = {"slugs": {}}
    rendered = []
    for chunk in _chunks(plain):
        tokens = parser.parse(chunk, environment)
        if any(token.level >= _DEEPEST - 1 for token in tokens):  # the parser drops what is deeper
            raise UnreadableError("is nested too deeply to be read whole")
        rendered.append(parser.renderer.render(tokens, parser.options, environment))
    return "".join(rendered)


def _fenced(text: str) -> Iterator[tuple[bool, str]]:
    """`text` in parts, in order: whether the part is fenced code, and the part. MyST's fences
    that hold text count as text, since they are rendered as such."""
    part: list[str] = []
    fence = ""
    for line in text.splitlines(keepends=True):
        match = _FENCE.match(line.rstrip("\r\n"))
        if not fence and match:
            yield False, "".join(part)
            part, fence = [], match.group(1)
            part.append(line)
        elif fence and match and match.group(1).startswith(fence) and not match.group(2).strip():
            yield True, "".join([*part, line])
            part, fence = [], ""
        else:
            part.append(line)
    yield bool(fence), "".join(part)


def _chunks(text: str) -> Iterator[str]:
    """`text` cut before headings, into pieces of bounded size where it has headings or empty
    lines. Only very long documents come in more than one."""
    chunk: list[str] = []
    size = 0
    for is_code, part in _fenced(text) if len(text) > _CHUNK else [(True, text)]:
        for line in [part] if is_code else part.splitlines(keepends=True):
            full = size > _CHUNK and (_HEADING.match(line) or (size > 2 * _CHUNK and line == "\n"))
            if full:
                yield "".join(chunk)
                chunk, size = [], 0
            chunk.append(line)
            size += len(line)
    yield "".join(chunk)


def _without_additions(text: str) -> str:
    """Text outside fences, as plain Markdown."""
    for _ in range(4):  # these nest
        text, tabs = _TABS.subn(lambda m: _unindented(m[1], m[2], m[3]), text)
        text, boxes = _INDENTED_ADMONITION.subn(
            lambda m: _unindented(m["indent"], m["title"] or "", m["body"]), text
        )
        if not tabs + boxes:
            break
    text = _DROPPED.sub("", text)
    text = _ROLE.sub(r"\1\2", text)
    text = _ADMONITION.sub(_admonition, text)
    text = _COMPONENT.sub(_component, text)
    return re.sub(r"<[a-z][^<>]*=\{.*?>", _html_tag, text)


def _unindented(indent: str, title: str, body: str) -> str:
    body = re.sub(rf"^{indent} {{4}}", indent, body, flags=re.M)
    return f"{indent}**{title}**\n\n{body}\n" if title else f"\n{body}\n"


def _admonition(match: re.Match[str]) -> str:
    """`:::note Title` as its title; the closing `:::` as nothing."""
    indent, rest = match.groups()
    title = _TITLE_ATTRIBUTE.sub(lambda m: m[1] or m[2] or "", rest).strip()
    return f"{indent}\n{indent}**{title}**\n{indent}" if title else indent.rstrip()


def _component(match: re.Match[str]) -> str:
    """A component's tag as the title that it shows, or as nothing. Between words it leaves no
    trace, at the start of a line it ends the paragraph before."""
    if match["code"]:
        return match["code"]
    titles = [] if match["close"] else _SHOWN_ATTRIBUTE.findall(match["attributes"])
    if match["start"] is None and match["end"] is None:
        return " ".join(titles)
    indent = match["start"] or ""
    return f"\n{indent}**{titles[0]}**\n\n{indent}" if titles else f"\n{indent}"


def _html_tag(match: re.Match[str]) -> str:
    """An HTML tag with MDX's expressions as attributes: literal values stay, others go."""

    def attribute(found: re.Match[str]) -> str:
        literal = _LITERAL.search(found[2])
        return f'{found[1]}="{literal[1]}"' if literal and found[1].strip() != "style" else ""

    return _EXPRESSION.sub(attribute, match[0])


class _Renderer(RendererHTML):
    """markdown-it's HTML, with ids on headings, and MyST's directives as what they hold."""

    def heading_open(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        inline = tokens[i + 1]
        explicit = _EXPLICIT_ID.search(inline.content)
        if explicit and inline.children:
            last = inline.children[-1]
            last.content = _EXPLICIT_ID.sub("", last.content)
        words = "".join(
            child.content
            for child in inline.children or []
            if child.type in ("text", "code_inline", "text_special")
        )
        slug = explicit[1] if explicit else slugify(words, env["slugs"])
        tokens[i].attrSet("id", slug)
        return self.renderToken(tokens, i, options, env)

    def html_inline(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        """`<YOUR_HOST>` in a sentence is a placeholder that the reader sees, not a tag."""
        tag = tokens[i].content
        return tag.replace("<", "&lt;") if _PLACEHOLDER.match(tag) else tag

    def html_block(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        """MDX reads Markdown within tags on one line too, such as a table's cells."""
        block = tokens[i].content
        return (
            block if re.search(r"<(?:pre|script|style)\b", block) else _INLINE.sub(r"\1\2\3", block)
        )

    def fence(self, tokens: Sequence[Token], i: int, options: Any, env: Any) -> str:
        directive = re.match(r"\{([\w:-]+)\}[ \t]*(.*)", tokens[i].info)
        if not directive:
            return super().fence(tokens, i, options, env)
        name, argument = directive[1].lower(), directive[2]
        content = re.sub(
            r"\A(?:---\n.*?\n---\n|(?::[\w-]+:[^\n]*\n)+)", "", tokens[i].content, flags=re.S
        )
        if name == "eval-rst":
            return restructured.to_html(tokens[i].content)
        if name in ("code-block", "code", "sourcecode", "code-cell"):
            tokens[i].info, tokens[i].content = argument, content
            return super().fence(tokens, i, options, env)
        if name in ("image", "figure"):
            return to_html(f"![]({argument})\n\n{content if name == 'figure' else ''}")
        if name in restructured.WITHOUT_TEXT:
            return ""
        return to_html(f"{argument}\n\n{content}")


def slugify(heading: str, taken: dict[str, int]) -> str:
    """A heading's id as github-slugger makes it; `taken` counts those given in this document.

    See https://github.com/Flet/github-slugger.
    """
    slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
    unique = slug
    while unique in taken:
        taken[slug] += 1
        unique = f"{slug}-{taken[slug]}"
    taken[unique] = 0
    return unique
