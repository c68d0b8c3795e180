"""`deskmate index`, `deskmate sources` and `deskmate rank`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from assistant.errors import DeskmateError, KnowledgeError, UnreadableError

if TYPE_CHECKING:
    from assistant.knowledge.catalogue import Report
    from assistant.knowledge.indexing import Progress as OnProgress


def add_to(app: typer.Typer) -> None:
    """Adds these commands."""
    app.command()(index)
    app.command()(sources)
    app.command()(rank)


def index(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Folders or files; none: the plugins' sources.")
    ] = None,
    source: Annotated[str, typer.Option(help="Name of the source [default: folder's name].")] = "",
    product: Annotated[str, typer.Option(help="Product of articles that name none.")] = "",
    language: Annotated[str, typer.Option(help="Language of articles that name none.")] = "",
    internal: Annotated[bool, typer.Option("--internal", help="For staff only.")] = False,
    base_url: Annotated[str, typer.Option(help="Where the folder is published.")] = "",
) -> None:
    """Read help articles into the index: Markdown, reStructuredText, HTML, PDF, DOCX and text.

    Run it again after changes: unchanged articles are skipped, removed ones deleted. Exit code 4
    says that some files could not be read; all others are in the index.
    """
    from assistant.desk import Desk
    from assistant.knowledge.sources import Folder

    if source and len(paths or ()) > 1:
        raise typer.BadParameter("--source names one folder; index the others on their own.")
    console = Console(stderr=True)
    reports = []
    with Desk.open() as desk:
        folders = [
            Folder(
                path,
                source=source or path.resolve().name,
                product=product,
                language=language,
                audience="internal" if internal else "public",
                base_url=base_url,
                max_file_mb=desk.settings.knowledge.max_file_mb,
            )
            for path in paths or ()
        ]
        for folder in folders:
            with _progress(folder.source, console) as progress:
                reports.append(desk.index(folder, progress))
        if not folders:
            with _progress("plugins' sources", console) as progress:
                reports += desk.index_plugins(progress)
            if not reports:
                raise KnowledgeError("No plugin gives a source. Run `deskmate index PATH …`.")
        pictures = desk.readings.failures
    for report in reports:
        _show(report, console)
    for path, reason in pictures:
        what = escape(f"{path}: {reason}")
        console.print(f"  [yellow]picture not read[/] {what}", highlight=False)
    if any(report.unreadable for report in reports):
        raise typer.Exit(UnreadableError.exit_code)


def sources(
    remove: Annotated[str, typer.Option(help="Take this source out of the index.")] = "",
) -> None:
    """The sources of the index: where they come from, and how many articles they hold."""
    from assistant.desk import Desk

    console = Console()
    with Desk.open() as desk:
        if remove:
            _show(desk.indexer.remove_source(remove), console)
            return
        table = Table("source", "folder", "articles", "passages")
        for source in desk.lexical.sources():
            where = escape(source.root) or "[dim]a plugin's[/]"
            table.add_row(escape(source.name), where, str(source.articles), str(source.passages))
        console.print(table)


def rank(
    articles: Annotated[Path, typer.Option(help="Folder of articles.")],
    queries: Annotated[Path, typer.Option(help='JSON lines: {"id", "text"?, "screenshots"?}.')],
    out: Annotated[Path, typer.Option(help='JSON lines: {"id", "articles", "scores", "ms"}.')],
) -> None:
    """Rank a folder of articles for each of many questions: for measuring from outside.

    Paths of screenshots are relative to the folder of the queries' file. The index is made anew in
    a temporary folder; yours is not touched.
    """
    from assistant.desk import Desk
    from assistant.knowledge.sources import Folder
    from assistant.settings import load

    asked = list(_queries(queries))
    settings = load()
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="deskmate-rank-") as folder:
        temporary = settings.model_copy(
            update={
                "data_dir": Path(folder),
                "knowledge": settings.knowledge.model_copy(update={"chroma_url": ""}),
            }
        )
        with Desk(temporary) as desk, _writable(out) as file:
            with _progress("articles", console) as progress:
                report = desk.index(Folder(articles, source="articles"), progress)
            _show(report, console)
            desk.warm_up()
            with _progress("questions", console) as progress:
                for number, query in enumerate(asked, 1):
                    screenshots = [queries.parent / name for name in query["screenshots"]]
                    ranking = desk.rank(query["text"], screenshots)
                    line = {
                        "id": query["id"],
                        "articles": [name.removeprefix("articles/") for name in ranking.articles],
                        "scores": ranking.scores,
                        "ms": round(ranking.milliseconds, 1),
                    }
                    if ranking.unread:
                        line["unread"] = ranking.unread
                    file.write(json.dumps(line, ensure_ascii=False) + "\n")
                    progress(number, len(asked))


def _queries(file: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{file}: {error}. Name a UTF-8 file of JSON lines.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            query = json.loads(line)
        except json.JSONDecodeError as error:
            raise UnreadableError(f"{file}:{number}: not JSON: {error}.") from error
        if not isinstance(query, dict) or "id" not in query:
            raise UnreadableError(f'{file}:{number}: not a JSON object with an "id".')
        text, screenshots = query.get("text") or "", query.get("screenshots") or []
        if not isinstance(text, str):
            raise UnreadableError(f'{file}:{number}: "text" is {text!r}, not a string.')
        if not isinstance(screenshots, list) or not all(isinstance(s, str) for s in screenshots):
            raise UnreadableError(f'{file}:{number}: "screenshots" is no list of paths.')
        if not text and not screenshots:
            raise UnreadableError(f'{file}:{number}: needs "text" or "screenshots".')
        yield {"id": query["id"], "text": text, "screenshots": screenshots}


def _writable(file: Path) -> TextIO:
    try:
        return file.open("w", encoding="utf-8")
    except OSError as error:
        raise DeskmateError(f"{file}: cannot be written: {error.strerror}.") from error


@contextmanager
def _progress(name: str, console: Console) -> Iterator[OnProgress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _show(report: Report, console: Console) -> None:
    console.print(
        f"[bold]{escape(report.source)}[/]: {report.added} added, {report.changed} changed,"
        f" {report.unchanged} unchanged, {report.removed} removed;"
        f" {report.passages} passages written",
        highlight=False,
    )
    for unreadable in report.unreadable:
        what = escape(f"{unreadable.name}: {unreadable.reason}")
        console.print(f"  [red]not read[/] {what}", highlight=False)
