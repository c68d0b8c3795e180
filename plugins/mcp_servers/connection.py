"""A connection to one MCP server, for callers that are not async."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import mcp_types
from mcp import Client, StdioServerParameters

T = TypeVar("T")

OPENING_S = 20.0


class Connection:
    """Opened when it is first needed, and anew after anything went wrong.

    `target` is a command, word by word, or a URL; `env` are variables beside the few that every
    server gets. One call may take `limit_s`. What it runs in is a daemon thread: a server that
    hangs does not keep the desk from ending.
    """

    def __init__(self, target: Sequence[str] | str, env: Mapping[str, str], limit_s: float) -> None:
        self._target = (
            target
            if isinstance(target, str)
            else StdioServerParameters(command=target[0], args=list(target[1:]), env=dict(env))
        )
        self._limit_s = limit_s
        self._lock = threading.Lock()
        self._client: Client | None = None
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="deskmate-mcp", daemon=True).start()

    def tools(self) -> list[mcp_types.Tool]:
        """What the server offers. Raises whatever keeps it from saying so."""

        async def every(client: Client) -> list[mcp_types.Tool]:
            page = await client.list_tools()
            tools = list(page.tools)
            while page.next_cursor:
                page = await client.list_tools(cursor=page.next_cursor)
                tools += page.tools
            return tools

        return self._ask(every)

    def call(self, tool: str, arguments: Mapping[str, Any]) -> str:
        """The text of a tool's result. Raises RuntimeError if the tool says that it failed."""
        result = self._ask(lambda client: client.call_tool(tool, dict(arguments)))
        text = "\n".join(part.text for part in result.content if part.type == "text")
        if result.is_error:
            raise RuntimeError(text or "the server gives no reason")
        return text

    def _ask(self, work: Callable[[Client], Awaitable[T]]) -> T:
        client = self._opened()
        try:
            asked = asyncio.wait_for(_awaited(work(client)), self._limit_s)
            return asyncio.run_coroutine_threadsafe(asked, self._loop).result()
        except BaseException:
            self._close(client)
            raise

    def _opened(self) -> Client:
        with self._lock:
            if self._client is None:
                opened: asyncio.Future[Client] = self._loop.create_future()
                self._stop = asyncio.Event()
                asyncio.run_coroutine_threadsafe(self._keep(opened, self._stop), self._loop)
                waiting = asyncio.wait_for(opened, OPENING_S)
                self._client = asyncio.run_coroutine_threadsafe(waiting, self._loop).result()
            return self._client

    def _close(self, client: Client) -> None:
        with self._lock:
            if self._client is client:
                self._client = None
                self._loop.call_soon_threadsafe(self._stop.set)

    async def _keep(self, opened: asyncio.Future[Client], stop: asyncio.Event) -> None:
        """Holds the client open: it must be left in the task that entered it."""
        try:
            async with Client(self._target) as client:
                opened.set_result(client)
                await stop.wait()
        except Exception as error:
            if not opened.done():
                opened.set_exception(error)


async def _awaited(work: Awaitable[T]) -> T:
    return await work
