from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.articles import Article, Audience, Passage
from assistant.errors import KnowledgeError
from assistant.knowledge.lexical import Filter, Lexical
from assistant.knowledge.terms import MAX_QUERY_WORDS


@pytest.fixture
def lexical(tmp_path: Path) -> Iterator[Lexical]:
    lexical = Lexical(tmp_path / "words.sqlite")
    yield lexical
    lexical.close()


def put(lexical: Lexical, name: str, *texts: str, picture: str = "", **said: str) -> None:
    """An article of one passage for each text."""
    audience: Audience = "internal" if said.get("audience") == "internal" else "public"
    product, language = said.get("product", ""), said.get("language", "")
    source = said.get("source", "help")
    passages = [
        Passage(
            f"{name}#{n}",
            name,
            (name.title(),),
            text,
            picture_text=picture,
            source=source,
            product=product,
            language=language,
            audience=audience,
        )
        for n, text in enumerate(texts)
    ]
    article = Article(name, name.title(), (), "", source, product, language, audience, f"h-{name}")
    lexical.put(article, passages)


def found(lexical: Lexical, query: str, filter: Filter | None = None) -> list[str]:
    return [id_ for id_, _ in lexical.search_passages(query, filter or Filter(), limit=10)]


def test_the_passage_with_the_rarer_words_comes_first(lexical: Lexical) -> None:
    put(lexical, "one", "the quota is used up", "the disk is slow")
    put(lexical, "two", "the disk is used up and the disk is full")

    assert found(lexical, "disk quota")[0] == "one#0"


def test_whole_articles_are_found_by_words_in_different_passages(lexical: Lexical) -> None:
    put(lexical, "both", "the invoice", "the quota")
    put(lexical, "half", "the invoice", "the weather")

    assert lexical.search_articles("invoice quota", Filter(), limit=5) == ["both", "half"]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Downloading invoices", "download invoice"),
        ("Error KT-4031 stops uploads", "kt-4031"),
        ("Café crème", "cafe creme"),
        ("Cafe\u0301s", "cafés"),
        ("the ﬁle", "file"),
        ("ＫＴ４０３１", "KT4031"),
        ("ユーザーのパスワードを再設定する", "パスワード"),
        ("重置您的密码", "密码"),
        ("วิธีรีเซ็ตรหัสผ่านของคุณ", "รหัสผ่าน"),
        ("비밀번호를 재설정", "재설정"),
        ("Сбросить пароль", "пароль"),
        ("إعادة تعيين كلمة المرور", "المرور"),
        ("一", "一"),
    ],
)
def test_words_are_found_in_many_scripts(lexical: Lexical, text: str, query: str) -> None:
    put(lexical, "other", "nothing of the kind")
    put(lexical, "this", text)

    assert found(lexical, query) == ["this#0"]


OPERATORS = [
    '"foo" OR NEAR(',
    "NEAR(quota disk, 5)",
    'a* AND NOT "',
    "words:quota",
    "^quota - + {x}",
    '"; DROP TABLE passages; --',
    "\x00\ud800",
    "",
    '"',
    "''",
    "()",
]


@pytest.mark.parametrize("query", OPERATORS)
def test_nothing_in_a_customers_text_is_an_operator(lexical: Lexical, query: str) -> None:
    put(lexical, "one", "the quota")
    put(lexical, "two", "the disk")

    hits = found(lexical, query)

    assert ("one#0" in hits) == ("quota" in query)
    assert lexical.counts() == (2, 2)


