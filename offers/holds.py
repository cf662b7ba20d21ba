"""Holds: units set aside, at a fixed price, while a shopper pays.

    held → creating → open → paid
      │        │        ├→ processing → paid
      └────────┴────────┴→ released · review

A hold's units leave ``Deal.held`` exactly once, because every end begins with the same
conditional UPDATE of its state. Once a payment page was asked for, only the provider's
word that no money can come gives the units back: never our clock alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from sqlalchemy import BigInteger, Index, UniqueConstraint, func, tuple_
from sqlmodel import Field, Session, SQLModel, col, select, update

from offers.columns import Moment, word
from offers.deals import Deal, Phase, fit_to_stock, lock_offer
from offers.errors import (
    AllHeld,
    DealClosed,
    DealNotOpen,
    LimitReached,
    Missing,
    OfferError,
    SoldOut,
    WrongState,
)
from offers.ids import new_code, new_id
from offers.money import Money
from offers.sentences import Sentence

LEASE = timedelta(seconds=40)


class HoldState(StrEnum):
    HELD = "held"
    CREATING = "creating"
    OPEN = "open"
    PROCESSING = "processing"
    PAID = "paid"
    RELEASED = "released"
    REVIEW = "review"


UNPAGED = (HoldState.HELD, HoldState.CREATING)
PAYABLE = (*UNPAGED, HoldState.OPEN)
ACTIVE = (*PAYABLE, HoldState.PROCESSING, HoldState.REVIEW)


class Hold(SQLModel, table=True):
    """*token* is the shopper's key to it, *key* what made it: the same gives the same.

    *request* is what the provider was or will be asked, to be repeated to the letter.
    """

    __table_args__ = (
        UniqueConstraint("deal_id", "key"),
        Index("ix_hold_shopper", "deal_id", "shopper"),
        Index("ix_hold_state", "state", "expires_at"),
    )

    id: str = Field(primary_key=True)
    retailer_id: str = Field(foreign_key="retailer.id", index=True)
    deal_id: str = Field(foreign_key="deal.id")
    post_id: str = Field(foreign_key="post.id", index=True)
    token: str = Field(unique=True)
    key: str
    shopper: str
    title: str
    quantity: int
    unit_amount: int = Field(sa_type=BigInteger)
    currency: str = Field(max_length=3)
    state: HoldState = Field(default=HoldState.HELD, sa_type=word(HoldState))
    request: str = ""
    checkout_id: str | None = Field(default=None, index=True)
    checkout_url: str = ""
    attempts: int = 0
    leased_until: datetime | None = Field(default=None, sa_type=Moment)
    extended: bool = False
    held_at: datetime = Field(sa_type=Moment)
    expires_at: datetime = Field(sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)

    @property
    def total(self) -> Money:
        return Money(self.unit_amount, self.currency) * self.quantity


@dataclass(frozen=True, slots=True)
class Claim:
    """A shopper's wish for *quantity* units of a deal, met by way of a post."""

    deal_id: str
    post_id: str
    key: str
    shopper: str
    quantity: int = 1

    def __post_init__(self) -> None:
        if self.quantity < 1:
            msg = "a hold needs at least one unit"
            raise ValueError(msg)


def place_holds(
    session: Session, claims: Sequence[Claim], *, now: datetime
) -> list[Hold | OfferError]:
    """Grant *claims* in their order; answer each with its hold or its refusal.

    A claim whose key was granted before gets the same hold. All of them are one
    transaction; the last units go to exactly as many as there are.
    """
    granted: dict[tuple[str, str], Hold | OfferError] = {}
    for deal_id, wanted in groupby(
        sorted(claims, key=lambda claim: claim.deal_id), lambda claim: claim.deal_id
    ):
        granted |= _claim(session, deal_id, list(wanted), now)
    session.flush()
    return [granted[_name(claim)] for claim in claims]


