from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.articles import Article, Section
from assistant.errors import KnowledgeError, UnreadableError
from assistant.knowledge.indexing import Indexer
from assistant.knowledge.lexical import Filter, Lexical
from assistant.knowledge.listing import Unreadable
from assistant.knowledge.sources import Folder
from assistant.knowledge.store import Store
from tests.knowledge import index_process
from tests.knowledge.index_process import DIM, encode, open_index

Parts = tuple[Store, Lexical, Indexer]


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    store, lexical, indexer = open_index(tmp_path / "index")
    yield store, lexical, indexer
    store.close()
    lexical.close()


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    for name in ("one", "two", "three"):
        (folder / f"{name}.md").write_text(f"# Title {name}\n\nText of {name}.\n")
    return folder


def contents(store: Store, lexical: Lexical) -> dict[str, Any]:
    """All that an index holds, in both halves."""
    stored = {passage.id: passage for passage in store.passages()}
    return {
        "vectors": stored,
        "words": lexical.passages(list(stored)),
        "counts": (store.count(), *lexical.counts()),
        "hashes": lexical.content_hashes("help"),
    }


def test_a_folder_is_indexed_in_both_halves(parts: Parts, articles: Path) -> None:
    store, lexical, indexer = parts

    report = indexer.index_folder(Folder(articles, source="help"))

    assert (report.added, report.passages) == (3, 3)
    assert lexical.counts() == (3, 3)
    assert store.count() == 3
    assert lexical.search_articles("text of two", Filter(), limit=1) == ["help/two.md"]
    vector = encode(["Title two\nText of two."])[0]
    assert store.search(vector, Filter(), limit=1)[0][1] == "help/two.md"


def test_only_what_changed_is_written_again(parts: Parts, articles: Path) -> None:
    store, lexical, indexer = parts
    indexer.index_folder(Folder(articles, source="help"))
    (articles / "two.md").write_text("# Title two\n\nOther words.\n")
    (articles / "three.md").unlink()
    (articles / "four.md").write_text("# Title four\n\nText of four.\n")

    report = indexer.index_folder(Folder(articles, source="help"))

    assert (report.added, report.changed, report.unchanged, report.removed) == (1, 1, 1, 1)
    assert report.passages == 2
    assert lexical.content_hashes("help").keys() == {"help/one.md", "help/two.md", "help/four.md"}
    assert {passage.text for passage in store.passages()} == {
        "Text of one.",
        "Other words.",
        "Text of four.",
    }


def test_what_becomes_unreadable_keeps_what_was_known(parts: Parts, articles: Path) -> None:
    store, _, indexer = parts
    indexer.index_folder(Folder(articles, source="help"))
    (articles / "two.md").write_text("")
    (articles / "three.md").unlink()
    (articles / "three.md").symlink_to("nowhere")

    report = indexer.index_folder(Folder(articles, source="help"))

    assert [unreadable.name for unreadable in report.unreadable] == ["three.md", "two.md"]
    assert report.removed == 0
    assert store.count() == 3


@dataclass(frozen=True)
class LockedAway(Folder):
    """A folder whose subfolder `guides` may not be listed any more."""

    def files(self) -> Iterator[Any]:
        yield Unreadable("guides", "cannot be listed: permission denied")


def test_the_articles_of_a_folder_that_cannot_be_listed_stay(parts: Parts, tmp_path: Path) -> None:
    store, _, indexer = parts
    (tmp_path / "articles/guides").mkdir(parents=True)
    (tmp_path / "articles/guides/a.md").write_text("# A\n\nText.\n")
    (tmp_path / "articles/b.md").write_text("# B\n\nText.\n")
    indexer.index_folder(Folder(tmp_path / "articles", source="help"))

    report = indexer.index_folder(LockedAway(tmp_path / "articles", source="help"))

    assert (report.removed, store.count()) == (1, 1)


def test_bad_files_are_reported_and_the_others_go_on(parts: Parts, articles: Path) -> None:
    (articles / "bad.pdf").write_bytes(b"%PDF-1.7 cut off")
    (articles / "data.xyz").write_text("?")

    report = parts[2].index_folder(Folder(articles, source="help"))

    assert report.added == 3
    assert [unreadable.name for unreadable in report.unreadable] == ["bad.pdf", "*.xyz"]
    assert all(unreadable.reason for unreadable in report.unreadable)


def test_a_source_that_stands_for_another_folder_is_left_alone(
    parts: Parts, articles: Path, tmp_path: Path
) -> None:
    store, _, indexer = parts
    indexer.index_folder(Folder(articles, source="help"))
    (tmp_path / "other").mkdir()

    with pytest.raises(KnowledgeError, match=r"stands for .*articles already.*--source"):
        indexer.index_folder(Folder(tmp_path / "other", source="help"))

    assert store.count() == 3


