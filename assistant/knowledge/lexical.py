"""The word index: BM25 over passages and over whole articles, in SQLite's FTS5.

It also is the index's catalogue: which articles it holds, under which content hash, and the
passages' texts. It is derived from the vector store's records and can be made again from them.
FTS5 was chosen over an in-memory BM25 since it takes single articles in and out, survives a
killed process, and may be read while another process writes (https://sqlite.org/fts5.html).
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.articles import Article, Audience, Passage
from assistant.errors import KnowledgeError
from assistant.knowledge import terms
from assistant.knowledge.payload import from_payload, to_payload
from assistant.knowledge.schema import SCHEMA

MAX_RARITIES = 1_000
"""So many words of one message are counted; a customer may send a book."""


@dataclass(frozen=True)
class Filter:
    """Which passages may be found. `audience` is the most the reader may see; passages without a
    product or language fit every product or language."""

    audience: Audience = "public"
    source: str | None = None
    product: str | None = None
    language: str | None = None

    def shows(self, passage: Passage) -> bool:
        """Whether the reader may see the passage."""
        return self.audience == "internal" or passage.audience == "public"


@dataclass(frozen=True)
class Source:
    """A source of articles in the index; `root` is its folder, empty for a plugin's."""

    name: str
    root: str
    articles: int
    passages: int


