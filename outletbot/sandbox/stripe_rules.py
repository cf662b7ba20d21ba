"""Stripe's rules that its types do not say: amounts, times, lengths.

From https://docs.stripe.com/currencies and the API reference; what could not be read
there is the stricter of what is believed, so that nothing passes here and fails there.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from babel.numbers import get_currency_symbol

from outletbot.sandbox.stripe_errors import Invalid, missing

SHORTEST = timedelta(minutes=30)
LONGEST = timedelta(hours=24)
HIGHEST_AMOUNT = 99_999_999

ZERO_DECIMAL = frozenset(
    (
        *("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga"),
        *("pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"),
    )
)
THREE_DECIMAL = frozenset(("bhd", "iqd", "jod", "kwd", "omr", "tnd"))

# Their two decimals are always 00 (https://docs.stripe.com/currencies#special-cases).
NO_DECIMALS = frozenset(("isk", "ugx"))

_HALVES = ("usd", "eur", "aud", "cad", "chf", "brl", "nzd", "sgd")
MINIMUMS = dict.fromkeys(_HALVES, 50) | {
    "aed": 200,
    "czk": 1500,
    "dkk": 250,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "jpy": 50,
    "mxn": 1000,
    "nok": 300,
    "pln": 200,
    "sek": 300,
}


def spoken(amount: int, currency: str) -> str:
    """Return an amount as Stripe writes it in its messages: ``€12.50``."""
    digits = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    value = Decimal(amount).scaleb(-digits)
    return f"{get_currency_symbol(currency.upper(), locale='en_US')}{value:,.{digits}f}"


def whole(amount: int, currency: str) -> int:
    """Return *amount*, rounded to what *currency* can be."""
    step = 100 if currency in NO_DECIMALS else 10 if currency in THREE_DECIMAL else 1
    return (amount + step // 2) // step * step


def demand(asked: dict[str, Any], name: str, at: str = "") -> Any:
    """Return a parameter that Stripe wants, though its types do not say so.

    Raises:
        Invalid: If it is missing.
    """
    if name not in asked:
        full_name = f"{at}[{name}]" if at else name
        raise missing(full_name)
    return asked[name]


def check_unit_amount(amount: int, currency: str, at: str) -> None:
    """Check that *amount* is one that *currency* can have.

    Raises:
        Invalid: If it is negative or finer than Stripe takes.
    """
    if amount < 0:
        message = "Invalid non-negative integer"
        raise Invalid(message, param=at, code="parameter_invalid_integer")
    if currency in THREE_DECIMAL and amount % 10:
        message = f"Invalid amount: the last digit must be 0 in {currency}."
        raise Invalid(message, param=at, code="parameter_invalid_integer")
    if currency == "isk" and amount % 100:
        message = "Invalid amount: ISK is charged in whole krónur."
        code = "invalid_charge_amount_no_decimal_compatible"
        raise Invalid(message, param=at, code=code)


def check_total(amount: int, currency: str) -> None:
    """Check what a whole session is to be paid with.

    Raises:
        Invalid: If it is less or more than Stripe can charge.
    """
    least = MINIMUMS.get(currency, 1)
    if amount < least:
        message = (
            "The Checkout Session's total amount due must add up to at least "
            f"{spoken(least, currency)} {currency}"
        )
        raise Invalid(message, code="amount_too_small")
    if amount > HIGHEST_AMOUNT:
        message = (
            "The Checkout Session's total amount due must be no more than "
            f"{spoken(HIGHEST_AMOUNT, currency)} {currency}"
        )
        raise Invalid(message, code="amount_too_large")


def check_expiry(expires_at: int, now: datetime) -> None:
    """Check a session's end against the moment at which its request was received.

    Raises:
        Invalid: If it is not 30 minutes to 24 hours away.
    """
    away = timedelta(seconds=expires_at - now.timestamp())
    if away < SHORTEST:
        message = (
            "The `expires_at` timestamp must be at least 30 minutes from Checkout "
            "Session creation."
        )
        raise Invalid(message, param="expires_at")
    if away > LONGEST:
        message = (
            "The `expires_at` timestamp must be less than 24 hours from Checkout "
            "Session creation."
        )
        raise Invalid(message, param="expires_at")


def check_metadata(metadata: dict[str, Any] | str, at: str) -> None:
    """Check the limits of https://docs.stripe.com/api/metadata.

    Raises:
        Invalid: If there is too much of it.
    """
    if isinstance(metadata, str):
        return
    if len(metadata) > 50:
        message = f"Metadata can have up to 50 keys. You passed {len(metadata)}."
        raise Invalid(message, param=at)
    for key, value in metadata.items():
        check_length(key, 40, f"{at}[{key}]")
        check_length(value, 500, f"{at}[{key}]")


def check_length(text: str, longest: int, at: str) -> None:
    if len(text) > longest:
        message = (
            f"Invalid string: {text[:8]}...{text[-4:]}; must be at most {longest} "
            "characters"
        )
        raise Invalid(message, param=at, code="parameter_invalid_string_too_long")


def check_address(url: str | None, at: str) -> None:
    """Check that *url* is there and can be gone to.

    Raises:
        Invalid: If it is missing or no http address.
    """
    if url is None:
        raise missing(at)
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        message = "Not a valid URL"
        raise Invalid(message, param=at, code="url_invalid")
