"""The path of one message, read from top to bottom."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from assistant.answering import grounding, policy, remarks, told, usage, wording
from assistant.answering.generator import RefusedError
from assistant.answering.policy import Decision, Policy
from assistant.answering.question import Question
from assistant.answering.toolbox import Toolbox, ToolResult
from assistant.errors import AnsweringError
from assistant.knowledge.lexical import Filter, Lexical
from assistant.knowledge.retriever import Retriever
from assistant.knowledge.words import content_words
from assistant.messages import (
    Answer,
    Attachment,
    Message,
    Outcome,
    PluginFault,
    Shown,
    Step,
    Ticket,
    Turn,
)
from assistant.model import heatmap
from assistant.model.attachments import AttachmentReader
from assistant.model.encoder import MultimodalEncoder
from assistant.plugging import Plugins
from assistant.plugging.threads import Threads

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

FOLLOW_UP_WORDS = 4
"""A message with fewer content words is understood together with the customer's one before."""

NO_ANSWER = Answer("", (), 0.0)


@dataclass
class Trace:
    """The steps of one message with their times, in the order in which they ended; `current` is
    the latest begun, and `begins` is told of each. The time of a step within another one is its
    own."""

    steps: list[Step] = field(default_factory=list)
    current: str = ""
    begins: Callable[[str], None] = lambda name: None
    _within_ms: float = 0.0  # of steps that ended within the one that is under way

    @contextmanager
    def step(self, name: str) -> Iterator[dict[str, Any]]:
        """Times a step; what is put into the dictionary becomes the step's detail."""
        detail: dict[str, Any] = {}
        self.current = name
        self.begins(name)
        around_ms, self._within_ms = self._within_ms, 0.0
        start = time.perf_counter()
        yield detail
        took_ms = (time.perf_counter() - start) * 1_000
        self.steps.append(Step(name, took_ms - self._within_ms, detail))
        self._within_ms = around_ms + took_ms


