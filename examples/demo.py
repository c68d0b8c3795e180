"""The demo: a sample help centre is indexed, and four customers' messages are answered; then the
console is served with them in it, if somebody sits at the terminal.

Run it with `make demo`. It is also a first example of Deskmate's Python interface.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
import tomllib
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from assistant import Attachment, Desk, Message, Outcome, Reply, hookimpl
from assistant.cli.asking import show
from assistant.errors import SettingsError
from assistant.knowledge.catalogue import Report
from assistant.knowledge.sources import Folder
from assistant.plugging import Plugins
from assistant.settings import Settings

EXAMPLES = Path(__file__).parent
DATA = EXAMPLES.parent / ".deskmate" / "demo"  # kept: the second run finds its index there


class Sample:
    """The customers' channel: what is sent is printed here and reaches nobody."""

    name = "sample"

    def run(self, accept: Any, stop: threading.Event) -> None:
        stop.wait()

    def send(self, reply: Reply) -> str:
        print(f"\nTo {reply.to}:\n{reply.text}\n", flush=True)
        return reply.id

    def find_sent(self, reply: Reply) -> str | None:
        return None

    @hookimpl
    def register_connectors(self, settings: Settings) -> list[Any]:
        return [self]


def main() -> None:
    console = Console()
    settings = Settings(data_dir=DATA)
    plugins = Plugins.of(settings)
    plugins.register("sample", Sample())
    with Desk(settings, plugins=plugins) as desk:
        console.print("Loading the models …", highlight=False)
        start = time.perf_counter()
        desk.warm_up()
        console.print(f"Loaded in {time.perf_counter() - start:.1f} s.\n")

        start = time.perf_counter()
        report = index(desk, console)
        console.print(
            f"The help centre of Tallybeck, a fictional invoicing product: {report.added} articles"
            f" added, {report.changed} changed, {report.unchanged} unchanged,"
            f" in {time.perf_counter() - start:.1f} s.\n"
        )

        folders = [file.parent for file in sorted(EXAMPLES.glob("customers/*/message.toml"))]
        right = sum(answer(desk, folder, console) for folder in folders)
        console.print(f"{right} of {len(folders)} messages ended as their authors expected.")
        if sys.stdin.isatty():
            serve_console(desk, console)
    console.print(
        "Next, ask something yourself:\n\n"
        f"  DESKMATE_DATA_DIR={DATA.relative_to(EXAMPLES.parent)} .venv/bin/deskmate ask"
        ' "How do I void an invoice that I sent already?" --times',
        highlight=False,
        soft_wrap=True,
    )


def index(desk: Desk, console: Console) -> Report:
    """Brings the index up to date: pictures in articles are read too, unchanged articles not."""
    folder = Folder(EXAMPLES / "help-centre" / "articles", source="tallybeck")
    with Progress(console=console) as progress:
        task = progress.add_task("Reading articles and their screenshots (once)")
        return desk.index(
            folder, lambda done, total: progress.update(task, completed=done, total=total)
        )


def answer(desk: Desk, folder: Path, console: Console) -> bool:
    """Answers the message in a folder and shows it; returns whether it ended as expected."""
    message = tomllib.loads((folder / "message.toml").read_text(encoding="utf-8"))
    words = f"{message['subject']}\n{message['text']}".strip()
    console.rule(f"{folder.name} · from {message['sender']}", align="left")
    console.print(escape(words or "(no words)"), highlight=False)
    for name in message["screenshots"]:
        console.print(f"[screenshot {name}]", markup=False, highlight=False)
    console.print()

    pictures = [folder / name for name in message["screenshots"]]
    outcome = desk.ask(words, pictures)
    keep(desk, folder.name, message, pictures, outcome)

    show(outcome, console, times=True)
    console.print()
    return as_expected(outcome, message["expected"])


def keep(
    desk: Desk, name: str, message: dict[str, Any], pictures: list[Path], outcome: Outcome
) -> None:
    """Makes a ticket of the message and its outcome, once, so that the console shows it."""
    attachments = tuple(map(Attachment.of, pictures))
    stored = Message(
        "sample", name, name, message["sender"], message["text"].strip(), message["subject"],
        attachments=attachments,
    )  # fmt: skip
    ticket = desk.tickets.store_message(stored)
    desk.tickets.outcomes.store(ticket.id, stored, [name], outcome)


def serve_console(desk: Desk, console: Console) -> None:
    """Serves the console with the demo's tickets until Ctrl-C."""
    from assistant import logs
    from assistant.serving import serve

    http = desk.settings.http
    console.print(
        f"\nThe console with these tickets: http://{http.host}:{http.port}  (Ctrl-C ends it)",
        highlight=False,
    )
    logs.configure()
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda number, frame: stop.set())
    try:
        serve(desk, stop)
    except SettingsError as error:
        console.print(f"{escape(str(error))}\nAnother port: DESKMATE_HTTP__PORT=8081 make demo\n")


def as_expected(outcome: Outcome, expected: dict[str, Any]) -> bool:
    """Whether the action is the expected one and an expected article is cited."""
    citations = outcome.answer.citations if outcome.answer else ()
    cited = {citation.passage.article_id for citation in citations}
    wanted = {f"tallybeck/{name}" for name in expected["articles"]}
    return outcome.action == expected["action"] and (not wanted or bool(cited & wanted))


if __name__ == "__main__":
    main()
