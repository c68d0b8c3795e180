"""A small MCP server, run by the tests as a process: over standard input and output, or over
HTTP at the port that is its argument."""

from __future__ import annotations

import os
import sys

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

server = MCPServer("shop")


@server.tool()
def order_status(number: str, email: str) -> str:
    """Where an order is."""
    if number == "A-66666":
        os._exit(1)
    if email != "ann@example.com":
        raise ToolError("no such order")
    return f"Order {number}: shipped on 12 March."


@server.tool()
def token() -> str:
    """Says what it was given."""
    return f"{os.environ.get('SHOP_TOKEN')} {os.environ.get('DESKMATE_SECRET_KEY')}"


if __name__ == "__main__":
    if sys.argv[1:]:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[1]))
    else:
        server.run()
