"""The desk: every part built once from the settings, each when it is first needed."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import settings as settings_module
from assistant.connecting import AttachedConnector, Connector, HoldingConnector
from assistant.errors import KnowledgeError
from assistant.messages import (
    Attachment,
    Audience,
    Message,
    Outcome,
    PluginFault,
    Reply,
    Ticket,
    Turn,
    now,
)
from assistant.plugging import Plugins
from assistant.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable
    from sqlalchemy import Engine

    from assistant.answering.question import Question
    from assistant.answering.toolbox import Toolbox
    from assistant.evaluation.ranking import Ranking
    from assistant.inbox import Inbox
    from assistant.knowledge.indexing import Indexer, Progress, Report
    from assistant.knowledge.lexical import Lexical
    from assistant.knowledge.readings import Readings
    from assistant.knowledge.retriever import Retriever
    from assistant.knowledge.sources import Folder
    from assistant.knowledge.store import Store
    from assistant.messages import Answer
    from assistant.model.encoder import MultimodalEncoder
    from assistant.model.live import Live
    from assistant.pipeline import Pipeline
    from assistant.tickets.repository import Tickets


class Desk:
    """What the command line, the console and tests hold.

    Opening one loads plugins only; models, index and database follow when they are first used, or
    all at once with `warm_up`. Use it as a context manager, or call `close`.
    """

    def __init__(self, settings: Settings, *, plugins: Plugins | None = None) -> None:
        self.settings = settings
        self.faults: list[PluginFault] = []
        self.plugins = plugins or Plugins.of(settings)

    @classmethod
    def open(cls, file: Path | None = None) -> Desk:
        """A desk with the settings of `file`, or of ./deskmate.toml and the environment."""
        return cls(settings_module.load(file))

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Stops the inbox and lets go of the index and the database."""
        built = vars(self)
        if "inbox" in built:
            self.inbox.stop()
        for name in ("store", "lexical", "readings"):
            if name in built:
                built.pop(name).close()
        if "engine" in built:
            built.pop("engine").dispose()

    # ── The parts, in the order in which they build on each other ──────────────────────────────

    @cached_property
    def encoder(self) -> MultimodalEncoder:
        """The core model."""
        from assistant.model.encoder import MultimodalEncoder

        model = self.settings.model
        encoder = MultimodalEncoder(model.text, threads=model.threads, precision=model.precision)
        self.live.into(encoder)
        return encoder

    @cached_property
    def live(self) -> Live:
        """The weights that `deskmate train` made of the company's own tickets."""
        from assistant.model.live import Live

        return Live(self.settings.data_dir / "trained", self.settings.model.text)

    @cached_property
    def index_folder(self) -> Path:
        """Where the index lies; made if it is missing."""
        from assistant.knowledge.store import make_folder

        return make_folder(self.settings.data_dir / "index")

    @cached_property
    def store(self) -> Store:
        """The vector store."""
        from assistant.knowledge.store import Store

        return Store(
            self.index_folder,
            url=self.settings.knowledge.chroma_url,
            model=self.settings.model.text,
            dim=self.encoder.dim,
        )

    @cached_property
    def lexical(self) -> Lexical:
        """The word index."""
        from assistant.knowledge.lexical import Lexical

        return Lexical(self.index_folder / "words.sqlite")

    @cached_property
    def readings(self) -> Readings:
        """What was read in pictures before."""
        from assistant.knowledge.readings import Readings

        return Readings(self.index_folder / "readings.sqlite", self.encoder.reader.read)

    @cached_property
    def retriever(self) -> Retriever:
        """The search over both."""
        from assistant.knowledge.retriever import Retriever
        from assistant.knowledge.scorer import ArticleScorer

        scorer = ArticleScorer.trained()
        if trained := self.live.screens("articles"):
            scorer.load_state_dict(trained)
        return Retriever(self.store, self.lexical, scorer)

    @cached_property
    def indexer(self) -> Indexer:
        """What writes to both."""
        from assistant.knowledge.indexing import Indexer

        knowledge = self.settings.knowledge
        return Indexer(
            self.store,
            self.lexical,
            self.encoder.encode_texts,
            read_picture=self.readings.text if knowledge.read_pictures else None,
            passage_words=knowledge.passage_words,
        )

    @cached_property
    def chat_model(self) -> BaseChatModel | None:
        """The chat model that is configured, or None."""
        from assistant.answering import generator

        answering = self.settings.answering
        if name := answering.chat_model:
            return generator.load_chat_model(name, answering.chat_model_options)
        return None

    @cached_property
    def tools(self) -> Toolbox:
        """What plugins let the desk look up and do."""
        from assistant.answering import generator
        from assistant.answering.toolbox import Toolbox

        return Toolbox(
            self.plugins.register_tools(self.settings, self.faults),
            self.plugins,
            lambda: self.tickets.tool_calls,
            self.settings.tools.allowed,
            generator.choosing(self.chat_model) if self.chat_model else None,
        )

    @cached_property
    def generator(self) -> Runnable[Question, Answer]:
        """The writer: the chat model that is configured, or the embedded default."""
        from assistant.answering import generator
        from assistant.answering.composer import Composer

        if self.chat_model:
            return generator.with_chat_model(self.chat_model)
        return generator.embedded(Composer(self.encoder.text.encode_tokens, self.lexical.rarity))

    @cached_property
    def pipeline(self) -> Pipeline:
        """The path of one message."""
        from assistant.answering.policy import Policy
        from assistant.model.attachments import AttachmentReader
        from assistant.pipeline import Pipeline

        return Pipeline(
            plugins=self.plugins,
            # Not through `readings`: what customers send is kept with their tickets only.
            attachments=AttachmentReader(
                self.encoder.reader.read, max_mb=self.settings.max_attachment_mb
            ),
            encoder=self.encoder,
            retriever=self.retriever,
            lexical=self.lexical,
            tools=self.tools,
            generator=self.generator,
            policy=Policy(self.settings.policy.reply_at, self.settings.policy.draft_at),
            passages=self.settings.answering.passages,
            limit_seconds=self.settings.answering.timeout_seconds,
        )

    @cached_property
    def engine(self) -> Engine:
        """The ticket database's engine."""
        from assistant.tickets.database import open_engine

        return open_engine(self.settings.resolved_database_url)

    @cached_property
    def tickets(self) -> Tickets:
        """The ticket database."""
        from assistant.tickets.repository import Tickets

        return Tickets(self.engine, self.settings.secret_key)

    @cached_property
    def connectors(self) -> Mapping[str, Connector]:
        """The connectors that the settings ask for, by name."""
        found = self.plugins.register_connectors(self.settings, self.faults)
        for connector in found:
            if isinstance(connector, AttachedConnector):
                connector.attach(self)
        return {connector.name: connector for connector in found}

    @cached_property
    def inbox(self) -> Inbox:
        """Durable work: stored messages are answered, stored replies sent."""
        from assistant.inbox import Inbox
        from assistant.queues import workflow_database_url

        inbox = self.settings.inbox
        return Inbox(
            self.tickets,
            self.pipeline.answer,
            self.connectors,
            self._hold,
            self._tell_solved,
            staff_connector=self.settings.staff_connector,
            worker=inbox.worker_name or f"{socket.gethostname()}-worker",
            workflow_url=workflow_database_url(self.settings.resolved_database_url),
            concurrency=inbox.concurrency,
            quiet_seconds=inbox.quiet_seconds,
            dead_after_seconds=inbox.dead_after_seconds,
        )

    # ── What a desk does ───────────────────────────────────────────────────────────────────────

    def ask(
        self,
        text: str,
        screenshots: Sequence[Path] = (),
        conversation: tuple[Turn, ...] = (),
        *,
        audience: Audience = "public",
    ) -> Outcome:
        """Answers a question on the spot; nothing is stored or sent.

        Raises KnowledgeError if nothing is indexed, UnreadableError if a file is missing.
        """
        self._require_passages()
        message = Message(
            connector="desk",
            external_id=uuid.uuid4().hex,
            thread_id="desk",
            sender="desk",
            text=text,
            attachments=tuple(Attachment.of(path) for path in screenshots),
            audience=audience,
        )
        ticket = Ticket(0, "desk", "desk", "desk", "", "open", now())
        return self.pipeline.answer(message, ticket, conversation)

    def index(self, folder: Folder, progress: Progress | None = None) -> Report:
        """Brings the index up to date with a folder of articles."""
        return self.indexer.index_folder(folder, progress or (lambda done, total: None))

    def index_plugins(self, progress: Progress | None = None) -> list[Report]:
        """Brings the index up to date with the sources that plugins registered; see `by_source`."""
        from assistant.knowledge.indexing import by_source

        sources = self.plugins.register_sources(self.settings, self.faults)
        return [
            self.indexer.index_articles(name, own, progress or (lambda done, total: None))
            for name, own in sorted(by_source(sources).items())
        ]

    def rank(self, text: str, screenshots: Sequence[Path] = (), *, limit: int = 20) -> Ranking:
        """The articles that a question is about, best first, by their best passage."""
        from assistant.evaluation import ranking

        return ranking.rank(self.encoder, self.retriever, text, screenshots, limit=limit)

    def solve(self, ticket_id: int, who: str) -> None:
        """Marks a ticket as solved for the person `who`, and tells the plugins."""
        self._tell_solved(self.tickets.solutions.mark(ticket_id, who))

    def approve(self, outcome_id: int, who: str, text: str | None = None) -> None:
        """Sends a waiting draft, or a held reply, with `text` in place of its own if given.

        Raises DeskmateError if nothing waits, for instance since somebody else was faster.
        """
        reply_id = self.tickets.replies.approve(outcome_id, who, text)
        if "inbox" in vars(self):  # else the process that has one sends it, within seconds
            self.inbox.send(reply_id)

    def warm_up(self) -> None:
        """Loads every model and opens the index, so that the first customer need not wait."""
        self.encoder.warm_up()
        _ = self.pipeline
        self.rank("How do I change a setting?")

    def _hold(self, reply: Reply) -> str | None:
        faults: list[PluginFault] = []
        reason = self.plugins.reply_sending(reply, faults)
        self.tickets.outcomes.note_faults(reply.ticket_id, faults)
        connector = self.connectors.get(reply.connector)
        if reason is None and isinstance(connector, HoldingConnector):
            return connector.hold(reply)
        return reason

    def _tell_solved(self, ticket: Ticket) -> None:
        faults: list[PluginFault] = []
        self.plugins.ticket_solved(ticket, faults)
        self.tickets.outcomes.note_faults(ticket.id, faults)

    def _require_passages(self) -> None:
        if self.lexical.counts()[1] == 0:
            where = self.index_folder
            raise KnowledgeError(f"{where}: the index is empty. Run `deskmate index PATH` first.")
