"""What the pages of offers show, read in one go."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from offers.allotments import spare_units
from offers.catalog import PAGE, Offer, offers
from offers.deals import Deal, deals_of_offer
from offers.money import Money
from offers.prices import PricePoint, price_log
from offers.scope import get_own
from offers.stock import StockMovement, movements

SHOWN_MOVEMENTS = 50


@dataclass(frozen=True, slots=True)
class OfferView:
    """An offer, what it cost, how its stock moved, and its deals."""

    offer: Offer
    free: int | None
    prices: Sequence[PricePoint]
    movements: Sequence[StockMovement]
    deals: Sequence[Deal]

    @property
    def list_price(self) -> Money | None:
        if self.offer.list_price_amount is None:
            return None
        return Money(self.offer.list_price_amount, self.offer.currency)


@dataclass(frozen=True, slots=True)
class OfferLine:
    """An offer in the list, with what it costs to have it lie there."""

    offer: Offer
    list_price: Money | None
    tied_up: Money | None


def offer_lines(
    session: Session, retailer_id: str, *, search: str, number: int
) -> list[OfferLine]:
    """Return one page of a retailer's offers; a full one may have another behind it."""
    found = offers(session, retailer_id, search=search, page=number)
    return [_line(offer) for offer in found]


def is_full(lines: Sequence[OfferLine]) -> bool:
    return len(lines) == PAGE


def offer_view(session: Session, retailer_id: str, offer_id: str) -> OfferView:
    """Return everything about one offer.

    Raises:
        Missing: If it is not this retailer's.
    """
    offer = get_own(session, Offer, retailer_id, offer_id)
    return OfferView(
        offer=offer,
        free=free_units(session, offer),
        prices=price_log(session, retailer_id, offer_id)[::-1],
        movements=movements(session, retailer_id, offer_id, limit=SHOWN_MOVEMENTS),
        deals=deals_of_offer(session, retailer_id, offer_id),
    )


def free_units(session: Session, offer: Offer) -> int | None:
    """Return how many units are in no deal yet; ``None`` if nobody counts them."""
    return spare_units(session, offer)


def _line(offer: Offer) -> OfferLine:
    listed = offer.list_price_amount
    tied_up = offer.cost * offer.quantity if offer.cost and offer.quantity else None
    return OfferLine(
        offer, None if listed is None else Money(listed, offer.currency), tied_up
    )
