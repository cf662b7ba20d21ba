"""Claims: holds asked for at once are committed at once.

Each deal has a line of its own in each process. A batch waits for the deal's row first
and then takes along whoever stands in line: the longer another process keeps the row,
the more are granted at one turn. There is no timer, and nobody is answered before the
commit.
"""

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain

import structlog
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import Session

from offers.claim_rows import Granted, lock_deal
from offers.claims import Answer, Claim, grant
from offers.errors import OfferError
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.hints import Hints

log = structlog.get_logger(__name__)

Ticks = Callable[[], float]

MAX_BATCH = 512

LONGEST_WAIT = 5.0
"""Seconds: who would wait longer is asked to come back."""

GIVE_UP = 12.0
"""Seconds after which nobody waits any more for a batch that does not end."""

COME_BACK = 3
"""Seconds after which to try again when the database is away."""


class Busy(Exception):
    """A claim cannot be answered in time; try again in *seconds*."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"try again in {seconds} s")
        self.seconds = seconds


class ClaimQueue:
    """The lines of a process; the database decides between processes.

    An address is granted no more than *most_per_address* holds of a deal; 0 is no
    limit. *ticks* are seconds that nobody sets.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        most_per_address: int = 0,
        hints: Hints | None = None,
        ticks: Ticks = time.monotonic,
        give_up: float = GIVE_UP,
    ) -> None:
        self._database = database
        self._clock = clock
        self._most_per_address = most_per_address
        self._hints = hints or Hints()
        self._ticks = ticks
        self._give_up = give_up
        self._lines: dict[str, _Line] = {}

    async def claim(self, claim: Claim) -> Granted:
        """Return the hold that *claim* was granted; the same key gives the same.

        Raises:
            OfferError: With the reason why it was not granted.
            Busy: If it cannot be answered in time, or the database is away.
        """
        line = self._lines.get(claim.deal_id) or self._open_line(claim.deal_id)
        answer = await line.join(claim)
        if isinstance(answer, OfferError):
            raise answer
        return answer

    def _open_line(self, deal_id: str) -> "_Line":
        line = self._lines[deal_id] = _Line(self._ticks)
        line.serving = asyncio.create_task(self._serve(deal_id, line))
        return line

    async def _serve(self, deal_id: str, line: "_Line") -> None:
        while line.waiting:
            batch = _Batch(line.waiting)
            line.begin()
            await self._answer(deal_id, line, batch)
            line.end()
        del self._lines[deal_id]

    async def _answer(self, deal_id: str, line: "_Line", batch: "_Batch") -> None:
        """Answer a batch; if the database is away, tell everybody in line."""
        try:
            await self._commit(deal_id, batch)
        except (SQLAlchemyError, TimeoutError) as error:
            log.warning("claims_not_committed", deal=deal_id, reason=str(error))
            _fail(chain(batch.close(), line.clear()), Busy(COME_BACK))
        except Exception as error:
            log.exception("claims_not_committed", deal=deal_id)
            _fail(chain(batch.close(), line.clear()), error)

    async def _commit(self, deal_id: str, batch: "_Batch") -> None:
        try:
            async with asyncio.timeout(self._give_up):
                answers = await self._database.claim(self._grant, deal_id, batch)
        except IntegrityError as error:
            await self._commit_apart(deal_id, batch.close(), error)
        else:
            batch.tell(answers)
            if any(isinstance(answer, Granted) for answer in answers):
                self._hints.tell("holds", deal_id)

    async def _commit_apart(
        self, deal_id: str, wishes: "list[_Wish]", error: IntegrityError
    ) -> None:
        """One that cannot be written is no reason to refuse the others."""
        if len(wishes) == 1:
            _fail(wishes, error)
            return
        for wish in wishes:
            await self._commit(deal_id, _Batch(deque([wish])))

    def _grant(self, session: Session, deal_id: str, batch: "_Batch") -> list[Answer]:
        deal = lock_deal(session, deal_id)
        return grant(
            session,
            deal,
            batch.fill(),
            now=self._clock(),
            most_per_address=self._most_per_address,
        )


@dataclass(frozen=True, slots=True)
class _Wish:
    claim: Claim
    answer: asyncio.Future[Answer]


class _Line:
    """Who waits for a deal, and how long that takes of late."""

    def __init__(self, ticks: Ticks) -> None:
        self.waiting: deque[_Wish] = deque()
        self.serving: asyncio.Task[None] | None = None
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
        wish = _Wish(claim, asyncio.get_running_loop().create_future())
        self.waiting.append(wish)
        return await wish.answer

    def begin(self) -> None:
        self._began = self._ticks()

    def end(self) -> None:
        took = self._ticks() - self._began
        self._usual += (took - self._usual) / 4

    def clear(self) -> list[_Wish]:
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
class _Batch:
    """Who is served at one turn: taken from the line when the turn has come.

    It is filled in the thread of the transaction, perhaps again if that is repeated,
    and closed by the event loop, which may have given it up. Who has gone since, or was
    sent away, may have asked elsewhere and been told no: they get nothing here now.
    """

    line: deque[_Wish]
    wishes: list[_Wish] = field(default_factory=list)
    closed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fill(self) -> list[Claim]:
        with self.lock:
            waits = [wish for wish in self.wishes if not wish.answer.done()]
            self.wishes = [] if self.closed else waits
            while self.line and len(self.wishes) < MAX_BATCH and not self.closed:
                wish = self.line.popleft()
                if not wish.answer.done():  # the shopper may have gone
                    self.wishes.append(wish)
            return [wish.claim for wish in self.wishes]

    def close(self) -> list[_Wish]:
        with self.lock:
            self.closed = True
            return self.wishes

    def tell(self, answers: Iterable[Answer]) -> None:
        for wish, answer in zip(self.wishes, answers, strict=True):
            if not wish.answer.done():
                wish.answer.set_result(answer)


def _fail(wishes: Iterable[_Wish], error: Exception) -> None:
    for wish in wishes:
        if not wish.answer.done():
            wish.answer.set_exception(error)
