"""Foreign prices: rows that say the price of a sku again in another currency.

Spree writes each variant in full once and adds a row for each further currency. The
price in the retailer's currency is read, wherever it stands.
"""

from offers.feed.fields import MONEY_FIELDS
from offers.feed.layout import Layout

_PRICES = (*sorted(MONEY_FIELDS), "currency")


class ForeignPrices:
    """Knows which row of a sku is the full one, and its price in our currency."""

    def __init__(self, layout: Layout) -> None:
        self._currency = layout.currency
        self._first: dict[str, tuple[int, str]] = {}
        self._ours: dict[str, dict[str, str]] = {}

    def note(self, sku: str, line: int, values: dict[str, str]) -> None:
        said = _currency(values)
        first = self._first.setdefault(sku, (line, said))
        if said not in (first[1], "") and said == self._currency:
            self._ours[sku] = {f: values.get(f, "") for f in _PRICES if f in values}

    def is_only_price(self, sku: str, values: dict[str, str]) -> bool:
        """Whether a row says nothing of its sku that an earlier row did not say."""
        first = self._first.get(sku)
        return first is not None and _currency(values) not in (first[1], "")

    def apply(self, sku: str, values: dict[str, str]) -> None:
        """Put the price in our currency in the place of the foreign one."""
        if _currency(values) != self._currency:
            values.update(self._ours.get(sku, {}))


def _currency(values: dict[str, str]) -> str:
    return values.get("currency", "").lower()
