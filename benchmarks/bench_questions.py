"""Which document answers a question? 384 IBM support questions (TechQA) over 337 documents, and 96
that none of them answers.

`techqa` ranks the documents for the questions that have one. `bm25`, `bm25/chunks`, `minilm` and
`rrf` are as in `screens`. `langchain` is RecursiveCharacterTextSplitter (1,000 characters, 200
shared) with Chroma, `langchain/hybrid` joins it with LangChain's BM25 by EnsembleRetriever;
`haystack` is DocumentSplitter (180 words, 40 shared) with its embedding retriever in memory,
`haystack/hybrid` joins that with its BM25 by reciprocal rank fusion. All use all-MiniLM-L6-v2. Both
frameworks are asked for 50 chunks, since their defaults (4 and 10) give too few documents to rank.
A question's `ms p50` is from its text to the ranked documents.

`techqa/answerable` and `techqa/unanswerable` put the questions to `Desk.ask` with its default
settings. `reply share`, `draft share`, `ask share`, `hand over share` and `refuse share` say how
they ended; `reply right document` is the share of replies (`draft right document`: of drafts) whose
first citation is of the document that answers.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import get_args

from rich.progress import track

from assistant import Desk
from assistant.messages import Action, Outcome
from benchmarks import data, ours
from benchmarks.data import Case
from benchmarks.frameworks import Haystack, LangChain
from benchmarks.peers import Plain
from benchmarks.ranking import compare, run, run_text
from benchmarks.results import Results

VERSIONS = [
    "bm25s",
    "sentence-transformers",
    "langchain-core",
    "langchain-chroma",
    "langchain-classic",
    "langchain-community",
    "haystack-ai",
    "sentence-transformers-haystack",
    "chromadb",
]


def main() -> None:
    documents, cases = data.techqa()
    answerable = [case for case in cases if case.relevant]
    unanswerable = [case for case in cases if not case.relevant]
    results = Results("questions", VERSIONS)
    with tempfile.TemporaryDirectory(prefix="deskmate-bench-") as folder:
        articles = data.write_texts(documents, Path(folder, "documents"))
        langchain, haystack = LangChain(documents, Path(folder, "chroma")), Haystack(documents)
        peers = {
            **Plain(documents).ranks(),
            "langchain": langchain.rank,
            "langchain/hybrid": langchain.rank_hybrid,
            "haystack": haystack.rank,
            "haystack/hybrid": haystack.rank_hybrid,
        }
        with ours.indexed_desk(articles) as desk:
            runs = {"deskmate": run(partial(ours.rank, desk), answerable)}
            for name, rank in track(peers.items(), "peers"):
                runs[name] = run_text(rank, answerable)
            compare(results, "techqa", answerable, runs)
            _judge(results, "techqa/answerable", desk, answerable)
            _judge(results, "techqa/unanswerable", desk, unanswerable)
    results.publish()


def _judge(results: Results, task: str, desk: Desk, cases: Sequence[Case]) -> None:
    """Adds how Deskmate ends these questions, and whether it cites the right document."""
    outcomes = [desk.ask(case.text) for case in track(cases, task)]
    for action in get_args(Action):
        share = sum(outcome.action == action for outcome in outcomes) / len(outcomes)
        results.add(task, "deskmate", f"{action} share", share, n=len(outcomes))
    for action in ("reply", "draft"):
        right = [
            _first_cited(outcome) in case.relevant
            for outcome, case in zip(outcomes, cases, strict=True)
            if outcome.action == action and case.relevant
        ]
        if right:
            share = sum(right) / len(right)
            results.add(task, "deskmate", f"{action} right document", share, n=len(right))


def _first_cited(outcome: Outcome) -> str:
    if outcome.answer is None or not outcome.answer.citations:
        return ""
    return ours.article_path(outcome.answer.citations[0].passage.article_id)


if __name__ == "__main__":
    main()
