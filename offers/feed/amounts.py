"""Amounts: prices and quantities, from text as shops and spreadsheets write it.

Nothing is guessed: a cell that could be two numbers is refused. Amounts are decimal
from the text on, never binary.
"""

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from offers.feed.errors import BadCell
from offers.feed.headers import SYMBOLS
from offers.feed.marks import DIGITS, LONGEST, SPACES, mark_of
from offers.money import Money, exponent, is_currency
from offers.sentences import Sentence

HIGHEST_PRICE = 10_000_000
HIGHEST_QUANTITY = 10_000_000

_MONEY_REMEDY = Sentence("Write a plain number such as 12.50.")
_COUNT_REMEDY = Sentence("Write a whole number such as 24, or leave the cell empty.")

_DASHES = "-\u2013\u2014"
_PLAIN = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,2})?")
_OVERSOLD = re.compile(r"[-\u2212][0-9]+(?:[.,][0-9]+)?")
_PLAIN_MINOR = re.compile(r"([A-Za-z]{3}) ([0-9]{1,12})(?:\|([0-9]{1,12}))?")
_EXPONENT = re.compile(r"[0-9][eE][+-]?[0-9]")
_RANGE = re.compile(r"[0-9]\s*(?:[-\u2013\u2014/~]|à|to|bis)\s*[^\s0-9]{0,3}\s*[0-9]")
_MINUS = re.compile(r"^[^0-9]*[-\u2212\u2013(]|[0-9]\s*[-\u2212\u2013]$")
_SHAPES = {
    mark: re.compile(
        rf"(?:[0-9]{{1,3}}(?: [0-9]{{3}})+|[0-9]{{1,3}}(?:{other}[0-9]{{3}})+|[0-9]*)"
        rf"(?:{re.escape(mark)}[0-9]*)?"
    )
    for mark, other in ((".", ","), (",", r"\."))
}


def read_money(text: str, *, mark: str, currency: str) -> Money:
    """Return the money that *text* says, of *currency* unless the text says another.

    Raises:
        BadCell: If it is not one amount of money above zero and within reason.
    """
    money = read_amount(text, mark=mark, currency=currency)
    if not money.amount:
        raise BadCell(
            Sentence("The price is zero."), Sentence("Fill in what the product costs.")
        )
    return money


@lru_cache(maxsize=8192)
def read_amount(text: str, *, mark: str, currency: str) -> Money:
    """Return the money that *text* says, which may be nothing at all.

    Raises:
        BadCell: If it is not one amount of money within reason.
    """
    return _in_minor_units(*_value(text, mark, currency))


@lru_cache(maxsize=8192)
def read_untaxed(text: str, *, mark: str, currency: str, rate: Decimal) -> Money:
    """Return the amount with its tax of *rate* percent, of *text* without tax.

    It is rounded once, at the end: shops keep such prices with many decimals.

    Raises:
        BadCell: If it is not one amount of money within reason.
    """
    value, currency = _value(text, mark, currency)
    return rounded(value * (1 + rate / 100), currency)


def read_difference(text: str, *, mark: str, currency: str, rate: Decimal) -> Money:
    """Return an amount that may be less than nothing: "-5.00" makes it cheaper.

    Its tax of *rate* percent is added.

    Raises:
        BadCell: If it is not one amount of money within reason.
    """
    bare = text.strip()
    less = bare[:1] in ("-", "\u2212")
    bare = bare.lstrip("-\u2212+").strip()
    more = read_untaxed(bare, mark=mark, currency=currency, rate=rate)
    return Money(-more.amount, more.currency) if less else more


def read_minor_units(text: str, *, currency: str) -> Money:
    """Return the price in "EUR 34375;DE-EUR 27500;EUR 30000 b2b", in minor units.

    Such a cell holds a price for everybody and some for one country, one group of
    customers, one channel or some days. The plain one is taken, in *currency* if there
    are several, and what it is reduced to behind its bar ("EUR 300|250"). A bare number
    is in *currency*.

    Raises:
        BadCell: If no price of the cell is for everybody.
    """
    if text.isascii() and text.isdigit() and len(text) < 13:
        return _within_reason(Money(int(text), currency))
    plain = [_PLAIN_MINOR.fullmatch(part.strip()) for part in text.split(";")]
    prices = {found[1].lower(): found for found in plain if found}
    found = prices.get(currency) or next(iter(prices.values()), None)
    if found is None or not is_currency(found[1].lower()):
        raise BadCell(
            Sentence("No price in this cell is for everybody."),
            Sentence("Write one such as EUR 1250, without a country before it."),
        )
    return _within_reason(Money(int(found[3] or found[2]), found[1].lower()))


def _value(text: str, mark: str, currency: str) -> tuple[Decimal, str]:
    if mark != "," and _PLAIN.fullmatch(text):
        value = Decimal(text)
    else:
        digits, around = _take_apart(text, _MONEY_REMEDY)
        currency = _currency_of(around, currency) if around else currency
        mark = mark or mark_of(digits, exponent(currency))
        if around and mark and not _SHAPES[mark].fullmatch(digits):
            # "19.99 EUR" between prices such as "49,00 TND": it is complete by itself.
            mark = mark_of(digits, 2) or mark
        value = _number(digits, mark, _MONEY_REMEDY)
    if value > HIGHEST_PRICE:
        raise _too_high()
    return value, currency


def _within_reason(money: Money) -> Money:
    if money.value > HIGHEST_PRICE:
        raise _too_high()
    return money


