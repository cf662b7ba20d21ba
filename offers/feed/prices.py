"""Prices: what a shop charges today, by the several prices that its file gives."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from offers.feed.amounts import rounded
from offers.feed.errors import BadCell
from offers.money import Money
from offers.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Prices:
    """Every price that one row may give; most rows give one or two."""

    price: Money | None = None
    regular: Money | None = None
    listed: Money | None = None
    sale: Money | None = None
    sale_from: date | None = None
    sale_to: date | None = None
    discount: Money | None = None
    discount_percent: Decimal | None = None


def price_on(prices: Prices, today: date) -> tuple[Money, Money | None]:
    """Return what is charged on *today*, and the higher price before, if there is one.

    A sale counts from its first to its last day, both included; without days it
    counts always. A discount is taken off the price, the amount before the percentage
    if both are given (as PrestaShop's importer does).

    Raises:
        BadCell: If there is no price, or the prices contradict each other.
    """
    standing = prices.price or prices.regular
    sale = _sale(prices, standing) if _in_season(prices, today) else None
    now = sale or standing
    if now is None:
        raise BadCell(
            Sentence("There is no price."), Sentence("Fill in what the product costs.")
        )
    befores = (prices.price if sale else None, prices.regular, prices.listed)
    return now, next((before for before in befores if _is_higher(before, now)), None)


def _in_season(prices: Prices, today: date) -> bool:
    begun = prices.sale_from is None or prices.sale_from <= today
    return begun and (prices.sale_to is None or today <= prices.sale_to)


def _sale(prices: Prices, standing: Money | None) -> Money | None:
    if prices.sale is not None:
        if standing is not None and _is_higher(prices.sale, standing):
            raise BadCell(
                Sentence("The sale price is higher than the regular price."),
                Sentence("Look whether the two were exchanged."),
            )
        return prices.sale
    return None if standing is None else _discounted(prices, standing)


def _discounted(prices: Prices, standing: Money) -> Money | None:
    if prices.discount is not None and prices.discount.amount:
        _same_currency(prices.discount, standing)
        left = standing - prices.discount
    elif prices.discount_percent:
        share = 1 - prices.discount_percent / 100
        left = rounded(standing.value * share, standing.currency)
    else:
        return None
    if left.amount <= 0:
        raise BadCell(
            Sentence("The discount leaves nothing of the price."),
            Sentence("Correct the discount, or remove it."),
        )
    return left


def _is_higher(before: Money | None, now: Money) -> bool:
    if before is None:
        return False
    _same_currency(before, now)
    return before.amount > now.amount


def _same_currency(one: Money, other: Money) -> None:
    if one.currency != other.currency:
        raise BadCell(
            Sentence("The prices of this row are in different currencies."),
            Sentence("Write all prices of a row in one currency."),
        )
