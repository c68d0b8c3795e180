from __future__ import annotations

import pytest

from benchmarks.peers import BM25, best_first, chunks, fuse


def test_a_long_text_is_cut_into_pieces_that_overlap() -> None:
    words = [f"w{number}" for number in range(400)]

    pieces, owners = chunks({"long.md": " ".join(words), "short.md": "a few words"})

    assert [piece.split()[0] for piece in pieces] == ["w0", "w140", "w280", "a"]
    assert [len(piece.split()) for piece in pieces] == [180, 180, 120, 3]
    assert owners == ["long.md", "long.md", "long.md", "short.md"]


def test_a_text_of_just_one_piece_is_not_cut_again_for_its_overlap() -> None:
    pieces, _ = chunks({"a.md": "word " * 180})

    assert len(pieces) == 1


def test_an_article_stands_where_its_best_piece_stands() -> None:
    assert best_first([0.2, 0.9, 0.5, 0.0], ["a", "b", "a", "c"]) == ["b", "a"]


def test_fusion_puts_what_both_rankings_hold_first() -> None:
    assert fuse([["a", "b"], ["c", "b"]])[0] == "b"


def test_bm25_finds_the_article_with_the_rare_word_and_nothing_for_unknown_words() -> None:
    pytest.importorskip("bm25s", reason="the benchmarks need the extra: pip install '.[bench]'")
    texts = {"a.md": "reset the password", "b.md": "reset invoices", "c.md": "export the data"}

    bm25 = BM25(list(texts.values()), list(texts))

    assert bm25.rank("Resetting passwords") == ["a.md", "b.md"]
    assert bm25.rank("zebra") == []
