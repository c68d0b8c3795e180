"""The vector store: passages' vectors in Chroma, embedded or on a server."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from assistant.articles import Passage
from assistant.errors import KnowledgeError
from assistant.knowledge.lexical import Filter
from assistant.knowledge.payload import from_payload, to_payload

if TYPE_CHECKING:
    from filelock import FileLock

_COLLECTION = "passages"
LENT = "server.url"
_PAGE = 5_000  # below SQLite's limit on variables in one statement

# Chroma's default of 100 finds 61 % of the true ten nearest of 20,000; 400 finds 95 %.
_HNSW = {"space": "cosine", "ef_search": 400, "ef_construction": 200}


def make_folder(folder: Path) -> Path:
    """The folder, made if it is missing. Raises KnowledgeError if it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KnowledgeError(
            f"{folder}: {error.strerror}. Set data_dir to a folder that can be written to."
        ) from error
    return folder


@contextmanager
def lend(folder: Path, url: str) -> Iterator[None]:
    """Owns the index in `folder` for the Chroma server at `url`: within the block, whoever opens
    the folder is led there.

    Raises KnowledgeError if another process owns it.
    """
    lock = _own(folder)
    lent = folder / LENT
    try:
        lent.write_text(url)
        yield
    finally:
        lent.unlink(missing_ok=True)
        lock.release()


class Store:
    """Vectors of length 1 with their passages.

    Embedded Chroma has one owner: opening it takes a lock in its folder until `close`. If the owner
    lends the index through a server (`lend`), that is used.
    """

    def __init__(self, folder: Path, *, url: str = "", model: str, dim: int) -> None:
        from chromadb.api.shared_system_client import SharedSystemClient
        from chromadb.config import Settings as ChromaSettings

        self._lock: FileLock | None = None
        if not url:
            try:
                self._lock = _own(folder)
            except KnowledgeError:
                url = _lent(folder)
                if not url:
                    raise
        self._place = url or str(folder)
        options = ChromaSettings(anonymized_telemetry=False)
        try:
            self._open(folder, url, options, model, dim)
        except BaseException:
            self.close()
            # Chroma would give what it could not open to the next who asks, broken as it is.
            SharedSystemClient.clear_system_cache()
            raise

    def _open(self, folder: Path, url: str, options: Any, model: str, dim: int) -> None:
        import chromadb

        with self._explained():
            if url:
                self._client = _connect(url, options)
            else:
                self._client = chromadb.PersistentClient(str(folder / "chroma"), settings=options)
            self._collection = self._client.get_or_create_collection(
                _COLLECTION,
                configuration={"hnsw": _HNSW},
                metadata={"model": model, "dim": dim},
                embedding_function=None,
            )
            # The largest batch that the server, or SQLite, takes at once.
            self._batch = int(self._client.get_max_batch_size())
        made_by = (self._collection.metadata or {}).get("model", model)
        if made_by != model:
            raise KnowledgeError(
                f"{self._place}: this index was made by {made_by!r}, and model.text is {model!r}."
                " Delete the folder and run `deskmate index`, or set the model back."
            )

    def close(self) -> None:
        """Lets another process own the index."""
        if hasattr(self, "_client"):
            self._client.close()
        if self._lock:
            self._lock.release()

    def put(self, passages: Sequence[Passage], vectors: NDArray[np.float32]) -> None:
        """Adds passages with their vectors [passages, dim], or replaces those with the same id."""
        for start in range(0, len(passages), self._batch):
            batch = passages[start : start + self._batch]
            with self._explained():
                self._collection.upsert(
                    ids=[passage.id for passage in batch],
                    embeddings=vectors[start : start + self._batch],
                    metadatas=[_metadata(passage) for passage in batch],
                )

    def keep_only(self, passages_of: Mapping[str, Sequence[str]]) -> None:
        """Removes from each article given by its id all passages but those whose ids are named."""
        articles = list(passages_of)
        stale: list[str] = []
        for start in range(0, len(articles), _PAGE):
            page = articles[start : start + _PAGE]
            with self._explained():
                found = self._collection.get(where={"article": {"$in": page}}, include=[])["ids"]
            kept = {id_ for article in page for id_ in passages_of[article]}
            stale += [id_ for id_ in found if id_ not in kept]
        self._delete(stale)

    def keep_only_articles(self, source: str, articles: Collection[str]) -> None:
        """Removes all passages of a source but those of the articles whose ids are given."""
        with self._explained():
            found = self._collection.get(where={"source": source}, include=["metadatas"])
        metadatas = found["metadatas"] or ()
        self._delete(
            [
                id_
                for id_, metadata in zip(found["ids"], metadatas, strict=True)
                if metadata["article"] not in articles
            ]
        )

    def _delete(self, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), _PAGE):
            with self._explained():
                self._collection.delete(ids=list(ids[start : start + _PAGE]))

    def search(
        self, vector: NDArray[np.float32], filter: Filter, *, limit: int
    ) -> list[tuple[str, str, float]]:
        """The nearest passages to `vector` [dim]: their ids, their articles' ids, and the cosine
        similarity, best first."""
        with self._explained():
            found = self._collection.query(
                query_embeddings=[vector],
                n_results=limit,
                where=_where(filter),
                include=["metadatas", "distances"],
            )
        metadatas, distances = found["metadatas"], found["distances"]
        assert metadatas is not None
        assert distances is not None
        return [
            (id_, str(metadata["article"]), 1.0 - distance)
            for id_, metadata, distance in zip(
                found["ids"][0], metadatas[0], distances[0], strict=True
            )
        ]

    def count(self) -> int:
        """How many passages the store holds."""
        with self._explained():
            return int(self._collection.count())

    def vectors(self) -> Iterator[tuple[list[Passage], NDArray[np.float32]]]:
        """All passages with their vectors [passages, dim], some thousand at a time."""
        for offset in range(0, self.count(), _PAGE):
            with self._explained():
                page = self._collection.get(
                    limit=_PAGE, offset=offset, include=["metadatas", "embeddings"]
                )
            passages = [from_payload(str(m["passage"])) for m in page["metadatas"] or ()]
            yield passages, np.asarray(page["embeddings"], np.float32)

    def passages(self) -> Iterator[Passage]:
        """All passages, for making the word index again."""
        for offset in range(0, self.count(), _PAGE):
            with self._explained():
                page = self._collection.get(limit=_PAGE, offset=offset, include=["metadatas"])
            for metadata in page["metadatas"] or ():
                yield from_payload(str(metadata["passage"]))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except KnowledgeError:
            raise
        except Exception as error:  # Chroma raises its engine's errors, of many kinds
            raise KnowledgeError(
                f"{self._place}: Chroma failed: {error}. Check the disk's space and, with"
                " knowledge.chroma_url, that the server runs."
            ) from error