def _claim(
    session: Session, deal_id: str, claims: list[Claim], now: datetime
) -> dict[tuple[str, str], Hold | OfferError]:
    deal = session.exec(
        select(Deal)
        .where(Deal.id == deal_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if deal is None:
        return {_name(claim): Missing(deal_id, "deal") for claim in claims}
    taken = _taken(session, deal_id, claims)
    answers = _granted_before(session, claims)
    for claim in claims:
        if _name(claim) in answers:
            continue
        had = taken.get(claim.shopper, 0)
        answer = _why_not(deal, claim, had, now) or _set_aside(deal, claim, now)
        if isinstance(answer, Hold):
            taken[claim.shopper] = had + claim.quantity
            session.add(answer)
        answers[_name(claim)] = answer
    return answers


def _set_aside(deal: Deal, claim: Claim, now: datetime) -> Hold:
    deal.held += claim.quantity
    return Hold(
        id=new_id("hold", now),
        retailer_id=deal.retailer_id,
        deal_id=deal.id,
        post_id=claim.post_id,
        token=new_code(),
        key=claim.key,
        shopper=claim.shopper,
        title=deal.title,
        quantity=claim.quantity,
        unit_amount=deal.price_amount,
        currency=deal.currency,
        held_at=now,
        expires_at=now + deal.hold_for,
    )


def _why_not(deal: Deal, claim: Claim, had: int, now: datetime) -> OfferError | None:
    match deal.phase(now):
        case Phase.SCHEDULED:
            return DealNotOpen(deal.id)
        case Phase.ENDED:
            return DealClosed(deal.id)
        case Phase.SOLD_OUT:
            return SoldOut(deal.id, wanted=claim.quantity, left=0)
        case Phase.ALL_HELD:
            return AllHeld(deal.id)
        case Phase.OPEN:
            return _over(deal, claim, had)


def _over(deal: Deal, claim: Claim, had: int) -> OfferError | None:
    if had + claim.quantity > deal.limit_per_shopper:
        return LimitReached(deal.limit_per_shopper)
    if claim.quantity > deal.left:
        return SoldOut(deal.id, wanted=claim.quantity, left=deal.left)
    return None


def _granted_before(
    session: Session, claims: Sequence[Claim]
) -> dict[tuple[str, str], Hold | OfferError]:
    """Asked under the deal's lock: the same key may be coming by another process."""
    names = [_name(claim) for claim in claims]
    statement = select(Hold).where(tuple_(Hold.deal_id, Hold.key).in_(names))
    return {(hold.deal_id, hold.key): hold for hold in session.exec(statement)}


def _taken(session: Session, deal_id: str, claims: list[Claim]) -> dict[str, int]:
    statement = (
        select(Hold.shopper, func.sum(col(Hold.quantity)))
        .where(
            Hold.deal_id == deal_id,
            col(Hold.shopper).in_({claim.shopper for claim in claims}),
            col(Hold.state) != HoldState.RELEASED,
        )
        .group_by(col(Hold.shopper))
    )
    return {shopper: int(units) for shopper, units in session.exec(statement)}


def _name(claim: Claim) -> tuple[str, str]:
    return claim.deal_id, claim.key


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
    """Return what *shopper* holds of a deal and has not paid yet."""
    statement = select(Hold).where(
        Hold.deal_id == deal_id,
        Hold.shopper == shopper,
        col(Hold.state).in_(PAYABLE),
    )
    return session.exec(statement.order_by(col(Hold.held_at))).first()


def begin_checkout(
    session: Session, hold_id: str, request: str, *, now: datetime
) -> Hold | None:
    """Write down what the provider is about to be asked, and take the lease.

    An earlier *request* stands: who repeats must repeat to the letter. ``None`` if the
    hold has its page already, has ended, or somebody else is asking just now.
    """
    begun = session.exec(
        update(Hold)
        .where(
            col(Hold.id) == hold_id,
            col(Hold.state).in_(UNPAGED),
            col(Hold.leased_until).is_(None) | (col(Hold.leased_until) <= now),
        )
        .values(
            state=HoldState.CREATING,
            request=func.coalesce(func.nullif(col(Hold.request), ""), request),
            attempts=col(Hold.attempts) + 1,
            leased_until=now + LEASE,
        )
    )
    if begun.rowcount == 0:
        return None
    hold = get_hold(session, hold_id)
    session.refresh(hold)
    return hold


def open_checkout(session: Session, hold_id: str, checkout_id: str, url: str) -> None:
    """The payment page exists."""
    session.exec(
        update(Hold)
        .where(col(Hold.id) == hold_id, col(Hold.state) == HoldState.CREATING)
        .values(
            state=HoldState.OPEN,
            checkout_id=checkout_id,
            checkout_url=url,
            leased_until=None,
        )
    )


def forget_checkout(session: Session, hold_id: str, *, until: datetime) -> None:
    """The provider provably made no page: ask afresh, at *until* at the earliest."""
    session.exec(
        update(Hold)
        .where(col(Hold.id) == hold_id, col(Hold.state) == HoldState.CREATING)
        .values(state=HoldState.HELD, request="", leased_until=until)
    )


def put_off_checkout(session: Session, hold_id: str, *, until: datetime) -> None:
    """Nobody knows yet what became of it: ask again at *until*."""
    session.exec(update(Hold).where(col(Hold.id) == hold_id).values(leased_until=until))


def unopened_holds(session: Session, *, now: datetime, limit: int = 50) -> list[Hold]:
    """Return holds that still lack their payment page, those held longest first."""
    statement = (
        select(Hold)
        .where(
            col(Hold.state).in_(UNPAGED),
            col(Hold.expires_at) > now,
            col(Hold.held_at) <= now - timedelta(seconds=3),
            col(Hold.leased_until).is_(None) | (col(Hold.leased_until) <= now),
        )
        .order_by(col(Hold.held_at))
        .limit(limit)
    )
    return list(session.exec(statement))


def lease_lapsed_holds(
    session: Session, *, now: datetime, limit: int = 50
) -> list[Hold]:
    """Take holds whose time is up and that the provider has to be asked about.

    Those that never asked for a payment page are released right here.
    """
    lapsed = (
        col(Hold.state).in_(PAYABLE),
        col(Hold.expires_at) <= now,
        col(Hold.leased_until).is_(None) | (col(Hold.leased_until) <= now),
    )
    first = (
        select(Hold.id)
        .where(*lapsed)
        .order_by(col(Hold.expires_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    leased = session.scalars(
        update(Hold)
        .where(*lapsed, col(Hold.id).in_(first))
        .values(leased_until=now + LEASE)
        .returning(Hold)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).all()
    unasked = {hold.id for hold in leased if hold.state is HoldState.HELD}
    for hold_id in unasked:
        end_hold(session, hold_id, HoldState.RELEASED, now=now)
    return [hold for hold in leased if hold.id not in unasked]


def give_up_hold(session: Session, token: str, *, now: datetime) -> Hold:
    """The shopper no longer wants it; without a payment page it ends at once.

    Raises:
        Missing: If there is no such hold.
    """
    hold = get_hold_by_token(session, token)
    if hold.state is HoldState.HELD:
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
