"""Claims: shoppers' wishes for units, granted in batches.

All claims of a batch are one transaction, granted in the order of their arrival; the
last units go to exactly as many as there are, and the same key gives the same hold.
What is granted is decided here alone; ``claim_rows`` speaks to either database.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from sqlmodel import Session

from offers.claim_rows import (
    Granted,
    Known,
    NewHold,
    Terms,
    add_holds,
    known_holds,
    lock_deal,
    new_pickup_codes,
)
from offers.deals import Phase, left_of, phase_of
from offers.errors import (
    AddressLimitReached,
    AllHeld,
    DealClosed,
    DealNotOpen,
    LimitReached,
    Missing,
    OfferError,
    SoldOut,
    WrongState,
)
from offers.ids import new_dated_code, new_id
from offers.payment_accounts import NoAccount
from offers.sentences import Sentence

NOT_IN_STORE = Sentence("This deal cannot be paid in the store.")
ONLY_IN_STORE = Sentence("This deal is paid in the store: reserve a unit.")

Answer = Granted | OfferError


@dataclass(frozen=True, slots=True)
class Claim:
    """A shopper's wish for *quantity* units of a deal, met by way of a post.

    *address* stands for the network it came from, empty if that is not known. With
    *reserve* the units are to be paid in the store.
    """

    deal_id: str
    post_id: str
    key: str
    shopper: str
    quantity: int = 1
    address: str = ""
    reserve: bool = False

    def __post_init__(self) -> None:
        if self.quantity < 1:
            msg = "a hold needs at least one unit"
            raise ValueError(msg)


def place_holds(
    session: Session,
    claims: Sequence[Claim],
    *,
    now: datetime,
    most_per_address: int = 0,
) -> list[Answer]:
    """Grant *claims* in their order; answer each with its hold or its refusal.

    A claim whose key was granted before gets the same hold. All of them are one
    transaction; the last units go to exactly as many as there are. Of each deal an
    address is granted no more than *most_per_address* holds; 0 is no limit.
    """
    answers: dict[tuple[str, str], Answer] = {}
    by_deal = attrgetter("deal_id")
    for deal_id, wanted in groupby(sorted(claims, key=by_deal), by_deal):
        batch = list(wanted)
        deal = lock_deal(session, deal_id)
        given = grant(session, deal, batch, now=now, most_per_address=most_per_address)
        names = ((deal_id, claim.key) for claim in batch)
        answers.update(zip(names, given, strict=True))
    return [answers[claim.deal_id, claim.key] for claim in claims]


def grant(
    session: Session,
    deal: Terms | None,
    claims: Sequence[Claim],
    *,
    now: datetime,
    most_per_address: int = 0,
) -> list[Answer]:
    """Do as ``place_holds`` for claims of one *deal*, as ``lock_deal`` returned it.

    What is held already is asked under that lock: the same key, or shopper, may be
    coming by another process.
    """
    if deal is None:
        return [Missing(claim.deal_id, "deal") for claim in claims]
    known = known_holds(
        session,
        deal.id,
        keys={claim.key for claim in claims},
        shoppers={claim.shopper for claim in claims},
        addresses={claim.address for claim in claims} if most_per_address else set(),
    )
    reserving = sum(claim.reserve for claim in claims)
    codes = new_pickup_codes(session, deal.retailer_id, reserving)
    batch = _Batch(deal, known, iter(codes), now, most_per_address)
    for claim in claims:
        batch.decide(claim)
    add_holds(session, deal, batch.new, now=now)
    return [batch.answers[claim.key] for claim in claims]


class _Batch:
    """What claims of one deal come to, one after the other, and what is to be kept."""

    def __init__(
        self, deal: Terms, known: Known, codes: Iterator[str], now: datetime, most: int
    ) -> None:
        self.answers: dict[str, Answer] = {**known.granted}
        self.new: list[NewHold] = []
        self._deal = deal
        self._units = known.units
        self._holds = known.holds
        self._codes = codes
        self._now = now
        self._most_per_address = most

    def decide(self, claim: Claim) -> None:
        """What was refused may be asked again, for less."""
        if isinstance(self.answers.get(claim.key), Granted):
            return
        self.answers[claim.key] = self._why_not(claim) or self._set_aside(claim)

    def _set_aside(self, claim: Claim) -> Granted:
        self._deal.held += claim.quantity
        self._units[claim.shopper] += claim.quantity
        self._holds[claim.address] += 1
        granted = Granted(
            id=new_id("hold", self._now),
            deal_id=claim.deal_id,
            key=claim.key,
            token=new_dated_code(self._now),
            shopper=claim.shopper,
        )
        code = next(self._codes) if claim.reserve else None
        new = NewHold(granted, claim.post_id, claim.quantity, claim.address, code)
        self.new.append(new)
        return granted

    def _why_not(self, claim: Claim) -> OfferError | None:
        deal = self._deal
        match phase_of(deal, self._now):
            case Phase.SCHEDULED:
                return DealNotOpen(deal.id)
            case Phase.ENDED:
                return DealClosed(deal.id)
            case Phase.SOLD_OUT:
                return SoldOut(deal.id, wanted=claim.quantity, left=0)
            case Phase.ALL_HELD:
                return AllHeld(deal.id)
            case Phase.OPEN:
                return self._too_much(claim)

    def _too_much(self, claim: Claim) -> OfferError | None:
        deal = self._deal
        if (unpayable := _not_payable(deal, claim, self._now)) is not None:
            return unpayable
        if self._units[claim.shopper] + claim.quantity > deal.limit_per_shopper:
            return LimitReached(deal.limit_per_shopper)
        if claim.quantity > (left := left_of(deal)):
            return SoldOut(deal.id, wanted=claim.quantity, left=left)
        if 0 < self._most_per_address <= self._holds[claim.address] and claim.address:
            return AddressLimitReached(self._most_per_address)
        return None


def _not_payable(deal: Terms, claim: Claim, now: datetime) -> OfferError | None:
    """Return why a deal cannot be paid in the way that *claim* wants to."""
    if claim.reserve:
        can = _can_be_reserved(deal, now)
        return None if can else WrongState(NOT_IN_STORE)
    if not deal.pay_online:
        return WrongState(ONLY_IN_STORE)
    return None if deal.payable else NoAccount()


def _can_be_reserved(deal: Terms, now: datetime) -> bool:
    return deal.reserve_until is not None and now < deal.reserve_until