def test_a_very_long_text_is_searched_by_its_first_words(lexical: Lexical) -> None:
    put(lexical, "one", "quota")

    assert found(lexical, "quota " + " ".join(f"w{n}" for n in range(100_000))) == ["one#0"]
    assert found(lexical, " ".join(f"w{n}" for n in range(MAX_QUERY_WORDS)) + " quota") == []


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (Filter("public"), {"any", "kite", "german"}),
        (Filter("internal"), {"any", "kite", "german", "secret"}),
        (Filter("public", product="kite"), {"any", "kite", "german"}),
        (Filter("public", product="x' OR '1'='1"), {"any", "german"}),
        (Filter("public", language="en"), {"any", "kite"}),
        (Filter("internal", source="wiki"), set()),
    ],
)
def test_only_what_the_filter_allows_is_found(
    lexical: Lexical, filter: Filter, expected: set[str]
) -> None:
    put(lexical, "any", "quota")
    put(lexical, "kite", "quota", product="kite")
    put(lexical, "german", "quota", language="de")
    put(lexical, "secret", "quota", audience="internal")

    assert set(lexical.search_articles("quota", filter, limit=9)) == expected
    assert {id_.split("#")[0] for id_ in found(lexical, "quota", filter)} == expected


def test_an_article_that_is_put_again_is_replaced(lexical: Lexical) -> None:
    put(lexical, "one", "the quota", "the disk")
    put(lexical, "one", "the weather")

    assert found(lexical, "quota") == []
    assert found(lexical, "weather") == ["one#0"]
    assert lexical.counts() == (1, 1)


def test_labels_know_the_articles_that_mark_them_and_how_rare_that_is(lexical: Lexical) -> None:
    for name, labels in (("one", ("Save Changes", "Next")), ("two", ("next",)), ("three", ())):
        lexical.put(Article(name, name, (), labels=labels), [])

    marked = lexical.marked(["save changes", "next", "back"])

    assert marked == {
        "save changes": (pytest.approx(math.log(4 / 2)), {"one"}),
        "next": (pytest.approx(math.log(4 / 3)), {"one", "two"}),
    }
    lexical.remove("one")
    assert lexical.marked(["save changes", "next"]).keys() == {"next"}


def test_an_article_that_is_removed_is_found_no_more(lexical: Lexical) -> None:
    put(lexical, "one", "the quota")
    put(lexical, "two", "the quota")

    lexical.remove("one")

    assert found(lexical, "quota") == ["two#0"]
    assert lexical.search_articles("quota", Filter(), limit=9) == ["two"]
    assert lexical.content_hashes("help") == {"two": "h-two"}
    assert lexical.passages(["one#0", "two#0"]).keys() == {"two#0"}


def test_passages_come_back_as_they_were_in_their_order(lexical: Lexical) -> None:
    put(lexical, "one", "first", "second", picture="on the screen", product="kite")

    first, second = lexical.passages_of("one")

    assert (first.text, second.text) == ("first", "second")
    assert first == lexical.passages(["one#0"])["one#0"]
    assert (first.heading_path, first.product) == (("One",), "kite")
    assert found(lexical, "screen") == ["one#0", "one#1"]


def test_a_rare_word_weighs_more_than_a_common_one(lexical: Lexical) -> None:
    for name in ("one", "two", "three"):
        put(lexical, name, "the disk" + (" quota" if name == "one" else ""))

    rarity = lexical.rarity(["the", "quota", "nowhere"])

    assert rarity["the"] == 0
    assert 0 < rarity["quota"] < rarity["nowhere"]


def test_content_hashes_and_folders_are_kept_by_source(tmp_path: Path) -> None:
    lexical = Lexical(tmp_path / "words.sqlite")
    put(lexical, "one", "x", source="help")
    put(lexical, "two", "x", source="wiki")
    lexical.set_root("help", "/help")
    lexical.close()

    again = Lexical(tmp_path / "words.sqlite")

    assert again.content_hashes("wiki") == {"two": "h-two"}
    assert (again.root("help"), again.root("wiki")) == ("/help", None)
    again.close()


def test_it_can_be_read_while_another_process_writes(lexical: Lexical, tmp_path: Path) -> None:
    put(lexical, "one", "the quota")
    writer = sqlite3.connect(tmp_path / "words.sqlite")
    writer.execute("BEGIN IMMEDIATE")

    assert found(lexical, "quota") == ["one#0"]
    writer.close()


def test_a_damaged_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "words.sqlite").write_bytes(b"no database at all" * 100)

    with pytest.raises(KnowledgeError, match=r"words.sqlite: .*delete the file and run"):
        Lexical(tmp_path / "words.sqlite")
