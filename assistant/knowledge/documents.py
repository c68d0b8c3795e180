"""PDF and DOCX -> Outline. Pictures embedded in either are not read: only files can be shown."""

from __future__ import annotations

import ctypes
import io
import re
import statistics
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistant.errors import UnreadableError
from assistant.knowledge.outline import Outline

_MOST_PAGES = 2_000
_MOST_UNPACKED_BYTES = 200_000_000  # a DOCX is a ZIP archive: some grow a thousandfold
_PAGE_NUMBER = re.compile(
    r"^\W*(?:page|seite|página|p\.)?\W*\d{1,4}(?:\s*(?:/|of|von|de)\s*\d{1,4})?\W*$", re.I
)
# What word processors fill in by themselves.
_NO_TITLE = re.compile(
    r"^(?:untitled|microsoft \w+ - .*|word document)?$|\.(?:docx?|indd|pdf)$", re.I
)
_LIST_ITEM = re.compile(r"^(?:[•‣◦▪●–*-]|\d{1,3}[.)]|[a-z][.)])\s+")


def read_pdf(content: bytes) -> Outline:
    """The outline of a PDF's text. Larger lines are headings; running heads and page numbers are
    dropped; words hyphenated at a line's end are joined. Anchors are pages (`page=3`).

    Raises UnreadableError when it is encrypted, damaged, or has no text, as scans have none.
    """
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableError("is encrypted; save it without a password") from error
        raise UnreadableError("is damaged or no PDF") from error
    try:
        if len(document) > _MOST_PAGES:
            raise UnreadableError(f"has {len(document)} pages; at most {_MOST_PAGES} are read")
        title = document.get_metadata_value("Title")
        outline = Outline({} if _NO_TITLE.search(title) else {"title": title})
        pages = [list(_lines(document[i])) for i in range(len(document))]
    except pypdfium2.PdfiumError as error:
        raise UnreadableError(f"is damaged: {error}") from error
    finally:
        document.close()
    _drop_running_heads(pages)
    lines = [line for page in pages for line in page]
    if not lines:
        raise UnreadableError("has no text, only pictures of it; run it through OCR first")
    _fill(outline, pages)
    return outline


@dataclass(frozen=True)
class _Line:
    text: str
    height: float  # of its characters, in points
    top: float  # distance from the page's lower edge, in points


def _lines(page: Any) -> Iterator[_Line]:
    """A page's lines in the order the file gives them."""
    import pypdfium2.raw as pdfium

    textpage = page.get_textpage()
    text = textpage.get_text_range()
    count = textpage.count_chars()
    box = pdfium.FS_RECTF()
    start = 0
    for line in re.split(r"(\r\n|\n)", text):
        # PDFium puts U+FFFE where a line ended with a hyphen, and goes on with the next line.
        words = re.sub(r"(?<=[^\W\d_])\ufffe(?=[^\W\d_])(?![A-Z])", "", line.strip())
        words = words.replace("\ufffe", "-")
        if words and start < count:
            first = min(start + len(line) - len(line.lstrip()), count - 1)
            pdfium.FPDFText_GetLooseCharBox(textpage.raw, first, ctypes.byref(box))
            yield _Line(words, abs(box.top - box.bottom), box.top)
        start += len(line)


def _drop_running_heads(pages: list[list[_Line]]) -> None:
    """Removes page numbers, and what stands first or last on most of three pages or more."""

    def shape(line: _Line) -> str:
        return re.sub(r"\d+", "#", line.text)

    edges = Counter(s for page in pages for s in {shape(line) for line in page[:2] + page[-2:]})
    often = {s for s, count in edges.items() if len(pages) >= 3 and count > len(pages) / 2}
    for page in pages:
        for i in sorted({0, 1, len(page) - 2, len(page) - 1}, reverse=True):
            is_edge = i in (0, len(page) - 1)
            if 0 <= i < len(page) and (
                shape(page[i]) in often or (is_edge and _PAGE_NUMBER.match(page[i].text))
            ):
                del page[i]


def _fill(outline: Outline, pages: list[list[_Line]]) -> None:
    """Puts lines together to paragraphs, and tells headings by their height."""
    body = statistics.median_low(
        round(line.height, 1) for page in pages for line in page for _ in range(len(line.text))
    )
    larger = Counter(
        round(line.height) for page in pages for line in page if line.height > 1.15 * body
    )
    levels = {height: min(i + 1, 6) for i, height in enumerate(sorted(larger, reverse=True))}
    paragraph: list[str] = []
    before: _Line | None = None
    heading: list[str] = []
    heading_level = 0

    def end_paragraph() -> None:
        if paragraph:
            text = _joined(paragraph)
            outline.line(text) if _LIST_ITEM.match(text) else outline.block(text)
        paragraph.clear()

    def end_heading(page: int) -> None:
        if heading:
            outline.heading(heading_level, _joined(heading), f"page={page}")
        heading.clear()

    for number, page in enumerate(pages, start=1):
        for line in page:
            level = levels.get(round(line.height), 0) if line.height > 1.15 * body else 0
            if level and len(line.text.split()) <= 20:
                end_paragraph()
                if heading and heading_level != level:
                    end_heading(number)
                heading.append(line.text)
                heading_level = level
            else:
                end_heading(number)
                gap = before.top - line.top if before else 0
                if (
                    _LIST_ITEM.match(line.text)
                    or gap > 1.7 * line.height
                    or (gap < 0 < len(paragraph) and _ended(paragraph))
                ):
                    end_paragraph()
                paragraph.append(line.text)
            before = line
        end_heading(number)
    end_paragraph()


