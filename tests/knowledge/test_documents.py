from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import docx
import pytest
from fpdf import FPDF

from assistant.errors import UnreadableError
from assistant.knowledge.documents import read_docx, read_pdf

Lines = list[tuple[int, str]]  # size in points, text


def make_pdf(pages: list[Lines], password: str = "") -> bytes:
    pdf = FPDF()
    pdf.set_auto_page_break(False)
    for number, page in enumerate(pages, start=1):
        pdf.add_page()
        pdf.set_font("helvetica", size=9)
        pdf.cell(0, 8, "Acme manual", new_x="LMARGIN", new_y="NEXT")
        for size, line in page:
            pdf.set_font("helvetica", size=size)
            pdf.cell(0, size * 0.5, line, new_x="LMARGIN", new_y="NEXT")
        pdf.set_y(-20)
        pdf.set_font("helvetica", size=9)
        pdf.cell(0, 8, f"Page {number} of {len(pages)}")
    if password:
        pdf.set_encryption(owner_password=password, user_password=password)
    return bytes(pdf.output())


def make_docx(fill: Callable[[docx.document.Document], None]) -> bytes:
    document = docx.Document()
    document.core_properties.title = ""
    fill(document)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def test_a_pdf_is_read_along_its_larger_lines():
    content = make_pdf(
        [
            [(24, "Billing"), (11, "How you pay us and what an in-"), (11, "voice holds.")],
            [(16, "Change your plan"), (11, "1. Open Settings."), (11, "2. Click Save.")],
            [(16, "Cancel"), (11, "Write to us."), (11, "We answer soon.")],
        ]
    )

    outline = read_pdf(content)
    found = outline.sections(outline.title("Untitled"))

    assert [(s.heading_path, s.anchor) for s in found] == [
        (("Billing",), ""),
        (("Billing", "Change your plan"), "page=2"),
        (("Billing", "Cancel"), "page=3"),
    ]
    assert [" ".join(s.text.split()) for s in found] == [
        "How you pay us and what an invoice holds.",
        "1. Open Settings. 2. Click Save.",
        "Write to us. We answer soon.",
    ]
    assert found[1].text == "1. Open Settings.\n2. Click Save."


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (make_pdf([[(11, "Secret")]], password="p"), "is encrypted"),
        (make_pdf([[(11, "Words")]])[:400], "is damaged"),
        (b"%PDF-1.7\ngarbage", "is damaged"),
        (bytes(FPDF().output()), "has no text"),
    ],
)
def test_pdfs_that_cannot_be_read(content: bytes, reason: str):
    with pytest.raises(UnreadableError, match=reason):
        read_pdf(content)


def test_a_word_document_keeps_headings_lists_and_tables_in_order():
    def fill(document: docx.document.Document) -> None:
        document.add_heading("Billing", level=0)
        document.add_paragraph("Intro.")
        document.add_heading("Change your plan", level=1)
        document.add_paragraph("Open Settings.", style="List Number")
        document.add_paragraph("Pick one:", style="List Number")
        document.add_paragraph("Pro", style="List Bullet 2")
        document.add_paragraph("Save.", style="List Number")
        table = document.add_table(rows=2, cols=2)
        for cell, text in zip(table._cells, ["Plan", "Price", "Pro", "9"], strict=True):
            cell.text = text
        document.add_heading("Cancel", level=2)
        document.add_paragraph("Write to us.")

    outline = read_docx(make_docx(fill))
    found = outline.sections(outline.title("Untitled"))

    assert [(s.heading_path, s.text) for s in found] == [
        (("Billing",), "Intro."),
        (
            ("Billing", "Change your plan"),
            "1. Open Settings.\n2. Pick one:\n  - Pro\n3. Save.\n\nPlan | Price\nPro | 9",
        ),
        (("Billing", "Change your plan", "Cancel"), "Write to us."),
    ]


def zip_bomb() -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word/document.xml", "w", force_zip64=True) as entry,
    ):
        for _ in range(250):
            entry.write(b" " * 1_000_000)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: make_docx(lambda d: d.add_paragraph("Words"))[:2_000], "is damaged"),
        (lambda: b"PK\x03\x04 garbage", "is damaged"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 500, "is encrypted or an old .doc"),
        (zip_bomb, "would unpack to 250 MB; at most 200 MB"),
    ],
)
def test_word_documents_that_cannot_be_read(make: Callable[[], bytes], reason: str):
    with pytest.raises(UnreadableError, match=reason):
        read_docx(make())


def test_an_archive_that_is_no_word_document():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("hello.txt", "hello")

    with pytest.raises(UnreadableError, match="is damaged"):
        read_docx(stream.getvalue())


def test_bold_and_italic_words_of_a_word_document_are_labels():
    def fill(document: docx.document.Document) -> None:
        paragraph = document.add_paragraph("Press ")
        paragraph.add_run("Save").bold = True
        paragraph.add_run(" or ")
        paragraph.add_run("Cancel").italic = True

    assert read_docx(make_docx(fill)).labels() == ("Save", "Cancel")
