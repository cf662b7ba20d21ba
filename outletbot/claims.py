"""Claims: holds asked for at once are committed at once.

Each deal has a line of its own in each process. A batch waits for the deal's row first
and then takes along whoever stands in line: the longer another process keeps the row,
the more are granted at one turn. Where more deals have lines than connections are
there for claims, several are served at one turn, and committed together. There is no
timer, and nobody is answered before the commit.
"""

import asyncio
import math
import time
from collections import deque
from itertools import chain

import structlog
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlmodel import Session

from offers.claim_rows import Granted, lock_deal
from offers.claims import Answer, Claim, grant
from offers.errors import OfferError
from outletbot.claim_lines import MAX_BATCH, Batch, Busy, Line, Ticks, fail
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.hints import Hints

log = structlog.get_logger(__name__)

MOST_DEALS = 64
"""Deals that are served at one turn: one that is locked keeps the others waiting."""

GIVE_UP = 12.0
"""Seconds after which nobody waits any more for a batch that does not end."""

COME_BACK = 3
"""Seconds after which to try again when the database is away."""

Batches = dict[str, Batch]
"""Who is served, by deal, in the order of the deals' ids."""


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
        self._lines: dict[str, Line] = {}
        self._ready: deque[str] = deque()
        self._serving = 0
        self._tasks: set[asyncio.Task[None]] = set()

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

    def _open_line(self, deal_id: str) -> Line:
        line = self._lines[deal_id] = Line(self._ticks)
        self._ready.append(deal_id)
        if self._serving < self._database.claimers:
            self._serving += 1
            task = asyncio.create_task(self._serve())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return line

    async def _serve(self) -> None:
        try:
            while self._ready:
                batches = self._next_turn()
                await self._answer(batches)
                self._end_turn(batches)
        finally:
            self._serving -= 1

    def _next_turn(self) -> Batches:
        """Take the lines that wait longest: as many as leave the others their share."""
        share = math.ceil(len(self._ready) / self._database.claimers)
        deal_ids = [self._ready.popleft() for _ in range(min(share, MOST_DEALS))]
        most = max(MAX_BATCH // len(deal_ids), 1)
        return {
            deal_id: Batch(self._lines[deal_id].waiting, most)
            for deal_id in sorted(deal_ids)
        }

    def _end_turn(self, batches: Batches) -> None:
        for deal_id in batches:
            line = self._lines[deal_id]
            line.end()
            if line.waiting:
                self._ready.append(deal_id)
            else:
                del self._lines[deal_id]

    async def _answer(self, batches: Batches) -> None:
        """Answer those served; if the database is away, tell everybody in line."""
        try:
            await self._commit(batches)
        except (SQLAlchemyError, TimeoutError) as error:
            log.warning("claims_not_committed", deals=[*batches], reason=str(error))
            self._send_away(batches, Busy(COME_BACK))
        except Exception as error:
            log.exception("claims_not_committed", deals=[*batches])
            self._send_away(batches, error)

    def _send_away(self, batches: Batches, error: Exception) -> None:
        for deal_id, batch in batches.items():
            fail(chain(batch.close(), self._lines[deal_id].clear()), error)

    async def _commit(self, batches: Batches) -> None:
        try:
            async with asyncio.timeout(self._give_up):
                answers = await self._database.claim(self._grant, batches)
        except IntegrityError as error:
            await self._commit_apart(batches, error)
        else:
            for deal_id, given in answers.items():
                batches[deal_id].tell(given)
                if any(isinstance(answer, Granted) for answer in given):
                    self._hints.tell("holds", deal_id)

    async def _commit_apart(self, batches: Batches, error: IntegrityError) -> None:
        """One that cannot be written is no reason to refuse the others."""
        closed = {deal_id: batch.close() for deal_id, batch in batches.items()}
        if sum(map(len, closed.values())) == 1:
            fail(chain(*closed.values()), error)
            return
        for deal_id, wishes in closed.items():
            for wish in wishes:
                await self._commit({deal_id: Batch(deque([wish]))})

    def _grant(self, session: Session, batches: Batches) -> dict[str, list[Answer]]:
        """Lock all deals, always in the same order, before anybody is served."""
        deals = {deal_id: lock_deal(session, deal_id) for deal_id in batches}
        return {
            deal_id: grant(
                session,
                deals[deal_id],
                batch.fill(),
                now=self._clock(),
                most_per_address=self._most_per_address,
            )
            for deal_id, batch in batches.items()
        }
