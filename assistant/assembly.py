"""The parts of a desk, in the order in which they build on each other: each is built from the
settings when it is first needed, and once."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.messages import PluginFault
from assistant.plugging import Plugins
from assistant.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable
    from sqlalchemy import Engine

    from assistant.answering.policy import Policy
    from assistant.answering.question import Question
    from assistant.answering.toolbox import Toolbox
    from assistant.knowledge.catalogue import Catalogue
    from assistant.knowledge.indexing import Indexer
    from assistant.knowledge.lexical import Lexical
    from assistant.knowledge.readings import Readings
    from assistant.knowledge.retriever import Retriever
    from assistant.knowledge.store import Store
    from assistant.messages import Answer
    from assistant.model.attachments import AttachmentReader
    from assistant.model.encoder import MultimodalEncoder
    from assistant.model.live import Live
    from assistant.pipeline import Pipeline
    from assistant.tickets.repository import Tickets


class Assembly:
    """Models, index, database and the path of a message. `faults` are those of plugins that gave
    their parts."""

    def __init__(self, settings: Settings, plugins: Plugins) -> None:
        self.settings = settings
        self.plugins = plugins
        self.faults: list[PluginFault] = []

    def close(self) -> None:
        """Lets go of the index and the database."""
        built = vars(self)
        for name in ("store", "lexical", "readings"):
            if name in built:
                built.pop(name).close()
        if "engine" in built:
            built.pop("engine").dispose()

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
    def catalogue(self) -> Catalogue:
        """What the index holds, for people to look through."""
        from assistant.knowledge.catalogue import Catalogue

        return Catalogue(self.lexical)

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
        return self._toolbox(self.plugins)

    def _toolbox(self, plugins: Plugins) -> Toolbox:
        from assistant.answering import generator
        from assistant.answering.toolbox import Toolbox

        return Toolbox(
            plugins.register_tools(self.settings, self.faults),
            plugins,
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

    def policy(self) -> Policy:
        """What holds now: the thresholds that were chosen in the console, or the settings'."""
        from assistant.answering.policy import Policy

        now = self.tickets.thresholds.chosen() or self.settings.policy
        return Policy(now.reply_at, now.draft_at)

    @cached_property
    def attachments(self) -> AttachmentReader:
        """What reads customers' attachments. Not through `readings`: what customers send is kept
        with their tickets only."""
        from assistant.model.attachments import AttachmentReader

        return AttachmentReader(self.encoder.reader.read, max_mb=self.settings.max_attachment_mb)

    @cached_property
    def pipeline(self) -> Pipeline:
        """The path of one message."""
        from assistant.pipeline import Pipeline

        return Pipeline(
            plugins=self.plugins,
            attachments=self.attachments,
            encoder=self.encoder,
            retriever=self.retriever,
            lexical=self.lexical,
            tools=self.tools,
            generator=self.generator,
            policy=self.policy,
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
