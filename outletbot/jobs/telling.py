"""What was sold here is told to the retailers' own shops, each unit once.

Before a call it is noted as made; whoever dies then leaves it to the next, who tells
the same again by the same key, or looks first whether it was done. Only what provably
was not done is told anew.
"""

import asyncio
from datetime import timedelta

import structlog
from sqlmodel import Session

from offers.shops import ShopConnection
from offers.tellings import (
    Telling,
    begin,
    doubted,
    give_up,
    lease_due_echoes,
    note_told,
    put_off,
    release,
)
from outletbot.channels import ChannelError, Disowned
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.jobs.publishing import backoff
from outletbot.shops import Item, NotCounted, Rejected, Shop, Told, TryLater
from outletbot.shops.opening import Shops
from webhooks.telling import take_doubted

log = structlog.get_logger(__name__)

GIVE_UP = timedelta(days=7)
"""So long a shop is asked again that refuses, or cannot be reached."""

REFUSED = timedelta(minutes=30)
"""So long we wait after a refusal: a person has to do something first."""


class Teller:
    def __init__(self, database: Database, shops: Shops, clock: Clock) -> None:
        self._database = database
        self._shops = shops
        self._clock = clock

    async def tell_due(self) -> int:
        """Tell what is owed. Return how many calls were due."""
        due = await self._database.transact(lease_due_echoes, now=self._clock())
        await asyncio.gather(*(self._guarded(telling) for telling in due))
        return len(due) + await self._take_doubted()

    async def _take_doubted(self) -> int:
        if not await self._database.read(doubted):
            return 0
        return await self._database.transact(take_doubted, now=self._clock())

    async def _guarded(self, telling: Telling) -> None:
        """One shop's trouble keeps no other waiting."""
        try:
            await self._tell(telling)
        except Exception as error:
            log.exception("shop_not_told", telling=telling.id)
            await self._later(telling, type(error).__name__, backoff(telling.attempts))

    async def _tell(self, telling: Telling) -> None:
        try:
            connection = await self._database.read(_connection, telling.shop_id)
            shop = self._shops.open(connection)
            item = await shop.find(telling.sku, telling.place_key)
            begun = await self._begin(telling, item)
            if begun is None:
                return
            told = await self._change(shop, item, begun)
        except NotCounted as reason:
            told = Told(self._clock(), None)
            log.info("shop_counts_nothing", telling=telling.id, reason=str(reason))
        except ChannelError as error:
            await self._failed(telling, error)
            return
        await self._database.transact(
            note_told,
            telling.id,
            applied_at=told.applied_at,
            level_after=told.level,
            now=self._clock(),
        )
        log.info("shop_told", telling=telling.id, shop=telling.shop_id)

    async def _begin(self, telling: Telling, item: Item) -> Telling | None:
        """Note what is about to be told.

        Raises:
            Rejected: If it was sent before, for another item: a person has to look.
        """
        if telling.sent_at is not None and telling.item_key != item.key:
            msg = "The shop was told of another item before, and never answered."
            raise Rejected(msg)
        now = self._clock()
        return await self._database.transact(
            begin, telling, item.key, item.place_key, now=now
        )

    async def _change(self, shop: Shop, item: Item, telling: Telling) -> Told:
        if not telling.change:
            return Told(self._clock(), None)  # what was sold came back meanwhile
        if telling.sent_at is None:
            return await shop.change(item, telling.change, key=telling.key)
        return await shop.change_again(
            item, telling.change, key=telling.key, since=telling.sent_at
        )

    async def _failed(self, telling: Telling, error: ChannelError) -> None:
        """Tell it later: anew if it was never sent, or provably not done."""
        now, reason = self._clock(), str(error)
        wait = backoff(telling.attempts)
        if isinstance(error, TryLater) and error.after is not None:
            wait = error.after
        if isinstance(error, Rejected):
            wait = max(wait, REFUSED)
        if now - telling.created_at > GIVE_UP or _is_beyond_us(telling, error):
            await self._database.transact(give_up, telling, reason=reason, now=now)
            log.error("shop_given_up", telling=telling.id, reason=reason)
        elif telling.sent_at is None and isinstance(error, Rejected | TryLater):
            await self._database.transact(
                release, telling, until=now + wait, reason=reason, now=now
            )
            log.warning("shop_refused", telling=telling.id, reason=reason)
        else:
            await self._later(telling, reason, wait)

    async def _later(self, telling: Telling, reason: str, wait: timedelta) -> None:
        now = self._clock()
        await self._database.transact(
            put_off, telling, until=now + wait, reason=reason, now=now
        )
        log.warning("shop_told_later", telling=telling.id, reason=reason)


def _is_beyond_us(telling: Telling, error: ChannelError) -> bool:
    """Whether only a person can find out if what was sent before was done."""
    refused = isinstance(error, Rejected) and not isinstance(error, Disowned)
    return refused and telling.sent_at is not None


def _connection(session: Session, shop_id: str) -> ShopConnection:
    return session.get_one(ShopConnection, shop_id)