def _too_high() -> BadCell:
    return BadCell(
        Sentence("A price above {highest} is surely a mistake.", highest="10,000,000"),
        Sentence("Look whether the decimal mark or the column is right."),
    )


@lru_cache(maxsize=8192)
def read_quantity(
    text: str, *, mark: str, parts: bool = False, oversold: bool = False
) -> int:
    """Return the whole number of units that *text* says.

    With *parts* it may have decimals, of which the whole units count; with *oversold*
    less than nothing is nothing.

    Raises:
        BadCell: If it is not a whole number, negative or beyond reason.
    """
    if oversold and _OVERSOLD.fullmatch(text.strip()):
        return 0
    digits, around = _take_apart(text, _COUNT_REMEDY)
    if around:
        raise BadCell(Sentence("This is not a whole number."), _COUNT_REMEDY)
    value = _number(digits, mark or mark_of(digits, 2), _COUNT_REMEDY)
    if value != value.to_integral_value() and not parts:
        raise BadCell(Sentence("There are no parts of a unit."), _COUNT_REMEDY)
    if value > HIGHEST_QUANTITY:
        raise BadCell(Sentence("More units than anybody has."), _COUNT_REMEDY)
    return int(value)


def read_percent(text: str, *, mark: str) -> Decimal:
    """Return how many hundredths *text* says: 5.5 for "5,5 %".

    Raises:
        BadCell: If it is no number from 0 to 100.
    """
    remedy = Sentence("Write a number from 0 to 100.")
    digits, around = _take_apart(text.replace("%", ""), remedy)
    value = _number(digits, mark or mark_of(digits, 2), remedy)
    if around or value > 100:
        raise BadCell(Sentence("This is not a percentage."), remedy)
    return value


def rounded(value: Decimal, currency: str) -> Money:
    """Return a reckoned price in whole minor units, a half upwards, as tills do."""
    step = Decimal(1).scaleb(-exponent(currency))
    return Money.of(value.quantize(step, ROUND_HALF_UP), currency)


def _take_apart(text: str, remedy: Sentence) -> tuple[str, str]:
    """Return the digits of *text* with their marks, and the words around them."""
    text = text.strip()
    core = DIGITS.search(text)
    if core is None or len(text) > LONGEST:
        raise BadCell(Sentence("This is not a number."), remedy)
    _refuse_other_notations(text, remedy)
    digits = core[0].strip()
    after = text[core.end() :].strip()
    if digits[-1] in ".," and after[:1] and after[0] in _DASHES:
        # "12,-" is how German and Swiss price tags end.
        after = after.lstrip(_DASHES).strip()
    elif _MINUS.search(text):
        raise BadCell(Sentence("This is less than nothing."), remedy)
    return SPACES.sub(" ", digits), f"{text[: core.start()].strip()} {after}".strip()


def _refuse_other_notations(text: str, remedy: Sentence) -> None:
    if "%" in text:
        raise BadCell(Sentence("This is a percentage, not an amount."), remedy)
    if _EXPONENT.search(text):
        raise BadCell(
            Sentence("A spreadsheet has shortened this number."),
            Sentence("Format the column as a number and export it again."),
        )
    if _RANGE.search(text):
        raise BadCell(Sentence("This is a range, not one amount."), remedy)


def _number(digits: str, mark: str, remedy: Sentence) -> Decimal:
    if not mark and ("." in digits or "," in digits):
        raise BadCell(
            Sentence("{digits} could be two different numbers.", digits=digits),
            Sentence("Write it without a separator for thousands, and with decimals."),
        )
    mark = mark or "."
    if not _SHAPES[mark].fullmatch(digits):
        raise BadCell(
            Sentence(
                "{digits} does not fit the column's decimal mark “{mark}”.",
                digits=digits,
                mark=mark,
            ),
            remedy,
        )
    thousands = "," if mark == "." else "."
    plain = digits.replace(" ", "").replace(thousands, "").replace(mark, ".")
    return Decimal(plain)


def _currency_of(words: str, fallback: str) -> str:
    word = words.lower()
    if len(word) == 3 and word.isascii() and is_currency(word):
        return word
    candidates = SYMBOLS.get(word)
    if candidates is None:
        raise BadCell(
            Sentence("“{words}” is no currency that we know.", words=words[:20]),
            _MONEY_REMEDY,
        )
    return fallback if fallback in candidates else candidates[0]


def currency_in(text: str, usual: str) -> str:
    """Return the currency that *text* names beside its number, or nothing.

    A sign of several currencies means *usual* if it can.
    """
    try:
        _, around = _take_apart(text, _MONEY_REMEDY)
        return _currency_of(around, usual) if around else ""
    except BadCell:
        return ""


def _in_minor_units(value: Decimal, currency: str) -> Money:
    """Return *value* as money; binary noise in its far decimals is taken off.

    A spreadsheet writes 19.99 as 19.989999771118164 when it keeps it in 32 bits.
    """
    scaled = value.scaleb(exponent(currency))
    if scaled == (whole := int(scaled)):
        return Money(whole, currency)
    near = rounded(value, currency)
    noise = abs(near.value - value)
    if -int(value.as_tuple().exponent) >= 6 and noise <= value * Decimal("0.000001"):
        return near
    raise BadCell(
        Sentence(
            "{value} is finer than the smallest unit of {currency}.",
            value=f"{value:f}",
            currency=currency.upper(),
        ),
        Sentence("Round the price, or export the prices with their tax."),
    )
