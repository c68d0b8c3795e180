"""The Web API's client, against a server that takes a call and says nothing."""

from __future__ import annotations

import socketserver
import threading

import pytest

from connectors.slack.client import Client, Limits


def test_a_call_whose_connection_ends_is_not_made_again() -> None:
    taken = []

    class Silent(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            taken.append(self.request.recv(65_536))  # and the connection ends

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        client = Client("xoxb-1", f"http://127.0.0.1:{server.server_address[1]}/", Limits())

        with pytest.raises(ConnectionError):
            client.chat_postMessage(channel="C1", text="Once")
        server.shutdown()

    assert len(taken) == 1
