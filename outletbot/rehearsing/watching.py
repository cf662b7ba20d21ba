"""Watching: how the deal stands, again and again, until everything is settled."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlmodel import Session

from offers.audits import Units, money_of_deal, unfinished, units_of_deal
from offers.deals import Deal, end_deal
from offers.rehearsals import Progress, Stage
from offers.stages import hurry_books
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.rehearsing.crowd import Crowd
from outletbot.rehearsing.troupe import Troupe
from outletbot.sandbox.stripe_state import StripeSandbox
from webhooks.inbox import unhandled

EVERY = 0.25  # seconds between two looks
BOUND = 600.0  # seconds after the opening: what is not settled then never will be
HURRY_EVERY = 5.0  # seconds
GENEROUS = 0.01  # more of them for each shopper


@dataclass(slots=True, kw_only=True)
class Watch:
    """*series* is seconds, held, sold, free; *beyond* the most ever promised too much.

    *unsettled* is what is still waiting for something, by what it is.
    """

    database: Database
    retailer_id: str
    deal_id: str
    clock: Clock
    opened: Callable[[], float]
    tell: Callable[[Progress], None]
    stripe: StripeSandbox
    series: list[list[float]] = field(default_factory=list)
    beyond: int = 0
    adrift: bool = False
    unsettled: dict[str, int] = field(default_factory=dict)
    settled_after: float | None = None
    _hurried: float = 0.0

    async def until_settled(self, crowd: Crowd, troupe: Troupe) -> None:
        """Return when nothing waits any more, or when time is up.

        Raises:
            Broken: If one of the processes has ended by itself.
        """
        bound = BOUND + GENEROUS * crowd.size
        while self.opened() < bound:
            troupe.check()
            units, phase_over = await self.database.read(_look, self.deal_id)
            self._keep(units)
            self.tell(self._progress(units, crowd))
            if crowd.gone == crowd.size and await self._is_over(units, phase_over):
                self.settled_after = round(self.opened(), 2)
                return
            await asyncio.sleep(EVERY)

    async def _is_over(self, units: Units, over: bool) -> bool:  # noqa: FBT001
        """Whether nothing waits; a deal that nobody wants any more is ended."""
        self.unsettled = await self.database.read(_unsettled, self.deal_id)
        self.unsettled |= self._on_the_way()
        if not over and not units.held:
            now = self.clock()
            await self.database.transact(
                end_deal, self.retailer_id, self.deal_id, now=now
            )
            return False
        return over and not self.unsettled and await self._books_agree()

    async def _books_agree(self) -> bool:
        """Whether the books were read to their end; if not, let them be read soon."""
        money = await self.database.read(money_of_deal, self.deal_id)
        off = balance_of(self.stripe) - money.net
        if off:
            self.unsettled = {"books": abs(off)}
            await self._hurry()
        return not off

    async def _hurry(self) -> None:
        if self.opened() > self._hurried + HURRY_EVERY:
            self._hurried = self.opened()
            await self.database.transact(hurry_books, now=self.clock())

    def _on_the_way(self) -> dict[str, int]:
        """Return how many messages of Stripe's are still to be delivered."""
        deliveries = self.stripe.account().all("delivery")
        pending = sum(one["state"] == "pending" for one in deliveries)
        return {"messages": pending} if pending else {}

    def _keep(self, units: Units) -> None:
        self.beyond = max(self.beyond, units.beyond)
        self.adrift = units.adrift
        now = [units.held, units.sold, units.free]
        if not self.series or self.series[-1][1:] != now:
            self.series.append([round(self.opened(), 2), *now])

    def _progress(self, units: Units, crowd: Crowd) -> Progress:
        settling = crowd.gone == crowd.size or units.sold == units.offered
        selling = Stage.SELLING if self.opened() >= 0 else Stage.OPENING
        return Progress(
            stage=Stage.SETTLING if settling else selling,
            seconds=round(self.opened(), 1),
            units=units.offered,
            held=units.held,
            sold=units.sold,
            shoppers=crowd.size,
            gone=crowd.gone,
        )


def balance_of(stripe: StripeSandbox) -> int:
    """Return what Stripe has for us, less its fees, in minor units."""
    lines = stripe.account().all("balance_transaction")
    return sum(int(line["net"]) for line in lines)


def _look(session: Session, deal_id: str) -> tuple[Units, bool]:
    units = units_of_deal(session, deal_id)
    deal = session.get_one(Deal, deal_id)
    return units, deal.sold_out_at is not None or deal.closed_at is not None


def _unsettled(session: Session, deal_id: str) -> dict[str, int]:
    arrivals = unhandled(session)
    waiting = unfinished(session, deal_id)
    return {**waiting, "arrivals": arrivals} if arrivals else waiting
