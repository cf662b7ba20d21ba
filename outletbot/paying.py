"""Paying: what passes between a hold and the payment provider.

Each step is written down before the provider is asked and after it answered. When no
answer comes the same is asked again, to the letter, so that it happens once.
"""

from datetime import timedelta

import structlog
from sqlmodel import Session

from offers.checkouts import Checkout
from offers.holds import Hold, HoldState, get_hold
from offers.payment_pages import (
    begin_checkout,
    forget_checkout,
    open_checkout,
    put_off_checkout,
)
from offers.posts import Post
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.payments import Declined, PaymentError, PaymentGateway, Unknown
from webhooks.settling import Outcome, settle_checkout

log = structlog.get_logger(__name__)

BACK_SOON = timedelta(seconds=5)


class Paying:
    def __init__(
        self,
        database: Database,
        payments: PaymentGateway,
        clock: Clock,
        *,
        public_url: str,
    ) -> None:
        self._database = database
        self._payments = payments
        self._clock = clock
        self._public_url = public_url

    async def open(self, hold_id: str) -> Hold:
        """Ask for the payment page, unless it is there. Return the hold as it is then.

        The provider's troubles are not the shopper's: then the hold is returned
        without a page, and a worker goes on asking.
        """
        hold = await self._begin(hold_id)
        if hold is not None:
            await self._create(hold)
        return await self._database.read(get_hold, hold_id)

    async def settle(self, hold: Hold) -> Hold:
        """Ask how the page is now, and settle it. Return the hold as it is then."""
        if hold.checkout_id is not None:
            try:
                await self.settle_checkout(hold.checkout_id)
            except PaymentError as error:
                log.info("checkout_not_retrieved", hold=hold.id, reason=str(error))
        return await self._database.read(get_hold, hold.id)

    async def settle_checkout(self, checkout_id: str) -> Outcome:
        """Bring a hold in line with its page as the provider describes it now.

        Raises:
            PaymentError: If the provider cannot be asked.
            Missing: If the page is not of our making.
        """
        checkout = await self._payments.retrieve(checkout_id)
        return await self._settle(checkout)

    async def close(self, hold: Hold) -> Outcome | None:
        """End a hold whose time is up: close its page first, and go by the answer.

        ``None`` if the provider could not be asked; the lease ends and it is tried
        again. The units stay held until then.
        """
        try:
            checkout_id = hold.checkout_id or await self._recover(hold)
            if checkout_id is None:
                return None
            return await self._settle(await self._payments.expire(checkout_id))
        except PaymentError as error:
            log.warning("checkout_not_closed", hold=hold.id, reason=str(error))
            later = self._clock() + BACK_SOON
            await self._database.transact(put_off_checkout, hold.id, until=later)
            return None

    async def _begin(self, hold_id: str) -> Hold | None:
        hold, code = await self._database.read(_with_code, hold_id)
        if hold.state not in {HoldState.HELD, HoldState.CREATING}:
            return None
        request = self._payments.describe(hold, deal_url=f"{self._public_url}/d/{code}")
        return await self._database.transact(
            begin_checkout, hold_id, request, now=self._clock()
        )

    async def _create(self, hold: Hold) -> Checkout | None:
        later = self._clock() + BACK_SOON
        try:
            checkout = await self._payments.create(hold)
        except Declined as refusal:
            log.warning("checkout_declined", hold=hold.id, reason=str(refusal))
            await self._database.transact(forget_checkout, hold.id, until=later)
            return None
        except Unknown as error:
            log.warning("checkout_unknown", hold=hold.id, reason=str(error))
            await self._database.transact(put_off_checkout, hold.id, until=later)
            return None
        await self._database.transact(open_checkout, hold.id, checkout.id, checkout.url)
        log.info("checkout_opened", hold=hold.id, checkout=checkout.id)
        return checkout

    async def _recover(self, hold: Hold) -> str | None:
        """Find out about a page whose creation was never answered, by asking again.

        If it was declined there provably is none, and the hold, which is ``held``
        again, is released without the provider next time.
        """
        checkout = await self._create(hold)
        return None if checkout is None else checkout.id

    async def _settle(self, checkout: Checkout) -> Outcome:
        outcome = await self._database.transact(
            settle_checkout,
            checkout,
            livemode=self._payments.livemode,
            now=self._clock(),
        )
        level = log.error if outcome is Outcome.REVIEW else log.info
        level("checkout_settled", hold=checkout.hold_id, outcome=outcome)
        return outcome


def _with_code(session: Session, hold_id: str) -> tuple[Hold, str]:
    hold = get_hold(session, hold_id)
    return hold, session.get_one(Post, hold.post_id).code
