"""Refunds that are due are asked of the provider, each with a key of its own.

Before anything is asked a second time the provider is looked at: whether it was given
already is written there, however long ago the answer was lost.
"""

from datetime import timedelta

import structlog
from sqlmodel import Session

from offers.pacing import Lane
from offers.refunds import Refund, fail_refund, lease_due_refunds, put_off_refund
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.jobs.publishing import backoff
from outletbot.pace import Pace
from outletbot.payments import Declined, Gateways, PaymentGateway, Stuck, Unknown
from webhooks.refunding import settle_refunds

log = structlog.get_logger(__name__)

GIVE_UP = timedelta(days=7)
"""So long a refusal that may pass is met with asking again."""


async def give_due_refunds(database: Database, gateways: Gateways, clock: Clock) -> int:
    """Give back what is owed. Return how many refunds were tried."""
    refunds = await database.transact(lease_due_refunds, now=clock())
    giving = Giving(database, gateways, clock)
    for refund in refunds:
        await giving.guarded(refund)
    return len(refunds)


class Giving:
    def __init__(self, database: Database, gateways: Gateways, clock: Clock) -> None:
        self._database = database
        self._gateways = gateways
        self._clock = clock
        self._pace = Pace(database, clock)

    async def guarded(self, refund: Refund) -> None:
        """One refund's trouble keeps no other waiting."""
        try:
            await self._give(refund)
        except Exception as error:
            log.exception("refund_not_handled", refund=refund.id)
            await self._put_off(refund, type(error).__name__)

    async def _give(self, refund: Refund) -> None:
        try:
            gateway = await self._gateways.of(refund.account_id)
            if refund.attempts > 1 and await self._found(gateway, refund):
                return
            async with self._pace.turn(gateway, Lane.ENDING):
                given = await gateway.refund(refund)
        except Stuck as error:
            # Its list was asked just before: it was not given, so by another key.
            again = refund.attempts > 1
            await self._put_off(refund, str(error), refused=again)
        except Unknown as error:
            await self._put_off(refund, str(error))
        except Declined as refusal:
            await self._refused(refund, refusal)
        else:
            await self._database.transact(
                settle_refunds,
                refund.account_id,
                refund.payment_id,
                (given,),
                now=self._clock(),
            )
            log.info("refund_given", refund=refund.id, amount=str(refund.money))

    async def _found(self, gateway: PaymentGateway, refund: Refund) -> bool:
        """Take in what was given of the payment. Whether this refund was."""
        given = await gateway.refunds(refund.payment_id)
        await self._database.transact(
            settle_refunds,
            refund.account_id,
            refund.payment_id,
            given,
            now=self._clock(),
        )
        now = await self._database.read(_get, refund.id)
        return now.given_at is not None

    async def _refused(self, refund: Refund, refusal: Declined) -> None:
        asked_at = refund.asked_at or self._clock()
        if refusal.passing and self._clock() - asked_at < GIVE_UP:
            await self._put_off(refund, str(refusal), refused=True)
            return
        if await self._given_by_hand(refund):
            return
        await self._database.transact(
            fail_refund,
            refund.id,
            code=refusal.code,
            reason=str(refusal),
            now=self._clock(),
        )
        log.error("refund_failed", refund=refund.id, reason=str(refusal))

    async def _given_by_hand(self, refund: Refund) -> bool:
        """Whether somebody gave it in the provider's dashboard before we did."""
        try:
            gateway = await self._gateways.of(refund.account_id)
            return await self._found(gateway, refund)
        except Declined:
            return False

    async def _put_off(
        self, refund: Refund, reason: str, *, refused: bool = False
    ) -> None:
        until = self._clock() + backoff(refund.attempts)
        await self._database.transact(
            put_off_refund, refund.id, until=until, reason=reason, refused=refused
        )
        log.warning("refund_not_given", refund=refund.id, reason=reason)


def _get(session: Session, refund_id: str) -> Refund:
    return session.get_one(Refund, refund_id)
