"""Indexes a folder in a process of its own, to be killed: `index_process.py DATA FOLDER`.

Vectors come from hashes, so that the process starts in a second.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.knowledge import indexing
from assistant.knowledge.catalogue import Report
from assistant.knowledge.indexing import Indexer
from assistant.knowledge.lexical import Lexical
from assistant.knowledge.sources import Folder
from assistant.knowledge.store import Store

DIM = 16


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """Vectors of length 1 [texts, DIM], the same for the same text."""
    digests = [hashlib.sha256(text.encode()).digest()[:DIM] for text in texts]
    raw = np.array([list(digest) for digest in digests], dtype=np.float32) - 127.5
    return raw / np.linalg.norm(raw, axis=1, keepdims=True)


def open_index(data: Path) -> tuple[Store, Lexical, Indexer]:
    """The parts of the index in `data`."""
    data.mkdir(exist_ok=True)
    lexical = Lexical(data / "words.sqlite")
    try:
        store = Store(data, model="hash", dim=DIM)
    except BaseException:
        lexical.close()
        raise
    return store, lexical, Indexer(store, lexical, encode, read_picture=None, passage_words=180)


def index(data: Path, folder: Path) -> Report:
    """Indexes the folder as the source `help`."""
    store, lexical, indexer = open_index(data)
    with closing(store), closing(lexical):
        return indexer.index_folder(Folder(folder, source="help"))


if __name__ == "__main__":
    indexing.BATCH_PASSAGES = 3  # many small steps, so that a kill falls between them
    print("ready", flush=True)
    index(Path(sys.argv[1]), Path(sys.argv[2]))
