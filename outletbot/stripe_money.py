"""Amounts as Stripe writes them."""

from offers.money import Money

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
