from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.report import FIGURES, PAGE, README, page, section, summary
from benchmarks.results import FOLDER


def test_the_page_says_what_the_result_files_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `python -m benchmarks.report`"


def test_the_readme_quotes_what_the_result_files_say() -> None:
    quoted = FIGURES.search(README.read_text(encoding="utf-8"))

    assert quoted is not None
    assert quoted.group() == summary(), "run `python -m benchmarks.report`"


@pytest.mark.parametrize("results", sorted(FOLDER.glob("*.json")), ids=lambda p: p.stem)
def test_committed_results_belong_to_a_benchmark(results: Path) -> None:
    assert (FOLDER.parent / f"bench_{results.stem}.py").is_file(), f"delete {results.name}"


def test_a_section_shows_meaning_figures_and_how_they_came_about() -> None:
    document = {
        "command": "make bench-screens",
        "commit": "0123456789",
        "date": "2026-11-24",
        "machine": "2 cores, no GPU",
        "load": [0.1, 1.9],
        "versions": {"bm25s": "0.3.16"},
        "rows": [
            {"task": "screens", "system": "deskmate", "metric": "hit@1", "value": 0.61, "n": 154}
        ],
    }

    text = section("screens", document)

    assert text.startswith("## screens\n\nWhich article is a screenshot about?")
    assert (
        "**screens** (n = 154)\n\n| system | hit@1 |\n| :-- | --: |\n| deskmate | 0.610 |" in text
    )
    assert text.endswith(
        "*`make bench-screens` on 2 cores, no GPU, 2026-11-24, commit 0123456789; bm25s 0.3.16.*"
    )


def test_a_section_warns_of_times_that_were_measured_beside_other_work() -> None:
    document = {
        "command": "make bench-screens",
        "commit": "0123456789",
        "date": "2026-11-24",
        "machine": "2 cores, no GPU",
        "load": [4.2, 1.9],
        "versions": {},
        "rows": [],
    }

    assert "**Times are provisional:** other work ran" in section("screens", document)
