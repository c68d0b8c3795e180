"""Tools of MCP servers (https://modelcontextprotocol.io), under the desk's terms.

    [plugins.mcp-servers.servers.shop]
    command = ["python", "-m", "shop_tools"]

    [plugins.mcp-servers.servers.shop.tools.order_status]
    risk = "read"
    rule = 'where is .*(?P<number>A-\\d{5})'
    customer = "email"

Only tools that are named here are offered, so a server that grows one grows nothing here. Needs
`pip install 'deskmate[mcp]'`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, create_model, field_validator

from assistant import SettingsError, Tool, hookimpl
from assistant.tools import Risk, Rule

if TYPE_CHECKING:
    import mcp_types
    from langchain_core.tools import BaseTool

    from assistant.settings import Settings as DeskSettings
    from plugins.mcp_servers.connection import Connection

TABLE = "plugins.mcp-servers.servers"


class Terms(BaseModel):
    """One tool's terms."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    risk: Risk = Field("approval", description="read, write or approval.")
    rule: str = Field(
        "",
        description="Regular expression that calls the tool without a chat model, its named groups"
        " being the arguments; only for risk read.",
    )
    customer: str = Field(
        "", description="The argument that the desk fills with the sender's address."
    )
    title: str = Field("", description="The heading its results are cited under.")

    @field_validator("rule")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        return value


class Server(BaseModel):
    """One server: a command that speaks MCP on its standard input and output, or an address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: list[str] = Field([], description="What starts it, word by word.")
    url: str = Field("", description="Its address instead (Streamable HTTP).")
    env: dict[str, SecretStr] = Field({}, description="Variables it gets, such as its token.")
    tools: dict[str, Terms] = Field({}, description="The tools to use, with their terms.")
    limit_s: float = Field(10.0, gt=0, description="Seconds one call may take.")


class McpServers:
    """The plugin: `[plugins.mcp-servers]` in deskmate.toml."""

    permissions = frozenset({"tools", "network"})

    class Settings(BaseModel):
        """The servers, by names of your own."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        servers: dict[str, Server] = Field({}, description="One table per server.")

    def __init__(self, settings: Settings) -> None:
        self.servers = settings.servers

    @hookimpl
    def register_tools(self, settings: DeskSettings) -> list[Tool]:
        """Starts the servers, and makes a tool of each one that the settings name."""
        return [tool for name, server in self.servers.items() for tool in _tools(name, server)]


def _tools(name: str, server: Server) -> Iterator[Tool]:
    if bool(server.command) == bool(server.url):
        raise SettingsError(f"{TABLE}.{name}: give either command or url.")
    try:
        from plugins.mcp_servers.connection import Connection
    except ImportError as error:
        raise SettingsError(f"{TABLE}.{name}: needs `pip install 'deskmate[mcp]'`.") from error
    env = {key: value.get_secret_value() for key, value in server.env.items()}
    connection = Connection(server.url or server.command, env, server.limit_s)
    offered = {tool.name: tool for tool in connection.tools()}
    for wanted, terms in server.tools.items():
        if wanted not in offered:
            raise SettingsError(
                f"{TABLE}.{name}.tools.{wanted}: the server has no such tool. It has:"
                f" {', '.join(sorted(offered)) or 'none'}."
            )
        yield Tool(
            _langchain(f"{name}_{wanted}", connection, offered[wanted], terms),
            terms.risk,
            _rule(terms.rule) if terms.rule else None,
            terms.title,
            limit_s=server.limit_s + 1,  # the connection's own limit comes first and says more
        )


def _langchain(
    name: str, connection: Connection, offered: mcp_types.Tool, terms: Terms
) -> BaseTool:
    """The server's tool as LangChain's. The argument that names the customer is not a model's to
    choose, and the server checks the types of the others."""
    from langchain_core.tools import InjectedToolArg, StructuredTool

    properties: Mapping[str, Any] = offered.input_schema.get("properties", {})
    required: Sequence[str] = offered.input_schema.get("required", [])
    if terms.customer and terms.customer not in properties:
        raise SettingsError(f"{name}: customer = {terms.customer!r}: it has no such argument.")
    fields: dict[str, Any] = {
        key: (Any, Field(... if key in required else None, json_schema_extra=dict(schema)))
        for key, schema in properties.items()
        if key != terms.customer
    }
    if terms.customer:
        fields["customer"] = (Annotated[str, InjectedToolArg], ...)

    def call(**arguments: Any) -> str:
        given = {key: value for key, value in arguments.items() if value is not None}
        if terms.customer:
            given[terms.customer] = given.pop("customer")
        return connection.call(offered.name, given)

    return StructuredTool.from_function(
        call,
        name=name,
        description=offered.description or offered.title or offered.name,
        args_schema=create_model(name, **fields),
    )


def _rule(pattern: str) -> Rule:
    compiled = re.compile(pattern, re.IGNORECASE)

    def rule(text: str) -> Mapping[str, Any] | None:
        found = compiled.search(text)
        return {k: v for k, v in found.groupdict().items() if v is not None} if found else None

    return rule
