"""reStructuredText -> HTML with docutils, safely: no inclusion, no raw output, no network.

Sphinx's roles and directives are not known to docutils. Here a role becomes its text, and a
directive its content, unless its content is nothing a customer would read.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, cast

from docutils import core, nodes
from docutils.parsers.rst import Directive, directives, roles

from assistant.knowledge.outline import Outline
from assistant.knowledge.webpage import read_html

_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "report_level": 5,
    "halt_level": 5,
    "doctitle_xform": False,
    "docinfo_xform": False,
    "sectsubtitle_xform": False,
    "syntax_highlight": "none",
    "embed_stylesheet": False,
    "_disable_config": True,
    "line_length_limit": 1_000_000_000,
}
WITHOUT_TEXT = {
    "automodule", "contents", "currentmodule", "default-role", "graphviz", "highlight",
    "image-list", "include", "index", "literalinclude", "mermaid", "meta", "module", "plantuml",
    "raw", "sectnum", "tabularcolumns", "title", "toctree",
}  # fmt: skip
_CODE = {
    "code", "code-block", "sourcecode", "prompt", "parsed-literal",
}  # fmt: skip
_OWN_ROLES = {
    "emphasis", "strong", "literal", "sub", "sup", "subscript", "superscript", "math",
}  # fmt: skip
_PLAIN_DIRECTIVES = {
    "admonition", "attention", "caution", "class", "compound", "container", "csv-table",
    "danger", "date", "epigraph", "error", "figure", "footer", "header", "highlights", "hint",
    "image", "important", "line-block", "list-table", "math", "note", "pull-quote", "replace",
    "role", "rubric", "sidebar", "table", "tip", "topic", "unicode", "warning",
}  # fmt: skip

_DIRECTIVE = re.compile(r"^[ \t]*\.\. (?:\|[^|\n]+\| )?([A-Za-z][\w:.+-]*)::", re.M)
_ROLE = re.compile(r":([A-Za-z][\w:.+-]*):`")
_MARKDOWN_HEADING = re.compile(r"^(#{1,6})[ \t]+(\S[^\n]*?)[ \t#]*$", re.M)
_ROW_AS_HEADING = re.compile(r"^#+ (\|.*\|)\s*$")
_BORDER = re.compile(r"^\+[-=+]+\+\s*$")
_TABLE_RULES = re.compile(r"[+|][-=+|]+[+|]|(?:^|(?<=\s))\|(?=\s|$)")
_TARGET = re.compile(r"\s*<[^<>]*>\s*$")


def read_restructured(text: str) -> Outline:
    """The outline of a reStructuredText document.

    Headings written Markdown's way (`# Title`), as some exports have them, count as headings.
    Raises RecursionError when it is nested deeper than docutils can follow.
    """
    return read_html(to_html(text))


def to_html(text: str) -> str:
    """`text` as an HTML fragment."""
    text = _with_own_headings(_with_whole_tables(text.expandtabs(8)))
    _register(text)
    doctree = core.publish_doctree(text, settings_overrides=_SETTINGS)
    _drop_furniture(doctree)
    parts = core.publish_from_doctree(
        doctree, writer="html5", settings_overrides={**_SETTINGS, "output_encoding": "unicode"}
    )
    body = re.search(r"<body[^>]*>\s*(?:<main[^>]*>)?(.*?)(?:</main>)?\s*</body>", str(parts), re.S)
    return body.group(1) if body else ""


def _with_whole_tables(text: str) -> str:
    """Grid tables with their last border: some exports took it for the underline of a title and
    made `# | last row |` of the row above it."""
    lines: list[str] = []
    border = ""
    for line in text.split("\n"):
        row = _ROW_AS_HEADING.match(line)
        if row and border:
            lines += [row.group(1), border]
        else:
            lines.append(line)
        if _BORDER.match(line):
            border = line.replace("=", "-")
    return "\n".join(lines)


def _with_own_headings(text: str) -> str:
    """Markdown's headings as underlined titles. docutils wants no level skipped, so levels are
    counted from those that are open."""
    open_levels: list[int] = []

    def underlined(match: re.Match[str]) -> str:
        level = len(match.group(1))
        while open_levels and open_levels[-1] >= level:
            open_levels.pop()
        open_levels.append(level)
        title = match.group(2)
        return f"\n{title}\n{'=-~^+*'[len(open_levels) - 1] * (2 * len(title) + 4)}\n"

    return _MARKDOWN_HEADING.sub(underlined, text)


def _drop_furniture(doctree: nodes.document) -> None:
    """Removes what is not text: messages about mistakes, marks of them, comments, `:orphan:`."""
    for field_list in list(doctree.findall(nodes.field_list)):
        if not any(field.astext().split("\n\n", 1)[-1].strip() for field in field_list[:1]):
            field_list.parent.remove(field_list)
    for kind in (nodes.system_message, nodes.comment, nodes.substitution_definition):
        for node in list(doctree.findall(kind)):
            if node.parent is not None:
                node.parent.replace(node, _what_was_meant(node))
    for problem in list(doctree.findall(nodes.problematic)):
        shown = "" if problem.astext().startswith("|") else problem.astext().strip("`_*:")
        problem.parent.replace(problem, nodes.Text(shown))
    for text in list(doctree.findall(nodes.Text)):
        # Marks within marks, such as code in bold words, are no marks to docutils.
        if "``" in text and not isinstance(text.parent, (nodes.literal, nodes.literal_block)):
            text.parent.replace(text, nodes.Text(text.replace("``", "")))
    _name_admonitions_nothing(doctree)


def _what_was_meant(node: nodes.Node) -> list[nodes.Node]:
    """The text that docutils could not read, such as a table with a mistake, as plain lines."""
    if not isinstance(node, nodes.system_message):
        return []
    text = "\n".join(block.astext() for block in node.findall(nodes.literal_block))
    if not text.strip() or text.lstrip().startswith(".. "):
        return []
    lines = (_TABLE_RULES.sub(" ", line).strip() for line in text.split("\n"))
    return [nodes.paragraph("", _plain(line)) for line in lines if line]


def _plain(text: str) -> str:
    """A line of reStructuredText without its inline marks."""
    text = re.sub(r":[A-Za-z:]+:`([^`<]*?)\s*(?:<[^`]*>)?`", r"\1", text)
    return re.sub(r"\*\*|``|`_{0,2}", "", text)


def _name_admonitions_nothing(doctree: nodes.document) -> None:
    """Notes and tips lose the word "Note" that the writer would put on a line of its own."""
    kinds = (nodes.note, nodes.tip, nodes.hint, nodes.important, nodes.attention, nodes.caution)
    for kind in (*kinds, nodes.warning, nodes.danger, nodes.error):
        for node in list(doctree.findall(kind)):
            if node.parent is not None:
                node.parent.replace(node, nodes.container("", *node.children))


class _AnyOptions(dict[str, Any]):
    """Accepts every option of a directive as text, as Sphinx's dummy specification does."""

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, name: str) -> Any:
        return lambda value: value


