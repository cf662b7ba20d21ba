"""A way to a company, which can be closed: whoever goes by it finds nobody there."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

HOME = "127.0.0.1"
PIECE = 1 << 16


@dataclass
class Way:
    """Leads from one port of this machine to another while it is open."""

    port: int
    to: int
    _server: asyncio.Server | None = None
    _going: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._lead, HOME, self.port)

    async def close(self) -> None:
        """Cut whoever is on it off, and refuse everybody else."""
        if self._server is None:
            return
        self._server.close()
        for task in list(self._going):
            task.cancel()
        await asyncio.gather(*self._going, return_exceptions=True)
        self._server = None

    async def _lead(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._going.add(task)
        try:
            there, back = await asyncio.open_connection(HOME, self.to)
            try:
                await asyncio.gather(_pass(reader, back), _pass(there, writer))
            finally:
                back.close()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._going.discard(task)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
    writer.close()
