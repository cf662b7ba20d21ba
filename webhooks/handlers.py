"""What an arrival means for offers: one ``match``.

Of a payment page, a refund or a dispute an arrival says only that there is news; the
caller brings it as the provider describes it now (``checkout_to_fetch`` and its like),
since messages may be late, repeated or out of order.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from offers.checkouts import Checkout
from offers.connecting import deauthorise, note_standing
from offers.disputes import DisputeWord
from offers.errors import Missing
from offers.payment_accounts import HOUSE, AccountWord
from offers.refund_news import RefundWord
from webhooks.inbox import Arrival, mark_handled
from webhooks.refunding import settle_dispute, settle_refunds
from webhooks.settling import settle_checkout
from webhooks.stocking import take_message

STRIPE = "stripe"
STOCK = "stock"

PATIENCE = 8
"""So often news of a payment that we do not know may come too early: some hours."""


class NotYet(Exception):
    """It is about a payment that may become ours: its order is not written yet."""


@dataclass(frozen=True, slots=True)
class RefundsOf:
    """Everything that was given back of a payment, as the provider says now."""

    payment_id: str
    refunds: tuple[RefundWord, ...]


News = Checkout | RefundsOf | DisputeWord | AccountWord


def checkout_to_fetch(arrival: Arrival) -> str | None:
    """Return the id of the payment page that an arrival is about, if it is."""
    match arrival.source, arrival.type.split("."), arrival.payload:
        case "stripe", ["checkout", "session", _], {"id": str(checkout_id)}:
            return checkout_id
    return None


def payment_to_fetch(arrival: Arrival) -> str | None:
    """Return the id of the payment of whose refunds an arrival has news, if it has."""
    match arrival.source, arrival.type.split("."), arrival.payload:
        case "stripe", ["refund", _], {"payment_intent": str(payment_id)}:
            return payment_id
        case (
            "stripe",
            ["charge", "refunded"] | ["charge", "refund", _],
            {"payment_intent": str(payment_id)},
        ):
            return payment_id
    return None


def dispute_to_fetch(arrival: Arrival) -> str | None:
    """Return the id of the dispute that an arrival is about, if it is."""
    match arrival.source, arrival.type.split("."), arrival.payload:
        case "stripe", ["charge", "dispute", _], {"id": str(dispute_id)}:
            return dispute_id
    return None


def is_about_the_account(arrival: Arrival) -> bool:
    """Whether the account itself is to be fetched, connected or of its own key."""
    about = arrival.source == STRIPE and arrival.type == "account.updated"
    return about and arrival.account_id != HOUSE


def handle(
    session: Session,
    arrival: Arrival,
    news: News | None,
    *,
    livemode: bool,
    now: datetime,
) -> str:
    """Act on *arrival*, and never again. Return what became of it, in a few words.

    Raises:
        NotYet: If it came before what it is about; hand it over again later.
    """
    if not mark_handled(session, arrival.id, "", now=now):
        return "handled before"
    outcome = _act(session, arrival, news, livemode=livemode, now=now)
    arrival.handled_at, arrival.outcome = now, outcome
    session.merge(arrival)
    return outcome


def _act(
    session: Session,
    arrival: Arrival,
    news: News | None,
    *,
    livemode: bool,
    now: datetime,
) -> str:
    match arrival.source, arrival.type, arrival.payload:
        case "stripe", _, _ if isinstance(news, Checkout):
            return _settle(session, news, livemode=livemode, now=now)
        case "stripe", _, _ if isinstance(news, RefundsOf | DisputeWord):
            return _settle_payment(session, arrival, news, now)
        case "stripe", _, _ if isinstance(news, AccountWord):
            in_use = note_standing(
                session,
                arrival.account_id,
                enabled=news.enabled,
                name=news.name,
                now=now,
            )
            return "account in use" if in_use else "account not in use"
        case "stripe", "account.application.deauthorized", _:
            ended = deauthorise(session, arrival.account_id, now=now)
            return "account ended" if ended else "account ended before"
        case "stock" | "shop", _, _:
            return take_message(session, arrival, now=now)
    return "nothing to do"


def _settle_payment(
    session: Session, arrival: Arrival, news: RefundsOf | DisputeWord, now: datetime
) -> str:
    account_id = arrival.account_id
    try:
        if isinstance(news, DisputeWord):
            return settle_dispute(session, account_id, news, now=now)
        return settle_refunds(
            session, account_id, news.payment_id, news.refunds, now=now
        )
    except Missing as error:
        if arrival.attempts < PATIENCE:
            raise NotYet(error.key) from error
        return "not a payment of ours"


def _settle(
    session: Session, checkout: Checkout, *, livemode: bool, now: datetime
) -> str:
    try:
        return settle_checkout(session, checkout, livemode=livemode, now=now)
    except Missing:
        return "not a hold of ours"
