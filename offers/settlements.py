"""Settlements: what is left of each order in the provider's books."""

from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from offers.ledger import LedgerEntry
from offers.money import Money


@dataclass(frozen=True, slots=True)
class Settled:
    """What the provider has booked: its *fee*, and the *net* that is left.

    Both are of the account's own currency.
    """

    fee: Money
    net: Money


def settled_by_order(session: Session, retailer_id: str) -> dict[str, Settled]:
    """Return what was booked for each order of a retailer that the books know of."""
    statement = (
        select(
            LedgerEntry.order_id,
            LedgerEntry.currency,
            func.sum(LedgerEntry.fee),
            func.sum(LedgerEntry.net),
        )
        .where(
            LedgerEntry.retailer_id == retailer_id,
            col(LedgerEntry.order_id).is_not(None),
        )
        .group_by(col(LedgerEntry.order_id), col(LedgerEntry.currency))
    )
    return {
        str(order_id): Settled(Money(int(fee), currency), Money(int(net), currency))
        for order_id, currency, fee, net in session.exec(statement)
    }
