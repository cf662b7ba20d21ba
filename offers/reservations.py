"""Reservations: holds that a shopper pays for in the store.

The shopper shows a code, or its QR, and the merchant takes the money and redeems it:
once. What is not redeemed returns at its time, like every hold.
"""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from offers.deals import Deal
from offers.errors import Missing
from offers.holds import Hold, HoldState
from offers.merchants import Merchant
from offers.money import Money
from offers.orders import Order, find_order_of_hold
from offers.sentences import Sentence

# What people write for what Crockford's alphabet has
# (https://www.crockford.com/base32.html, decoding).
MISREAD = str.maketrans({"o": "0", "i": "1", "l": "1", " ": "", "-": ""})


@dataclass(frozen=True, slots=True)
class Reservation:
    """A hold for the store as the merchant sees it; *order* is there once redeemed."""

    hold: Hold
    deal: Deal
    order: Order | None
    redeemed_by: str

    @property
    def unit(self) -> Money:
        return Money(self.hold.unit_amount, self.hold.currency)

    @property
    def redeemable(self) -> bool:
        return self.hold.state is HoldState.RESERVED


def read_pickup_code(text: str) -> str:
    """Return a code as we write it, however it was typed or read out."""
    return text.strip().lower().translate(MISREAD)


def get_reservation(session: Session, retailer_id: str, code: str) -> Reservation:
    """Return what a shopper reserved, by the *code* that they show.

    Raises:
        Missing: If this retailer has no such reservation.
    """
    hold = _find(session, retailer_id, code)
    order = find_order_of_hold(session, hold.id)
    return Reservation(
        hold, session.get_one(Deal, hold.deal_id), order, _name(session, order)
    )


def lock_reservation(session: Session, retailer_id: str, code: str) -> Hold:
    """Return a reserved hold, locked: one merchant at a time redeems it.

    Raises:
        Missing: If this retailer has no such reservation.
    """
    return _find(session, retailer_id, code, lock=True)


def why_not_redeemable(session: Session, hold: Hold) -> Sentence:
    """Say what became of a reservation that cannot be redeemed any more."""
    order = find_order_of_hold(session, hold.id)
    if order is None and hold.lost_at is not None:
        return Sentence(
            "This reservation is over: the shop sold its units to somebody else."
        )
    if order is None:
        return Sentence("This reservation is over, and its units are on sale again.")
    return Sentence(
        "This code was redeemed before, by {name}.", name=_name(session, order)
    )


def _find(session: Session, retailer_id: str, code: str, *, lock: bool = False) -> Hold:
    wanted = read_pickup_code(code)
    statement = select(Hold).where(
        Hold.retailer_id == retailer_id,
        Hold.pickup_code == wanted,
        col(Hold.pickup_code) != "",
    )
    if lock:
        statement = statement.with_for_update(key_share=True)
    found = session.exec(statement.execution_options(populate_existing=True))
    hold = found.one_or_none()
    if hold is None:
        raise Missing(wanted, "reservation")
    return hold


def _name(session: Session, order: Order | None) -> str:
    merchant = session.get(Merchant, order.redeemed_by) if order else None
    return merchant.name if merchant else ""
