"""Stripe's lists: what it has written down about an account, oldest first."""

from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import stripe

from offers.ledger import BookLine
from offers.money import Money
from outletbot.payments import Declined, ProviderEvent
from outletbot.stripe_errors import translated
from outletbot.stripe_gateway import StripeGateway
from outletbot.stripe_money import from_stripe

PAGE = 100

# What may change a hold, an order or an account; Stripe filters by twenty at the most.
EVENTS = (
    "checkout.session.completed",
    "checkout.session.expired",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refunded",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
    "account.updated",
)

# Of what may be behind a line of the books, these belong to a payment.
OF_A_PAYMENT = {"charge", "refund", "dispute"}

Ask = Callable[[Any, Any], Awaitable[stripe.ListObject[Any]]]


class StripeBooks:
    """What Stripe has written down about the account that *gateway* acts for."""

    def __init__(self, gateway: StripeGateway) -> None:
        self.account_id = gateway.account_id
        self._stripe = gateway.client.v1
        self._options = gateway.options()

    async def balances(self) -> list[Money]:
        with translated():
            balance = await self._stripe.balance.retrieve_async({}, self._options)
        sums: Counter[str] = Counter()
        for parts in (balance.available, balance.pending):
            for part in parts:
                sums[part.currency] += part.amount
        return [from_stripe(amount, currency) for currency, amount in sums.items()]

    async def lines(
        self, *, after: str, since: datetime
    ) -> AsyncGenerator[list[BookLine], None]:
        ask = self._stripe.balance_transactions.list_async
        async for page in self._pages(ask, {"expand": ["data.source"]}, after, since):
            yield [_line(transaction) for transaction in page]

    async def events(
        self, *, after: str, since: datetime
    ) -> AsyncGenerator[list[ProviderEvent], None]:
        ask = self._stripe.events.list_async
        async for page in self._pages(ask, {"types": list(EVENTS)}, after, since):
            yield [_event(event) for event in page]

    async def _pages(
        self, ask: Ask, params: dict[str, Any], after: str, since: datetime
    ) -> AsyncGenerator[list[Any], None]:
        """Yield what is newer than the item *after*, or not older than *since*."""
        params = {**params, "limit": PAGE}
        while after:
            page = await self._newer(ask, params, after)
            if page is None:
                break
            if page.data:
                yield page.data[::-1]
                after = page.data[0].id
            if not page.has_more:
                return
        async for items in self._all(ask, params, since):
            yield items

    async def _newer(
        self, ask: Ask, params: dict[str, Any], after: str
    ) -> stripe.ListObject[Any] | None:
        """Return the next page; None if Stripe no longer has the item *after*."""
        try:
            with translated():
                return await ask({**params, "ending_before": after}, self._options)
        except Declined as refusal:
            if refusal.code != "resource_missing":
                raise
            return None

    async def _all(
        self, ask: Ask, params: dict[str, Any], since: datetime
    ) -> AsyncGenerator[list[Any], None]:
        """Yield what is not older than *since*; Stripe gives it newest first."""
        params = {**params, "created": {"gte": int(since.timestamp())}}
        found: list[Any] = []
        more = True
        while more:
            with translated():
                page = await ask(params, self._options)
            found += page.data
            more = page.has_more
            params["starting_after"] = found[-1].id if found else ""
        found.reverse()
        for start in range(0, len(found), PAGE):
            yield found[start : start + PAGE]


def _line(transaction: stripe.BalanceTransaction) -> BookLine:
    currency = transaction.currency
    amount = from_stripe(transaction.amount, currency)
    source: Any = transaction.source
    of_a_payment = getattr(source, "object", "") in OF_A_PAYMENT
    return BookLine(
        id=transaction.id,
        kind=transaction.reporting_category or transaction.type,
        amount=amount,
        fee=amount - from_stripe(transaction.net, currency),
        source=_paid(transaction, source) if of_a_payment else amount,
        source_id=source if isinstance(source, str) else getattr(source, "id", ""),
        payment_id=_payment(source) if of_a_payment else "",
        hold_id=_hold(source) if of_a_payment else "",
        happened_at=datetime.fromtimestamp(transaction.created, UTC),
    )


def _paid(transaction: stripe.BalanceTransaction, source: Any) -> Money:
    """Return what it is in the shopper's currency, which Stripe may have changed."""
    if source.currency == transaction.currency:
        return from_stripe(transaction.amount, transaction.currency)
    sign = -1 if transaction.amount < 0 else 1
    return from_stripe(sign * source.amount, source.currency)


def _payment(source: Any) -> str:
    """Return the payment's id; an old integration makes charges without one."""
    charge = source if source.object == "charge" else getattr(source, "charge", None)
    found = getattr(source, "payment_intent", None) or charge
    return found if isinstance(found, str) else getattr(found, "id", "")


def _hold(source: Any) -> str:
    return str(getattr(getattr(source, "metadata", None), "hold", None) or "")


def _event(event: stripe.Event) -> ProviderEvent:
    said = event.to_dict(for_json=True)
    return ProviderEvent(
        event.id,
        event.type,
        event.created,
        said["data"]["object"],
        account=said.get("account") or "",
        livemode=event.livemode,
    )
