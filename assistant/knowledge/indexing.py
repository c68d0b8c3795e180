"""Articles into the index: what is unchanged is skipped, what changed replaced, what is gone
removed. Interrupted at any moment, it can simply be run again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.articles import Article, Passage
from assistant.errors import KnowledgeError, PluginError, UnreadableError
from assistant.knowledge.catalogue import Catalogue, Report
from assistant.knowledge.lexical import Lexical
from assistant.knowledge.listing import Unreadable
from assistant.knowledge.passages import ReadPicture, split
from assistant.knowledge.sources import ArticleFile, Folder
from assistant.knowledge.store import Store

BATCH_PASSAGES = 512
"""Passages encoded together: enough to sort by length, few enough to lose when interrupted."""

Encode = Callable[[Sequence[str]], NDArray[np.float32]]
Progress = Callable[[int, int], None]


def _no_progress(done: int, total: int) -> None:
    """For callers who do not watch."""


class Indexer:
    """Writes articles to the vector store and the word index.

    An article's vectors are written first and its content hash last, so that a run that was cut
    off leaves nothing that the next run would take for done.
    """

    def __init__(
        self,
        store: Store,
        lexical: Lexical,
        encode: Encode,
        *,
        read_picture: ReadPicture | None,
        passage_words: int,
    ) -> None:
        self._store = store
        self._lexical = lexical
        self._catalogue = Catalogue(lexical)
        self._encode = encode
        self._read_picture = read_picture
        self._passage_words = passage_words

    def index_folder(self, folder: Folder, progress: Progress = _no_progress) -> Report:
        """Brings the source `folder.source` up to date with the folder's files.

        `progress` is called with the number of files done and of all files.
        Raises KnowledgeError if the source's name stands for another folder already. If that
        folder is gone, this one is taken for it, moved.
        """
        root = str(folder.root.resolve())
        files = list(folder.files())
        standing = self._lexical.root(folder.source)
        if standing not in (None, root) and Path(standing).exists():
            raise KnowledgeError(
                f"The source {folder.source!r} stands for {standing} already."
                f" Index {root} under another name with --source."
            )
        self._lexical.set_root(folder.source, root)
        report = self._update(folder.source, files, progress)
        self._catalogue.note_run(report, folder)
        return report

    def index_articles(
        self, source: str, articles: Sequence[Article], progress: Progress = _no_progress
    ) -> Report:
        """Brings a source up to date with all of its articles, as a plugin gave them.

        Raises KnowledgeError if the source's name stands for a folder.
        """
        if standing := self._lexical.root(source):
            raise KnowledgeError(
                f"The source {source!r} stands for the folder {standing} already."
                " Let the plugin name its source otherwise."
            )
        report = self._update(source, articles, progress)
        self._catalogue.note_run(report, None)
        return report

    def remove_source(self, source: str) -> Report:
        """Takes all articles of a source out of the index.

        Raises KnowledgeError if there is no such source.
        """
        known = [each.name for each in self._lexical.sources()]
        if source not in known:
            raise KnowledgeError(
                f"{source!r}: no such source. There are: {', '.join(known) or 'none'}."
            )
        report = self._update(source, [], _no_progress)
        self._lexical.forget_root(source)
        return report

    def remove_articles(self, article_ids: Sequence[str]) -> None:
        """Takes these articles out of the index, and out of the word index's file."""
        self._remove(article_ids, Report(source=""))
        self._lexical.compact()

    def _update(
        self,
        source: str,
        entries: Sequence[ArticleFile | Article | Unreadable],
        progress: Progress,
    ) -> Report:
        report = Report(source)
        known = self._lexical.content_hashes(source)
        seen: set[str] = set()
        batch: list[tuple[Article, list[Passage]]] = []
        for number, entry in enumerate(entries):
            progress(number, len(entries))
            if isinstance(entry, Unreadable):
                report.unreadable.append(entry)
                # What is there but cannot be reached is not gone, such as a folder with its files.
                place = f"{source}/{entry.name}"
                seen |= {id_ for id_ in known if id_ == place or id_.startswith(f"{place}/")}
                continue
            id_ = f"{source}/{entry.id}"
            seen.add(id_)
            article = self._read_if_new(entry, known.get(id_), report)
            if article is None:
                continue
            article = replace(article, id=id_, source=source)
            passages = split(
                article, max_words=self._passage_words, read_picture=self._read_picture
            )
            batch.append((article, passages))
            if sum(len(passages) for _, passages in batch) >= BATCH_PASSAGES:
                self._write(batch, report)
                batch = []
        self._write(batch, report)
        self._remove(sorted(known.keys() - seen), report)
        if self._store.count() > self._lexical.counts()[1]:
            # A run was cut off after it wrote the vectors of articles that are gone by now.
            self._store.keep_only_articles(source, self._lexical.content_hashes(source).keys())
        progress(len(entries), len(entries))
        return report

    def _read_if_new(
        self, entry: ArticleFile | Article, known_hash: str | None, report: Report
    ) -> Article | None:
        try:
            digest = _content_hash(entry) if isinstance(entry, Article) else entry.content_hash()
            if digest == known_hash:
                report.unchanged += 1
                return None
            article = entry if isinstance(entry, Article) else entry.read()
        except UnreadableError as error:
            report.unreadable.append(Unreadable(entry.id, str(error)))
            return None
        if known_hash is None:
            report.added += 1
        else:
            report.changed += 1
        return replace(article, content_hash=digest)

    def _write(self, batch: Sequence[tuple[Article, list[Passage]]], report: Report) -> None:
        passages = [passage for _, of_article in batch for passage in of_article]
        if passages:
            self._store.put(passages, self._encode([embedded_text(p) for p in passages]))
        self._store.keep_only({article.id: [p.id for p in own] for article, own in batch})
        for article, own in batch:
            self._lexical.put(article, own)
        report.passages += len(passages)

    def _remove(self, article_ids: Sequence[str], report: Report) -> None:
        self._store.keep_only({article_id: [] for article_id in article_ids})
        for article_id in article_ids:
            self._lexical.remove(article_id)
        report.removed += len(article_ids)


def embedded_text(passage: Passage) -> str:
    """The text whose vector stands for a passage: its headings give the context it lacks alone."""
    return " > ".join(passage.heading_path) + "\n" + passage.text


def _content_hash(article: Article) -> str:
    return article.content_hash or hashlib.sha256(repr(article).encode()).hexdigest()


def by_source(sources: Iterable[Iterable[Article]]) -> dict[str, list[Article]]:
    """The articles that plugins bring, by the source each names.

    Raises PluginError if one fails while it is read, or an article names no source: a half-read
    source must not take the rest for removed.
    """
    found: dict[str, list[Article]] = {}
    for source in sources:
        try:
            articles = list(source)
        except Exception as error:
            raise PluginError(
                f"A plugin's source failed while it was read: {type(error).__name__}: {error}."
                " Nothing was indexed; mend it, or name the plugin in disabled_plugins."
            ) from error
        for article in articles:
            if not article.source:
                raise PluginError(
                    f"A plugin's article {article.id!r} names no source. Set Article.source."
                )
            found.setdefault(article.source, []).append(article)
    return found
