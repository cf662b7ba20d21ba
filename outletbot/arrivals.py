"""Arrivals: messages that come in at once are committed at once.

What arrives while a batch is written is the next batch. There is no timer, and nobody
is answered before the commit.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from outletbot.away import is_away
from outletbot.claim_lines import Busy
from outletbot.db import Database
from outletbot.hints import Hints
from webhooks.inbox import Arrival, receive_all

MAX_BATCH = 256
MOST_WAITING = 4 * MAX_BATCH
"""Who comes when so many wait is asked to send it again later."""

COME_BACK = 3  # seconds after which to send it again


class Arrivals:
    """The line of a process; the database decides between processes."""

    def __init__(self, database: Database, hints: Hints | None = None) -> None:
        self._database = database
        self._hints = hints or Hints()
        self._waiting: deque[_Message] = deque()
        self._keeping: asyncio.Task[None] | None = None

    async def keep(self, arrival: Arrival) -> bool:
        """Return whether *arrival* is new, once it is committed; else it was before.

        Raises:
            Busy: If too many wait; it is not kept.
            SQLAlchemyError: If it cannot be written, or the database is away.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise Busy(COME_BACK)
        message = _Message(arrival, asyncio.get_running_loop().create_future())
        self._waiting.append(message)
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep_all())
        return await message.new

    async def _keep_all(self) -> None:
        while self._waiting:
            number = min(len(self._waiting), MAX_BATCH)
            await self._commit([self._waiting.popleft() for _ in range(number)])

    async def _commit(self, batch: "list[_Message]") -> None:
        """Answer a batch; if the database is away, tell everybody in line."""
        try:
            new = await self._write(batch)
        except Exception as error:  # noqa: BLE001  (who sent it is told)
            if isinstance(error, SQLAlchemyError) and is_away(error):
                batch += self._waiting
                self._waiting.clear()
                _fail(batch, error)
            else:
                await self._commit_apart(batch, error)
        else:
            for message in batch:
                message.tell(new=message.arrival.id in new)

    async def _commit_apart(self, batch: "list[_Message]", error: Exception) -> None:
        """One that cannot be written is no reason to refuse the others: halve it."""
        if len(batch) == 1:
            _fail(batch, error)
            return
        half = len(batch) // 2
        await self._commit(batch[:half])
        await self._commit(batch[half:])

    async def _write(self, batch: "list[_Message]") -> set[str]:
        arrivals = [message.arrival for message in batch]
        new = await self._database.transact(receive_all, arrivals)
        self._hints.tell("arrivals")
        return new


@dataclass(frozen=True, slots=True)
class _Message:
    arrival: Arrival
    new: asyncio.Future[bool]

    def tell(self, *, new: bool) -> None:
        if not self.new.done():  # the sender may have gone
            self.new.set_result(new)


def _fail(messages: Iterable[_Message], error: Exception) -> None:
    for message in messages:
        if not message.new.done():
            message.new.set_exception(error)
