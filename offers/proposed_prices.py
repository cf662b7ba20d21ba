"""Proposed prices: what a unit could be let go for, and the least that it must bring.

The floor is what the unit cost, with the tax that is in the price but not in the cost,
and the margin that the retailer wants. A proposal is never under it and always under
what the shop charges; where that leaves nothing there is no proposal.
"""

from dataclasses import dataclass

from offers.money import Money, exponent

ENDINGS = ("90", "95", "99", "00", "50")
"""What prices can end on: hundredths of the currency's main unit; yen where it has
none."""

PLAIN = ""
"""The ending of prices that may end as they come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """By how much a price falls, and what it may not fall under.

    *cost_share_percent* of the shop's price is taken for the cost where none is told.
    *tax_points* is the tax in the price that is not in the cost, in hundredths of a
    percent.
    """

    markdown_percent: int = 30
    margin_percent: int = 10
    cost_share_percent: int = 50
    ending: str = "90"
    tax_points: int = 0


LEAST_OFF = 5
"""A deal that is fewer percent cheaper than the shop is none, unless so was wanted."""

LEAST_STEP = 2
"""Steps of fewer percent of the price are none that anybody would notice."""


def cost_of(cost: Money | None, price: Money, terms: Terms) -> Money:
    """Return what a unit cost, or the share of its *price* that is taken for it.

    A cost of zero tells nothing.
    """
    if cost is not None and cost.amount > 0:
        return cost
    return Money(_up(price.amount * terms.cost_share_percent, 100), price.currency)


def floor_of(cost: Money, terms: Terms) -> Money:
    """Return the least that a unit may be sold for; fractions are rounded up."""
    parts = (100 + terms.margin_percent) * (10_000 + terms.tax_points)
    return Money(max(1, _up(cost.amount * parts, 1_000_000)), cost.currency)


def propose(price: Money, floor: Money, terms: Terms) -> Money | None:
    """Return a price that ends as the retailer's do, if one fits; else what fits.

    ``None`` if nothing does: the floor is hardly under what the shop charges.
    """
    target = price.amount * (100 - terms.markdown_percent) // 100
    least_off = min(LEAST_OFF, terms.markdown_percent)
    most = price.amount * (100 - least_off) // 100
    wanted = max(floor.amount, target)
    found = (_below(wanted, floor, terms), _above(wanted, price, terms), wanted)
    for amount in found:
        if amount is not None and floor.amount <= amount <= most < price.amount:
            return Money(amount, price.currency)
    return None


def fall(price: Money, floor: Money, count: int, terms: Terms) -> list[Money]:
    """Return *count* prices at most, each lower than the last, from *price* to *floor*.

    They are equal steps, as far as prices that end right allow, and none is so small
    that nobody would notice.
    """
    least = max(1, price.amount * LEAST_STEP // 100)
    falling: list[Money] = []
    last = price
    for number in range(1, count + 1):
        between = (price.amount - floor.amount) * number // count
        wanted = price.amount - between
        below = _below(wanted, floor, terms)
        if below is None and number == count:
            below = floor.amount
        if below is not None and below <= last.amount - least:
            last = Money(below, price.currency)
            falling.append(last)
    return falling


def _below(amount: int, floor: Money, terms: Terms) -> int | None:
    """Return the next lower amount with the ending, if it is not under the floor."""
    rest, whole = _grid(floor.currency, terms.ending)
    found = amount - (amount - rest) % whole
    return found if found >= floor.amount and found > 0 else None


def _above(amount: int, price: Money, terms: Terms) -> int | None:
    rest, whole = _grid(price.currency, terms.ending)
    found = amount + (rest - amount) % whole
    return found if found < price.amount else None


def _grid(currency: str, ending: str) -> tuple[int, int]:
    """Return what amounts with *ending* leave over, divided by what."""
    if ending == PLAIN:
        return 0, 1
    places = exponent(currency)
    if places < 2:
        return int(ending), 100
    finer = int(10 ** (places - 2))
    return int(ending) * finer, 100 * finer


def _up(amount: int, by: int) -> int:
    return -(-amount // by)
