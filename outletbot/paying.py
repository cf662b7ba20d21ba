"""Paying: what passes between a hold and the payment provider.

Each step is written down before the provider is asked and after it answered. When no
answer comes the same is asked again, to the letter, so that it happens once. Whoever
writes to the provider waits for a turn first.
"""

from datetime import datetime, timedelta

import structlog
from sqlmodel import Session

from offers.checkouts import Checkout
from offers.connecting import note_barred
from offers.holds import UNPAGED, Hold, get_hold
from offers.lines import Place, Turn, account_of, begin_next, find_place
from offers.pacing import PAUSE, Lane
from offers.payment_accounts import NoAccount
from offers.payment_pages import (
    begin_checkout,
    forget_checkout,
    leave_to_a_person,
    open_checkout,
    put_off_checkout,
)
from outletbot.clock import Clock
from outletbot.db import Database
from outletbot.pace import Pace
from outletbot.payments import (
    Barred,
    Declined,
    Gateways,
    PaymentError,
    Stuck,
    TooFast,
    Unknown,
)
from webhooks.settling import Outcome, settle_checkout

log = structlog.get_logger(__name__)

BACK_SOON = timedelta(seconds=5)
TWICE = 2
REMEMBERED = timedelta(hours=24)
"""So long the provider knows a request when it sees it again; then its refusal says
nothing of what was asked before."""

FOR_GOOD = timedelta(hours=1)
"""So long after a hold's end a provider that does not listen to us may come round."""


