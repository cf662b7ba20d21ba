"""Lines: payment pages are opened in the order of the holds, at each account's pace.

Every process that has a reason to serves the lines, and asks for whoever is next: the
one whose shopper waits at its door, or another's.
"""

import asyncio

import structlog
from sqlalchemy.exc import SQLAlchemyError

from offers.holds import UNPAGED, Hold
from offers.lines import Turn
from outletbot.away import is_away
from outletbot.paying import Paying
from outletbot.payments import PaymentError

log = structlog.get_logger(__name__)

AT_ONCE = 64
"""So many pages of an account a process waits for, however slow the provider is."""


class Lines:
    """Serves lines until they are empty, or *stop* is set."""

    def __init__(self, paying: Paying, stop: asyncio.Event | None = None) -> None:
        self._paying = paying
        self._stop = stop or asyncio.Event()
        self._serving: dict[str, asyncio.Task[int]] = {}
        self._woken: dict[str, asyncio.Event] = {}
        self._turns: dict[str, asyncio.Event] = {}

    def serve(self, account_id: str) -> asyncio.Task[int]:
        """Open the pages of those in line; done when nobody waits any more.

        It returns how many pages that were.
        """
        woken = self._woken.setdefault(account_id, asyncio.Event())
        woken.set()
        task = self._serving.get(account_id)
        if task is None or task.done():
            task = asyncio.create_task(self._serve(account_id, woken))
            self._serving[account_id] = task
        return task

    async def open(self, hold: Hold, *, patience: float) -> bool:
        """Serve the line in which *hold* stands until it has had its turn here.

        ``False`` if that takes longer than *patience* seconds, or if another process
        has taken it on.
        """
        account_id = await self._paying.line_of(hold)
        if hold.state not in UNPAGED or account_id is None:
            return False
        turn = self._turns.setdefault(hold.id, asyncio.Event())
        waiting = asyncio.create_task(turn.wait())
        soonest = {waiting, self.serve(account_id)}
        first = asyncio.FIRST_COMPLETED
        await asyncio.wait(soonest, timeout=patience, return_when=first)
        waiting.cancel()
        self._turns.pop(hold.id, None)
        return turn.is_set()

    async def finish(self, seconds: float) -> None:
        """Begin nothing new, and let what is under way be written down."""
        self._stop.set()
        running = [task for task in self._serving.values() if not task.done()]
        for woken in self._woken.values():
            woken.set()
        if running:
            await asyncio.wait(running, timeout=seconds)

    async def _serve(self, account_id: str, woken: asyncio.Event) -> int:
        opened = 0
        flights: set[asyncio.Task[bool]] = set()
        while True:
            woken.clear()
            turns = await self._begin(account_id, AT_ONCE - len(flights))
            flights |= {asyncio.create_task(self._open(turn)) for turn in turns}
            if turns:
                await self._paying.wait_for(turns[-1])
            elif flights:
                await _either(flights, woken)
            elif not woken.is_set():
                return opened
            landed = {flight for flight in flights if flight.done()}
            flights -= landed
            opened += sum(flight.result() for flight in landed)

    async def _begin(self, account_id: str, room: int) -> list[Turn]:
        if self._stop.is_set() or room < 1:
            return []
        try:
            return await self._paying.begin_next(account_id, limit=room)
        except PaymentError as error:
            reason = str(error)
        except SQLAlchemyError as error:
            if not is_away(error):
                raise
            reason = str(error).splitlines()[0]
        log.warning("line_not_served", account=account_id, reason=reason)
        return []

    async def _open(self, turn: Turn) -> bool:
        """Ask for a page; whatever becomes of it, the line goes on."""
        there = False
        try:
            there = await self._paying.open_turn(turn)
        except Exception:
            log.exception("page_not_opened", hold=turn.hold.id)
        if turn.hold.id in self._turns:
            self._turns[turn.hold.id].set()
        return there


async def _either(flights: set[asyncio.Task[bool]], woken: asyncio.Event) -> None:
    """Wait until a page is there or somebody else has come."""
    waking = asyncio.create_task(woken.wait())
    await asyncio.wait({*flights, waking}, return_when=asyncio.FIRST_COMPLETED)
    waking.cancel()
