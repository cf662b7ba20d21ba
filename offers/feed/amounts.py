"""Amounts: prices and quantities, from text as shops and spreadsheets write it.

Nothing is guessed. Whether a comma divides thousands or decimals is decided once for
a column, from all its cells; a cell that could be two numbers is refused. Amounts
are decimal from the text on, never binary.
"""

import re
from collections import Counter
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from offers.feed.errors import BadCell
from offers.feed.headers import SYMBOLS
from offers.money import Money, exponent, is_currency
from offers.sentences import Sentence

HIGHEST_PRICE = 10_000_000
HIGHEST_QUANTITY = 10_000_000
LONGEST = 40

_MONEY_REMEDY = Sentence("Write a plain number such as 12.50.")
_COUNT_REMEDY = Sentence("Write a whole number such as 24, or leave the cell empty.")

_DASHES = "-\u2013\u2014"
_SPACES = re.compile(r"[\s'\u2019]")
_CORE = re.compile(r"[.,]?[0-9][0-9.,\s'\u2019]*")
_PLAIN = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,2})?")
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


def decide_mark(cells: Iterable[str], *, decimals: int = 2) -> str:
    """Return the decimal mark of a column, or nothing if its cells do not tell.

    *decimals* is the number of decimals of its currency: three digits after a mark
    are thousands in euros and may be millimes in dinars.
    """
    votes = Counter(_mark_of(cell, decimals) for cell in cells)
    points, commas = votes["."], votes[","]
    if points == commas:
        return ""
    return "." if points > commas else ","


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
    if mark != "," and _PLAIN.fullmatch(text):
        value = Decimal(text)
    else:
        digits, around = _take_apart(text, _MONEY_REMEDY)
        currency = _currency_of(around, currency) if around else currency
        mark = mark or _mark_of(digits, exponent(currency))
        value = _number(digits, mark, _MONEY_REMEDY)
    if value > HIGHEST_PRICE:
        raise BadCell(
            Sentence(
                "A price above {highest} is surely a mistake.", highest="10,000,000"
            ),
            Sentence("Look whether the decimal mark or the column is right."),
        )
    return _in_minor_units(value, currency)


@lru_cache(maxsize=8192)
def read_quantity(text: str, *, mark: str) -> int:
    """Return the whole number of units that *text* says.

    Raises:
        BadCell: If it is not a whole number, negative or beyond reason.
    """
    digits, around = _take_apart(text, _COUNT_REMEDY)
    if around:
        raise BadCell(Sentence("This is not a whole number."), _COUNT_REMEDY)
    value = _number(digits, mark or _mark_of(digits, 2), _COUNT_REMEDY)
    if value != value.to_integral_value():
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
    value = _number(digits, mark or _mark_of(digits, 2), remedy)
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
    core = _CORE.search(text)
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
    return _SPACES.sub(" ", digits), f"{text[: core.start()].strip()} {after}".strip()


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


def _mark_of(text: str, decimals: int) -> str:
    """Return the decimal mark that one cell gives away, or nothing."""
    core = _CORE.search(text)
    if core is None:
        return ""
    digits = _SPACES.sub("", core[0])
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return ""
    mark, other = (".", ",") if digits[last] == "." else (",", ".")
    if other in digits:
        return mark
    if digits.count(mark) > 1:
        return other
    before, after = last, len(digits) - last - 1
    thousands_like = after == 3 and 1 <= before <= 3 and digits[0] != "0"
    return "" if thousands_like and decimals != 3 else mark


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
