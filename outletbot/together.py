"""Together: what many ask for at once is done once for all of them.

What comes while something is under way waits for it to end, and is then done together:
a hundred that come at one instant cost a transaction or two, not a hundred.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


class Together(Generic[Item, Outcome]):
    """*work* gets all items that wait, and returns as many outcomes in their order.

    An outcome that is an exception is raised where its item came from. If *work* itself
    raises one, it is done for each item alone: what is wrong with one of them is nobody
    else's trouble.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Awaitable[Sequence[Outcome | Exception]]],
    ) -> None:
        self._work = work
        self._waiting: list[tuple[Item, asyncio.Future[Outcome]]] = []
        self._working: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Outcome:
        """Return what came of *item*, done with whatever else waits."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._do_all())
        return await future

    async def _do_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            outcomes = await self._outcomes([item for item, _ in batch])
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                _settle(future, outcome)

    async def _outcomes(self, items: Sequence[Item]) -> Sequence[Outcome | Exception]:
        try:
            return await self._work(items)
        except Exception as error:  # noqa: BLE001  (whoever it concerns is told)
            if len(items) == 1:
                return [error]
        alone = await asyncio.gather(*(self._outcomes([item]) for item in items))
        return [outcome for outcomes in alone for outcome in outcomes]


def _settle(future: asyncio.Future[Outcome], outcome: Outcome | Exception) -> None:
    if future.done():
        return  # whoever asked has gone
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