def _own(folder: Path) -> FileLock:
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "owner.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise KnowledgeError(
            f"{folder}: the index is in use by another process. Stop it, or set"
            " knowledge.chroma_url so that several can share one Chroma server."
        ) from None
    except OSError as error:
        raise KnowledgeError(
            f"{folder}: {error.strerror}. Set data_dir to a folder that can be written to."
        ) from error
    (folder / LENT).unlink(missing_ok=True)  # of an owner that was killed
    return lock


def _lent(folder: Path) -> str:
    """The address of the server that the owner lends the index through; empty if there is none."""
    try:
        return (folder / LENT).read_text()
    except OSError:  # there is none, or the folder is none
        return ""


def _metadata(passage: Passage) -> dict[str, Any]:
    return {
        "article": passage.article_id,
        "source": passage.source,
        "product": passage.product,
        "language": passage.language,
        "audience": passage.audience,
        "passage": to_payload(passage),
    }


def _connect(url: str, options: Any) -> Any:
    import chromadb

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise KnowledgeError(
            f"knowledge.chroma_url = {url!r}: not an address such as http://127.0.0.1:8000."
        )
    return chromadb.HttpClient(
        host=parts.hostname,
        port=parts.port or (443 if parts.scheme == "https" else 8000),
        ssl=parts.scheme == "https",
        settings=options,
    )


def _where(filter: Filter) -> dict[str, Any] | None:
    conditions: list[dict[str, Any]] = []
    if filter.audience == "public":
        conditions.append({"audience": "public"})
    if filter.source is not None:
        conditions.append({"source": filter.source})
    for key in ("product", "language"):
        wanted = getattr(filter, key)
        if wanted is not None:
            conditions.append({key: {"$in": [wanted, ""]}})
    if len(conditions) > 1:
        return {"$and": conditions}
    return conditions[0] if conditions else None
