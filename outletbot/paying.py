"""Paying: what passes between a hold and the payment provider.

Each step is written down before the provider is asked and after it answered. When no
answer comes the same is asked again, to the letter, so that it happens once.
"""

from datetime import timedelta

import structlog
from sqlmodel import Session

from offers.checkouts import Checkout
from offers.holds import UNPAGED, Hold, get_hold
from offers.payment_accounts import HOUSE, find_account_in_use
from offers.payment_pages import (
    begin_checkout,
    forget_checkout,
    open_checkout,
    put_off_checkout,
)
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.payments import Declined, Gateways, PaymentError, Unknown
from webhooks.settling import Outcome, settle_checkout

log = structlog.get_logger(__name__)

BACK_SOON = timedelta(seconds=5)


class Paying:
    def __init__(self, database: Database, gateways: Gateways, clock: Clock) -> None:
        self._database = database
        self._gateways = gateways
        self._clock = clock

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
                await self.settle_checkout(hold.account_id, hold.checkout_id)
            except PaymentError as error:
                log.info("checkout_not_retrieved", hold=hold.id, reason=str(error))
        return await self._database.read(get_hold, hold.id)

    async def settle_checkout(self, account_id: str, checkout_id: str) -> Outcome:
        """Bring a hold in line with its page as the provider describes it now.

        Raises:
            PaymentError: If the provider cannot be asked.
            Missing: If the page is not of our making.
        """
        gateway = await self._gateways.of(account_id)
        checkout = await gateway.retrieve(checkout_id)
        return await self._settle(checkout, livemode=gateway.livemode)

    async def close(self, hold: Hold) -> Outcome | None:
        """End a hold whose time is up: close its page first, and go by the answer.

        ``None`` if the provider could not be asked; the lease ends and it is tried
        again. The units stay held until then.
        """
        try:
            checkout_id = hold.checkout_id or await self._recover(hold)
            if checkout_id is None:
                return None
            gateway = await self._gateways.of(hold.account_id)
            checkout = await gateway.expire(checkout_id)
            return await self._settle(checkout, livemode=gateway.livemode)
        except PaymentError as error:
            log.warning("checkout_not_closed", hold=hold.id, reason=str(error))
            later = self._clock() + BACK_SOON
            await self._database.transact(put_off_checkout, hold.id, until=later)
            return None

    async def _begin(self, hold_id: str) -> Hold | None:
        hold, account_id = await self._database.read(_with_account, hold_id)
        if hold.state not in UNPAGED:
            return None
        gateway = await self._gateways.of(account_id)
        return await self._database.transact(
            begin_checkout,
            hold_id,
            gateway.describe(hold),
            account_id=account_id,
            now=self._clock(),
        )

    async def _create(self, hold: Hold) -> Checkout | None:
        later = self._clock() + BACK_SOON
        try:
            gateway = await self._gateways.of(hold.account_id)
            checkout = await gateway.create(hold)
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

    async def _settle(self, checkout: Checkout, *, livemode: bool) -> Outcome:
        outcome = await self._database.transact(
            settle_checkout, checkout, livemode=livemode, now=self._clock()
        )
        level = log.error if outcome is Outcome.REVIEW else log.info
        level("checkout_settled", hold=checkout.hold_id, outcome=outcome)
        return outcome


def _with_account(session: Session, hold_id: str) -> tuple[Hold, str]:
    """Return a hold and who is to be asked; who was asked once is asked again."""
    hold = get_hold(session, hold_id)
    if hold.request:
        return hold, hold.account_id
    account = find_account_in_use(session, hold.retailer_id)
    return hold, account.id if account else HOUSE