class _Content(Directive):
    """A directive nobody here knows: its argument on a line of its own, then its content."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = _AnyOptions()

    def run(self) -> list[nodes.Node]:
        container = nodes.container()
        if self.arguments:
            words, _ = self.state.inline_text(self.arguments[0], self.lineno)
            container += nodes.paragraph("", "", *words)
        memo = self.state.memo
        outer = memo.title_styles, memo.section_level
        memo.title_styles, memo.section_level = [], 0  # tabs may hold headings of any style
        try:
            self.state.nested_parse(self.content, self.content_offset, container, match_titles=True)
        finally:
            memo.title_styles, memo.section_level = outer
        return [container]


class _Code(_Content):
    """Code in any language; captions and line numbers are left."""

    def run(self) -> list[nodes.Node]:
        code = "\n".join(self.content)
        return [nodes.literal_block(code, code)] if code.strip() else []


class _Nothing(_Content):
    """A directive that shows no text of its own."""

    def run(self) -> list[nodes.Node]:
        return []


def _text_role(
    name: str,
    rawtext: str,
    text: str,
    lineno: int,
    inliner: Any,
    options: Any = None,
    content: Any = None,
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """A role as the words it shows: `:doc:`words </target>`` or the target's last part."""
    shown = _TARGET.sub("", text.replace("\x00", ""))
    if shown == text and name.split(":")[-1] in ("doc", "ref", "any", "term", "download"):
        shown = re.split(r"[/:]", text.rstrip("/"))[-1].replace("-", " ").replace("_", " ")
    return [nodes.Text(shown.lstrip("~!&") or text)], []


def _register(text: str) -> None:
    """Makes the roles and directives of `text` known. docutils keeps one register a process; only
    names that it cannot handle here are added to it."""
    for name in {match.lower() for match in _DIRECTIVE.findall(text)} - _PLAIN_DIRECTIVES:
        kind = _Code if name in _CODE else _Nothing if name in WITHOUT_TEXT else _Content
        directives.register_directive(name, kind)
    for name in {match.lower() for match in _ROLE.findall(text)} - _OWN_ROLES:
        roles.register_local_role(name, cast(Any, _text_role))  # its stub is too narrow
