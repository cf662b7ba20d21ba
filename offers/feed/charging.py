"""Charging: the prices of one row, in one currency and with their tax."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from offers.feed.amounts import (
    read_amount,
    read_difference,
    read_minor_units,
    read_percent,
    read_untaxed,
)
from offers.feed.days import read_day, read_period
from offers.feed.drafts import DraftReader
from offers.feed.errors import BadCell
from offers.feed.fields import PRICE_FIELDS
from offers.feed.headers import SYMBOLS
from offers.feed.prices import Prices, price_on
from offers.feed.rows import Tax
from offers.money import Money, is_currency
from offers.sentences import Sentence

Season = tuple[date | None, date | None]

_PERCENT = "percent"


class Charging:
    """Reads what one row says of money."""

    def __init__(self, reader: DraftReader) -> None:
        self._reader = reader
        self._layout = reader.layout
        self._currency = reader.read("currency", _read_currency) or (
            self._layout.currency
        )
        self._own_rate = reader.read("tax_rate", self._percent("tax_rate"))

    def tax(self) -> Tax:
        """Return whether tax is in the prices as they are given out."""
        excluded = self._layout.tax == "excluded"
        return "included" if excluded and self._rate() is not None else self._layout.tax

    def cost(self) -> Money | None:
        return self._amount("cost")

    def season(self) -> Season:
        """Return the first and the last day of the sale, as far as the row says."""
        first, last = self._reader.read("sale_dates", read_period) or (None, None)
        return (
            self._reader.read("sale_from", self._day("sale_from")) or first,
            self._reader.read("sale_to", self._day("sale_to")) or last,
        )

    def _day(self, field: str) -> Callable[[str], date | None]:
        order = self._layout.day_orders.get(field, "")
        return lambda text: read_day(text, order)

    def on(self, today: date, season: Season) -> tuple[Money | None, Money | None]:
        """Return what is charged on *today*, and the higher price before.

        Both are ``None`` if the row is of stock alone, or has errors.
        """
        if self._layout.partial and not any(map(self._reader.text, PRICE_FIELDS)):
            return None, None
        prices = self._prices(season)
        if self._reader.errors:
            return None, None
        try:
            return price_on(prices, today)
        except BadCell as bad:
            given = (f for f in PRICE_FIELDS if f in self._layout.index)
            self._reader.add(next(given, ""), bad)
            return None, None

    def _prices(self, season: Season) -> Prices:
        discount, percent = self._discount()
        return Prices(
            price=self._with_surcharge(self._price("price")),
            regular=self._price("regular_price"),
            listed=self._amount("list_price"),
            sale=self._amount("sale_price"),
            sale_from=season[0],
            sale_to=season[1],
            discount=discount,
            discount_percent=percent,
        )

    def _discount(self) -> tuple[Money | None, Decimal | None]:
        """Return the discount; some shops say in another cell of what kind it is."""
        if not self._reader.text("discount_mode"):
            percent = self._reader.read(
                "discount_percent", self._percent("discount_percent")
            )
            return self._amount("discount_amount"), percent
        if self._reader.text("discount_mode").lower() == _PERCENT:
            read = self._percent("discount_value")
            return None, self._reader.read("discount_value", read)
        return self._amount("discount_value"), None

    def _with_surcharge(self, price: Money | None) -> Money | None:
        if not self._reader.text("surcharge"):
            return price
        mark, currency = self._notation("surcharge")
        rate = self._rate_of("surcharge") or Decimal(0)
        more = self._reader.read(
            "surcharge",
            lambda t: read_difference(t, mark=mark, currency=currency, rate=rate),
        )
        if price is None or more is None or more.currency != price.currency:
            return price
        whole = price + more
        if whole.amount <= 0:
            self._reader.refuse(
                "surcharge",
                Sentence("With this difference nothing is left of the price."),
                Sentence("Write how much more or less than the product it costs."),
            )
            return None
        return whole

    def _price(self, field: str) -> Money | None:
        """Return the price; zero is no price that anything can be sold at."""
        text = self._reader.text(field)
        if not text:
            return None
        money = self._read(field)
        if money is not None and not money.amount:
            self._reader.refuse(
                field,
                Sentence("The price is zero."),
                Sentence("Fill in what the product costs."),
            )
        return money

    def _amount(self, field: str) -> Money | None:
        """Return the amount; zero is how many exports say that there is none."""
        if not self._reader.text(field):
            return None
        amount = self._read(field)
        return amount if amount is not None and amount.amount else None

    def _read(self, field: str) -> Money | None:
        mark, currency = self._notation(field)
        if self._layout.dialect.minor_units:
            return self._reader.read(
                field, lambda t: read_minor_units(t, currency=currency)
            )
        rate = self._rate_of(field)
        if rate is not None:
            return self._reader.read(
                field,
                lambda t: read_untaxed(t, mark=mark, currency=currency, rate=rate),
            )
        return self._reader.read(
            field, lambda t: read_amount(t, mark=mark, currency=currency)
        )

    def _rate_of(self, field: str) -> Decimal | None:
        """Return the tax that comes on top of what this column says, if it is known."""
        return self._rate() if self._layout.taxes.get(field) == "excluded" else None

    def _rate(self) -> Decimal | None:
        own = self._own_rate
        return self._layout.answers.tax_rate if own is None else own

    def _percent(self, field: str) -> Callable[[str], Decimal]:
        mark = self._layout.marks.get(field, "")
        return lambda text: read_percent(text, mark=mark)

    def _notation(self, field: str) -> tuple[str, str]:
        """Return the decimal mark and the currency of a column of money."""
        layout = self._layout
        return layout.marks.get(field, ""), layout.currencies.get(field, self._currency)


def _read_currency(text: str) -> str:
    code = text.lower()
    if len(code) == 3 and is_currency(code):
        return code
    if code in SYMBOLS:
        return SYMBOLS[code][0]
    raise BadCell(
        Sentence("This is no currency that we know."),
        Sentence("Write its three letters, such as EUR."),
    )