def test_a_folder_that_moved_goes_on_as_the_same_source(parts: Parts, articles: Path) -> None:
    indexer = parts[2]
    indexer.index_folder(Folder(articles, source="help"))
    moved = articles.rename(articles.with_name("moved"))

    report = indexer.index_folder(Folder(moved, source="help"))

    assert (report.unchanged, report.added, report.removed) == (3, 0, 0)


def test_a_folder_that_is_missing_takes_no_name(parts: Parts, articles: Path) -> None:
    indexer = parts[2]
    with pytest.raises(UnreadableError, match="Name an existing folder"):
        indexer.index_folder(Folder(articles / "no", source="help"))

    assert indexer.index_folder(Folder(articles, source="help")).added == 3


def test_a_plugins_articles_are_a_source_of_their_own(parts: Parts) -> None:
    store, lexical, indexer = parts
    first = Article("1", "One", (Section(("One",), "Text one."),))
    second = Article("2", "Two", (Section(("Two",), "Text two."),))
    indexer.index_articles("wiki", [first, second])

    again = indexer.index_articles("wiki", [first])

    assert (again.unchanged, again.removed) == (1, 1)
    assert lexical.content_hashes("wiki").keys() == {"wiki/1"}
    assert store.count() == 1


def test_a_plugin_cannot_take_a_folders_name(parts: Parts, articles: Path) -> None:
    store, _, indexer = parts
    indexer.index_folder(Folder(articles, source="help"))

    with pytest.raises(KnowledgeError, match=r"stands for the folder .* already"):
        indexer.index_articles("help", [])

    assert store.count() == 3


def test_vectors_without_an_article_are_swept_out(parts: Parts, articles: Path) -> None:
    store, lexical, indexer = parts
    indexer.index_folder(Folder(articles, source="help"))
    lexical.remove("help/two.md")  # as if a run was killed before it wrote the words
    (articles / "two.md").unlink()

    indexer.index_folder(Folder(articles, source="help"))

    assert contents(store, lexical)["counts"] == (2, 2, 2)


def test_a_source_is_taken_out_and_its_name_is_free(
    parts: Parts, articles: Path, tmp_path: Path
) -> None:
    store, lexical, indexer = parts
    indexer.index_folder(Folder(articles, source="help"))
    indexer.index_folder(Folder(articles, source="other"))
    assert [(each.name, each.root, each.articles, each.passages) for each in lexical.sources()] == [
        ("help", str(articles), 3, 3),
        ("other", str(articles), 3, 3),
    ]

    report = indexer.remove_source("help")

    assert report.removed == 3
    assert [each.name for each in lexical.sources()] == ["other"]
    assert {passage.source for passage in store.passages()} == {"other"}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert indexer.index_folder(Folder(elsewhere, source="help")).unreadable == []


def test_a_source_that_is_not_there_is_named_beside_those_that_are(
    parts: Parts, articles: Path
) -> None:
    _, _, indexer = parts
    indexer.index_folder(Folder(articles, source="help"))

    with pytest.raises(KnowledgeError, match=r"'hepl': no such source\. There are: help\."):
        indexer.remove_source("hepl")


def test_progress_counts_files(parts: Parts, articles: Path) -> None:
    seen: list[tuple[int, int]] = []

    parts[2].index_folder(
        Folder(articles, source="help"), lambda done, total: seen.append((done, total))
    )

    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_killed_at_any_moment_it_can_simply_be_run_again(tmp_path: Path) -> None:
    chance = random.Random(int(os.environ.get("DESKMATE_TEST_SEED", "3")))
    articles = tmp_path / "articles"
    articles.mkdir()
    for n in range(60):
        (articles / f"{n}.md").write_text(f"# Title {n}\n\nText {n}.\n\n## More\n\n" + "word " * 60)
    killed = 0

    for _ in range(40):
        if killed == 5:
            break
        for n in chance.sample(range(60), 20):  # between runs, articles change, come and go
            (articles / f"{n}.md").unlink(missing_ok=True)
            if chance.random() < 0.7:
                (articles / f"{n}.md").write_text(f"# Title {n}\n\nNew {chance.random()}.\n")
        process = subprocess.Popen(
            [sys.executable, index_process.__file__, str(tmp_path / "index"), str(articles)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.05, 1.0))
        process.kill()
        killed += process.wait() == -9
        process.stdout.close()

    index_process.index(tmp_path / "index", articles)
    index_process.index(tmp_path / "clean", articles)

    assert killed == 5
    (store, lexical, _), (other, words, _) = (
        open_index(tmp_path / "index"),
        open_index(tmp_path / "clean"),
    )
    assert contents(store, lexical) == contents(other, words)
    for part in (store, lexical, other, words):
        part.close()


def test_hashed_vectors_have_length_one() -> None:
    assert np.allclose(np.linalg.norm(encode(["a", "b"]), axis=1), 1)
    assert encode(["a"]).shape == (1, DIM)
