"""How fast do articles get into the index, and with how much memory? About 1,500 passages of
TechQA's documents and Mattermost's documentation, as plain text.

Each system runs in a process of its own, one after the other, in two rounds, with the same text
model (all-MiniLM-L6-v2). `passages/s` is of the faster round, since other work on the machine can
only slow a round down. The model is loaded and used once before the clock starts; `peak MB` is the
process's largest resident size, with the model and all imports, `loaded MB` its size before the
clock starts.

Deskmate reads the folder, splits the articles into passages, encodes them and writes them to
embedded Chroma and to its word index (BM25), as `deskmate index` does. The peers are given the
same passages, already split: LangChain adds them to Chroma (no word index), Haystack to its Chroma
store and, as `haystack/in-memory`, to its in-memory store, where nothing reaches the disk.
`deskmate` computes in bfloat16 where the processor does so natively, which is its default;
`deskmate/float32` has the peers' precision.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.progress import track

from benchmarks import data
from benchmarks.results import Results

PASSAGES = 1_500
ROUNDS = 2


def main() -> None:
    texts = _corpus()
    results = Results(
        "indexing",
        ["sentence-transformers", "langchain-chroma", "haystack-ai", "chroma-haystack", "chromadb"],
    )
    with tempfile.TemporaryDirectory(prefix="deskmate-bench-") as folder:
        articles = data.write_texts(texts, Path(folder, "articles"))
        passages = _passages(articles)
        Path(folder, "passages.json").write_text(json.dumps(passages))
        rounds: dict[str, list[dict[str, float]]] = {system: [] for system in SYSTEMS}
        for system in track(list(SYSTEMS) * ROUNDS, "indexing"):
            rounds[system].append(_in_own_process(system, folder, len(passages)))
    for system, measured in rounds.items():
        seconds = min(one["seconds"] for one in measured)
        results.add("indexing", system, "passages/s", len(passages) / seconds)
        for metric in ("peak MB", "loaded MB"):
            results.add("indexing", system, metric, max(one[metric] for one in measured))
    for measure, value in (
        ("passages", len(passages)),
        ("words", sum(len(text.split()) for text in passages)),
    ):
        results.add("corpus", f"{len(texts)} documents", measure, value)
    results.publish()


def _in_own_process(system: str, folder: str, passages: int) -> dict[str, float]:
    """What `_measure` printed of a system, in a process and a store that are new."""
    with tempfile.TemporaryDirectory(dir=folder) as store:
        command = [sys.executable, "-m", "benchmarks.bench_indexing", system, folder, store]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    if measured["passages"] != passages:
        raise ValueError(f"{system} wrote {measured['passages']} of {passages} passages")
    return measured


def _corpus() -> dict[str, str]:
    """TechQA's documents, then Mattermost's articles, up to about the wanted number of passages."""
    from assistant.articles import Article, Section
    from assistant.knowledge.passages import split

    documents, _ = data.techqa()
    articles = data.read_texts(data.folder("screens/mattermost") / "articles")
    texts: dict[str, str] = {}
    count = 0
    for name, text in [*documents.items(), *articles.items()]:
        path = str(Path(name).with_suffix(".txt"))
        count += len(split(Article(path, path, (Section((path,), text),))))
        if count > PASSAGES:
            break
        texts[path] = text
    return texts


def _passages(articles: Path) -> list[str]:
    """What Deskmate embeds of the folder: the texts that the peers are given."""
    from assistant.articles import Article
    from assistant.knowledge.indexing import embedded_text
    from assistant.knowledge.passages import split
    from assistant.knowledge.sources import Folder

    found = Folder(articles).articles()
    return [
        embedded_text(passage)
        for article in found
        if isinstance(article, Article)
        for passage in split(article)
    ]


# ── One system, in its own process ─────────────────────────────────────────────────────────────

# Each prepares a system whose store is to lie in a folder, and returns what is timed: a function
# that indexes a folder of articles, or the same articles' passages, and counts what it wrote.
Prepare = Callable[[Path, Path, Sequence[str]], Callable[[], int]]


def _deskmate(precision: str) -> Prepare:
    def prepare(store: Path, articles: Path, passages: Sequence[str]) -> Callable[[], int]:
        from assistant import Desk
        from assistant.knowledge.sources import Folder
        from assistant.settings import Model, Settings

        desk = Desk(Settings(data_dir=store, model=Model(precision=precision)))
        desk.encoder.encode("warm")
        _ = desk.indexer
        return lambda: desk.index(Folder(articles, source="articles")).passages

    return prepare


def _langchain(store: Path, articles: Path, passages: Sequence[str]) -> Callable[[], int]:
    from langchain_chroma import Chroma
    from langchain_core.documents import Document

    from benchmarks.frameworks import SentenceTransformerEmbeddings

    embeddings = SentenceTransformerEmbeddings()
    embeddings.embed_query("warm")
    chroma = Chroma(embedding_function=embeddings, persist_directory=str(store))
    documents = [Document(page_content=text) for text in passages]
    return lambda: len(chroma.add_documents(documents))


def _haystack(store: Path, articles: Path, passages: Sequence[str]) -> Callable[[], int]:
    from haystack_integrations.document_stores.chroma import ChromaDocumentStore

    chroma = ChromaDocumentStore(persist_path=str(store), distance_function="cosine")
    return _haystack_into(chroma, passages)


def _haystack_in_memory(store: Path, articles: Path, passages: Sequence[str]) -> Callable[[], int]:
    from haystack.document_stores.in_memory import InMemoryDocumentStore

    return _haystack_into(InMemoryDocumentStore(), passages)


def _haystack_into(document_store: object, passages: Sequence[str]) -> Callable[[], int]:
    from haystack import Document

    from benchmarks.frameworks import haystack_indexing

    pipeline = haystack_indexing(document_store)
    pipeline.get_component("embedder").run([Document(content="warm")])
    documents = [Document(id=str(number), content=text) for number, text in enumerate(passages)]

    def index() -> int:
        return pipeline.run({"embedder": {"documents": documents}})["writer"]["documents_written"]

    return index


SYSTEMS: Mapping[str, Prepare] = {
    "deskmate": _deskmate("auto"),
    "deskmate/float32": _deskmate("float32"),
    "langchain": _langchain,
    "haystack": _haystack,
    "haystack/in-memory": _haystack_in_memory,
}


def _measure(system: str, folder: Path, store: Path) -> None:
    """Prints the seconds, the passages and the largest resident sizes of one system."""
    passages = json.loads((folder / "passages.json").read_text())
    index = SYSTEMS[system](store, folder / "articles", passages)
    loaded_mb = _largest_mb()
    start = time.perf_counter()
    written = index()
    measured = {
        "seconds": time.perf_counter() - start,
        "passages": written,
        "loaded MB": loaded_mb,
        "peak MB": _largest_mb(),
    }
    print(json.dumps(measured))


def _largest_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if len(sys.argv) == 4:
        _measure(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
