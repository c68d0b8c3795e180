from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from assistant import tracing
from assistant.messages import Answer, Message, Outcome, Step, Ticket

OUTCOME = Outcome(
    "reply",
    "supported",
    "Press Continue.",
    answer=Answer("Press Continue.", (), 0.9),
    trace=(
        Step("encode", 30.0),
        Step("search", 12.0, {"hits": [{"passage": "a.md#1", "score": 0.5, "how": {}}]}),
        Step("write", 200.0),
    ),
)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """A server that takes traces; what it was sent."""
    received: list[bytes] = []

    class Take(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Take)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    yield received
    server.shutdown()
    server.server_close()


def test_a_message_becomes_spans_without_its_words(collector: list[bytes], ticket: Ticket) -> None:
    message = Message("email", "m1", "t1", "kim@example.org", "My secret is 4111")

    tracing.start("all-MiniLM-L6-v2", "openai:gpt-5")
    with tracing.message_span(ticket, message) as span:
        span.record(OUTCOME)
    tracing.stop()

    spans = _spans(collector)
    assert [span["name"] for span in spans] == ["encode", "search", "write", "answer_message"]
    encode, search, write, whole = spans
    assert encode["openinference.span.kind"] == "EMBEDDING"
    assert encode["embedding.model_name"] == "all-MiniLM-L6-v2"
    assert search["retrieval.documents.0.document.id"] == "a.md#1"
    assert (write["openinference.span.kind"], write["llm.model_name"]) == ("LLM", "openai:gpt-5")
    assert (whole["deskmate.message"], whole["deskmate.action"]) == ("email:m1", "reply")
    assert {span["parent"] for span in (encode, search, write)} == {whole["id"]}
    assert 190 < write["ms"] < 210
    assert b"4111" not in b"".join(collector)


def test_without_tracing_nothing_of_it_is_imported(ticket: Ticket) -> None:
    code = (
        "import sys; from assistant import tracing; from assistant.messages import Message;"
        "exec('with tracing.message_span(None, None) as span: span.record(None)');"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def _spans(received: list[bytes]) -> list[dict[str, Any]]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    found = []
    for body in received:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    values = {a.key: a.value.string_value for a in span.attributes}
                    values |= {"name": span.name, "id": span.span_id, "parent": span.parent_span_id}
                    ms = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
                    found.append({**values, "ms": ms})
    return found
