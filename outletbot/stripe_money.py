"""Amounts as Stripe writes them, and those that cards can pay."""

from offers.money import Money, exponent
from offers.sentences import Sentence

# Stripe's minimum charges in minor units
# (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).
MINIMUMS = {
    "aed": 200,
    "aud": 50,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "jpy": 50,
    "mxn": 1000,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "sek": 300,
    "sgd": 50,
    "usd": 50,
}

# Currencies that Stripe writes with other decimals than ISO 4217 has
# (https://docs.stripe.com/currencies#special-cases).
TWO_DECIMALS_AT_STRIPE = {"isk", "ugx"}


def to_stripe(money: Money) -> int:
    """Return *money* as Stripe writes it."""
    if money.currency in TWO_DECIMALS_AT_STRIPE:
        return money.amount * 100
    return money.amount


def from_stripe(amount: int, currency: str) -> Money:
    """Return what Stripe wrote as money, which may be less than none."""
    if currency in TWO_DECIMALS_AT_STRIPE:
        return Money(amount // 100, currency)
    return Money(amount, currency)


def why_not_charged(price: Money) -> Sentence | None:
    """Return why nobody can be charged *price* by card, with what to do; or nothing.

    Stripe wants the last of three decimals to be 0
    (https://docs.stripe.com/currencies#three-decimal).
    """
    least = minimum(price.currency)
    if least is not None and price < least:
        return Sentence("Card payments begin at {least}.", least=least)
    if exponent(price.currency) == 3 and (over := price.amount % 10):
        lower = Money(price.amount - over, price.currency)
        return Sentence(
            "Card payments in {currency} end in 0: choose {lower} or {higher}.",
            currency=price.currency.upper(),
            lower=lower,
            higher=lower + Money(10, price.currency),
        )
    return None


def minimum(currency: str) -> Money | None:
    """Return the least that can be charged in *currency*, where it is known."""
    least = MINIMUMS.get(currency)
    return None if least is None else Money(least, currency)
