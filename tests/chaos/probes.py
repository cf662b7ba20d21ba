"""
Probes: what shoppers and machines are answered, looked at a few times a second and
counted by the phase of a trial in which it was.
"""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from offers.ids import new_code
from tests.chaos.journal import Entry, Journal
from tests.chaos.line import Answer, Line, Lost
from tests.chaos.scenery import Scenery

EVERY = 0.1

INSISTS = 120.0
TRACES = (b"Traceback", b"sqlite3.", b"psycopg.", b"sqlalchemy")


class Watch:
    """Who looks at the shop; *phase* is what answers are counted under."""

    def __init__(
        self, scenery: Scenery, doors: Sequence[int], journal: Journal
    ) -> None:
        self.phase = "before"
        self.wrong: Counter[str] = Counter()
        self.hold = ""  # the token of one hold, whose page is looked at
        self._scenery, self._doors, self._journal = scenery, doors, journal
        self._seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._slowest: defaultdict[str, dict[str, float]] = defaultdict(dict)
        self._numbers = count()

    def told(self) -> dict[str, Any]:
        return {
            phase: {
                "answers": dict(sorted(seen.items())),
                "slowest": {
                    name: round(seconds, 1)
                    for name, seconds in sorted(self._slowest[phase].items())
                },
            }
            for phase, seen in self._seen.items()
        }

    def seen(self, phase: str) -> Counter[str]:
        return self._seen[phase]

    @asynccontextmanager
    async def looking(self) -> AsyncIterator[None]:
        """Look as long as the block runs."""
        tasks = [
            asyncio.create_task(self._go_on(name, look))
            for name, look in (
                ("page", self._page),
                ("ready", self._ready),
                ("hold", self._hold),
                ("outlet", self._outlet),
            )
        ]
        tasks += [asyncio.create_task(self._claim_on()) for _ in range(2)]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def claim_one(self, line: Line) -> str:
        """Claim until there is an answer, by the same key. Return the hold's token."""
        deal, key = self._scenery.wide[0], new_code()
        self._journal.write(Entry.ASKED, key, deal.deal_id)
        until = time.monotonic() + INSISTS
        while time.monotonic() < until:
            answer = await self._note(
                "claim",
                lambda door: line.post(door, f"/d/{deal.code}/buy", f"key={key}"),
            )
            if answer is not None and answer.status == 303:
                token = answer.location.split("/")[2]
                self._journal.write(Entry.GRANTED, key, token)
                return token
            if answer is not None and answer.status < 500 and answer.status != 429:
                self._journal.write(Entry.REFUSED, key, answer.status)
                return ""
            await asyncio.sleep(EVERY)
        return ""

    async def ready(self) -> Answer | None:
        line = Line("10.9.9.9")
        try:
            return await self._ready(line)
        finally:
            line.close()

    async def _claim_on(self) -> None:
        while True:
            number = next(self._numbers)
            line = Line(f"10.77.{number // 250 % 250}.{number % 250}")
            try:
                token = await self.claim_one(line)
                if token:
                    self.hold, before = token, self.hold
                    await self._give_back(line, before)
            finally:
                line.close()
            await asyncio.sleep(EVERY)

    async def _give_back(self, line: Line, token: str) -> None:
        """The last one but one: the page of the last is being looked at."""
        if token:
            address = f"/h/{token}/release"
            await self._note("release", lambda door: line.post(door, address))

    async def _go_on(
        self, name: str, look: Callable[[Line], Awaitable[Answer | None]]
    ) -> None:
        line = Line(f"10.78.0.{len(name)}")
        try:
            while True:
                await look(line)
                await asyncio.sleep(EVERY)
        finally:
            line.close()

    async def _page(self, line: Line) -> Answer | None:
        code = self._scenery.wide[0].code
        return await self._note("page", lambda door: line.get(door, f"/d/{code}"))

    async def _outlet(self, line: Line) -> Answer | None:
        return await self._note("outlet", lambda door: line.get(door, "/o/north"))

    async def _ready(self, line: Line) -> Answer | None:
        return await self._note("readyz", lambda door: line.get(door, "/readyz"))

    async def _hold(self, line: Line) -> Answer | None:
        if not self.hold:
            return None
        return await self._note("hold", lambda door: line.get(door, f"/h/{self.hold}"))

    async def _note(
        self, name: str, ask: Callable[[int], Awaitable[Answer]]
    ) -> Answer | None:
        phase, began = self.phase, time.monotonic()
        try:
            answer = await ask(self._doors[next(self._numbers) % len(self._doors)])
        except Lost:
            self._count(phase, name, "no answer", began)
            return None
        said = str(answer.status)
        if name == "readyz" and answer.status != 200:
            said += f" {answer.body.decode()}"
        elif answer.status == 503:
            there = "retry-after" in answer.headers
            said += " come back" if there else " and no Retry-After"
            self.wrong["503 without Retry-After"] += not there
        elif answer.status >= 500:
            self.wrong[f"{name} {answer.status}"] += 1
        if any(trace in answer.body for trace in TRACES):
            self.wrong["traceback"] += 1
        self._count(phase, name, said, began)
        return answer

    def _count(self, phase: str, name: str, said: str, began: float) -> None:
        self._seen[phase][f"{name} {said}"] += 1
        took, slowest = time.monotonic() - began, self._slowest[phase]
        slowest[name] = max(slowest.get(name, 0), took)
