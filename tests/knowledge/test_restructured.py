from __future__ import annotations

from pathlib import Path

import pytest

from assistant.articles import Section
from assistant.knowledge.restructured import read_restructured


def sections(text: str) -> tuple[Section, ...]:
    outline = read_restructured(text)
    return outline.sections(outline.title("Untitled"))


def test_titles_become_sections_with_sphinx_anchors():
    found = sections("Billing\n=======\n\nIntro.\n\nChange your plan\n----------------\n\nText.\n")

    assert [(s.heading_path, s.anchor, s.text) for s in found] == [
        (("Billing",), "", "Intro."),
        (("Billing", "Change your plan"), "change-your-plan", "Text."),
    ]


def test_unknown_roles_and_directives_become_their_text_without_a_warning(
    capsys: pytest.CaptureFixture[str],
):
    page = """
Guide
=====

See :doc:`the other page </a/b>`, :ref:`reset <x:y>`, :doc:`/a/create-channels`, :gui:`OK`.

.. toctree::
   :hidden:

   a

.. tab-set::

   .. tab-item:: Linux
      :sync: linux

      Run **it**.

.. code-block:: bash
   :emphasize-lines: 1

   apt install x
"""

    found = sections(page)

    assert found[0].text == (
        "See the other page, reset, create channels, OK.\n\nLinux\n\nRun it.\n\napt install x"
    )
    assert capsys.readouterr() == ("", "")


def test_files_are_never_included_and_raw_output_never_made(tmp_path: Path):
    secret = tmp_path / "secret.txt"
    secret.write_text("top secret")

    found = sections(
        f"Text.\n\n.. include:: {secret}\n\n.. literalinclude:: {secret}\n\n"
        f".. csv-table::\n   :file: {secret}\n\n.. raw:: html\n   :file: {secret}\n\nEnd.\n"
    )

    assert "secret" not in found[0].text.replace(str(secret), "")
    assert "Text." in found[0].text
    assert "End." in found[0].text


def test_undefined_substitutions_comments_and_fields_leave_no_trace():
    found = sections(":orphan:\n\nTitle\n=====\n\n.. a comment\n\nSelect |icon| now.\n")

    assert [s.text for s in found] == ["Select now."]


def test_a_table_with_a_mistake_keeps_its_words():
    found = sections("Title\n=====\n\n+---+---+\n| A | B |\n+---+---+\n| :kbd:`C` | D |\n\nEnd.\n")

    assert [word for word in ("A", "B", "C", "D") if word in found[0].text.split()] == list("ABCD")
    assert ":kbd:" not in found[0].text


def test_headings_within_tabs_keep_their_text():
    found = sections(
        "Title\n=====\n\n.. tab:: macOS\n\n   General\n   ~~~~~~~\n\n   - **Icon**: a\n"
    )

    assert found[-1].heading_path[-1] == "General"
    assert found[-1].text == "- Icon: a"
