"""Holds: units set aside, at a fixed price, while a shopper pays.

    held → creating → open → paid
      │        │        ├→ processing → paid
      └────────┴────────┴→ released · review

    reserved → paid | released      (paid in the store, without a provider)

A hold's units leave ``Deal.held`` exactly once, because every end begins with the same
conditional UPDATE of its state. Once a payment page was asked for, only the provider's
word that no money can come gives the units back: never our clock alone.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.allotments import fit_to_stock, lock_offer
from offers.columns import Moment, word
from offers.deals import Deal
from offers.errors import (
    Missing,
    WrongState,
)
from offers.money import Money
from offers.sentences import Sentence


class HoldState(StrEnum):
    HELD = "held"
    RESERVED = "reserved"
    CREATING = "creating"
    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    RELEASED = "released"
    REVIEW = "review"


UNPAGED = (HoldState.HELD, HoldState.CREATING)
PAYABLE = (*UNPAGED, HoldState.OPEN)
UNASKED = (HoldState.HELD, HoldState.RESERVED)
UNPAID = (*PAYABLE, HoldState.RESERVED)
ACTIVE = (*UNPAID, HoldState.PROCESSING, HoldState.REVIEW)


def _partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """A claim pays for every index it is in, so each has only who is looked for."""
    rows = text(where)
    return Index(
        name, *columns, unique=unique, postgresql_where=rows, sqlite_where=rows
    )


class Hold(SQLModel, table=True):
    """*token* is the shopper's key to it, *key* what made it: the same gives the same.

    *request* is what the provider was or will be asked, to be repeated to the letter;
    *account_id* is the payment account it is asked of, empty for the house's own.
    *pickup_code* is what a shopper shows in the store, for a hold that is reserved.
    *lost_at* is when the shop turned out to have sold its units meanwhile.
    """

    __table_args__ = (
        UniqueConstraint("deal_id", "key"),
        # Only one index begins with the deal: which to take must be plain to a planner
        # that has no statistics yet.
        Index("ix_hold_shopper", "shopper", "deal_id"),
        _partial("ix_hold_address", "address", "deal_id", where="address <> ''"),
        _partial("ix_hold_due", "expires_at", where="ended_at IS NULL"),
        _partial(
            "ix_hold_line", "id", where="checkout_id IS NULL AND ended_at IS NULL"
        ),
        _partial("ix_hold_checkout", "checkout_id", where="checkout_id IS NOT NULL"),
        _partial(
            "ix_hold_pickup",
            "retailer_id",
            "pickup_code",
            where="pickup_code IS NOT NULL",
            unique=True,
        ),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id")
    deal_id: str = Field(foreign_key="deal.id")
    post_id: str = Field(foreign_key="post.id")
    token: str = Field(unique=True)
    key: str
    shopper: str
    title: str
    quantity: int
    unit_amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    state: HoldState = Field(default=HoldState.HELD, sa_type=word(HoldState))
    request: str = ""
    account_id: str = ""
    checkout_id: str | None = None
    checkout_url: str = ""
    checked_at: datetime | None = Field(default=None, sa_type=Moment)
    address: str = ""
    pickup_code: str | None = None
    attempts: int = 0
    leased_until: datetime | None = Field(default=None, sa_type=Moment)
    extended: bool = False
    held_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    lost_at: datetime | None = Field(default=None, sa_type=Moment)

    @property
    def total(self) -> Money:
        return Money(self.unit_amount, self.currency) * self.quantity


def get_hold(session: Session, hold_id: str) -> Hold:
    """Return a hold.

    Raises:
        Missing: If there is none.
    """
    hold = session.get(Hold, hold_id)
    if hold is None:
        raise Missing(hold_id, "hold")
    return hold


def get_hold_by_token(session: Session, token: str) -> Hold:
    """Return the hold that a shopper has the *token* of.

    Raises:
        Missing: If there is none.
    """
    hold = session.exec(select(Hold).where(Hold.token == token)).one_or_none()
    if hold is None:
        raise Missing(token, "hold")
    return hold


def find_payable_hold(session: Session, deal_id: str, shopper: str) -> Hold | None:
    """Return what *shopper* holds of a deal and has not paid yet, here or in store."""
    statement = select(Hold).where(
        Hold.deal_id == deal_id,
        Hold.shopper == shopper,
        col(Hold.state).in_(UNPAID),
    )
    return session.exec(statement.order_by(col(Hold.held_at))).first()


def find_hold_of(session: Session, deal_id: str, shopper: str) -> Hold | None:
    """Return what became of *shopper* and a deal: what they may pay, or the newest."""
    newest = select(Hold).where(Hold.deal_id == deal_id, Hold.shopper == shopper)
    return (
        find_payable_hold(session, deal_id, shopper)
        or session.exec(newest.order_by(col(Hold.held_at).desc())).first()
    )


def give_up_hold(session: Session, token: str, *, now: datetime) -> Hold:
    """The shopper no longer wants it; without a payment page it ends at once.

    Raises:
        Missing: If there is no such hold.
    """
    hold = get_hold_by_token(session, token)
    if hold.state in UNASKED:
        end_hold(session, hold.id, HoldState.RELEASED, now=now)
    else:
        session.exec(
            update(Hold)
            .where(col(Hold.id) == hold.id, col(Hold.state).in_(PAYABLE))
            .values(expires_at=now)
        )
    session.refresh(hold)
    return hold


def extend_hold(session: Session, token: str, *, now: datetime) -> Hold:
    """Give a shopper the same time again, once.

    Raises:
        Missing: If there is no such hold.
        WrongState: If it was extended before or is over.
    """
    hold = get_hold_by_token(session, token)
    deal = session.get_one(Deal, hold.deal_id)
    extended = session.exec(
        update(Hold)
        .where(
            col(Hold.id) == hold.id,
            col(Hold.extended).is_(False),
            col(Hold.state).in_(PAYABLE),
            col(Hold.expires_at) > now,
        )
        .values(extended=True, expires_at=hold.expires_at + deal.hold_for)
    )
    if extended.rowcount == 0:
        raise WrongState(Sentence("This hold cannot be extended any more."))
    session.refresh(hold)
    return hold


def end_hold(
    session: Session, hold_id: str, state: HoldState, *, now: datetime
) -> bool:
    """Take an active hold's units out of ``Deal.held``. Return whether it was active.

    To ``PAID`` they become sold, otherwise they are free again, unless the retailer's
    stock no longer has them.
    """
    ended = session.exec(
        update(Hold)
        .where(col(Hold.id) == hold_id, col(Hold.state).in_(ACTIVE))
        .values(state=state, ended_at=now)
        .returning(col(Hold.deal_id), col(Hold.quantity))
    ).one_or_none()
    if ended is None:
        return False
    deal_id, units = ended
    offer = lock_offer(session, deal_id)
    if state is HoldState.PAID:
        _move_units(session, deal_id, {"held": -units, "sold": units})
    else:
        _move_units(session, deal_id, {"held": -units})
        fit_to_stock(session, offer)
    return True


def sell_free(session: Session, hold: Hold, *, now: datetime) -> bool:
    """Sell units that are free to a hold that was released. Return whether there were.

    The deal may have ended meanwhile: the shopper paid while it ran.
    """
    sold = session.exec(
        update(Deal)
        .where(
            col(Deal.id) == hold.deal_id,
            col(Deal.allotment) - col(Deal.withheld) - col(Deal.held) - col(Deal.sold)
            >= hold.quantity,
        )
        .values(sold=col(Deal.sold) + hold.quantity)
    )
    if sold.rowcount == 0:
        return False
    change_state(session, hold.id, HoldState.PAID, now=now)
    return True


def change_state(
    session: Session, hold_id: str, state: HoldState, *, now: datetime
) -> None:
    """Note what became of a hold; its units stay where they are."""
    ended_at = None if state in ACTIVE else now
    session.exec(
        update(Hold)
        .where(col(Hold.id) == hold_id)
        .values(state=state, leased_until=None, ended_at=ended_at)
    )


def _move_units(session: Session, deal_id: str, changes: Mapping[str, int]) -> None:
    values = {name: getattr(Deal, name) + change for name, change in changes.items()}
    session.exec(update(Deal).where(col(Deal.id) == deal_id).values(values))
