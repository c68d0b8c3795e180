"""LangChain's and Haystack's retrieval, as their tutorials build it, with Deskmate's text model.

`langchain-huggingface` cannot be installed beside the current `huggingface-hub`, so its
`HuggingFaceEmbeddings` stands here in the lines that do its work.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.embeddings import Embeddings

from assistant.model import weights
from benchmarks.peers import MODEL, load_model

if TYPE_CHECKING:
    from haystack import Document as HaystackDocument
    from haystack import Pipeline

os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "False"
os.environ["ANONYMIZED_TELEMETRY"] = "False"
logging.getLogger("haystack").setLevel(logging.WARNING)

DEPTH = 50
"""Chunks asked for, so that ten articles come together."""


class SentenceTransformerEmbeddings(Embeddings):
    """`langchain_huggingface.HuggingFaceEmbeddings` with its defaults."""

    def __init__(self) -> None:
        self._model = load_model()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """The vectors of texts."""
        plain = [text.replace("\n", " ") for text in texts]
        return self._model.encode(plain, show_progress_bar=False).tolist()

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        return self.embed_documents([text])[0]


class LangChain:
    """RecursiveCharacterTextSplitter (1,000 characters, 200 shared) and Chroma; for `rank_hybrid`
    also LangChain's BM25, joined by its EnsembleRetriever at equal weights."""

    def __init__(self, texts: Mapping[str, str], folder: Path) -> None:
        from langchain_chroma import Chroma
        from langchain_classic.retrievers import EnsembleRetriever
        from langchain_community.retrievers import BM25Retriever
        from langchain_core.documents import Document
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        splitter = RecursiveCharacterTextSplitter(chunk_size=1_000, chunk_overlap=200)
        articles = [
            Document(page_content=text, metadata={"article": n}) for n, text in texts.items()
        ]
        documents = splitter.split_documents(articles)
        chroma = Chroma.from_documents(
            documents, SentenceTransformerEmbeddings(), persist_directory=str(folder)
        )
        self._dense = chroma.as_retriever(search_kwargs={"k": DEPTH})
        words = BM25Retriever.from_documents(documents, k=DEPTH)
        self._hybrid = EnsembleRetriever(retrievers=[words, self._dense], weights=[0.5, 0.5])

    def rank(self, query: str) -> list[str]:
        """The articles by their nearest chunk in Chroma."""
        return _articles(self._dense.invoke(query))

    def rank_hybrid(self, query: str) -> list[str]:
        """The articles by their best chunk in both rankings."""
        return _articles(self._hybrid.invoke(query))


def _articles(documents: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(document.metadata["article"] for document in documents))


class Haystack:
    """DocumentSplitter (180 words, 40 shared), SentenceTransformersDocumentEmbedder and the
    in-memory store; for `rank_hybrid` also its BM25, joined by DocumentJoiner's reciprocal rank
    fusion."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        from haystack import Document, Pipeline
        from haystack.components.joiners import DocumentJoiner
        from haystack.components.preprocessors import DocumentSplitter
        from haystack.components.retrievers.in_memory import (
            InMemoryBM25Retriever,
            InMemoryEmbeddingRetriever,
        )
        from haystack.document_stores.in_memory import InMemoryDocumentStore

        store = InMemoryDocumentStore()
        documents = [Document(content=text, meta={"article": n}) for n, text in texts.items()]
        splitter = DocumentSplitter(split_by="word", split_length=180, split_overlap=40)
        haystack_indexing(store, splitter).run({"splitter": {"documents": documents}})

        self._dense = Pipeline()
        self._dense.add_component("text_embedder", haystack_text_embedder())
        self._dense.add_component("meaning", InMemoryEmbeddingRetriever(store, top_k=DEPTH))
        self._dense.connect("text_embedder.embedding", "meaning.query_embedding")

        self._hybrid = Pipeline()
        self._hybrid.add_component("text_embedder", haystack_text_embedder())
        self._hybrid.add_component("meaning", InMemoryEmbeddingRetriever(store, top_k=DEPTH))
        self._hybrid.add_component("words", InMemoryBM25Retriever(store, top_k=DEPTH))
        self._hybrid.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion"))
        self._hybrid.connect("text_embedder.embedding", "meaning.query_embedding")
        self._hybrid.connect("meaning", "joiner")
        self._hybrid.connect("words", "joiner")

    def rank(self, query: str) -> list[str]:
        """The articles by their nearest chunk."""
        found = self._dense.run({"text_embedder": {"text": query}})
        return _haystack_articles(found["meaning"]["documents"])

    def rank_hybrid(self, query: str) -> list[str]:
        """The articles by their best chunk in both rankings."""
        found = self._hybrid.run({"text_embedder": {"text": query}, "words": {"query": query}})
        return _haystack_articles(found["joiner"]["documents"])


def haystack_indexing(store: Any, splitter: Any = None) -> Pipeline:
    """A pipeline that embeds documents and writes them to a store, split before if asked to."""
    from haystack import Pipeline
    from haystack.components.writers import DocumentWriter
    from haystack.document_stores.types import DuplicatePolicy
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersDocumentEmbedder,
    )

    embedder = SentenceTransformersDocumentEmbedder(
        model=str(weights.find(MODEL).folder), progress_bar=False
    )
    pipeline = Pipeline()
    if splitter is not None:
        pipeline.add_component("splitter", splitter)
    pipeline.add_component("embedder", embedder)
    pipeline.add_component("writer", DocumentWriter(store, DuplicatePolicy.OVERWRITE))
    if splitter is not None:
        pipeline.connect("splitter", "embedder")
    pipeline.connect("embedder", "writer")
    pipeline.warm_up()
    return pipeline


def haystack_text_embedder() -> Any:
    """Haystack's embedder of questions."""
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersTextEmbedder,
    )

    return SentenceTransformersTextEmbedder(
        model=str(weights.find(MODEL).folder), progress_bar=False
    )


def _haystack_articles(documents: Sequence[HaystackDocument]) -> list[str]:
    return list(dict.fromkeys(document.meta["article"] for document in documents))
