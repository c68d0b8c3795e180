"""A chat model for tests: a local HTTP server that speaks OpenAI's chat protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Calls = list[tuple[str, dict[str, Any]]]
Write = Callable[[str], "str | Calls"]
"""From everything the model was told to what it writes, or which tools it calls."""


class ChatServer:
    """Answers each request with what `write` makes of it, or with `status` and `body` as they are.

    `told` collects the messages of each request, `offered` the names of the tools in each.
    """

    def __init__(self) -> None:
        self.write: Write = lambda told: "NOT IN SOURCES"
        self.status = 200
        self.body: bytes | None = None
        self.told: list[str] = []
        self.offered: list[list[str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        """No longer answers."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told = "\n".join(message["content"] or "" for message in asked["messages"])
                chat.told.append(told)
                chat.offered.append([t["function"]["name"] for t in asked.get("tools", [])])
                body = chat.body
                if body is None:
                    body = json.dumps(_completion(asked["model"], chat.write(told))).encode()
                self.send_response(chat.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


def _completion(model: str, written: str | Calls) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": written}
    if not isinstance(written, str):
        calls = [
            {
                "id": f"call_{number}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
            }
            for number, (name, arguments) in enumerate(written)
        ]
        message = {"role": "assistant", "content": None, "tool_calls": calls}
    reason = "stop" if isinstance(written, str) else "tool_calls"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
