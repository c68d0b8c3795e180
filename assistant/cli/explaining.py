"""What `deskmate ask --explain` shows: why each passage was found, and heat maps of screenshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from assistant.articles import Explanation
from assistant.errors import DeskmateError
from assistant.messages import Outcome

LINES = 5
"""So many lines of the screenshots are named for each passage."""


def show(outcome: Outcome, console: Console) -> None:
    """Why each passage was found: signals with what they added, lines, and words."""
    from assistant.model.heatmap import kept

    lines = [line["text"] for screen in kept(outcome.trace) for line in screen["lines"]]
    for number, hit in enumerate(outcome.hits, 1):
        where = escape(" › ".join(hit.passage.heading_path))
        console.print(f"\n[bold]{number}. {where}[/]  {hit.score:.3f}", highlight=False)
        if hit.why is None:
            console.print(f"   added by a plugin: {escape(', '.join(hit.how))}", highlight=False)
            continue
        console.print(_signals(hit.why, hit.how))
        for row in _decisive(hit.why)[:LINES]:
            added = hit.why.lines[row]
            console.print(f"   {added:+.2f}  line: {escape(lines[row])}", highlight=False)
        if hit.why.words:
            words = ", ".join(f"{word} {rarity:.1f}" for word, rarity in hit.why.words.items())
            console.print(f"   words in it, by rarity: {escape(words)}", highlight=False)


def _signals(why: Explanation, how: Mapping[str, int]) -> Table:
    """The signals that added something or took it away, the strongest first."""
    table = Table("signal", "added", "share", "rank", box=None, pad_edge=False, padding=(0, 3))
    total = sum(abs(value) for value in why.parts.values()) or 1.0
    for name, value in sorted(why.parts.items(), key=lambda part: -abs(part[1])):
        if value:
            rank = str(how.get(name, ""))
            table.add_row(f"   {name}", f"{value:+.3f}", f"{abs(value) / total:.0%}", rank)
    return table


def _decisive(why: Explanation) -> list[int]:
    """The rows of the lines that spoke for the passage, the strongest first."""
    rows = [row for row, value in enumerate(why.lines) if value > 0]
    return sorted(rows, key=lambda row: -why.lines[row])


def write_heat_maps(outcome: Outcome, screenshots: Sequence[Path], file: Path) -> list[Path]:
    """Draws the screenshots that were read, each with what its lines added to the first passage,
    as `file` and, if there are several, `file` with -2, -3 … before its suffix. Returns the files.

    Raises DeskmateError if there is nothing to draw or the file cannot be written.
    """
    from assistant.model.attachments import pictures, shows_screens
    from assistant.model.heatmap import heat_maps, kept

    why = outcome.hits[0].why if outcome.hits else None
    if why is None or not why.lines:
        raise DeskmateError("no heat map: no line of a screenshot was compared with a passage.")
    contents = [
        picture
        for path, report in zip(screenshots, outcome.attachments, strict=True)
        if report.read and shows_screens(report.media_type, report.filename)
        for picture in pictures(path.read_bytes())
    ]
    written = []
    for number, picture in enumerate(heat_maps(kept(outcome.trace), why.lines, contents), 1):
        own = file if number == 1 else file.with_stem(f"{file.stem}-{number}")
        try:
            picture.save(own, "PNG")
        except OSError as error:
            raise DeskmateError(f"{own}: {error.strerror or error}. Name a .png file.") from error
        written.append(own)
    return written
