from __future__ import annotations

from pathlib import Path

import pytest

from assistant.articles import Article
from assistant.errors import UnreadableError
from assistant.knowledge.sources import ArticleFile, Folder, Unreadable

PNG = b"\x89PNG\r\n\x1a\n"


def write(folder: Path, name: str, content: str | bytes = "# Title\n\nText.\n") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read_all(folder: Folder) -> tuple[list[Article], list[Unreadable]]:
    found = list(folder.articles())
    return (
        [entry for entry in found if isinstance(entry, Article)],
        [entry for entry in found if isinstance(entry, Unreadable)],
    )


def only_file(folder: Folder) -> ArticleFile:
    (file,) = folder.files()
    assert isinstance(file, ArticleFile)
    return file


def test_every_format_of_text_is_found_in_order_of_its_path(tmp_path: Path):
    for name in ("b/two.rst", "a.md", "c.txt", "b/one.html", "B.MD"):
        write(tmp_path, name, "Words of the article.")

    articles, unreadable = read_all(Folder(tmp_path))

    assert [a.id for a in articles] == ["B.MD", "a.md", "b/one.html", "b/two.rst", "c.txt"]
    assert {a.sections[0].text for a in articles} == {"Words of the article."}
    assert unreadable == []


def test_front_matter_overrides_the_folders_defaults(tmp_path: Path):
    said = "title: 'Pay: an invoice'\nproduct: Pro\nlanguage: de\naudience: internal\nslug: /pay"
    write(tmp_path, "a.md", f"---\n{said}\n---\n\n# Heading\n\nText.\n")
    write(tmp_path, "sub/index.md")
    folder = Folder(tmp_path, source="help", product="Lite", base_url="https://x.example/docs")

    (a, b), _ = read_all(folder)

    assert (a.title, a.product, a.language, a.audience) == (
        "Pay: an invoice",
        "Pro",
        "de",
        "internal",
    )
    assert (a.url, a.source) == ("https://x.example/docs/pay", "help")
    assert a.sections[0].heading_path == ("Pay: an invoice", "Heading")
    assert (b.product, b.audience, b.url) == ("Lite", "public", "https://x.example/docs/sub/")


def test_front_matter_with_a_mistake_still_hides_an_internal_article(tmp_path: Path):
    write(tmp_path, "a.md", "---\ntitle: Error: 42\naudience: internal\n---\nText.\n")

    (article,), _ = read_all(Folder(tmp_path))

    assert (article.title, article.audience) == ("Error: 42", "internal")


def test_an_unknown_audience_and_a_draft_are_reported_not_published(tmp_path: Path):
    write(tmp_path, "a.md", "---\naudience: staff\n---\nText.\n")
    write(tmp_path, "b.md", "---\ndraft: true\n---\nText.\n")

    articles, unreadable = read_all(Folder(tmp_path))

    assert articles == []
    assert "write 'public' or 'internal'" in unreadable[0].reason
    assert "draft" in unreadable[1].reason


def test_the_hash_is_known_before_parsing_and_changes_with_file_picture_and_defaults(
    tmp_path: Path,
):
    page = write(tmp_path, "a.md", "# T\n\n![Login](img/my%20shot.png)\n")
    picture = write(tmp_path, "img/my shot.png", PNG)
    file = only_file(Folder(tmp_path))

    first = file.content_hash()
    article = file.read()
    picture.write_bytes(PNG + b"2")
    second = file.content_hash()
    page.write_text("# T2\n\n![Login](img/my%20shot.png)\n")
    third = file.content_hash()
    fourth = only_file(Folder(tmp_path, product="Pro")).content_hash()

    assert article.content_hash == first
    assert len({first, second, third, fourth}) == 4
    assert only_file(Folder(tmp_path)).content_hash() == third


def test_pictures_are_found_beside_the_article_and_below_the_root_only(tmp_path: Path):
    write(tmp_path, "outside.png", PNG)
    near = write(tmp_path, "docs/guide/near.png", PNG)
    rooted = write(tmp_path, "docs/static/img/rooted.png", PNG)
    write(
        tmp_path,
        "docs/guide/a.md",
        "![1](near.png)![2](/img/rooted.png)![3](../../outside.png)![4](gone.png)"
        "![5](https://x.example/far.png)![6](data:image/png;base64,AA)",
    )

    (article,), _ = read_all(Folder(tmp_path / "docs"))

    assert [p.path for p in article.sections[0].pictures] == [str(near), str(rooted)]


def test_one_file_can_be_named_in_place_of_a_folder(tmp_path: Path):
    path = write(tmp_path, "a.md")
    write(tmp_path, "b.md")

    (article,), unreadable = read_all(Folder(path))

    assert (article.id, unreadable) == ("a.md", [])


def test_a_missing_folder_is_an_error_that_names_it(tmp_path: Path):
    with pytest.raises(UnreadableError, match="nowhere cannot be listed"):
        list(Folder(tmp_path / "nowhere").files())


def test_files_without_a_title_are_named_after_themselves(tmp_path: Path):
    write(tmp_path, "reset-your_password.md", "Click the link.\n")

    (article,), _ = read_all(Folder(tmp_path))

    assert article.title == "Reset your password"