@dataclass(frozen=True)
class Pipeline:
    """The parts that a message passes through; `policy` gives the policy that holds now,
    `passages` is how many an answer is written from, `limit_seconds` how long it may take."""

    plugins: Plugins
    attachments: AttachmentReader
    encoder: MultimodalEncoder
    retriever: Retriever
    lexical: Lexical
    tools: Toolbox
    generator: Runnable[Question, Answer]
    policy: Callable[[], Policy]
    passages: int
    limit_seconds: float
    _threads: Threads = field(default_factory=Threads)

    def answer(
        self,
        message: Message,
        ticket: Ticket,
        conversation: tuple[Turn, ...] = (),
        begins: Callable[[str], None] = lambda step: None,
    ) -> Outcome:
        """One message to its outcome; `conversation` is what was said before it, `begins` is
        called with the name of each step.

        Raises AnsweringError and KnowledgeError when a model or the index fails, or when it takes
        longer than `limit_seconds`; whoever calls tries again later.
        """
        trace = Trace(begins=begins)
        path = partial(self._answer, message, ticket, conversation, trace)
        future = self._threads.start(partial(copy_context().run, path))
        try:
            return future.result(self.limit_seconds)
        except TimeoutError:
            if future.done():  # a timeout of the path's own
                raise
            # The thread is left behind: it ends when whatever hangs in it does.
            raise AnsweringError(
                f"Answering took longer than {self.limit_seconds:g} s, and was at the step"
                f" {trace.current!r}. If that is no fault, raise answering.timeout_seconds."
            ) from None

    def _answer(
        self, message: Message, ticket: Ticket, conversation: tuple[Turn, ...], trace: Trace
    ) -> Outcome:
        faults = list[PluginFault]()

        def show(attachment: Attachment) -> Shown:
            with trace.step("read"):  # it is read once, whoever asks first
                return self.attachments.shown(attachment)

        with trace.step("plugins") as detail:
            written = message
            message = self.plugins.message_received(message, ticket, faults, show)
            if message.text != written.text:
                detail["read"] = message.text  # what everything below sees, and the console shows
            if conversation:
                conversation = self.plugins.conversation_read(message, conversation, faults)
        if failed := self.plugins.failed_required(faults):
            outcome = _handed_over(f"the plugin {failed}, which is required, failed")
        else:
            outcome = self._decided(message, ticket, conversation, trace, faults)
            with trace.step("plugins"):
                outcome = self.plugins.outcome_decided(message, ticket, outcome, faults)

        return replace(outcome, trace=tuple(trace.steps), faults=tuple(faults))

    def _decided(
        self,
        message: Message,
        ticket: Ticket,
        conversation: tuple[Turn, ...],
        trace: Trace,
        faults: list[PluginFault],
    ) -> Outcome:
        if remark := remarks.decide(message, conversation):
            return remark

        with trace.step("read") as detail:
            read = self.attachments.read(message.attachments)
            detail["lines"] = sum(len(screen.lines) for screen in read.screens)
            detail["pictures"] = read.counts  # of each attachment: a recording shows several

        with trace.step("encode") as detail:
            asked = "\n".join([_asked(message, conversation), *read.texts]).strip()
            encoding = self.encoder.encode(asked, read.screens)
            detail["screens"] = heatmap.weighed(read.screens, encoding.weights)
            if encoding.labels:
                detail.update(vars(encoding.labels))

        with trace.step("search") as detail:
            allowed = Filter(message.audience, product=message.product)
            hits = self.retriever.search(encoding, allowed, limit=self.passages)
            detail["hits"] = [
                {"passage": hit.passage.id, "score": hit.score, "how": dict(hit.how)}
                for hit in hits
            ]

        with trace.step("plugins"):
            hits = list(self.plugins.passages_found(message, hits, faults))

        question = Question(asked, encoding, tuple(hits), conversation)
        results: list[ToolResult] = []
        if self.tools:
            with trace.step("tools") as detail:
                with usage.counted(detail):
                    results = self.tools.gather(question, message, ticket, faults)
                detail["called"] = [{"tool": r.tool, "state": r.state} for r in results]
                encode, rarity = self.encoder.encode_texts, self.lexical.rarity
                question = replace(question, hits=told.among(question, results, encode, rarity))
                hits = list(question.hits)

        refused = ""
        with trace.step("write") as detail:
            try:
                with usage.counted(detail):
                    answer = self.generator.invoke(question)
            except RefusedError as refusal:
                answer, refused = NO_ANSWER, str(refusal)

        with trace.step("plugins"):
            answer = self.plugins.answer_drafted(message, answer, faults)

        with trace.step("check") as detail:
            checks = grounding.check(answer)
            detail["unsupported"] = [c.sentence for c in checks if not c.supported]

        with trace.step("decide") as detail:
            if answer.citations and hits:
                measured = policy.signals(question, answer, self.lexical.rarity)
                answer = replace(answer, confidence=policy.confidence(measured))
                detail.update(vars(measured))
            decision = (
                Decision("refuse", refused)
                if refused
                else self.policy().decide(question, answer, checks, read.reports)
            )
            decision = told.kept_back(decision, results)

        return Outcome(
            action=decision.action,
            reason=decision.reason,
            text=wording.customer_text(decision.action, answer, read.reports),
            answer=answer if answer.text else None,
            attachments=tuple(read.reports),
            hits=tuple(hits),
        )


def _handed_over(reason: str) -> Outcome:
    return Outcome("hand over", reason, wording.customer_text("hand over", NO_ANSWER, ()))


def _asked(message: Message, conversation: tuple[Turn, ...]) -> str:
    """The customer's words: subject and text, and the words before where these alone say little."""
    words = "\n".join(part for part in (message.subject, message.text) if part.strip())
    if len(content_words(words)) < FOLLOW_UP_WORDS:
        before = [turn.text for turn in conversation if turn.author == "customer"]
        words = "\n".join([*before[-1:], words])
    return words.strip()