def _ended(paragraph: list[str]) -> bool:
    return paragraph[-1][-1:] in ".!?:。"


def _joined(lines: list[str]) -> str:
    """Lines as one text; a word cut at a line's end is whole again."""
    text = "\n".join(lines)
    text = re.sub(r"(?<=[^\W\d_])[\u00ad-]\n(?=[^\W\d_])(?![A-Z])", "", text)
    return text.replace("-\n", "-").replace("\n", " ")


def read_docx(content: bytes) -> Outline:
    """The outline of a Word document: heading styles, paragraphs, lists and tables in order.

    Raises UnreadableError when it is encrypted, damaged, or would unpack to an unreasonable size.
    """
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableError("is encrypted or an old .doc; save it as .docx without a password")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # What zipfile unpacks is never more than an entry announces here.
            size = sum(entry.file_size for entry in archive.infolist())
    except zipfile.BadZipFile as error:
        raise UnreadableError("is damaged or no DOCX") from error
    if size > _MOST_UNPACKED_BYTES:
        raise UnreadableError(
            f"would unpack to {size / 1e6:.0f} MB; "
            f"at most {_MOST_UNPACKED_BYTES / 1e6:.0f} MB are read"
        )
    import docx

    try:
        document = docx.Document(io.BytesIO(content))
        properties = document.core_properties
        title = properties.title or ""
        outline = Outline({} if _NO_TITLE.search(title) else {"title": title})
        counters: dict[tuple[str, int], int] = {}
        for block in document.iter_inner_content():
            if hasattr(block, "rows"):
                _fill_table(outline, block)
            else:
                _fill_paragraph(outline, block, counters)
    except RecursionError:
        raise
    except Exception as error:
        # python-docx lets whatever a damaged part provokes through: KeyError, lxml's errors …
        raise UnreadableError(f"is damaged: {type(error).__name__}") from error
    return outline


def _fill_paragraph(outline: Outline, paragraph: Any, counters: dict[tuple[str, int], int]) -> None:
    text = paragraph.text.strip()
    if not text:
        return
    for run in paragraph.runs:
        if run.bold or run.italic:
            outline.label(run.text)
    style = (paragraph.style.name if paragraph.style is not None else "") or ""
    level = re.fullmatch(r"Heading (\d)", style)
    if style == "Title":
        outline.metadata["title"] = text
    elif level:
        counters.clear()
        outline.heading(int(level.group(1)), text)
    elif (item := _list_level(paragraph, style)) is not None:
        key, depth = item
        marker = "-"
        if key.startswith("number"):
            counters[key, depth] = counters.get((key, depth), 0) + 1
            marker = f"{counters[key, depth]}."
            for other in [k for k in counters if k[0] == key and k[1] > depth]:
                del counters[other]
        outline.line(f"{'  ' * depth}{marker} {' '.join(text.split())}")
    else:
        counters.clear()
        for part in text.split("\n\n"):
            outline.block(part.strip("\n"))


def _list_level(paragraph: Any, style: str) -> tuple[str, int] | None:
    """Whether a paragraph is a list item: the list's name (`number…` or `bullet…`), and the depth
    from 0; else None."""
    properties = paragraph._p.pPr
    numbering = properties.numPr if properties is not None else None
    list_style = re.match(r"List (Number|Bullet)(?: (\d))?", style)
    if numbering is None or numbering.numId is None:
        if list_style is None:
            return None
        return list_style.group(1).lower(), int(list_style.group(2) or 1) - 1
    number_id = numbering.numId.val
    depth = min(numbering.ilvl.val if numbering.ilvl is not None else 0, 8)
    kind = "bullet" if _is_bullet(paragraph, number_id, depth) else "number"
    return f"{kind} {number_id}", depth


def _is_bullet(paragraph: Any, number_id: int, depth: int) -> bool:
    """Looks a list's kind up in the document's numbering definitions."""
    try:
        root = paragraph.part.numbering_part.element
        found = root.xpath(
            f"w:abstractNum[@w:abstractNumId=../w:num[@w:numId='{int(number_id)}']"
            f"/w:abstractNumId/@w:val]/w:lvl[@w:ilvl='{int(depth)}']/w:numFmt/@w:val"
        )
    except (KeyError, NotImplementedError):
        return True
    return not found or found[0] in ("bullet", "none")


def _fill_table(outline: Outline, table: Any) -> None:
    outline.gap()
    for row in table.rows:
        # A merged cell stands once for every column that it spans.
        cells = [
            cell
            for i, cell in enumerate(row.cells)
            if i == 0 or cell._tc is not row.cells[i - 1]._tc
        ]
        line = " | ".join(" ".join(cell.text.split()) for cell in cells)
        if line.strip(" |"):
            outline.line(line)
    outline.gap()
