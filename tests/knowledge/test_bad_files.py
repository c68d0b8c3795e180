"""Files and folders as they should not be: each is reported, and the others go on."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.articles import Article
from assistant.errors import UnreadableError
from assistant.knowledge.sources import ArticleFile, Folder, Unreadable


def reasons(folder: Folder) -> dict[str, str]:
    """Why each file was not read; the good one beside them always is."""
    (folder.root / "good.md").write_text("# Good\n\nText.\n")
    found = list(folder.articles())
    assert "good.md" in [entry.id for entry in found if isinstance(entry, Article)]
    return {entry.name: entry.reason for entry in found if isinstance(entry, Unreadable)}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        (b"<!-- nothing else -->", "holds no text"),
        (bytes(range(256)) * 40, "binary data"),
        (b"\xff\xfe# \xd8", "save it as UTF-8"),
        (b">" * 10_000 + b" deep\n", "nested too deeply"),
        (b"".join(b"  " * i + b"- a\n" for i in range(400)), "nested too deeply"),
    ],
)
def test_markdown_that_cannot_be_read(tmp_path: Path, content: bytes, reason: str):
    (tmp_path / "bad.md").write_bytes(content)

    assert reason in reasons(Folder(tmp_path))["bad.md"]


def test_restructuredtext_nested_too_deeply(tmp_path: Path):
    nested = "".join(f"{'  ' * i}a\n\n" for i in range(1_000))
    (tmp_path / "bad.rst").write_text(nested)

    assert "nested too deeply" in reasons(Folder(tmp_path))["bad.rst"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "cp1252", "latin-1"])
def test_encodings_of_western_text(read, encoding: str):
    article = read("a.md", "# Über uns\n\nCafé déjà für Größe.\n".encode(encoding))

    assert article.title == "Über uns"
    assert article.sections[0].text == "Café déjà für Größe."


def test_an_encoding_that_only_the_bytes_suggest(read):
    text = "Чтобы сбросить пароль, откройте настройки и нажмите кнопку. " * 5

    assert read("a.txt", text.encode("cp1251")).sections[0].text == text.strip()


def test_an_encoding_that_the_page_names(read):
    page = "<html><head><meta charset='shift_jis'></head><body><p>設定を開く</p></body></html>"

    assert read("a.html", page.encode("shift_jis")).sections[0].text == "設定を開く"


def test_a_file_over_the_limit_is_reported_with_the_setting(tmp_path: Path):
    with open(tmp_path / "large.md", "wb") as file:
        file.truncate(50_000_000)

    found = reasons(Folder(tmp_path))

    assert found["large.md"] == ("has 50.0 MB; at most 20 MB are read (knowledge.max_file_mb)")


def test_kinds_that_are_not_read_are_reported_once_each(tmp_path: Path):
    for name in ("a.xlsx", "b.xlsx", "c.pages", "LICENSE", "shot.png", ".hidden.md"):
        (tmp_path / name).write_text("x")
    for folder in ("node_modules", ".git"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.md").write_text("# X")

    found = reasons(Folder(tmp_path))

    assert sorted(found) == ["*.pages", "*.xlsx", "LICENSE"]
    assert found["*.xlsx"].startswith("2 files of a kind that is not read; read are .md,")


def test_links_are_followed_within_the_folder_only(tmp_path: Path):
    root = tmp_path / "docs"
    root.mkdir()
    (tmp_path / "secret.md").write_text("# Secret")
    (root / "..data").mkdir()
    (root / "..data" / "mounted.md").write_text("# Mounted")
    (root / "out.md").symlink_to(tmp_path / "secret.md")
    (root / "up").symlink_to(tmp_path)
    (root / "loop").symlink_to(root)
    (root / "self.md").symlink_to(root / "self.md")
    (root / "mounted.md").symlink_to(root / "..data" / "mounted.md")
    (root / "again.md").symlink_to(root / "good.md")

    found = reasons(Folder(root))
    ids = [file.id for file in Folder(root).files() if isinstance(file, ArticleFile)]

    assert ids == ["good.md", "mounted.md"]
    assert "out of the folder" in found["out.md"]
    assert "out of the folder" in found["up"]
    assert "leads nowhere" in found["self.md"]


def test_a_pipe_under_an_articles_name_does_not_hold_the_reader(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe.md")

    assert reasons(Folder(tmp_path))["pipe.md"] == "is no ordinary file"


def test_a_file_that_disappears_after_it_was_listed(tmp_path: Path):
    (tmp_path / "gone.md").write_text("# Gone")
    (file,) = Folder(tmp_path).files()
    assert isinstance(file, ArticleFile)
    (tmp_path / "gone.md").unlink()

    with pytest.raises(UnreadableError, match="no such file"):
        file.content_hash()
    with pytest.raises(UnreadableError, match="no such file"):
        file.read()


@pytest.mark.parametrize("name", ["with space.md", "größe ☃.md", b"caf\xe9.md"])
def test_unusual_file_names_give_ids_that_can_be_stored(tmp_path: Path, name: str | bytes):
    path = os.path.join(os.fsencode(tmp_path), os.fsencode(name))
    try:
        with open(path, "wb") as file:
            file.write(b"Text.")
    except OSError:
        pytest.skip("this file system wants UTF-8 names")

    (article,) = Folder(tmp_path).articles()

    assert isinstance(article, Article)
    assert article.id == (r"caf\xe9.md" if isinstance(name, bytes) else name)
    assert article.id.encode("utf-8")
    assert article.title.encode("utf-8")


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """A folder with a file and a folder that may not be read; root may read everything, so the
    test goes on as another user."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        (root / "good.md").write_text("# Good\n\nText.\n")
        (root / "closed.md").write_text("# Closed")
        (root / "closed.md").chmod(0)
        (root / "shut").mkdir(mode=0)
        as_root = os.geteuid() == 0
        if as_root:
            os.seteuid(65534)
        yield root
        if as_root:
            os.seteuid(0)
        (root / "shut").chmod(0o700)


def test_what_may_not_be_read_is_reported(closed_folder: Path):
    found = list(Folder(closed_folder).articles())

    assert [entry.id for entry in found if isinstance(entry, Article)] == ["good.md"]
    assert {e.name: e.reason for e in found if isinstance(e, Unreadable)} == {
        "closed.md": "cannot be opened: permission denied",
        "shut": "cannot be listed: permission denied",
    }
