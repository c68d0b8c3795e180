"""The desk: its connectors and its inbox, and what it does."""

from __future__ import annotations

import socket
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import logs
from assistant import settings as settings_module
from assistant.articles import Audience, Hit, Picture
from assistant.assembly import Assembly
from assistant.connecting import (
    AttachedConnector,
    Connector,
    FollowingConnector,
    HoldingConnector,
)
from assistant.errors import KnowledgeError
from assistant.messages import (
    Attachment,
    Citation,
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
    from assistant.evaluation.ranking import Ranking
    from assistant.inbox import Inbox
    from assistant.knowledge.catalogue import Report
    from assistant.knowledge.indexing import Progress
    from assistant.knowledge.sources import Folder
    from assistant.tickets.privacy import Erased

log = logs.logger(__name__)


class Desk(Assembly):
    """What the command line, the console and tests hold.

    Opening one loads plugins only; models, index and database follow when they are first used, or
    all at once with `warm_up`. Use it as a context manager, or call `close`.
    """

    def __init__(self, settings: Settings, *, plugins: Plugins | None = None) -> None:
        super().__init__(settings, plugins or Plugins.of(settings))
        self._renewing = threading.Lock()

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
        if "inbox" in vars(self):
            self.inbox.stop()
        super().close()

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

        self.plugins.shadows.note = self.tickets.trials.note
        inbox = self.settings.inbox
        return Inbox(
            self.tickets,
            self._answer,
            self.connectors,
            self._hold,
            self._tell_solved,
            self._arriving,
            staff_connector=self.settings.staff_connector,
            worker=inbox.worker_name or f"{socket.gethostname()}-worker",
            workflow_url=workflow_database_url(self.settings.resolved_database_url),
            concurrency=inbox.concurrency,
            quiet_seconds=inbox.quiet_seconds,
            dead_after_seconds=inbox.dead_after_seconds,
            tell_after_seconds=inbox.tell_after_seconds,
            keep=self.settings.privacy,
            erase=self.erase_tickets,
        )

    def ask(
        self,
        text: str,
        screenshots: Sequence[Path | Attachment] = (),
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
            attachments=tuple(
                Attachment.of(one) if isinstance(one, Path) else one for one in screenshots
            ),
            audience=audience,
        )
        ticket = Ticket(0, "desk", "desk", "desk", "", "open", now())
        return self.pipeline.answer(message, ticket, conversation)

    def index(self, folder: Folder, progress: Progress | None = None) -> Report:
        """Brings the index up to date with a folder of articles."""
        return self.indexer.index_folder(folder, progress or (lambda done, total: None))

    def index_again(self, source: str, progress: Progress | None = None) -> Report:
        """Brings a source up to date, read as it was read last.

        Raises KnowledgeError if there is no such source, no plugin gives it any more, or it is not
        known how it was read.
        """
        if self.catalogue.source(source).root:
            return self.index(self.catalogue.folder(source), progress)
        for report in self.index_plugins(progress, source):
            return report
        raise KnowledgeError(f"{source!r}: no plugin gives this source any more.")

    def index_plugins(self, progress: Progress | None = None, only: str = "") -> list[Report]:
        """Brings the index up to date with the sources that plugins registered, or with one of
        them; see `by_source`. Internal articles that a person released are public."""
        from assistant.knowledge.indexing import by_source

        sources = self.plugins.register_sources(self.settings, self.faults)
        return [
            self.indexer.index_articles(
                name,
                [a if a.audience == "public" else self.tickets.releases.apply(a) for a in own],
                progress or (lambda done, total: None),
            )
            for name, own in sorted(by_source(sources).items())
            if only in ("", name)
        ]

    def search(
        self, text: str, *, audience: Audience = "public", product: str | None = None, limit: int
    ) -> list[Hit]:
        """The passages that fit a question, of those that this audience may see, best first."""
        from assistant.knowledge.lexical import Filter

        encoding = self.encoder.encode(text, ())
        return self.retriever.search(encoding, Filter(audience, product=product), limit=limit)

    def rank(self, text: str, screenshots: Sequence[Path] = (), *, limit: int = 20) -> Ranking:
        """The articles that a question is about, best first, by their best passage."""
        from assistant.evaluation import ranking

        return ranking.rank(self.encoder, self.retriever, text, screenshots, limit=limit)

    def pictures(self, citations: Sequence[Citation]) -> list[tuple[int, Picture]]:
        """The pictures that the cited passages show, each once with its citation's number: as the
        index knows them now, and of articles that are public now."""
        passages = self.lexical.passages([citation.passage.id for citation in citations])
        found: dict[Picture, int] = {}
        for citation in citations:
            passage = passages.get(citation.passage.id)
            for picture in passage.pictures if passage and passage.audience == "public" else ():
                found.setdefault(picture, citation.number)
        return [(number, picture) for picture, number in found.items()]

    def renew(self, plugin: str) -> None:
        """Takes up a plugin as it is found now, between two messages: one that is under way goes
        on with the parts it began with. Connectors stay as they are.

        Raises PluginError or SettingsError if it cannot be loaded; then all stays as it was.
        """
        with self._renewing:
            before, plugins = self.plugins, self.plugins.renewed(plugin)
            if "pipeline" in vars(self):
                tools = self.tools
                if any("register_tools" in has.hooks_of(plugin) for has in (before, plugins)):
                    tools = self._toolbox(plugins)
                self.tools = tools
                self.pipeline = replace(self.pipeline, plugins=plugins, tools=tools)
            self.plugins = plugins

    def kept(self, message: Message) -> Message:
        """What of a message is stored, as plugins leave it (`message_arriving`), for connectors
        that store what is not to be answered; `accept` sees to the others."""
        faults: list[PluginFault] = []
        message = self._arriving(message, faults, [])
        for fault in faults:
            log.error("failed_arriving", message=message.key, plugin=fault.plugin)
        return message

    def solve(self, ticket_id: int, who: str) -> None:
        """Marks a ticket as solved for the person `who`, and tells the plugins."""
        self._tell_solved(self.tickets.solutions.mark(ticket_id, who))

    def approve(self, outcome_id: int, who: str, text: str | None = None) -> None:
        """Sends a waiting draft, or a held reply, with `text` in place of its own if given.

        Raises DeskmateError if nothing waits, for instance since somebody else was faster.
        """
        self._send_soon(self.tickets.replies.approve(outcome_id, who, text))

    def write(self, ticket_id: int, who: str, text: str) -> None:
        """Sends what the person `who` wrote to a ticket's customer."""
        self._send_soon(self.tickets.replies.write(ticket_id, who, text))

    def erase_tickets(self, ids: Sequence[int], address: str | None = None) -> Erased:
        """Erases tickets, and what else is known of `address`, for good: in the database, in the
        queues' memory, as articles that solved tickets became, and in plugins. Done again, it
        changes nothing."""
        from assistant.queues import forget, workflow_database_url

        threads = [self.tickets.ticket(ticket_id).thread_id for ticket_id in ids]
        indexed = (self.index_folder / "words.sqlite").is_file()
        # Solved tickets only: articles of the help centre are public or do not name customers.
        articles = self.lexical.internal_articles(address, threads) if indexed else []
        if articles:
            self.indexer.remove_articles(articles)
        erased = self.tickets.privacy.erase(ids, address)
        forget(workflow_database_url(self.settings.resolved_database_url), erased.workflows)
        for ticket_id in ids:
            faults: list[PluginFault] = []
            self.plugins.ticket_erased(ticket_id, faults)
            for fault in faults:
                log.error("failed_erasing", ticket=ticket_id, plugin=fault.plugin)
        return replace(erased, articles=len(articles))

    def warm_up(self) -> None:
        """Loads every model and opens the index, so that the first customer need not wait."""
        self.encoder.warm_up()
        _ = self.pipeline
        self.rank("How do I change a setting?")

    def _send_soon(self, reply_id: str) -> None:
        if "inbox" in vars(self):  # else the process that has one sends it, within seconds
            self.inbox.send(reply_id)

    def _answer(self, message: Message, ticket: Ticket, conversation: tuple[Turn, ...]) -> Outcome:
        connector = self.connectors.get(ticket.connector)
        if not isinstance(connector, FollowingConnector):
            return self.pipeline.answer(message, ticket, conversation)

        def begins(step: str) -> None:
            try:
                connector.follow(ticket, step)
            except Exception as error:
                log.warning("failed_follow", ticket=ticket.id, step=step, error=logs.place(error))

        return self.pipeline.answer(message, ticket, conversation, begins)

    def _arriving(
        self,
        message: Message,
        faults: list[PluginFault],
        once_stored: list[Callable[[], None]],
    ) -> Message:
        # The models are loaded only if a plugin looks at a picture.
        return self.plugins.message_arriving(
            message, lambda a: self.attachments.shown(a), faults, once_stored
        )

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
