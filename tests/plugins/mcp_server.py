"""A small MCP server over standard input and output, run by the tests as a process."""

from __future__ import annotations

import os

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
    server.run()
