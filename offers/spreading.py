"""Spreading: each proposal gets a slot of its own, in which nothing else goes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from sqlmodel import Session

from offers.accounts import ChannelAccount, accounts
from offers.calendar import (
    ClashKind,
    Entry,
    Pin,
    entries,
    find_clashes,
)
from offers.catalog import Offer
from offers.planning import DealPlan
from offers.proposals import Proposal
from offers.retailers import Retailer
from offers.slots import Pattern, openings, share_out

USUAL_LIMIT = 2


@dataclass(frozen=True, slots=True)
class Spread:
    """What is to be made of proposals, and those that there is no room for."""

    plans: tuple[DealPlan, ...]
    without_slot: tuple[Proposal, ...]
    without_price: tuple[Proposal, ...]


def spread(
    session: Session,
    retailer: Retailer,
    wanted: Sequence[Proposal],
    pattern: Pattern,
    *,
    now: datetime,
) -> Spread:
    """Give each of *wanted* a slot of its own in which nothing else is posted.

    They are ranked as proposals are, and share the days out by the cash in them.
    """
    priced = [proposal for proposal in wanted if proposal.price is not None]
    free = _free(session, retailer, pattern, now)
    slots = share_out([proposal.tied_up.amount for proposal in priced], free)
    given = list(zip(priced, slots, strict=True))
    plans = [_plan(one, at, pattern) for one, at in given if at is not None]
    return Spread(
        plans=tuple(sorted(plans, key=lambda plan: plan.opens_at)),
        without_slot=tuple(one for one, at in given if at is None),
        without_price=tuple(one for one in wanted if one.price is None),
    )


def title_of(offer: Offer) -> str:
    return f"{offer.title}, {offer.variant}" if offer.variant else offer.title


def _free(
    session: Session, retailer: Retailer, pattern: Pattern, now: datetime
) -> Mapping[date, list[datetime]]:
    """Return the slots near which nothing else goes out on any account."""
    slots = openings(pattern, retailer.zone)
    every = [at for day in slots.values() for at in day]
    if not every:
        return slots
    start, end = min(every) - pattern.run, max(every) + pattern.run
    others = entries(session, retailer.id, start, end, now=now)
    places = [a for a in accounts(session, retailer.id) if not a.paused]
    return {
        day: [
            at
            for at in starts
            if at > now and not _is_taken(at, places, others, retailer.zone)
        ]
        for day, starts in slots.items()
    }


def _is_taken(
    at: datetime,
    places: Sequence[ChannelAccount],
    others: Sequence[Entry],
    zone: tzinfo,
) -> bool:
    pins = tuple(Pin(account_id=p.id, channel=p.kind, at=at) for p in places)
    entry = Entry(offer_id="", title="", opens_at=at, closes_at=at, pins=pins)
    clashes = find_clashes(entry, others, zone)
    return any(clash.kind is ClashKind.NEAR for clash in clashes)


def _plan(proposal: Proposal, at: datetime, pattern: Pattern) -> DealPlan:
    assert proposal.price is not None, "only what has a price is planned"
    return DealPlan(
        offer_id=proposal.offer.id,
        price=proposal.price,
        units=proposal.most,
        limit_per_shopper=max(1, min(USUAL_LIMIT, proposal.most)),
        opens_at=at,
        closes_at=at + pattern.run,
        title=title_of(proposal.offer),
    )
