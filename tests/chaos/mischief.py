"""Mischief: who is killed and when, spread over the history by a seed."""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.chaos.cluster import Cluster
from tests.chaos.history import Plan
from tests.chaos.journal import Entry, Journal
from tests.chaos.services import Service

LOOK = 0.05


@dataclass(slots=True)
class Mischief:
    """*progress* tells how much of the history is over, from 0 to 1."""

    plan: Plan
    journal: Journal
    services: Sequence[Service]
    cluster: Cluster | None
    progress: Callable[[], float]

    async def reign(self) -> None:
        """Kill and crash what is left to be, each at its moment."""
        dice = random.Random(f"mischief/{self.plan.seed}")  # noqa: S311  (no secret)
        kills = self.plan.kills - self.journal.counts[Entry.KILLED]
        crashes = self.plan.crashes - self.journal.counts[Entry.CRASHED]
        begun = self.progress()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._kill(_moments(dice, kills, begun), dice))
            group.create_task(self._crash(_moments(dice, crashes, begun), dice))

    async def _kill(self, moments: Sequence[float], dice: random.Random) -> None:
        for moment in moments:
            await self._wait_for(moment)
            victim = dice.choice(self.services)
            await _until(lambda one=victim: one.lives)
            victim.kill()
            self.journal.write(Entry.KILLED, victim.name)

    async def _crash(self, moments: Sequence[float], dice: random.Random) -> None:
        for moment in moments:
            await self._wait_for(moment)
            if self.cluster is not None:
                await self.cluster.crash_and_come_back(dice.uniform(0.1, 2.0))
                self.journal.write(Entry.CRASHED)

    async def _wait_for(self, moment: float) -> None:
        await _until(lambda: self.progress() >= moment)


async def _until(happens: Callable[[], bool]) -> None:
    while not happens():  # noqa: ASYNC110  (progress is a number, not an event)
        await asyncio.sleep(LOOK)


def _moments(dice: random.Random, count: int, begun: float) -> list[float]:
    """Return *count* moments from *begun* to nearly 1, one in each equal part."""
    length = (0.97 - begun) / max(count, 1)
    return [begun + length * (number + dice.random()) for number in range(count)]
