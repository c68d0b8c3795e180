"""Whatever comes in: a clear message, and nothing lost.

Each row of the first table is a customer's file, of the second an operator's. Below them: what the
machine itself may do, a full disk and a locked database.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from assistant import Attachment, Message, Outcome
from assistant.desk import Desk
from assistant.errors import DatabaseError, DeskmateError, KnowledgeError
from assistant.knowledge.lexical import Lexical
from assistant.knowledge.sources import Folder
from assistant.model.encoder import MultimodalEncoder
from assistant.settings import Settings
from assistant.tickets import database
from assistant.tickets.database import open_engine
from assistant.tickets.repository import Tickets
from tests.knowledge import index_process
from tests.pictures import bomb, encoded, png, screenshot

QUESTION = "What does error KT-4031 mean?"

CUSTOMERS_FILES: dict[str, tuple[str, str, Callable[[], bytes], str]] = {
    # what: name, media type, content, what is said about it
    "an unreadable picture": ("a.png", "image/png", lambda: b"\x89PNG broken", "not an image"),
    "an empty picture": ("a.png", "image/png", lambda: b"", "the file is empty"),
    "a truncated picture": ("a.png", "image/png", lambda: png()[:500], "damaged or cut off"),
    "a bomb": ("a.png", "image/png", lambda: bomb(60_000, 60_000), "40 million pixels"),
    "a picture of one pixel": (
        "a.png",
        "image/png",
        lambda: encoded(Image.new("1", (1, 1))),
        "too small",
    ),
    "a drawing": ("a.svg", "image/svg+xml", lambda: b"<svg/>", "not an image of a kind"),
    "a huge file": ("a.txt", "text/plain", lambda: b"\xff" * 26_000_000, "larger than 25 MB"),
    "an unknown kind": ("a.xyz", "application/x-xyz", lambda: b"?", "application/x-xyz are not"),
    "bytes called text": ("a.log", "text/plain", lambda: b"\x00\x01", "it is not a text"),
}


@pytest.fixture
def ask(desk: Desk, ticket: object) -> Callable[..., Outcome]:
    def make(text: str, *files: Attachment) -> Outcome:
        message = Message("test", "1", "t", "ann", text, attachments=files)
        return desk.pipeline.answer(message, ticket)  # type: ignore[arg-type]

    return make


@pytest.mark.parametrize("what", CUSTOMERS_FILES)
def test_a_customers_bad_file(ask: Callable[..., Outcome], what: str) -> None:
    name, media_type, make, said = CUSTOMERS_FILES[what]

    outcome = ask(QUESTION, Attachment(media_type, name, make()))

    (report,) = outcome.attachments
    assert (report.read, said in report.note) == (False, True), report.note
    assert f"I could not read {name}: {report.note}." in outcome.text
    assert "disk quota" in outcome.text  # the question itself is answered


def test_a_picture_like_a_thread(ask: Callable[..., Outcome]) -> None:
    content = encoded(Image.new("1", (1_000_000, 9)))

    outcome = ask(QUESTION, Attachment("image/png", "a.png", content))

    assert outcome.attachments[0].note == "no text was found in it"
    assert "disk quota" in outcome.text


def test_an_animated_picture(ask: Callable[..., Outcome]) -> None:
    frames = [screenshot("Error KT-4031"), screenshot("second")]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])

    outcome = ask("", Attachment("image/gif", "a.gif", content))

    assert outcome.attachments[0].note == "a recording, 2 scenes; 2 lines of text"
    assert "disk quota" in outcome.text


@pytest.mark.parametrize(
    "text",
    ["請問如何付款？", "Как мне оплатить?", "كيف أدفع؟", "ฉันจะจ่ายอย่างไร", "🙏🙏🙏", "x" * 200_000],
)
def test_a_question_in_another_script_or_of_any_length(
    ask: Callable[..., Outcome], text: str
) -> None:
    outcome = ask(text)

    assert outcome.action in ("ask", "draft", "hand over")
    assert outcome.reason
    assert outcome.text


OPERATORS_FILES: dict[str, tuple[str, Callable[[], bytes], str]] = {
    # what: name, content, what is said about it
    "an article of 50 MB": ("big.md", lambda: b"word " * 10_000_000, "has 50.0 MB; at most 20 MB"),
    "an empty article": ("empty.md", lambda: b" \n", "is empty"),
    "a truncated PDF": ("cut.pdf", lambda: b"%PDF-1.7\n1 0 obj", "PDF"),
    "no DOCX at all": ("no.docx", lambda: b"PK broken", ""),
    "an unknown kind": ("*.xyz", lambda: b"?", "of a kind that is not read"),
}


@pytest.mark.parametrize("what", OPERATORS_FILES)
def test_an_operators_bad_file(tmp_path: Path, what: str) -> None:
    name, make, said = OPERATORS_FILES[what]
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "good.md").write_text("# Good\n\nText.\n")
    (folder / name.replace("*", "a")).write_bytes(make())

    report = index_process.index(tmp_path / "index", folder)

    (unreadable,) = report.unreadable
    assert (unreadable.name, said in unreadable.reason) == (name, True), unreadable.reason
    assert unreadable.reason
    assert report.added == 1


def test_an_article_of_many_thousand_passages(tmp_path: Path) -> None:
    folder = tmp_path / "articles"
    folder.mkdir()
    text = "".join(f"## Heading {n}\n\n" + f"word{n} " * 50 + "\n\n" for n in range(6_000))
    (folder / "long.md").write_text("# Long\n\n" + text)

    report = index_process.index(tmp_path / "index", folder)

    assert (report.added, report.unreadable) == (1, [])
    assert report.passages >= 6_000


def test_an_empty_index(tmp_path: Path, encoder: MultimodalEncoder) -> None:
    with Desk(Settings(data_dir=tmp_path)) as desk:
        desk.encoder = encoder

        with pytest.raises(KnowledgeError, match="the index is empty"):
            desk.ask(QUESTION)


# ── A full disk ────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if os.getuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk")
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("this machine does not allow mounting")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, *, leave: int = 0) -> Path:
    """Uses up what is left of the disk but for so many bytes; deleting the file gives it back."""
    file = disk / "ballast"
    with file.open("wb", buffering=0) as opened:
        try:
            while True:
                opened.write(bytes(4096))
        except OSError:
            pass
    os.truncate(file, max(0, file.stat().st_size - leave))
    return file


@pytest.mark.parametrize("left", [0, 64_000, 200_000])
def test_a_full_disk_stops_the_index_and_leaves_it_whole(
    small_disk: Path, tmp_path: Path, left: int
) -> None:
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "old.md").write_text("# Old\n\nOld text.\n")
    index_process.index(small_disk / "i", articles)
    (articles / "new.md").write_text("# New\n\n" + "A long text with many words. " * 20_000)

    ballast = fill(small_disk, leave=left)
    with pytest.raises(KnowledgeError, match=r"(?i)disk"):
        index_process.index(small_disk / "i", articles)

    ballast.unlink()
    (articles / "new.md").write_text("# New\n\nNew text.\n")
    report = index_process.index(small_disk / "i", articles)
    assert (report.added, report.unchanged) == (1, 1)


def test_a_full_disk_keeps_a_message_from_being_acknowledged(small_disk: Path) -> None:
    tickets = Tickets(open_engine(f"sqlite:///{small_disk / 'tickets.sqlite'}"))
    first = Message("email", "1", "t1", "kim", "Where is my invoice?")
    tickets.store_message(first)
    second = Message("email", "2", "t1", "kim", "word " * 100_000)

    ballast = fill(small_disk, leave=8192)
    with pytest.raises(DatabaseError, match=r"the disk is full.*Free some space"):
        tickets.store_message(second)

    ballast.unlink()
    ticket = tickets.store_message(second)
    assert [turn.text for turn in tickets.conversation(ticket.id)] == [first.text, second.text]


def test_a_disk_that_was_full_from_the_start(small_disk: Path) -> None:
    fill(small_disk)

    with pytest.raises(DeskmateError, match=r"(?i)disk|space"):
        open_engine(f"sqlite:///{small_disk / 'tickets.sqlite'}")
    with pytest.raises(DeskmateError, match=r"(?i)disk|space"):
        Lexical(small_disk / "words.sqlite")


# ── A locked database ──────────────────────────────────────────────────────────────────────────


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process holds the file's lock."""
    code = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        process.kill()


def test_a_locked_ticket_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.3)
    tickets = Tickets(open_engine(f"sqlite:///{tmp_path / 'tickets.sqlite'}"))
    message = Message("email", "1", "t1", "kim", "Where is my invoice?")

    with locked(tmp_path / "tickets.sqlite"), pytest.raises(DatabaseError) as caught:
        tickets.store_message(message)

    assert "another process holds the database's lock" in str(caught.value)
    assert tickets.store_message(message).customer == "kim"


def test_a_locked_word_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoder: MultimodalEncoder
) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, **{**k, "timeout": 0.3}))
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "a.md").write_text("# A\n\nText.\n")
    with Desk(Settings(data_dir=tmp_path / "data")) as desk:
        desk.encoder = encoder
        assert desk.lexical.counts() == (0, 0)

        with locked(desk.index_folder / "words.sqlite"), pytest.raises(KnowledgeError) as caught:
            desk.index(Folder(articles))

        assert "if another process holds it, wait for it" in str(caught.value)
        assert desk.index(Folder(articles)).added == 1