class Lexical:
    """The word index in one SQLite file; safe for several threads, and processes beside it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.RLock()
        with self._explained():
            self._db = sqlite3.connect(file, check_same_thread=False, timeout=10)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = NORMAL")
            self._db.executescript(SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    def content_hashes(self, source: str) -> dict[str, str]:
        """The content hash of each article of a source, by article id."""
        return dict(self.rows("SELECT id, content_hash FROM articles WHERE source = ?", source))

    def root(self, source: str) -> str | None:
        """The folder that a source stands for, if it is known."""
        return next(
            (row[0] for row in self.rows("SELECT root FROM sources WHERE name = ?", source)), None
        )

    def set_root(self, source: str, root: str) -> None:
        """Remembers the folder that a source stands for."""
        self.change("INSERT OR REPLACE INTO sources VALUES (?, ?)", source, root)

    def forget_root(self, source: str) -> None:
        """Frees a source's name for another folder."""
        self.change("DELETE FROM sources WHERE name = ?", source)
        self.change("DELETE FROM runs WHERE source = ?", source)

    def sources(self) -> list[Source]:
        """All sources, by name."""
        return [
            Source(*row)
            for row in self.rows(
                "SELECT source, coalesce(root, ''), count(DISTINCT article), count(passages.number)"
                " FROM (SELECT name AS source FROM sources UNION SELECT source FROM articles)"
                " LEFT JOIN sources ON name = source LEFT JOIN articles USING (source)"
                " LEFT JOIN passages ON article = articles.number GROUP BY source ORDER BY source"
            )
        ]

    def counts(self) -> tuple[int, int]:
        """How many articles and passages the index holds."""
        rows = self.rows("SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM passages)")
        articles, passages = next(rows)
        return articles, passages

    def put(self, article: Article, passages: Sequence[Passage]) -> None:
        """Adds an article or replaces it, in one transaction."""
        with self._explained(), self._lock, self._db:
            self._delete(article.id)
            number = self._db.execute(
                "INSERT INTO articles (id, content_hash, source, product, language, audience)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    article.id,
                    article.content_hash,
                    article.source,
                    article.product,
                    article.language,
                    article.audience,
                ),
            ).lastrowid
            self._db.executemany(
                "INSERT OR IGNORE INTO labels VALUES (?, ?)",
                [(label, number) for label in map(terms.label, article.labels) if label],
            )
            for passage in passages:
                row = self._db.execute(
                    "INSERT INTO passages (id, article, payload) VALUES (?, ?, ?)",
                    (passage.id, number, to_payload(passage)),
                ).lastrowid
                self._db.execute(
                    "INSERT INTO passage_words (rowid, headings, words) VALUES (?, ?, ?)",
                    (
                        row,
                        terms.spaced(" > ".join(passage.heading_path)),
                        terms.spaced(f"{passage.text}\n{passage.picture_text}"),
                    ),
                )
            self._db.execute(
                "INSERT INTO article_words (rowid, headings, words) VALUES (?, ?, ?)",
                (
                    number,
                    terms.spaced(article.title),
                    terms.spaced("\n".join(searchable(passage) for passage in passages)),
                ),
            )

    def remove(self, article_id: str) -> None:
        """Removes an article and its passages."""
        with self._explained(), self._lock, self._db:
            self._delete(article_id)

    def _delete(self, article_id: str) -> None:
        found = self._db.execute("SELECT number FROM articles WHERE id = ?", (article_id,))
        for (number,) in found.fetchall():
            self._db.execute(
                "DELETE FROM passage_words WHERE rowid IN"
                " (SELECT number FROM passages WHERE article = ?)",
                (number,),
            )
            self._db.execute("DELETE FROM labels WHERE article = ?", (number,))
            self._db.execute("DELETE FROM passages WHERE article = ?", (number,))
            self._db.execute("DELETE FROM article_words WHERE rowid = ?", (number,))
            self._db.execute("DELETE FROM articles WHERE number = ?", (number,))

    def passages(self, ids: Sequence[str]) -> dict[str, Passage]:
        """The passages with these ids that exist."""
        rows = self.rows(
            "SELECT id, payload FROM passages WHERE id IN (SELECT value FROM json_each(?))",
            json.dumps(list(ids)),
        )
        return {id_: from_payload(payload) for id_, payload in rows}

    def passages_of(self, article_id: str) -> list[Passage]:
        """An article's passages in its own order."""
        rows = self.rows(
            "SELECT payload FROM passages JOIN articles ON articles.number = passages.article"
            " WHERE articles.id = ? ORDER BY passages.number",
            article_id,
        )
        return [from_payload(payload) for (payload,) in rows]

    def internal_articles(self, words: str | None, names: Sequence[str]) -> list[str]:
        """The ids of internal articles in whose text these words stand as they are, if there are
        any, or that a source calls by one of these names."""
        rows = self.rows(
            "SELECT DISTINCT articles.id FROM articles JOIN passages"
            " ON articles.number = passages.article WHERE articles.audience = 'internal'"
            " AND (instr(lower(payload), lower(?)) OR EXISTS (SELECT 1 FROM json_each(?)"
            " WHERE articles.id = source || '/' || value)) ORDER BY articles.id",
            words and json.dumps(words, ensure_ascii=False)[1:-1],
            json.dumps(list(names)),
        )
        return [id_ for (id_,) in rows]

    def compact(self) -> None:
        """Takes what was removed out of the file too."""
        with self._explained(), self._lock:
            for table in ("passage_words", "article_words"):
                self._db.execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")
            self._db.commit()
            self._db.execute("VACUUM")
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def search_passages(
        self, query: str, filter: Filter, *, labels: Sequence[str] = (), limit: int
    ) -> list[tuple[str, str]]:
        """The ids of passages and of their articles, best BM25 score first. `labels` are the
        lines of text on a screen."""
        where, values = _conditions(filter)
        rows = self.rows(
            "SELECT passages.id, articles.id FROM passage_words"
            " JOIN passages ON passages.number = passage_words.rowid"
            " JOIN articles ON articles.number = passages.article"
            f" WHERE passage_words MATCH ? AND {where} ORDER BY rank LIMIT ?",
            terms.query(query, labels),
            *values,
            limit,
        )
        return list(rows)

    def search_articles(
        self, query: str, filter: Filter, *, labels: Sequence[str] = (), limit: int
    ) -> list[str]:
        """The ids of articles, best BM25 score of the whole article first."""
        where, values = _conditions(filter)
        rows = self.rows(
            "SELECT articles.id FROM article_words"
            " JOIN articles ON articles.number = article_words.rowid"
            f" WHERE article_words MATCH ? AND {where} ORDER BY rank LIMIT ?",
            terms.query(query, labels),
            *values,
            limit,
        )
        return [id_ for (id_,) in rows]

    def rarity(self, phrases: Sequence[str]) -> dict[str, float]:
        """The inverse document frequency of words and phrases over passages,
        ln((N + 1) / (n + 1)): 0 for what stands everywhere."""
        _, total = self.counts()
        return {
            phrase: math.log((total + 1) / (self._passages_with(phrase) + 1))
            for phrase in phrases[:MAX_RARITIES]
        } | dict.fromkeys(phrases[MAX_RARITIES:], 0.0)

    def _passages_with(self, words: str) -> int:
        count = "SELECT count(*) FROM passage_words WHERE passage_words MATCH ?"
        return int(next(self.rows(count, terms.phrase(words)))[0])

    def marked(self, labels: Sequence[str]) -> dict[str, tuple[float, frozenset[str]]]:
        """For each of these `terms.label`s that articles mark: how rare that is, ln((N + 1) /
        (n + 1)) over articles, and the ids of those that do."""
        total, _ = self.counts()
        rows = self.rows(
            "SELECT label, json_group_array(articles.id) FROM labels"
            " JOIN articles ON articles.number = article"
            " WHERE label IN (SELECT value FROM json_each(?)) GROUP BY label",
            json.dumps(labels),
        )
        found = {label: frozenset(json.loads(ids)) for label, ids in rows}
        return {
            label: (math.log((total + 1) / (len(articles) + 1)), articles)
            for label, articles in found.items()
        }

    def lengths(self, article_ids: Sequence[str]) -> dict[str, int]:
        """How many characters the passages of each of these articles have, in the index's form."""
        return dict(
            self.rows(
                "SELECT articles.id, sum(length(payload)) FROM passages"
                " JOIN articles ON articles.number = passages.article"
                " WHERE articles.id IN (SELECT value FROM json_each(?)) GROUP BY articles.id",
                json.dumps(list(article_ids)),
            )
        )

    def change(self, sql: str, *values: Any) -> None:
        """Runs one statement that changes something."""
        with self._explained(), self._lock, self._db:
            self._db.execute(sql, values)

    def rows(self, sql: str, *values: Any) -> Iterator[Any]:
        """What a query finds."""
        with self._explained(), self._lock:
            return iter(self._db.execute(sql, values).fetchall())

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise KnowledgeError(
                f"{self._file}: {error}. If the disk is full, make room; if another process holds"
                " it, wait for it; if it is damaged, delete the file and run `deskmate index`."
            ) from error


def searchable(passage: Passage) -> str:
    """The text a passage is found by: headings, its own text, and what its pictures show."""
    return "\n".join([" > ".join(passage.heading_path), passage.text, passage.picture_text])


def _conditions(filter: Filter) -> tuple[str, list[str]]:
    conditions, values = ["1"], []
    if filter.audience == "public":
        conditions.append("articles.audience = 'public'")
    if filter.source is not None:
        conditions.append("articles.source = ?")
        values.append(filter.source)
    for column in ("product", "language"):
        wanted = getattr(filter, column)
        if wanted is not None:
            conditions.append(f"articles.{column} IN (?, '')")
            values.append(wanted)
    return " AND ".join(conditions), values