class Paying:
    def __init__(self, database: Database, gateways: Gateways, clock: Clock) -> None:
        self._database = database
        self._gateways = gateways
        self._clock = clock
        self._pace = Pace(database, clock)

    async def open(self, hold_id: str) -> Hold:
        """Ask for the payment page, unless it is there. Return the hold as it is then.

        Out of line: see ``begin_next``. The provider's troubles are not the shopper's:
        then the hold is returned without a page, and a worker goes on asking.
        """
        try:
            hold = await self._begin(hold_id)
        except (PaymentError, NoAccount) as error:
            log.warning("checkout_not_begun", hold=hold_id, reason=str(error))
            hold = None
        if hold is not None:
            await self._create(hold, asked_before=hold.attempts > 1)
        return await self._database.read(get_hold, hold_id)

    async def begin_next(self, account_id: str, *, limit: int) -> list[Turn]:
        """Take the next in an account's line, each with the time of its turn.

        Raises:
            PaymentError: If the service cannot act for the account.
        """
        gateway = await self._gateways.of(account_id)
        return await self._database.transact(
            begin_next,
            account_id,
            gateway.describe,
            pace=gateway.writes_per_second,
            limit=limit,
            now=self._clock(),
        )

    async def wait_for(self, turn: Turn) -> None:
        """Wait until it is somebody's turn."""
        await self._pace.wait(turn.begins_at)

    async def open_turn(self, turn: Turn) -> bool:
        """Ask for the payment page when it is its turn. Return whether it is there."""
        again = turn.hold.attempts > 1
        checkout = await self._create(
            turn.hold, asked_before=again, begins_at=turn.begins_at
        )
        return checkout is not None

    async def line_of(self, hold: Hold) -> str | None:
        """Return the account in whose line a hold stands, if there is one."""
        try:
            return await self._database.read(account_of, hold)
        except NoAccount:
            return None

    async def place(self, hold: Hold) -> Place | None:
        """Return how long a hold without a page waits for its turn, if it has one."""
        account_id = await self.line_of(hold)
        if hold.state not in UNPAGED or account_id is None:
            return None
        try:
            gateway = await self._gateways.of(account_id)
        except PaymentError:
            return None
        pace, now = gateway.writes_per_second, self._clock()
        return await self._database.read(
            find_place, hold, account_id, pace=pace, now=now
        )

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
        again. The units stay held until then, or until a person decides.
        """
        try:
            checkout_id = hold.checkout_id or await self._recover(hold)
            if checkout_id is None:
                return None
            gateway = await self._gateways.of(hold.account_id)
            async with self._pace.turn(gateway, Lane.ENDING):
                checkout = await gateway.expire(checkout_id)
            return await self._settle(checkout, livemode=gateway.livemode)
        except Barred as error:
            return await self._barred(hold, error)
        except PaymentError as error:
            log.warning("checkout_not_closed", hold=hold.id, reason=str(error))
            await self._put_off(hold, BACK_SOON)
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

    async def _create(
        self,
        hold: Hold,
        *,
        asked_before: bool,
        begins_at: datetime | None = None,
    ) -> Checkout | None:
        try:
            gateway = await self._gateways.of(hold.account_id)
            async with self._pace.turn(gateway, Lane.OPENING, begins_at=begins_at):
                checkout = await gateway.create(hold)
        except (Declined, Stuck) as error:
            found = await self._refused(hold, error, asked_before=asked_before)
            if found is None:
                return None
            checkout = found
        except Unknown as error:
            log.warning("checkout_unknown", hold=hold.id, reason=str(error))
            await self._put_off(
                hold, PAUSE if isinstance(error, TooFast) else BACK_SOON
            )
            return None
        page, now = (checkout.id, checkout.url), self._clock()
        await self._database.transact(open_checkout, hold.id, *page, now=now)
        log.info("checkout_opened", hold=hold.id, checkout=checkout.id)
        return checkout

    async def _refused(
        self, hold: Hold, error: Declined | Stuck, *, asked_before: bool
    ) -> Checkout | None:
        """Return the page that was made before all the same, if there is one."""
        forgotten = asked_before and self._clock() - hold.held_at >= REMEMBERED
        if isinstance(error, Barred) or (isinstance(error, Declined) and not forgotten):
            await self._declined(hold, error, asked_before=asked_before)
            return None
        return await self._look_for(hold, error)

    async def _look_for(self, hold: Hold, error: Declined | Stuck) -> Checkout | None:
        """Find the page that may have been made after all.

        If it is not there either, twice and some seconds apart, there provably is none:
        it is asked for afresh. Once is enough of what was asked a day ago.
        """
        log.warning("checkout_looked_for", hold=hold.id, reason=str(error))
        try:
            gateway = await self._gateways.of(hold.account_id)
            found = await gateway.find(hold)
        except PaymentError as trouble:
            log.warning("checkout_unknown", hold=hold.id, reason=str(trouble))
            await self._put_off(hold, BACK_SOON)
            return None
        if found is None and (hold.attempts > TWICE or isinstance(error, Declined)):
            later = self._clock() + BACK_SOON
            await self._database.transact(forget_checkout, hold.id, until=later)
        elif found is None:
            await self._put_off(hold, BACK_SOON)
        return found

    async def _declined(
        self, hold: Hold, refusal: Declined, *, asked_before: bool
    ) -> None:
        """No page was made now, so there is none, unless we may not ask any more."""
        if isinstance(refusal, Barred) and asked_before:
            await self._barred(hold, refusal)
            return
        log.warning("checkout_declined", hold=hold.id, reason=str(refusal))
        if isinstance(refusal, Barred):
            await self._note_barred(hold, refusal)
        later = self._clock() + BACK_SOON
        await self._database.transact(forget_checkout, hold.id, until=later)

    async def _barred(self, hold: Hold, error: Barred) -> Outcome | None:
        """Money may have come or may come: only the provider knows, or a person."""
        ended, now = await self._note_barred(hold, error), self._clock()
        if not ended and now - hold.expires_at < FOR_GOOD:
            await self._put_off(hold, BACK_SOON)
            return None
        await self._database.transact(leave_to_a_person, hold.id, now=now)
        log.error("hold_left_to_a_person", hold=hold.id, reason=str(error))
        return Outcome.REVIEW

    async def _note_barred(self, hold: Hold, error: Barred) -> bool:
        log.error("account_barred", account=hold.account_id, reason=str(error))
        return await self._database.transact(note_barred, hold.account_id, str(error))

    async def _put_off(self, hold: Hold, by: timedelta) -> None:
        later = self._clock() + by
        await self._database.transact(put_off_checkout, hold.id, until=later)

    async def _recover(self, hold: Hold) -> str | None:
        """Find out about a page whose creation was never answered, by asking again.

        If it was declined there provably is none, and the hold, which is ``held``
        again, is released without the provider next time.
        """
        checkout = await self._create(hold, asked_before=True)
        return None if checkout is None else checkout.id

    async def _settle(self, checkout: Checkout, *, livemode: bool) -> Outcome:
        outcome = await self._database.transact(
            settle_checkout, checkout, livemode=livemode, now=self._clock()
        )
        level = log.error if outcome is Outcome.REVIEW else log.info
        level("checkout_settled", hold=checkout.hold_id, outcome=outcome)
        return outcome


def _with_account(session: Session, hold_id: str) -> tuple[Hold, str]:
    """Return a hold and who is to be asked."""
    hold = get_hold(session, hold_id)
    return hold, account_of(session, hold)
