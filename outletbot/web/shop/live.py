"""Live: a deal's stock and state, told to everybody who has its page open.

A deal has one reader, however many listen; what it finds is told at most once a second.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from outletbot.clock import Clock
from outletbot.hints import Hints
from outletbot.web.shop.deal_view import DealView
from outletbot.web.shop.snapshots import Snapshots

log = structlog.get_logger(__name__)

EVERY = timedelta(seconds=1)
SOON = 0.25  # of that, at least, between a look in vain and a look at a hint
HEARTBEAT = timedelta(seconds=12)
MOST_LISTENERS = 5_000


class Full(Exception):
    """As many listen as this process can serve; others ask now and then."""


@dataclass(slots=True)
class _Deal:
    view: DealView
    listeners: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    reader: asyncio.Task[None] | None = None


class Live:
    def __init__(
        self,
        deals: Snapshots[DealView],
        clock: Clock,
        hints: Hints | None = None,
        *,
        every: timedelta = EVERY,
        heartbeat: timedelta = HEARTBEAT,
        most: int = MOST_LISTENERS,
    ) -> None:
        self._deals = deals
        self._clock = clock
        self._hints = hints or Hints()
        self._every = every.total_seconds()
        self._heartbeat = heartbeat.total_seconds()
        self._most = most
        self._told: dict[str, _Deal] = {}
        self._closed = False

    async def messages(self, code: str) -> AsyncGenerator[bytes, None]:
        """Yield how the deal stands, now and at each change, until it is over.

        Between changes a comment is yielded now and then, so that a connection that
        died is noticed by both sides.

        Raises:
            Missing: If there is no such deal.
            Full: If too many listen already.
        """
        deal = await self._join(code)
        try:
            heard = None
            while not self._closed:
                changed, view = deal.changed, deal.view
                yield b": still here\n\n" if view == heard else self._message(view)
                heard = view
                if view.is_over:
                    break
                await _wait(changed, self._heartbeat)
        finally:
            self._leave(code, deal)

    def state(self, view: DealView) -> dict[str, object]:
        return state_of(view, now=self._clock())

    def close(self) -> None:
        """Send everybody away: the process ends, and they come back to another."""
        self._closed = True
        for deal in self._told.values():
            deal.changed.set()

    async def _join(self, code: str) -> _Deal:
        if sum(deal.listeners for deal in self._told.values()) >= self._most:
            raise Full
        view = await self._deals.get(code)
        deal = self._told.setdefault(code, _Deal(view))
        deal.listeners += 1
        if deal.reader is None:
            deal.reader = asyncio.create_task(self._read_on(code, deal))
        return deal

    def _leave(self, code: str, deal: _Deal) -> None:
        deal.listeners -= 1
        if deal.listeners == 0 and deal.reader is not None:
            deal.reader.cancel()
            self._told.pop(code, None)

    async def _read_on(self, code: str, deal: _Deal) -> None:
        """Look now and then, and at a hint; after a telling there is a full pause."""
        with self._hints.listening(deal.view.deal_id, "deals") as listener:
            told = await self._look(deal, self._deals.get(code))
            while True:
                pause = self._every if told else self._every * SOON
                await asyncio.sleep(pause)
                if await listener.wait(self._every - pause):
                    told = await self._look(deal, self._deals.get_now(code))
                else:
                    told = await self._look(deal, self._deals.get(code))

    async def _look(self, deal: _Deal, reading: Awaitable[DealView]) -> bool:
        """Tell how the deal stands if that is news. Return whether it is."""
        try:
            view = await reading
        except SQLAlchemyError as error:
            log.warning("deal_not_read", deal=deal.view.deal_id, reason=str(error))
            return False
        return _tell(deal, view)

    def _message(self, view: DealView) -> bytes:
        event = "over" if view.is_over else "state"
        return f"event: {event}\ndata: {json.dumps(self.state(view))}\n\n".encode()


def state_of(view: DealView, *, now: datetime) -> dict[str, object]:
    """Return what a page that is open needs to know, and what the time is."""
    card = view.card
    return {
        "now": now.isoformat(timespec="milliseconds"),
        "phase": card.phase.value,
        "price": card.price.amount,
        "left": card.stock.left,
        "exact": card.stock.exact,
        "share": card.stock.share,
        "held": card.stock.held,
        "opens_at": card.opens_at.isoformat(timespec="milliseconds"),
        "closes_at": card.closes_at.isoformat(timespec="milliseconds"),
    }


def _tell(deal: _Deal, view: DealView) -> bool:
    if view == deal.view:
        return False
    deal.view = view
    deal.changed.set()
    deal.changed = asyncio.Event()
    return True


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
