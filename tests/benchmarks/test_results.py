from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import results
from benchmarks.results import Results, Row, shown, tables


def test_a_benchmark_writes_its_file_in_the_documented_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FOLDER", tmp_path / "results")
    monkeypatch.setattr(results, "_commit", lambda: "0123456789")
    found = Results("screens", peers=["pytest"])
    found.add("plausible/screenshot", "deskmate", "hit@1", 0.61, n=154)
    found.add("plausible/screenshot", "bm25", "hit@1", 0.54, n=154, interval=(-0.12, -0.023456))

    found.publish()

    document = json.loads((tmp_path / "results" / "screens.json").read_text())
    assert document["command"] == "make bench-screens"
    assert set(document) == {
        *("command", "commit", "date", "machine", "load", "versions", "rows"),
    }
    assert document["versions"] == {"pytest": pytest.__version__}
    assert document["rows"] == [
        {
            "task": "plausible/screenshot",
            "system": "deskmate",
            "metric": "hit@1",
            "value": 0.61,
            "n": 154,
        },
        {
            "task": "plausible/screenshot",
            "system": "bm25",
            "metric": "hit@1",
            "value": 0.54,
            "n": 154,
            "interval": [-0.12, -0.0235],
        },
    ]


def test_rows_become_a_table_a_task_with_gaps_where_nothing_was_measured() -> None:
    rows = [
        Row("text", "deskmate", "hit@1", 0.5, 20),
        Row("text", "bm25", "ms p50", 2.0),
        Row("screens", "deskmate", "hit@1", 0.4, 9),
    ]

    text, screens = tables(rows)

    assert text.metrics == ("hit@1", "ms p50")
    assert text.lines == (("deskmate", (rows[0], None)), ("bm25", (None, rows[1])))
    assert (text.n, screens.n) == (20, 9)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (Row("t", "s", "hit@1", 0.5714, 20), "0.571"),
        (Row("t", "s", "ms p50", 12.345), "12.3"),
        (Row("t", "s", "peak MB", 1234.5), "1,234"),
        (Row("t", "s", "hit@1", 0.5, 20, (-0.1, 0.02)), "0.500 (-0.100 … +0.020)"),
        (Row("t", "s", "hit@1", 0.5, 7), "0.500 [n = 7]"),
        (None, "–"),
    ],
)
def test_a_figure_is_shown_with_its_interval_and_a_number_of_cases_of_its_own(
    row: Row | None, text: str
) -> None:
    assert shown(row, n=20) == text
