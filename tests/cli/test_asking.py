from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Run
from tests.pictures import SIZE, png

pytestmark = pytest.mark.usefixtures("indexed_here")


def test_a_question_is_answered_with_action_and_source(run: Run) -> None:
    ran = run("ask", "How do I download an invoice?")

    assert ran.code == 0
    assert "reply" in ran.out
    assert "1. Open Settings > Billing." in ran.out
    assert "[1] Download an invoice" in ran.out


def test_times_show_each_step(run: Run) -> None:
    ran = run("ask", "How do I download an invoice?", "--times")

    assert all(step in ran.out for step in ("encode", "search", "decide"))


def test_json_is_the_whole_outcome(run: Run) -> None:
    ran = run("ask", "How do I download an invoice?", "--json")

    outcome = json.loads(ran.out)
    assert outcome["action"] == "reply"
    assert outcome["reason"]
    assert outcome["answer"]["citations"][0]["passage"]["article_id"] == "help/invoices.md"
    assert outcome["hits"][0]["how"]["words"] == 1
    assert [step["name"] for step in outcome["trace"]][-2:] == ["decide", "plugins"]


def test_a_screenshot_is_read_and_accounted_for(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s.png").write_bytes(png("Error KT-4031"))

    ran = run("ask", "-s", "s.png")

    assert ran.code == 0
    assert "disk quota" in ran.out
    assert "s.png: read: 1 line of text" in ran.out


def test_a_screenshot_is_explained_and_drawn(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s.png").write_bytes(png("Error KT-4031"))

    ran = run("ask", "-s", "s.png", "--explain", "--heat-map", "out.png")

    assert ran.code == 0
    assert "line: Error KT-4031" in ran.out
    assert "words, best passage" in ran.out
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.size == SIZE


def test_words_are_explained_by_rankings(run: Run) -> None:
    ran = run("ask", "How do I download an invoice?", "--explain")

    assert "article's words" in ran.out
    assert "words in it, by rarity: " in ran.out


def test_without_a_screenshot_there_is_no_heat_map(run: Run, tmp_path: Path) -> None:
    ran = run("ask", "How do I download an invoice?", "--heat-map", "out.png")

    assert (ran.code, "no heat map" in ran.err) == (1, True)
    assert not (tmp_path / "out.png").exists()


def test_a_heat_map_that_cannot_be_written_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "s.png").write_bytes(png("Error KT-4031"))

    ran = run("ask", "-s", "s.png", "--heat-map", "nowhere/out.png")

    assert (ran.code, "nowhere/out.png: No such file" in ran.err) == (1, True)


def test_a_screenshot_that_cannot_be_read_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "[b]s.png").write_bytes(b"no picture")

    ran = run("ask", "What does error KT-4031 mean?", "-s", "[b]s.png")

    assert (ran.code, "[b]s.png: not read: not an image" in ran.out) == (0, True)


def test_a_screenshot_that_is_missing_is_four(run: Run) -> None:
    ran = run("ask", "-s", "no.png")

    assert (ran.code, "no.png: No such file" in ran.err) == (4, True)


def test_internal_articles_are_shown_to_staff_only(run: Run) -> None:
    question = "How much may staff refund without asking the manager?"

    assert "200 euros" not in run("ask", question).out
    assert "200 euros" in run("ask", question, "--internal").out


def test_what_looks_like_markup_is_shown_as_it_is(run: Run) -> None:
    ran = run("ask", "What is [/red] and [bold]?")

    assert ran.code == 0
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("end", ["\n", ""], ids=["empty line", "Ctrl-D"])
def test_a_chat_knows_what_was_said_before(
    run: Run, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    typed = f"How many devices does the Free plan allow?\nAnd Team?\n{end}"
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))

    ran = run("chat")

    assert ran.code == 0
    assert "15 devices" in ran.out


def test_an_empty_index_is_five(run: Run, tmp_path: Path) -> None:
    (tmp_path / "deskmate.toml").write_text('data_dir = "empty"')

    ran = run("ask", "Hello, where is my invoice?")

    assert ran.code == 5
    assert "the index is empty. Run `deskmate index PATH`" in ran.err
