from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.articles import Passage
from assistant.errors import KnowledgeError
from assistant.knowledge.lexical import Filter
from assistant.knowledge.store import Store

DIM = 32


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path, model="m", dim=DIM)
    yield store
    store.close()


def vectors(count: int, seed: int = 0, dim: int = DIM) -> NDArray[np.float32]:
    """Random vectors of length 1 [count, dim]."""
    found = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def passages(count: int, **changes: str) -> list[Passage]:
    values = {"source": "help", **changes}
    return [
        Passage(f"p{n}", f"help/a{n}.md", ("Title",), f"Text {n}", **values)  # type: ignore[arg-type]
        for n in range(count)
    ]


def test_the_nearest_passage_is_found_with_its_article_and_similarity(store: Store) -> None:
    made = vectors(10)
    store.put(passages(10), made)

    (first, *others) = store.search(made[3], Filter(), limit=3)

    assert first[:2] == ("p3", "help/a3.md")
    assert first[2] == pytest.approx(1.0, abs=1e-5)
    true = sorted((float(made[3] @ other) for other in made), reverse=True)
    assert [similarity for *_, similarity in others] == pytest.approx(true[1:3], abs=1e-5)


def test_an_empty_store_finds_nothing(store: Store) -> None:
    assert store.search(vectors(1)[0], Filter(), limit=5) == []


def test_the_index_finds_what_comparing_all_vectors_finds(tmp_path: Path) -> None:
    made, asked = vectors(5_000, dim=128), vectors(50, seed=1, dim=128)
    store = Store(tmp_path, model="m", dim=128)
    store.put(passages(5_000), made)

    found = [{id_ for id_, *_ in store.search(one, Filter(), limit=10)} for one in asked]
    store.close()

    true = [{f"p{n}" for n in np.argsort(-(made @ one))[:10]} for one in asked]
    assert np.mean([len(f & t) / 10 for f, t in zip(found, true, strict=True)]) > 0.95


def test_more_passages_than_one_batch_takes_are_all_written(store: Store) -> None:
    store.put(passages(6_000), vectors(6_000))

    assert store.count() == 6_000
    assert len({passage.id for passage in store.passages()}) == 6_000


def test_passages_come_back_as_they_were(store: Store) -> None:
    passage = Passage(
        "p", "a", ("T", "Ü"), "Text", "https://x", "on the screen", "s", "p", "de", "internal"
    )
    store.put([passage], vectors(1))

    assert list(store.passages()) == [passage]


def test_the_same_id_replaces(store: Store) -> None:
    store.put(passages(1), vectors(1))
    store.put(passages(1, product="new"), vectors(1, seed=2))

    assert [passage.product for passage in store.passages()] == ["new"]


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (Filter("public"), {"any", "kite", "german"}),
        (Filter("internal"), {"any", "kite", "german", "secret"}),
        (Filter("public", product="kite"), {"any", "kite", "german"}),
        (Filter("public", product="other"), {"any", "german"}),
        (Filter("public", language="en"), {"any", "kite"}),
        (Filter("public", language="de", product="other"), {"any", "german"}),
        (Filter("internal", source="help"), {"any", "kite", "german", "secret"}),
        (Filter("internal", source="wiki"), set()),
    ],
)
def test_only_what_the_filter_allows_is_found(
    store: Store, filter: Filter, expected: set[str]
) -> None:
    store.put(
        [
            Passage("any", "a", ("T",), "x", source="help"),
            Passage("kite", "b", ("T",), "x", source="help", product="kite"),
            Passage("german", "c", ("T",), "x", source="help", language="de"),
            Passage("secret", "d", ("T",), "x", source="help", audience="internal"),
        ],
        vectors(4),
    )

    found = store.search(vectors(1)[0], filter, limit=10)

    assert {id_ for id_, *_ in found} == expected


def test_an_articles_stale_passages_go_and_the_others_stay(store: Store) -> None:
    own = [Passage(id_, "a", ("T",), "x", source="help") for id_ in ("old", "kept")]
    store.put([*own, Passage("other", "b", ("T",), "x", source="help")], vectors(3))

    store.keep_only({"a": ["kept"]})

    assert {passage.id for passage in store.passages()} == {"kept", "other"}


def test_articles_that_are_not_named_leave_their_source(store: Store) -> None:
    elsewhere = Passage("q", "wiki/a", ("T",), "x", source="wiki")
    store.put([*passages(3), elsewhere], vectors(4))

    store.keep_only_articles("help", ["help/a1.md"])

    assert {passage.id for passage in store.passages()} == {"p1", "q"}


def test_what_was_written_is_there_after_opening_again(tmp_path: Path) -> None:
    store = Store(tmp_path, model="m", dim=DIM)
    store.put(passages(3), vectors(3))
    store.close()

    again = Store(tmp_path, model="m", dim=DIM)

    assert again.count() == 3
    again.close()


def test_closing_one_store_leaves_another_usable(store: Store, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Store(tmp_path / "other", model="m", dim=DIM)
    other.put(passages(2), vectors(2))

    other.close()

    store.put(passages(1), vectors(1))
    assert store.count() == 1


def test_a_second_process_is_told_that_the_index_is_in_use(store: Store, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from assistant.knowledge.store import Store;"
        f"Store(Path(sys.argv[1]), model='m', dim={DIM})"
    )

    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True
    )

    assert "KnowledgeError" in ran.stderr
    assert "in use by another process" in ran.stderr


def test_an_index_made_by_another_model_is_refused_and_let_go(tmp_path: Path) -> None:
    Store(tmp_path, model="one", dim=DIM).close()

    with pytest.raises(KnowledgeError, match=r"was made by 'one', and model\.text is 'two'"):
        Store(tmp_path, model="two", dim=DIM)

    Store(tmp_path, model="one", dim=DIM).close()


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", "http://"])
def test_an_address_that_is_none_is_said(tmp_path: Path, url: str) -> None:
    with pytest.raises(KnowledgeError, match=r"knowledge\.chroma_url = .*not an address"):
        Store(tmp_path, url=url, model="m", dim=DIM)


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match=r"http://127.0.0.1:9: Chroma failed: .*server runs"):
        Store(tmp_path, url="http://127.0.0.1:9", model="m", dim=DIM)


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(KnowledgeError, match="file"):
        Store(tmp_path / "file", model="m", dim=DIM)


def test_a_server_whose_owner_was_killed_is_asked_by_nobody(tmp_path: Path) -> None:
    (tmp_path / "server.url").write_text("http://127.0.0.1:1")
    first = Store(tmp_path, model="m", dim=DIM)

    with pytest.raises(KnowledgeError, match="in use by another process"):
        Store(tmp_path, model="m", dim=DIM)

    first.close()
