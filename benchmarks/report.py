"""Makes docs/benchmarks.md and the README's figures from the files in benchmarks/results.

    python -m benchmarks.report

What a task and a row mean is said in the docstring of the script that measured them.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.results import FOLDER, Row, Table, shown, tables

PAGE = FOLDER.parents[1] / "docs" / "benchmarks.md"
README = FOLDER.parents[1] / "README.md"
FIGURES = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- end of figures -->)", re.DOTALL)

_ORDER = (
    "screens",
    "ablation",
    "reading",
    "explain",
    "questions",
    "intents",
    "indexing",
    "latency",
    "cost",
    "serve",
    "slack",
    "email",
    "mime",
    "api",
    "load",
    "console",
    "plugins",
    "redaction",
)

MANY = 5
"""From so many tables on that measure the same, they are one."""

_IN_README = ("questions", "screens")
"""Those that rank articles by all of what a system has; in `reading`, bm25s does it for both."""

_SENTENCES = (
    "A message in words takes {latency: text: deskmate: ms p50} ms at the median, one with a"
    " screenshot {latency: text+screenshot: deskmate: ms p50} ms.",
    "A screenshot is read in {reading: plausible: deskmate: ms p50} ms at the median; RapidOCR's"
    " defaults take {reading: plausible: rapidocr: ms p50} ms for the same.",
    "Slack: posts are acknowledged within {slack: busy: deskmate: ack p99 ms} ms (p99) while 20 a"
    " second arrive and the models are busy. Of {slack: chaos: deskmate: messages} posts, with the"
    " process killed, sockets ended and Slack's rate limits, {slack: chaos: deskmate: lost} were"
    " lost and {slack: chaos: deskmate: answered twice} answered twice.",
    "E-mail: of {email: chaos: deskmate: messages} mails, with {email: chaos: deskmate: kills}"
    " kills, both servers away and mailboxes full, {email: chaos: deskmate: lost} were lost and"
    " {email: chaos: deskmate: answered twice} answered twice; machines that wrote got"
    " {email: chaos: deskmate: loops} answers.",
    "All channels at once: of {load: chaos: deskmate: messages} messages, with processes killed,"
    " servers stopped, networks cut and the clock set wrong, {load: chaos: deskmate: lost} were"
    " lost and {load: chaos: deskmate: answered twice} answered twice.",
    "The console with 100,000 tickets and a million messages: its slowest page takes"
    " {console: slowest page: deskmate/SQLite: p95 ms} ms (p95) on SQLite and"
    " {console: slowest page: deskmate/PostgreSQL: p95 ms} ms on PostgreSQL.",
)
"""What else the README says, with figures named as `benchmark: task: system: metric`; a sentence
about what was not measured yet is left out."""

BUSY_BEFORE, BUSY_AFTER = 0.5, 2.6  # processes that want a core; a run keeps two busy

_INTRODUCTION = """\
# Benchmarks

