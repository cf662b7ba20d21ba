"""Claims: shoppers' wishes for units, granted in batches.

All claims of a batch are one transaction, granted in the order of their arrival; the
last units go to exactly as many as there are, and the same key gives the same hold.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, insert
from sqlmodel import Session, col, select

from offers.deals import Deal, Phase
from offers.errors import (
    AllHeld,
    DealClosed,
    DealNotOpen,
    LimitReached,
    Missing,
    OfferError,
    SoldOut,
)
from offers.holds import Hold, HoldState
from offers.ids import new_code, new_id

Name = tuple[str, str]
Answers = dict[Name, Hold | OfferError]


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
    granted: Answers = {}
    for deal_id, wanted in groupby(
        sorted(claims, key=lambda claim: claim.deal_id), lambda claim: claim.deal_id
    ):
        granted |= _claim(session, deal_id, list(wanted), now)
    session.flush()
    return [granted[_name(claim)] for claim in claims]


def _claim(
    session: Session, deal_id: str, claims: list[Claim], now: datetime
) -> Answers:
    deal = session.exec(
        select(Deal)
        .where(Deal.id == deal_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if deal is None:
        return {_name(claim): Missing(deal_id, "deal") for claim in claims}
    answers = _granted_before(session, deal_id, claims)
    refusals, rows = _grant(
        deal, claims, answers, _taken(session, deal_id, claims), now
    )
    session.flush()
    holds = session.scalars(insert(Hold).returning(Hold), rows) if rows else ()
    return answers | refusals | {(hold.deal_id, hold.key): hold for hold in holds}


def _grant(
    deal: Deal,
    claims: Sequence[Claim],
    before: Container[Name],
    taken: dict[str, int],
    now: datetime,
) -> tuple[dict[Name, OfferError], list[dict[str, object]]]:
    """Return what is refused, and the rows of what is granted."""
    refusals: dict[Name, OfferError] = {}
    rows: dict[Name, dict[str, object]] = {}
    for claim in claims:
        if (name := _name(claim)) in before or name in rows:
            continue
        had = taken.get(claim.shopper, 0)
        refusal = _why_not(deal, claim, had, now)
        if refusal is not None:
            refusals[name] = refusal
            continue
        refusals.pop(name, None)
        taken[claim.shopper] = had + claim.quantity
        rows[name] = _set_aside(deal, claim, now)
    return refusals, list(rows.values())


def _set_aside(deal: Deal, claim: Claim, now: datetime) -> dict[str, object]:
    """Return the row of a hold; a hundred of them go in as one statement."""
    deal.held += claim.quantity
    return {
        "id": new_id("hold", now),
        "retailer_id": deal.retailer_id,
        "deal_id": deal.id,
        "post_id": claim.post_id,
        "token": new_code(),
        "key": claim.key,
        "shopper": claim.shopper,
        "title": deal.title,
        "quantity": claim.quantity,
        "unit_amount": deal.price_amount,
        "currency": deal.currency,
        "state": HoldState.HELD,
        "request": "",
        "account_id": "",
        "checkout_url": "",
        "address": "",
        "attempts": 0,
        "extended": False,
        "held_at": now,
        "expires_at": now + deal.hold_for,
    }


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


def _granted_before(session: Session, deal_id: str, claims: Sequence[Claim]) -> Answers:
    """Asked under the deal's lock: the same key may be coming by another process."""
    keys = {claim.key for claim in claims}
    statement = select(Hold).where(Hold.deal_id == deal_id, col(Hold.key).in_(keys))
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


def _name(claim: Claim) -> Name:
    return claim.deal_id, claim.key
