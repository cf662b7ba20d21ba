"""Money: a whole number of the smallest unit of one currency."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from babel.core import get_global
from babel.numbers import get_currency_precision

_PRECISIONS: dict[str, int] = {}
_KNOWN = frozenset(get_global("all_currencies"))


def is_currency(code: str) -> bool:
    """Whether *code* is a lower-case ISO 4217 code that is or was in use."""
    return code.islower() and code.upper() in _KNOWN


def exponent(currency: str) -> int:
    """Return how many decimals *currency* has: 0 for jpy, 2 for eur, 3 for tnd."""
    if currency not in _PRECISIONS:
        _PRECISIONS[currency] = get_currency_precision(currency.upper())
    return _PRECISIONS[currency]


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in minor units, with its lower-case ISO 4217 currency."""

    amount: int
    currency: str

    @classmethod
    def of(cls, value: Decimal, currency: str) -> Self:
        """Return *value*, a number of major units, as money.

        Raises:
            ValueError: If *value* is finer than the currency's smallest unit.
        """
        scaled = value.scaleb(exponent(currency))
        if scaled != scaled.to_integral_value():
            msg = f"{value} is finer than the smallest unit of {currency}"
            raise ValueError(msg)
        return cls(int(scaled), currency)

    @property
    def value(self) -> Decimal:
        """The amount in major units: 12.50 for 1250 cents."""
        return Decimal(self.amount).scaleb(-exponent(self.currency))

    def __add__(self, other: Self) -> Self:
        return type(self)(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.amount - self._same(other), self.currency)

    def __mul__(self, quantity: int) -> Self:
        return type(self)(self.amount * quantity, self.currency)

    def _same(self, other: Self) -> int:
        if self.currency != other.currency:
            msg = f"cannot reckon {other.currency} with {self.currency}"
            raise ValueError(msg)
        return other.amount

    def __str__(self) -> str:
        return f"{self.value:,.{exponent(self.currency)}f} {self.currency.upper()}"
