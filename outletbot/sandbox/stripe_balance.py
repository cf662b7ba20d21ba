"""The balance: every cent that came or went, when it may be paid out, and payouts.

Each movement is a balance transaction with what Stripe took for it; an account's
balance is their sum in each currency, and nothing else.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

import stripe

from outletbot.sandbox.stripe_books import Account, Json
from outletbot.sandbox.stripe_lists import page_of
from outletbot.sandbox.stripe_objects import new

PAYOUT_AFTER = timedelta(days=2)
"""How long what was earned waits until it can be paid out."""

PAYOUT_TAKES = timedelta(days=1)

# Stripe's other name for it, by which accountants sort
# (https://docs.stripe.com/reports/reporting-categories).
_CATEGORIES = {
    "application_fee": "platform_earning",
    "application_fee_refund": "platform_earning_refund",
    "payment": "charge",
    "payment_refund": "refund",
}


def move_money(
    account: Account,
    source: Json,
    kind: str,
    *,
    amount: int,
    fees: Sequence[Json] = (),
    category: str = "",
    description: str | None = None,
    now: datetime,
) -> Json:
    """Write into the books what *source* does to the balance; below 0 it takes.

    What was earned can be paid out some days later; all else counts at once.
    """
    fee = sum(each["amount"] for each in fees)
    waits = kind in {"charge", "payment", "application_fee"}
    transaction = new(
        account,
        stripe.BalanceTransaction,
        "txn",
        now,
        object="balance_transaction",
        amount=amount,
        available_on=int((now + PAYOUT_AFTER * waits).timestamp()),
        balance_type="payments",
        currency=source["currency"],
        description=description,
        fee=fee,
        fee_details=list(fees),
        net=amount - fee,
        reporting_category=category or _CATEGORIES.get(kind, kind),
        source=source["id"],
        status="pending" if waits else "available",
        type=kind,
    )
    del transaction["livemode"]
    return account.keep(transaction)


def fee_detail(kind: str, amount: int, currency: str, description: str) -> Json:
    """Return one line of what was taken for a transaction."""
    return {
        "amount": amount,
        "application": None,
        "currency": currency,
        "description": description,
        "type": kind,
    }


def ripen(account: Account, *, now: datetime) -> None:
    """Make available what has waited long enough."""
    for transaction in account.due("balance_transaction", now):
        transaction["status"] = "available"
        account.keep(transaction)


def balance_of(account: Account, *, now: datetime) -> Json:
    """Return what is there: what can be paid out, and what still waits."""
    ripen(account, now=now)
    sums = _sums(account)
    currencies = sorted({currency for currency, _ in sums}) or ["eur"]
    return {
        "object": "balance",
        "livemode": account.livemode,
        **{
            status: [
                {
                    "amount": sums[currency, status],
                    "currency": currency,
                    "source_types": {"card": sums[currency, status]},
                }
                for currency in currencies
            ]
            for status in ("available", "pending")
        },
    }


def transactions(account: Account, asked: Json, url: str, *, now: datetime) -> Json:
    """Return a page of the books; *payout* asks for what one payout consists of."""
    ripen(account, now=now)
    payout = asked.get("payout")
    if payout is None:
        return page_of(account, "balance_transaction", asked, url)
    account.get("payout", payout, param="payout")
    rest = {name: value for name, value in asked.items() if name != "payout"}
    return page_of(
        account,
        "balance_transaction",
        rest,
        url,
        only=lambda each: _payout_of(account, each) == payout,
    )


def pay_out(account: Account, *, now: datetime) -> list[Json]:
    """Pay out what is available in every currency. Return the payouts."""
    ripen(account, now=now)
    return [
        _pay_out(account, currency, amount, now)
        for (currency, status), amount in sorted(_sums(account).items())
        if status == "available" and amount > 0
    ]


def _pay_out(account: Account, currency: str, amount: int, now: datetime) -> Json:
    payout = new(
        account,
        stripe.Payout,
        "po",
        now,
        object="payout",
        amount=amount,
        arrival_date=int((now + PAYOUT_TAKES).timestamp()),
        automatic=True,
        currency=currency,
        destination=account.new_id("ba"),
        metadata={},
        method="standard",
        reconciliation_status="completed",
        source_type="card",
        status="paid",
        type="bank_account",
    )
    transaction = move_money(account, payout, "payout", amount=-amount, now=now)
    payout["balance_transaction"] = transaction["id"]
    for each in account.rows("balance_transaction"):
        if _is_paid_out_by(account, each, currency):
            part = {"id": each["id"], "object": "paid_out", "payout": payout["id"]}
            account.keep(part)
    account.tell("payout.created", account.keep(payout), now=now)
    account.tell("payout.paid", payout, now=now)
    return payout


def _is_paid_out_by(account: Account, transaction: Json, currency: str) -> bool:
    mine = transaction["currency"] == currency and transaction["status"] == "available"
    return mine and _payout_of(account, transaction) is None


def _payout_of(account: Account, transaction: Json) -> str | None:
    part = account.find("paid_out", transaction["id"])
    return None if part is None else str(part["payout"])


def _sums(account: Account) -> Counter[tuple[str, str]]:
    sums: Counter[tuple[str, str]] = Counter()
    for each in account.rows("balance_transaction"):
        sums[each["currency"], each["status"]] += each["net"]
    return sums
