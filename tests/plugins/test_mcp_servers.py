"""Tools of a real MCP server, over its standard input and output, and over HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assistant import PluginError, SettingsError, Tool
from assistant.testing.desk import PluginDesk
from plugins.mcp_servers import McpServers

SERVER = str(Path(__file__).with_name("mcp_server.py"))


def tools(**server: Any) -> dict[str, Tool]:
    desk = PluginDesk()
    settings = {"command": [sys.executable, SERVER], **server}
    desk.add("mcp-servers", McpServers, {"servers": {"shop": settings}})
    return desk.tools()


TERMS = {"risk": "read", "customer": "email", "rule": r"where is (?P<number>A-\d{5})"}


def test_a_servers_tool_has_the_terms_of_the_settings() -> None:
    (tool,) = tools(tools={"order_status": TERMS}).values()

    assert (tool.name, tool.risk, tool.plugin) == ("shop_order_status", "read", "mcp-servers")
    assert tool.rule is not None
    assert tool.rule("Where is a-12345?") == {"number": "a-12345"}
    assert tool.rule("Cancel A-12345") is None


def test_a_model_sees_its_arguments_but_not_the_customer() -> None:
    (tool,) = tools(tools={"order_status": TERMS}).values()

    assert set(tool.tool.tool_call_schema.model_json_schema()["properties"]) == {"number"}


def test_it_answers_fails_and_is_started_again_after_it_died() -> None:
    (tool,) = tools(tools={"order_status": TERMS}).values()

    def ask(number: str, customer: str = "ann@example.com") -> str:
        return str(tool.tool.invoke({"number": number, "customer": customer}))

    assert ask("A-10234") == "Order A-10234: shipped on 12 March."
    with pytest.raises(RuntimeError, match="no such order"):
        ask("A-10234", "bob@example.com")
    with pytest.raises(Exception, match=r"(?i)clos|end|connect"):
        ask("A-66666")
    assert ask("A-10234") == "Order A-10234: shipped on 12 March."


def test_a_server_gets_the_variables_that_it_is_given_and_none_of_the_desk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DESKMATE_SECRET_KEY", "the desk's own")

    (tool,) = tools(tools={"token": {}}, env={"SHOP_TOKEN": "for the shop"}).values()

    assert tool.tool.invoke({}) == "for the shop None"


def test_tools_that_are_not_named_are_not_there() -> None:
    assert tools() == {}


@pytest.mark.parametrize(
    ("server", "error"),
    [
        ({"tools": {"orders": {}}}, r"tools\.orders: the server has no such tool. It has: order_"),
        ({"tools": {"order_status": {"customer": "who"}}}, "it has no such argument"),
        ({"url": "http://127.0.0.1:9"}, "give either command or url"),
        ({"tools": {"order_status": {"rule": "("}}}, "no regular expression"),
    ],
)
def test_wrong_settings_are_named(server: dict[str, Any], error: str) -> None:
    with pytest.raises((SettingsError, PluginError), match=error):
        tools(**server)


def test_a_server_that_does_not_start_is_a_fault() -> None:
    with pytest.raises(AssertionError, match="mcp-servers, register_tools"):
        tools(command=["no-such-command"], tools={"order_status": {}})


# --- a server that is named by its address ---


class Served:
    """The server as a process of its own, over Streamable HTTP on loopback."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, SERVER, str(self.port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return process
            except OSError:
                time.sleep(0.05)
        process.kill()
        pytest.fail("the MCP server does not open its port")

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def served() -> Iterator[Served]:
    served = Served()
    yield served
    served.stop()


def test_a_server_by_url_answers_fails_and_is_reached_again_after_a_restart(
    served: Served,
) -> None:
    (tool,) = tools(command=[], url=served.url, tools={"order_status": TERMS}).values()

    def ask(number: str, customer: str = "ann@example.com") -> str:
        return str(tool.tool.invoke({"number": number, "customer": customer}))

    assert ask("A-10234") == "Order A-10234: shipped on 12 March."
    with pytest.raises(RuntimeError, match="no such order"):
        ask("A-10234", "bob@example.com")
    served.stop()
    with pytest.raises(Exception, match=r"."):
        ask("A-10234")
    served.process = served.start()
    assert ask("A-10234") == "Order A-10234: shipped on 12 March."


def test_a_url_that_nobody_answers_is_a_fault(served: Served) -> None:
    served.stop()

    with pytest.raises(AssertionError, match="mcp-servers, register_tools"):
        tools(command=[], url=served.url, tools={"order_status": {}})
