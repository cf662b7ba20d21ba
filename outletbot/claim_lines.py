"""Claim lines: who waits for a deal, how long that takes, and who is served next."""

import asyncio
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from offers.claims import Answer, Claim

Ticks = Callable[[], float]

MAX_BATCH = 512
"""Claims that are committed at once."""

LONGEST_WAIT = 5.0
"""Seconds: who would wait longer is asked to come back."""


class Busy(Exception):
    """A claim cannot be answered in time; try again in *seconds*."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"try again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Wish:
    claim: Claim
    answer: asyncio.Future[Answer]


class Line:
    """Who waits for a deal, and how long that takes of late."""

    def __init__(self, ticks: Ticks) -> None:
        self.waiting: deque[Wish] = deque()
        self._ticks = ticks
        self._usual = 0.0
        self._began = ticks()

    async def join(self, claim: Claim) -> Answer:
        """Return the answer to *claim*.

        Raises:
            Busy: If that would take too long.
        """
        wait = self._wait()
        if wait > LONGEST_WAIT:
            raise Busy(math.ceil(wait))
        wish = Wish(claim, asyncio.get_running_loop().create_future())
        self.waiting.append(wish)
        return await wish.answer

    def end(self) -> None:
        """A turn has ended; what waits now begins to wait for the next."""
        now = self._ticks()
        self._usual += (now - self._began - self._usual) / 4
        self._began = now

    def clear(self) -> list[Wish]:
        """Send everybody away. Return who that is."""
        wishes = list(self.waiting)
        self.waiting.clear()
        return wishes

    def _wait(self) -> float:
        """Return how long one more would wait: for the batch under way and for theirs.

        A batch that takes longer than is usual says what will be usual.
        """
        under_way = self._ticks() - self._began
        batches = 1 + math.ceil((len(self.waiting) + 1) / MAX_BATCH)
        return max(self._usual, under_way) * batches


@dataclass(slots=True)
class Batch:
    """Who is served at one turn: taken from the line when the turn has come.

    It is filled in the thread of the transaction, perhaps again if that is repeated,
    and closed by the event loop, which may have given it up. Who has gone since, or was
    sent away, may have asked elsewhere and been told no: they get nothing here now.
    """

    line: deque[Wish]
    most: int = MAX_BATCH
    wishes: list[Wish] = field(default_factory=list)
    closed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fill(self) -> list[Claim]:
        with self.lock:
            waits = [wish for wish in self.wishes if not wish.answer.done()]
            self.wishes = [] if self.closed else waits
            while self.line and len(self.wishes) < self.most and not self.closed:
                wish = self.line.popleft()
                if not wish.answer.done():  # the shopper may have gone
                    self.wishes.append(wish)
            return [wish.claim for wish in self.wishes]

    def close(self) -> list[Wish]:
        with self.lock:
            self.closed = True
            return self.wishes

    def tell(self, answers: Iterable[Answer]) -> None:
        for wish, answer in zip(self.wishes, answers, strict=True):
            if not wish.answer.done():
                wish.answer.set_result(answer)


def fail(wishes: Iterable[Wish], error: Exception) -> None:
    for wish in wishes:
        if not wish.answer.done():
            wish.answer.set_exception(error)
