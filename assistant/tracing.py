"""OpenTelemetry traces of messages, an extra: `pip install 'deskmate[tracing]'`.

A message is a span, named `answer_message`; each step of its path is a span within it, made from
the trace that is stored with the ticket, with OpenInference's kinds and names
(https://github.com/Arize-ai/openinference/tree/main/spec). Spans hold ids, counts and scores, never
a customer's or an article's words. Where they go is said by OpenTelemetry's own variables
(OTEL_EXPORTER_OTLP_ENDPOINT …). Nothing of it is imported until `start` is called.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from assistant.errors import SettingsError
from assistant.messages import Message, Outcome, Step, Ticket

_KINDS = {
    "read": "CHAIN",
    "encode": "EMBEDDING",
    "search": "RETRIEVER",
    "write": "LLM",
    "check": "GUARDRAIL",
    "decide": "GUARDRAIL",
    "plugins": "TOOL",
}

_tracer: Any = None
_models: Mapping[str, str] = {}


class MessageSpan:
    """The span of one message; without tracing it does nothing."""

    def __init__(self, span: Any = None) -> None:
        self._span = span
        self._start_ns = time.time_ns()

    def record(self, outcome: Outcome) -> None:
        """Adds how the message ended, and its steps."""
        if self._span is None:
            return
        self._span.set_attribute("deskmate.action", outcome.action)
        if outcome.answer:
            self._span.set_attribute("deskmate.confidence", outcome.answer.confidence)
        # The steps follow each other; only the moments between them are not known.
        at_ns = self._start_ns
        for step in outcome.trace:
            span = _tracer.start_span(step.name, start_time=at_ns, attributes=_attributes(step))
            at_ns += int(step.milliseconds * 1_000_000)
            span.end(end_time=at_ns)


def start(text_model: str, chat_model: str) -> None:
    """Begins to trace. Raises SettingsError if the extra is not installed."""
    global _tracer, _models
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise SettingsError(
            f"tracing = true: {error.name} is not installed. Run: pip install 'deskmate[tracing]'"
        ) from error
    # OTEL_SERVICE_NAME, where it is set, wins over the name given here.
    resource = Resource({"service.name": "deskmate"}).merge(Resource.create())
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _tracer = trace.get_tracer("deskmate")
    _models = {"encode": text_model, "write": chat_model or "composer"}


def stop() -> None:
    """Sends what is left, and ends tracing."""
    global _tracer
    if _tracer is not None:
        from opentelemetry import trace

        provider: Any = trace.get_tracer_provider()
        provider.shutdown()
        _tracer = None


@contextmanager
def message_span(ticket: Ticket, message: Message) -> Iterator[MessageSpan]:
    """Traces what happens to a message within the block, if tracing was started."""
    if _tracer is None:
        yield MessageSpan()
        return
    attributes = {
        "openinference.span.kind": "CHAIN",
        "session.id": str(ticket.id),
        "deskmate.message": message.key,
        "deskmate.connector": message.connector,
        "deskmate.attachments": len(message.attachments),
    }
    with _tracer.start_as_current_span(
        "answer_message", attributes=attributes, record_exception=False
    ) as span:
        yield MessageSpan(span)


def _attributes(step: Step) -> dict[str, Any]:
    kind = _KINDS.get(step.name, "CHAIN")
    if kind == "LLM" and _models[step.name] == "composer":
        kind = "CHAIN"  # the embedded writer is no language model
    attributes: dict[str, Any] = {"openinference.span.kind": kind}
    if kind == "EMBEDDING":
        attributes["embedding.model_name"] = _models[step.name]
    if kind == "LLM":
        attributes["llm.model_name"] = _models[step.name]
    if kind == "RETRIEVER":
        for number, hit in enumerate(step.detail.get("hits", ())):
            document = f"retrieval.documents.{number}.document"
            attributes[f"{document}.id"] = hit["passage"]
            attributes[f"{document}.score"] = float(hit["score"])
    return attributes
