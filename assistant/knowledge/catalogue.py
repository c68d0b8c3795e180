"""What the index holds, for people to look through: sources and their last runs, articles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from assistant.articles import Audience
from assistant.errors import KnowledgeError, UnreadableError
from assistant.knowledge import terms
from assistant.knowledge.lexical import Lexical, Source
from assistant.knowledge.listing import Unreadable
from assistant.knowledge.sources import Folder

PAGE = 50
NAMED = 100
"""So many files that could not be read are kept by name."""

_ONCE_MORE = "Run `deskmate index PATH` once more; from then on the console can."


@dataclass
class Report:
    """What one run did to a source, in numbers of articles, and what could not be read."""

    source: str
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    passages: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)


@dataclass(frozen=True)
class Run:
    """The last time that a source was brought up to date. `folder` is how it was read (empty for a
    plugin's source), `counts` what was done, in numbers of articles."""

    at: datetime
    folder: Mapping[str, Any]
    counts: Mapping[str, int]
    unreadable: tuple[Unreadable, ...]


@dataclass(frozen=True)
class Held:
    """An article in the index, without its text."""

    id: str
    title: str
    source: str
    product: str
    language: str
    audience: Audience
    passages: int


@dataclass(frozen=True)
class Wanted:
    """Which articles: all conditions hold that are not empty. `words` are searched in the whole
    article."""

    source: str = ""
    language: str = ""
    audience: str = ""
    words: str = ""


@dataclass(frozen=True)
class Changes:
    """How a source's folder differs from the index, in numbers of files."""

    new: int
    changed: int
    gone: int

    def __bool__(self) -> bool:
        return bool(self.new or self.changed or self.gone)


class Catalogue:
    """The index's own account of itself."""

    def __init__(self, lexical: Lexical) -> None:
        self._lexical = lexical

    def note_run(self, report: Report, folder: Folder | None) -> None:
        """Keeps what a run did, and how its folder was read, so that it can be read so again."""
        options = {}
        if folder:
            options = {**asdict(folder), "root": str(folder.root.resolve())}
        counts = {name: value for name, value in vars(report).items() if isinstance(value, int)}
        unreadable = [vars(one) for one in report.unreadable[:NAMED]]
        self._lexical.change(
            "INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?)",
            report.source,
            datetime.now(UTC).isoformat(),
            json.dumps(options),
            json.dumps(counts),
            json.dumps(unreadable),
        )

    def runs(self) -> dict[str, Run]:
        """The last run of each source, by its name."""
        rows = self._lexical.rows("SELECT source, at, folder, counts, unreadable FROM runs")
        return {
            source: Run(
                datetime.fromisoformat(at),
                json.loads(folder),
                json.loads(counts),
                tuple(Unreadable(**one) for one in json.loads(unreadable)),
            )
            for source, at, folder, counts, unreadable in rows
        }

    def source(self, name: str) -> Source:
        """A source. Raises KnowledgeError if there is none of this name."""
        for source in self._lexical.sources():
            if source.name == name:
                return source
        raise KnowledgeError(f"{name!r}: no such source.")

    def folder(self, name: str) -> Folder:
        """A source's folder, to be read as it was read last.

        Raises KnowledgeError if the source is a plugin's, or it is not known how it was read.
        """
        run = self.runs().get(name)
        if run is None:
            raise KnowledgeError(f"{name!r}: nobody kept how it was indexed. {_ONCE_MORE}")
        if not run.folder:
            raise KnowledgeError(f"{name!r} is a plugin's source, not a folder.")
        return Folder(**{**run.folder, "root": Path(run.folder["root"])})

    def changes(self, name: str) -> Changes:
        """What indexing the source again would find. Reads the whole folder.

        Raises KnowledgeError as `folder` does, UnreadableError if the folder is gone.
        """
        known = self._lexical.content_hashes(name)
        new = changed = 0
        seen = set()
        for file in self.folder(name).files():
            if isinstance(file, Unreadable):
                place = f"{name}/{file.name}"
                seen |= {id_ for id_ in known if id_ == place or id_.startswith(f"{place}/")}
                continue
            id_ = f"{name}/{file.id}"
            seen.add(id_)
            try:
                same = known.get(id_) == file.content_hash()
            except UnreadableError:
                continue
            if id_ not in known:
                new += 1
            elif not same:
                changed += 1
        return Changes(new, changed, len(known.keys() - seen))

    def languages(self) -> list[str]:
        """The languages that articles say they are in."""
        rows = self._lexical.rows(
            "SELECT DISTINCT language FROM articles WHERE language != '' ORDER BY language"
        )
        return [language for (language,) in rows]

    def article(self, id_: str) -> Held | None:
        """One article, or None."""
        return next(iter(self._held("articles.id = ?", [id_], "articles.id", 1)), None)

    def articles(self, wanted: Wanted, after: str = "") -> tuple[list[Held], str]:
        """The wanted articles by their ids, or of a search the best first, a page at a time; and
        where the next page begins, empty on the last."""
        conditions, values = ["1"], []
        for column in ("source", "language", "audience"):
            if value := getattr(wanted, column):
                conditions.append(f"articles.{column} = ?")
                values.append(value)
        if wanted.words and (query := terms.query(wanted.words, ())):
            conditions.append("article_words MATCH ?")
            found = self._held(" AND ".join(conditions), [*values, query], "rank", PAGE, _WORDS)
            return found, ""
        if after:
            conditions.append("articles.id > ?")
            values.append(after)
        found = self._held(" AND ".join(conditions), values, "articles.id", PAGE + 1)
        return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else ""

    def _held(
        self, where: str, values: list[str], order: str, limit: int, join: str = ""
    ) -> list[Held]:
        rows = self._lexical.rows(
            "SELECT articles.id, (SELECT json_extract(payload, '$.heading_path[0]') FROM passages"
            " WHERE article = articles.number ORDER BY number LIMIT 1), source, product, language,"
            " audience, (SELECT count(*) FROM passages WHERE article = articles.number)"
            f" FROM articles {join} WHERE {where} ORDER BY {order} LIMIT ?",
            *values,
            limit,
        )
        return [Held(id_, title or id_, *more) for id_, title, *more in rows]


_WORDS = "JOIN article_words ON article_words.rowid = articles.number"
