"""Orders: holds that were paid for."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlmodel import Field, Session, SQLModel, col, select

from offers.allotments import lock_offer, spare_units
from offers.catalog import Offer
from offers.checkouts import Checkout
from offers.columns import Moment, word
from offers.deals import Deal
from offers.errors import Missing, PaidTooLate, ShopSold
from offers.holds import Hold, HoldState, end_hold, sell_free
from offers.ids import new_code, new_id
from offers.money import Money
from offers.stock import Cause, move_stock


class Way(StrEnum):
    """How an order was paid."""

    ONLINE = "online"
    STORE = "store"


class Order(SQLModel, table=True):
    """*code* is the shopper's key to its page; *payment_id* the provider's.

    *account_id* is the payment account that took the money, empty for the house's;
    *redeemed_by* the merchant who took it in the store.
    """

    __tablename__ = "orders"  # "order" is a reserved word in SQL
    __table_args__ = (Index("ix_orders_retailer", "retailer_id", "paid_at"),)

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    deal_id: str = Field(foreign_key="deal.id", index=True)
    post_id: str = Field(foreign_key="post.id", index=True)
    hold_id: str = Field(foreign_key="hold.id", unique=True)
    code: str = Field(unique=True)
    payment_id: str = Field(unique=True)
    account_id: str = ""
    way: Way = Field(default=Way.ONLINE, sa_type=word(Way))
    redeemed_by: str = ""
    title: str
    quantity: int
    total_amount: int = Field(sa_type=BigInteger)
    refunded_amount: int = Field(default=0, sa_type=BigInteger)
    currency: str = Field(max_length=3)
    email: str = Field(default="", repr=False)
    name: str = Field(default="", repr=False)
    address: str = Field(default="", repr=False)
    paid_at: datetime = Field(sa_type=Moment)

    @property
    def total(self) -> Money:
        return Money(self.total_amount, self.currency)

    @property
    def refunded(self) -> Money:
        return Money(self.refunded_amount, self.currency)


def find_order_of_hold(session: Session, hold_id: str) -> Order | None:
    return session.exec(select(Order).where(Order.hold_id == hold_id)).one_or_none()


def settle(session: Session, hold: Hold, checkout: Checkout, *, now: datetime) -> Order:
    """Turn a hold that was paid for into an order; it must not be one yet.

    A payment may come after its hold was released. If the units are still free, the
    shopper gets them. So it is with a hold whose units the shop sold.

    Raises:
        PaidTooLate: If the units are gone; the payment is to be refunded.
    """
    offer = lock_offer(session, hold.deal_id)
    kept = HoldState.RELEASED if hold.lost_at else HoldState.PAID
    ended = end_hold(session, hold.id, kept, now=now)
    sold = ended and kept is HoldState.PAID
    if not sold and not _sell_late(session, hold, offer, now):
        raise ShopSold(hold.id) if hold.lost_at else PaidTooLate(hold.id)
    return _sell(
        session,
        hold,
        offer,
        payment_id=checkout.payment_id,
        account_id=checkout.account_id,
        email=checkout.email,
        name=checkout.name,
        address=checkout.address,
        now=now,
    )


def _sell_late(session: Session, hold: Hold, offer: Offer, now: datetime) -> bool:
    """Sell units that are free by now. Return whether there were.

    What a deal had left when it closed may be another's by now, or the shop's.
    """
    deal = session.get_one(Deal, hold.deal_id, populate_existing=True)
    spare = None if deal.closed_at is None else spare_units(session, offer)
    if spare is not None and spare < hold.quantity:
        return False
    return sell_free(session, hold, now=now)


def settle_in_store(
    session: Session, hold: Hold, *, redeemed_by: str, now: datetime
) -> Order | None:
    """Turn a reserved hold into an order; the money is in the store's own till.

    ``None`` if its units are not reserved any more.
    """
    offer = lock_offer(session, hold.deal_id)
    if not end_hold(session, hold.id, HoldState.PAID, now=now):
        return None
    return _sell(
        session,
        hold,
        offer,
        now=now,
        payment_id=f"store-{hold.id}",
        way=Way.STORE,
        redeemed_by=redeemed_by,
    )


def _sell(
    session: Session, hold: Hold, offer: Offer, *, now: datetime, **paid: Any
) -> Order:
    """Make the order of a hold whose units were just sold, and take them off stock."""
    order = Order(
        id=new_id("order", now),
        retailer_id=hold.retailer_id,
        deal_id=hold.deal_id,
        post_id=hold.post_id,
        hold_id=hold.id,
        code=new_code(),
        title=hold.title,
        quantity=hold.quantity,
        total_amount=hold.total.amount,
        currency=hold.total.currency,
        paid_at=now,
        **paid,
    )
    session.add(order)
    session.flush()
    units = -order.quantity
    move_stock(session, offer, units, cause=Cause.ORDER, source_id=order.id, now=now)
    return order


def get_order_by_code(session: Session, code: str) -> Order:
    """Return the order that a shopper has the *code* of.

    Raises:
        Missing: If there is none.
    """
    order = session.exec(select(Order).where(Order.code == code)).one_or_none()
    if order is None:
        raise Missing(code, "order")
    return order


def units_sold_since(
    session: Session, retailer_id: str, offer_id: str, since: datetime
) -> int:
    """Return how many units of an offer were paid for here after *since*."""
    statement = (
        select(Order.quantity)
        .join(Deal, col(Deal.id) == col(Order.deal_id))
        .where(
            Order.retailer_id == retailer_id,
            Deal.offer_id == offer_id,
            Order.paid_at > since,
        )
    )
    return sum(session.exec(statement))


def orders(
    session: Session, retailer_id: str, *, deal_id: str = "", limit: int = 100
) -> list[Order]:
    """Return a retailer's orders, the latest first."""
    statement = select(Order).where(Order.retailer_id == retailer_id)
    if deal_id:
        statement = statement.where(Order.deal_id == deal_id)
    return list(
        session.exec(statement.order_by(col(Order.paid_at).desc()).limit(limit))
    )