<!-- Made by `python -m benchmarks.report` from benchmarks/results/*.json. Do not edit. -->

Deskmate beside named peers, on the same work, in the same run. Each section is one script under
`benchmarks/`; its command prints the tables again and writes `benchmarks/results/NAME.json`. All of
them: `make bench`, which first installs the peers.

The data is not part of the project: `DESKMATE_DATA` names its folder (default: `../shared/data`
beside the repository), and a benchmark whose data is absent says so and is skipped. What was read
in screenshots is kept between runs, in the folder that `BENCHMARK_CACHE` names (default: the user's
cache folder); times with reading are measured without it.

**How to read the tables.** `deskmate` is the product with its default settings; `deskmate/…` is a
variant or a part of it. `n` is the number of cases. `hit@k` is the share of cases whose right
article is among the first k; `nDCG@10` also says how far up it is. In parentheses stands the 95 %
interval of the system's value minus deskmate's, by paired bootstrap over the cases: where it
holds 0, the two cannot be told apart. Times are of this machine, and of one question at a time."""


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    README.write_text(FIGURES.sub(lambda match: summary(), readme), encoding="utf-8")
    print(f"written to {PAGE} and {README}")


def page() -> str:
    """The page's text."""
    files = sorted(FOLDER.glob("*.json"), key=lambda file: (_place(file.stem), file.stem))
    sections = [section(file.stem, json.loads(file.read_text("utf-8"))) for file in files]
    return "\n\n".join([_INTRODUCTION, *sections]) + "\n"


def summary() -> str:
    """The README's figures: one table of how often each system finds the right article, and what
    else was measured."""
    documents = [json.loads((FOLDER / f"{name}.json").read_text("utf-8")) for name in _IN_README]
    measured = sorted({f"{each['date']}, {each['machine']}" for each in documents})
    sentences = "".join(f"- {filled}\n" for filled in map(_filled, _SENTENCES) if filled)
    return f"{_ranking(documents)}\n\nMeasured on {'; '.join(measured)}.\n\n{sentences}"


def _ranking(documents: Sequence[dict[str, Any]]) -> str:
    found = [t for each in documents for t in tables([Row(**row) for row in each["rows"]])]
    cells: dict[str, dict[str, str]] = {}
    for table in found:
        for system, rows in table.lines:
            by_metric = {row.metric: row for row in rows if row}
            if {"hit@1", "hit@5"} <= by_metric.keys():
                first, five = by_metric["hit@1"], by_metric["hit@5"]
                column = f"{table.task} (n = {first.n})"
                cells.setdefault(system, {})[column] = f"{first.value:.3f} / {five.value:.3f}"
    columns = list(dict.fromkeys(column for row in cells.values() for column in row))
    lines = [
        "| hit@1 / hit@5 | " + " | ".join(columns) + " |",
        "| :-- |" + " --: |" * len(columns),
        *(
            f"| {s} | " + " | ".join(row.get(c, "–") for c in columns) + " |"
            for s, row in cells.items()
        ),
    ]
    return "\n".join(lines)


def _filled(sentence: str) -> str:
    """A sentence with its figures; empty if one was not measured."""
    for name in re.findall(r"\{(.*?)\}", sentence):
        benchmark, task, system, metric = name.split(": ")
        file = FOLDER / f"{benchmark}.json"
        rows = json.loads(file.read_text("utf-8"))["rows"] if file.is_file() else []
        for row in rows:
            if (row["task"], row["system"], row["metric"]) == (task, system, metric):
                sentence = sentence.replace(f"{{{name}}}", f"{row['value']:,.0f}")
    return "" if "{" in sentence else sentence


def section(name: str, document: dict[str, Any]) -> str:
    """The part of the page about one benchmark."""
    rows = [Row(**row) for row in document["rows"]]
    return "\n\n".join(
        [
            f"## {name}",
            _meaning(Path(__file__).parent / f"bench_{name}.py"),
            *_markdown(tables(rows)),
            _origin(document) + _caution(document.get("load", ())),
        ]
    )


def _place(name: str) -> int:
    return _ORDER.index(name) if name in _ORDER else len(_ORDER)


def _meaning(script: Path) -> str:
    """The script's docstring; read, not imported, so that no peer has to be installed."""
    return ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""


def _markdown(found: Sequence[Table]) -> Iterator[str]:
    """A table each; many small ones that follow each other and measure the same are one."""
    for (metrics, n), alike in groupby(found, key=lambda table: (table.metrics, table.n)):
        group = list(alike)
        if len(group) < MANY:
            yield from (_one(table) for table in group)
            continue
        lines = [
            f"| {table.task} | {system} | " + _cells(cells, n)
            for table in group
            for system, cells in table.lines
        ]
        yield "\n".join(
            [*([f"n = {n}\n"] if n else []), *_head(["task", "system"], metrics), *lines]
        )


def _one(table: Table) -> str:
    title = f"**{table.task}**" + (f" (n = {table.n})" if table.n else "")
    lines = [f"| {system} | " + _cells(cells, table.n) for system, cells in table.lines]
    return "\n".join([title, "", *_head(["system"], table.metrics), *lines])


def _head(names: Sequence[str], metrics: Sequence[str]) -> Iterator[str]:
    yield f"| {' | '.join(names)} | " + " | ".join(metrics) + " |"
    yield "|" + " :-- |" * len(names) + " --: |" * len(metrics)


def _cells(cells: Sequence[Row | None], n: int | None) -> str:
    return " | ".join(shown(row, n) for row in cells) + " |"


def _origin(document: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in document["versions"].items())
    return (
        f"*`{document['command']}` on {document['machine']}, {document['date']}, commit"
        f" {document['commit']}; {versions}.*"
    )


def _caution(load: Sequence[float]) -> str:
    """A warning about times measured while other work ran: the 1-minute load average before the
    run and the 15-minute average at its end, of which the run itself makes up to BUSY_AFTER."""
    if not load:
        return "\n\n**Times are provisional:** the machine's load was not noted."
    before, after = load
    if before < BUSY_BEFORE and after < BUSY_AFTER:
        return ""
    return (
        f"\n\n**Times are provisional:** other work ran on the machine (load {before} before the"
        f" run, {after} in its last quarter of an hour). Measure again on a quiet one; quality is"
        " not affected."
    )


if __name__ == "__main__":
    main()
