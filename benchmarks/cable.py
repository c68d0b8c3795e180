"""A network that can be cut, without any rights: a relay on loopback between a client and a server.

While it is cut nothing goes through and nobody is told, as with a pulled cable: packets vanish,
connections stay open, and new ones get no answer. When it is mended, connections from before are
reset, as by a router that forgot them.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

CHUNK_BYTES = 65_536


class Cable:
    """Listens on `port` and passes on to `to_port`; a context manager."""

    def __init__(self, to_port: int) -> None:
        self.port = 0
        self._to_port = to_port
        self._loop = asyncio.new_event_loop()
        self._whole = asyncio.Event()
        self._ends: set[asyncio.StreamWriter] = set()
        self._listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cable", daemon=True)

    def __enter__(self) -> Cable:
        self._thread.start()
        self._listening.wait()
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def cut(self) -> None:
        """Nothing goes through any more."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        """What comes anew goes through."""

        def mend() -> None:
            for end in self._ends:
                end.transport.abort()
            self._whole.set()

        self._loop.call_soon_threadsafe(mend)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        self._whole.set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        self._listening.set()
        await self._end.wait()
        server.close()
        for end in self._ends:
            end.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._ends.add(writer)
        try:
            await self._whole.wait()
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
            self._ends.add(to_writer)
            try:
                await asyncio.gather(
                    self._pass_on(reader, to_writer), self._pass_on(to_reader, writer)
                )
            finally:
                self._ends.discard(to_writer)
                to_writer.transport.abort()
        except OSError:  # the server is away: its client sees that its connection ends
            pass
        finally:
            self._ends.discard(writer)
            writer.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(CHUNK_BYTES):
                await self._whole.wait()
                writer.write(chunk)
                await writer.drain()
        with suppress(OSError, RuntimeError):
            writer.write_eof()
