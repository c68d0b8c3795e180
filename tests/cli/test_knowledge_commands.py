from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.pictures import png


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "cats.md").write_text("# Cats\n\nCats purr when they are pleased.\n")
    (folder / "dogs.md").write_text("# Dogs\n\nDogs bark at the KT-4031 postman.\n")
    return folder


def test_index_says_what_it_did(run: Run, articles: Path) -> None:
    first = run("index", "articles")
    (articles / "dogs.md").unlink()
    second = run("index", "articles")

    assert (first.code, second.code) == (0, 0)
    assert "articles: 2 added, 0 changed, 0 unchanged, 0 removed; 2 passages written" in first.err
    assert "0 added, 0 changed, 1 unchanged, 1 removed" in second.err


def test_what_cannot_be_read_is_four_and_named(run: Run, articles: Path) -> None:
    (articles / "[draft] bad.pdf").write_bytes(b"%PDF-1.7 cut off")

    ran = run("index", "articles")

    assert ran.code == 4
    assert "not read [draft] bad.pdf: " in ran.err
    assert "2 added" in ran.err


def test_a_picture_that_cannot_be_read_is_named(run: Run, articles: Path) -> None:
    (articles / "cats.md").write_text("# Cats\n\nCats purr.\n\n![a cat](cat.png)\n")
    (articles / "cat.png").write_bytes(b"no picture")

    ran = run("index", "articles")

    assert ran.code == 0
    assert "picture not read" in ran.err
    assert "cat.png: not an image" in ran.err


def test_a_folder_that_is_missing_is_four(run: Run) -> None:
    ran = run("index", "nowhere")

    assert (ran.code, "nowhere cannot be listed" in ran.err) == (4, True)


def test_sources_are_listed_and_taken_out(run: Run, articles: Path) -> None:
    run("index", "articles")

    listed = run("sources")
    removed = run("sources", "--remove", "articles")

    assert str(articles) in listed.out
    assert "2 removed" in removed.out
    assert str(articles) not in run("sources").out
    assert run("sources", "--remove", "articles").code == 5


def test_no_folder_and_no_plugins_source_is_five(run: Run) -> None:
    ran = run("index")

    assert (ran.code, "No plugin gives a source" in ran.err) == (5, True)


def test_one_name_for_two_folders_is_two(run: Run, articles: Path) -> None:
    assert run("index", "articles", "articles", "--source", "x").code == 2


def write(file: Path, *queries: Any) -> None:
    file.write_text("".join(json.dumps(query, ensure_ascii=False) + "\n" for query in queries))


def rank(run: Run) -> Any:
    return run("rank", "--articles", "articles", "--queries", "q.jsonl", "--out", "out.jsonl")


def test_rank_orders_the_articles_for_each_question(
    run: Run, articles: Path, tmp_path: Path
) -> None:
    (tmp_path / "s.png").write_bytes(png("Error KT-4031"))
    write(
        tmp_path / "q.jsonl",
        {"id": "a", "text": "what do cats do?\u2028"},
        {"id": 2, "screenshots": ["s.png"]},
        {"id": "c", "text": "dogs", "screenshots": ["gone.png"]},
    )

    ran = rank(run)

    assert ran.code == 0, ran.err
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().split("\n") if line]
    assert [line["id"] for line in lines] == ["a", 2, "c"]
    assert [line["articles"][0] for line in lines] == ["cats.md", "dogs.md", "dogs.md"]
    assert all(len(line["articles"]) == len(line["scores"]) <= 20 for line in lines)
    assert all(line["ms"] > 0 for line in lines)
    assert "gone.png" in lines[2]["unread"][0]
    assert not (tmp_path / ".deskmate").exists()


WRONG = {
    "{": "q.jsonl:1: not JSON",
    "[1]": 'q.jsonl:1: not a JSON object with an "id"',
    '{"text": "x"}': '"id"',
    '{"id": 1}': 'needs "text" or "screenshots"',
    '{"id": 1, "text": 5}': '"text" is 5, not a string',
    '{"id": 1, "screenshots": "a.png"}': '"screenshots" is no list of paths',
    "\n\n": "",
}


@pytest.mark.parametrize("content", WRONG)
def test_what_is_wrong_with_a_question_is_said(
    run: Run, articles: Path, tmp_path: Path, content: str
) -> None:
    (tmp_path / "q.jsonl").write_text(content)

    ran = rank(run)

    assert ran.code == (4 if WRONG[content] else 0), ran.err
    assert WRONG[content] in ran.err
    assert "Traceback" not in ran.err


def test_files_of_rank_that_cannot_be_opened_are_said(
    run: Run, articles: Path, tmp_path: Path
) -> None:
    missing = rank(run)
    write(tmp_path / "q.jsonl", {"id": 1, "text": "x"})
    (tmp_path / "out.jsonl").mkdir()
    not_written = rank(run)

    assert (missing.code, "q.jsonl" in missing.err) == (4, True)
    assert (not_written.code, "out.jsonl: cannot be written" in not_written.err) == (1, True)
