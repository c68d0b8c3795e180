"""The tables of the word index."""

from __future__ import annotations

SCHEMA = """
CREATE TABLE IF NOT EXISTS sources (
    name TEXT PRIMARY KEY,
    root TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS runs (
    source TEXT PRIMARY KEY,
    at TEXT NOT NULL,
    folder TEXT NOT NULL,
    counts TEXT NOT NULL,
    unreadable TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS articles (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    content_hash TEXT NOT NULL,
    source TEXT NOT NULL,
    product TEXT NOT NULL,
    language TEXT NOT NULL,
    audience TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS passages (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    article INTEGER NOT NULL REFERENCES articles (number),
    payload TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS passages_article ON passages (article);
CREATE TABLE IF NOT EXISTS labels (
    label TEXT NOT NULL,
    article INTEGER NOT NULL REFERENCES articles (number),
    PRIMARY KEY (label, article)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS labels_article ON labels (article);
CREATE VIRTUAL TABLE IF NOT EXISTS passage_words
    USING fts5 (headings, words, tokenize = 'porter unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE IF NOT EXISTS article_words
    USING fts5 (headings, words, tokenize = 'porter unicode61 remove_diacritics 2');
-- A word in a heading counts four times: headings name what the text below them is about.
INSERT INTO passage_words (passage_words, rank) VALUES ('rank', 'bm25(4.0, 1.0)');
INSERT INTO article_words (article_words, rank) VALUES ('rank', 'bm25(4.0, 1.0)');
"""
