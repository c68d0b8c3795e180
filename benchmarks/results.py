"""What a benchmark found: printed as a table, and kept in `benchmarks/results/NAME.json`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """One figure. `n` is the number of cases behind it; `interval` is the paired bootstrap's 95 %
    interval of the system's value minus deskmate's."""

    task: str
    system: str
    metric: str
    value: float
    n: int | None = None
    interval: tuple[float, float] | None = None


@dataclass
class Results:
    """The rows of one benchmark. `peers` are the packages whose versions are noted.

    Make it before anything is measured: it notes the commit, which may move during a long run, and
    how busy the machine is with other work.
    """

    name: str
    peers: Sequence[str] = ()
    rows: list[Row] = field(default_factory=list)
    commit: str = field(default_factory=lambda: _commit())
    load_before: float = field(default_factory=lambda: os.getloadavg()[0])

    def add(
        self,
        task: str,
        system: str,
        metric: str,
        value: float,
        *,
        n: int | None = None,
        interval: tuple[float, float] | None = None,
    ) -> None:
        """Adds a row; counts stay whole numbers, other figures keep four digits after the point."""
        rounded = None if interval is None else (round(interval[0], 4), round(interval[1], 4))
        kept = value if isinstance(value, int) else round(float(value), 4)
        self.rows.append(Row(task, system, metric, kept, n, rounded))

    def publish(self) -> None:
        """Prints the tables and writes the file."""
        for table in tables(self.rows):
            _print(table)
        FOLDER.mkdir(exist_ok=True)
        file = FOLDER / f"{self.name}.json"
        file.write_text(_one_row_a_line(self._document()), encoding="utf-8")
        print(f"written to {file}")

    def _document(self) -> dict[str, Any]:
        return {
            "command": f"make bench-{self.name}",
            "commit": self.commit,
            "date": datetime.now(UTC).date().isoformat(),
            "machine": machine(),
            "load": [round(self.load_before, 1), round(os.getloadavg()[2], 1)],
            "versions": {package: version(package) for package in self.peers},
            "rows": [
                {key: value for key, value in vars(row).items() if value is not None}
                for row in self.rows
            ],
        }


@dataclass(frozen=True)
class Table:
    """A task's figures: one line a system, one column a metric; `None` where there is none."""

    task: str
    metrics: tuple[str, ...]
    lines: tuple[tuple[str, tuple[Row | None, ...]], ...]

    @property
    def n(self) -> int | None:
        """The number of cases, if all figures that say one have the same."""
        numbers = {row.n for _, cells in self.lines for row in cells if row and row.n}
        return numbers.pop() if len(numbers) == 1 else None


def tables(rows: Sequence[Row]) -> list[Table]:
    """The rows as one table a task; systems and metrics come in the order of the rows."""
    found = []
    for task in dict.fromkeys(row.task for row in rows):
        own = {(row.system, row.metric): row for row in rows if row.task == task}
        metrics = tuple(dict.fromkeys(metric for _, metric in own))
        systems = dict.fromkeys(system for system, _ in own)
        lines = tuple((s, tuple(own.get((s, metric)) for metric in metrics)) for s in systems)
        found.append(Table(task, metrics, lines))
    return found


def shown(row: Row | None, n: int | None = None) -> str:
    """A figure as text: its interval beside it, and its number of cases unless that is `n`."""
    if row is None:
        return "–"
    value = abs(row.value)
    digits = 0 if isinstance(value, int) else 3 if value <= 1 else 1 if value < 100 else 0
    text = f"{row.value:,.{digits}f}"
    if row.interval:
        text += f" ({row.interval[0]:+.3f} … {row.interval[1]:+.3f})"
    return text if row.n in (None, n) else f"{text} [n = {row.n}]"


def machine() -> str:
    """The machine in words: `2 cores, no GPU`."""
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{len(os.sched_getaffinity(0))} cores, {gpu}"


def _commit() -> str:
    """The commit that was measured; `+` says that code was changed since."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(FOLDER.parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    changed = git("status", "--porcelain", "--", "../assistant", "*.py")
    return git("rev-parse", "--short=10", "HEAD") + ("+" if changed else "")


def _print(table: Table) -> None:
    from rich.console import Console
    from rich.table import Table as RichTable

    title = table.task + (f" (n = {table.n})" if table.n else "")
    rich = RichTable("system", title=title, title_justify="left")
    for metric in table.metrics:
        rich.add_column(metric, justify="right", no_wrap=True)
    for system, cells in table.lines:
        rich.add_row(system, *(shown(row, table.n) for row in cells))
    Console(width=200).print(rich)


def _one_row_a_line(document: dict[str, Any]) -> str:
    """JSON that shows in a diff which rows changed."""
    rows = document.pop("rows")
    head = json.dumps(document, indent=1, ensure_ascii=False).removesuffix("\n}")
    body = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)
    return f'{head},\n "rows": [\n{body}\n ]\n}}\n'
