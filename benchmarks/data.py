"""Where the benchmarks' data lies, and what is in it.

The data is not part of the project. `DESKMATE_DATA` names its folder; by default it is
`../shared/data` beside the repository. A benchmark whose data is absent is skipped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
HELP_CENTRE = REPOSITORY / "examples" / "help-centre"


@dataclass(frozen=True)
class Case:
    """A question and the articles that settle it: none if no article does."""

    id: str
    text: str
    relevant: frozenset[str]
    screenshots: tuple[Path, ...] = ()


def folder(name: str) -> Path:
    """A folder or file of the data. Ends the program, as skipped, if it is not there."""
    root = Path(os.environ.get("DESKMATE_DATA") or REPOSITORY.parent / "shared" / "data")
    path = root / name
    if not path.exists():
        print(f"skipped: {path} is not there. Set DESKMATE_DATA to the folder of the data.")
        raise SystemExit(0)
    return path


def screens(product: str) -> tuple[Path, list[tuple[str, Case]]]:
    """A help centre's articles, and for each of its screenshots the words that its author put
    beside it and the case of the screenshot alone."""
    root = folder(f"screens/{product}")
    pairs = [
        (
            pair["alt"].strip(),
            Case(pair["image"], "", frozenset({pair["article"]}), (root / pair["image"],)),
        )
        for pair in _json_lines(root / "pairs.jsonl")
    ]
    return root / "articles", pairs


def techqa() -> tuple[Mapping[str, str], list[Case]]:
    """The union of all contexts by file name, and the questions."""
    rows = _json_lines(folder("questions/techqa.jsonl"))
    documents = {c["filename"]: c["text"] for row in rows for c in row["contexts"]}
    cases = []
    for row in rows:
        answering = () if row["is_impossible"] else row["contexts"]
        relevant = frozenset(context["filename"] for context in answering)
        cases.append(Case(row["id"], row["question"], relevant))
    return documents, cases


def off_topic(count: int) -> list[Case]:
    """What people ask voice assistants: no product's help centre answers any of it."""
    file = folder("intents/clinc150/data_full.json")
    asked = json.loads(file.read_text(encoding="utf-8"))["oos_test"]
    step = len(asked) // count
    return [Case(f"off-topic-{n}", text, frozenset()) for n, (text, _) in enumerate(asked[::step])]


def help_centre() -> list[Case]:
    """The questions of the example help centre."""
    return [
        Case(
            row["id"],
            row.get("text", ""),
            frozenset(row["articles"]),
            tuple(HELP_CENTRE / name for name in row.get("screenshots", ())),
        )
        for row in _json_lines(HELP_CENTRE / "questions.jsonl")
    ]


def read_texts(articles: Path) -> dict[str, str]:
    """The plain text of every file in a folder, by the file's path below it."""
    return {
        path.relative_to(articles).as_posix(): path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(articles.rglob("*"))
        if path.is_file()
    }


def write_texts(texts: Mapping[str, str], folder: Path) -> Path:
    """Writes texts as files into `folder`, which is made, and returns it."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def _json_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]
