"""A ticket database as large as a busy company's after a year, and an index beside it, filled row
by row with made-up words: for measuring what grows with them."""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

from sqlalchemy import Engine

from assistant.articles import Article, Passage
from assistant.knowledge.lexical import Lexical

MESSAGES, OUTCOMES = 10, 3  # of each ticket
DAYS = 365
CHANNELS = ("email", "slack", "ticket-database")
STATUSES = ("solved",) * 80 + ("answered",) * 15 + ("handed over",) * 3 + ("needs review",) * 2
STEPS = (("read", 400), ("encode", 60), ("search", 40), ("check", 5), ("decide", 5), ("write", 300))
WORDS = 5_000
_SYLLABLES = ("ka", "lo", "mi", "ne", "ru", "sa", "ti", "vo", "ze", "pi", "du", "fe")

Columns = dict[str, Any]


class Maker:
    """Makes rows; the same for the same seed."""

    def __init__(self, tickets: int, seed: int = 1) -> None:
        self.tickets = tickets
        self.random = random.Random(seed)
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.words = sorted(
            {"".join(self.random.choices(_SYLLABLES, k=3 + n % 3)) for n in range(2 * WORDS)}
        )[:WORDS]
        # A few words are everywhere, most are rare (Zipf).
        self.weights = list(accumulate(1 / rank for rank in range(1, len(self.words) + 1)))
        self.random.shuffle(self.words)

    def text(self, words: int = 30) -> str:
        """Some words."""
        return (
            " ".join(
                self.random.choices(self.words, cum_weights=self.weights, k=words)
            ).capitalize()
            + "."
        )

    def began(self, ticket: int) -> datetime:
        """When a ticket began: the higher its number, the later."""
        return self.now - timedelta(days=DAYS) * (1 - ticket / self.tickets)

    def rows(self) -> Iterator[tuple[str, Iterator[Columns]]]:
        """The tables' rows, in an order that foreign keys allow."""
        texts = [self.text() for _ in range(2_000)]
        yield "tickets", (self._ticket(n) for n in self._all())
        yield "outcomes", (self._outcome(n, k, texts) for n in self._all() for k in self._each())
        yield (
            "traces",
            (self._trace(n, k) for n in self._all() for k in self._each()),
        )
        yield "citations", (self._citation(n, k, texts) for n in self._all() for k in self._each())
        yield (
            "messages",
            (self._message(n, k, texts) for n in self._all() for k in range(MESSAGES)),
        )
        yield "replies", (self._reply(n, k, texts) for n in self._all() for k in self._each())
        yield "feedback", (self._thumb(n) for n in self._all() if n % 5 == 0)
        yield "audit", (self._audit(n, k) for n in self._all() for k in range(4))

    def _all(self) -> range:
        return range(1, self.tickets + 1)

    def _each(self) -> range:
        return range(OUTCOMES)

    def _id(self, ticket: int, number: int) -> int:
        return (ticket - 1) * OUTCOMES + number + 1

    def _ticket(self, n: int) -> Columns:
        status = STATUSES[self.random.randrange(100)]
        by_us = self.random.random() < 0.6
        return {
            "id": n,
            "connector": CHANNELS[n % 3],
            "thread_id": f"thread-{n}",
            "customer": f"customer{n % 20_000}@example.com",
            "subject": self.text(5),
            "status": status,
            "owner": "kim" if status == "handed over" else None,
            "assignee": "kim" if n % 10 == 0 else None,
            "solved_by": ("assistant" if by_us else "kim") if status == "solved" else None,
            "created_at": self.began(n),
            "updated_at": self.began(n) + timedelta(hours=8),
        }

    def _outcome(self, n: int, k: int, texts: Sequence[str]) -> Columns:
        confidence = self.random.betavariate(4, 2)
        action, reason, state = "reply", "supported by its sources", None
        if confidence < 0.35:
            action = "hand over"
            reason = self.random.choice(
                ["the sources do not settle “x”", "the passages found hardly match “x”"]
            )
        elif confidence < 0.75:
            right = self.random.random() < confidence
            action, reason = "draft", f"confidence {confidence:.2f}, replies need 0.75"
            state = "approved" if right else "discarded"
            if n > self.tickets - 200 and k == OUTCOMES - 1:
                state = "waiting"
        return {
            "id": self._id(n, k),
            "message_key": f"{CHANNELS[n % 3]}:message-{n}-{k * 3}",
            "ticket_id": n,
            "connector": CHANNELS[n % 3],
            "action": action,
            "reason": reason,
            "text": texts[(n + k) % len(texts)],
            "answer_text": texts[(n + k) % len(texts)] + " [1]",
            "confidence": confidence,
            "draft_state": state,
            "created_at": self.began(n) + timedelta(hours=k),
        }

    def _trace(self, n: int, k: int) -> Columns:
        steps = [
            {"name": name, "milliseconds": self.random.expovariate(1 / mean), "detail": {}}
            for name, mean in STEPS
        ]
        if n % 2:
            steps[-1]["detail"] = {"tokens_read": 1_500, "tokens_written": 200}
        return {
            "outcome_id": self._id(n, k),
            "steps": json.dumps(steps),
            "hits": "[]",
            "attachments": "[]",
        }

    def _citation(self, n: int, k: int, texts: Sequence[str]) -> Columns:
        article = f"help/{n % 2_000}.md"
        return {
            "outcome_id": self._id(n, k),
            "number": 1,
            "passage_id": f"{article}#0",
            "article_id": article,
            "heading_path": json.dumps([article]),
            "url": "",
            "passage_text": texts[(n + k) % len(texts)],
            "quote": texts[(n + k) % len(texts)],
        }

    def _message(self, n: int, k: int, texts: Sequence[str]) -> Columns:
        at = self.began(n) + timedelta(minutes=20 * k)
        return {
            "id": (n - 1) * MESSAGES + k + 1,
            "ticket_id": n,
            "connector": CHANNELS[n % 3],
            "external_id": f"message-{n}-{k}",
            "sender": f"customer{n % 20_000}@example.com",
            "author": "customer",
            "subject": "",
            "text": texts[(n * MESSAGES + k) % len(texts)] + (f" case{n}" if k == 0 else ""),
            "audience": "public",
            "language": None,
            "product": None,
            "sent_at": at,
            "received_at": at,
            "withdrawn_at": None,
            "attempts": 1,
            "outcome_id": self._id(n, min(k // 3, OUTCOMES - 1)),
        }

    def _reply(self, n: int, k: int, texts: Sequence[str]) -> Columns:
        at = self.began(n) + timedelta(hours=k, seconds=self.random.expovariate(1 / 900))
        person = self.random.random() < 0.4
        changed = person and self.random.random() < 0.5
        return {
            "id": str(uuid.UUID(int=self._id(n, k))),
            "ticket_id": n,
            "outcome_id": self._id(n, k),
            "author": "staff" if changed else "assistant",
            "approved_by": "kim" if person else None,
            "recipient": f"customer{n % 20_000}@example.com",
            "subject": "",
            "text": texts[(n + k) % len(texts)],
            "changed_share": self.random.random() ** 2 if changed else 0.0 if person else None,
            "in_reply_to": "",
            "state": "sent",
            "external_id": f"sent-{n}-{k}",
            "attempts": 1,
            "error": None,
            "created_at": at,
            "due_at": at,
            "sent_at": at,
        }

    def _thumb(self, n: int) -> Columns:
        return {
            "ticket_id": n,
            "outcome_id": self._id(n, 0),
            "helpful": self.random.random() < 0.8,
            "author": "customer",
            "comment": "",
            "created_at": self.began(n) + timedelta(hours=2),
        }

    def _audit(self, n: int, k: int) -> Columns:
        return {
            "ticket_id": n,
            "who": ("kim", "bea", "assistant")[n % 3],
            "action": ("see", "approve", "reply", "solve")[k],
            "detail": "",
            "created_at": self.began(n) + timedelta(hours=k),
        }


def fill(engine: Engine, tickets: int) -> None:
    """Fills an empty database of SQLite or PostgreSQL."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        if engine.dialect.name == "sqlite":
            cursor.execute("BEGIN")
        for table, rows in Maker(tickets).rows():
            first = next(rows)
            names = ", ".join(first)
            values = (tuple(row.values()) for row in _with(first, rows))
            if engine.dialect.name == "sqlite":
                marks = ", ".join("?" * len(first))
                plain = (tuple(map(_as_text, row)) for row in values)
                cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", plain)
            else:
                with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                    for row in values:
                        copy.write_row(row)
        connection.commit()
    finally:
        connection.close()
    if engine.dialect.name == "postgresql":  # as its autovacuum does by itself, a little later
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as analysing:
            analysing.exec_driver_sql("VACUUM ANALYZE")


def fill_index(lexical: Lexical, articles: int, passages: int) -> None:
    """Fills the word index with so many articles of so many passages each."""
    maker = Maker(1)
    for number in range(articles):
        id_, title = f"help/{number}.md", maker.text(4)
        audience: Any = "internal" if number % 10 == 0 else "public"
        lexical.put(
            Article(
                id_, title, (), source="help", language="en", audience=audience, content_hash="x"
            ),
            [
                Passage(f"{id_}#{n}", id_, (title, maker.text(3)), maker.text(80), source="help")
                for n in range(passages)
            ],
        )


def _with(first: Columns, rows: Iterable[Columns]) -> Iterator[Columns]:
    yield first
    yield from rows


def _as_text(value: Any) -> Any:
    """As SQLAlchemy stores moments in SQLite."""
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value
