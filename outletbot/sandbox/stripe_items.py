"""Line items: what is sold in a checkout session, and for how much."""

from collections.abc import Iterator
from typing import NoReturn

from offers.money import is_currency
from outletbot.sandbox.stripe_books import Account, Json
from outletbot.sandbox.stripe_errors import Invalid, no_such
from outletbot.sandbox.stripe_rules import check_length, check_unit_amount, demand


def read_items(account: Account, asked: Json) -> Iterator[Json]:
    """Return the line items of a session that is asked for.

    Raises:
        Invalid: If there are none, or one breaks a rule of Stripe's.
    """
    lines = asked.get("line_items")
    if not lines:
        message = "The `line_items` parameter is required in payment mode."
        raise Invalid(message, param="line_items", code="parameter_missing")
    if len(lines) > 100:
        message = "You can pass up to 100 line items."
        raise Invalid(message, param="line_items")
    currency = lines[0].get("price_data", {}).get("currency")
    for number, line in enumerate(lines):
        at = f"line_items[{number}]"
        if "price_data" not in line:
            price = demand(line, "price", at)
            kind = "price"
            raise no_such(kind, price, param=f"{at}[price]")
        if line["price_data"]["currency"] != currency:
            message = "All line items must have the same currency."
            raise Invalid(message, param=f"{at}[price_data][currency]")
        yield _line_item(account, line, at)


def _line_item(account: Account, line: Json, at: str) -> Json:
    price = line["price_data"]
    currency = price["currency"].lower()
    if not is_currency(currency):
        message = f"Invalid currency: {currency}."
        raise Invalid(message, param=f"{at}[price_data][currency]")
    for name in ("adjustable_quantity", "tax_rates"):
        if name in line:
            refuse_unspoken(f"{at}[{name}]", "…")
    if "recurring" in price or "product_data" not in price:
        refuse_unspoken(f"{at}[price_data]", "a subscription or a stored product")
    amount = demand(price, "unit_amount", f"{at}[price_data]")
    check_unit_amount(amount, currency, f"{at}[price_data][unit_amount]")
    if demand(line, "quantity", at) < 1:
        message = "Invalid positive integer"
        raise Invalid(message, param=f"{at}[quantity]")
    check_length(
        price["product_data"]["name"], 1500, f"{at}[price_data][product_data][name]"
    )
    return _new_item(account, line)


def _new_item(account: Account, line: Json) -> Json:
    price, total = line["price_data"], line["price_data"]["unit_amount"]
    total *= line["quantity"]
    return {
        "id": account.new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": price["currency"].lower(),
        "description": price["product_data"]["name"],
        "images": price["product_data"].get("images", []),
        "price": None,
        "quantity": line["quantity"],
    }


def refuse_unspoken(param: str, value: str) -> NoReturn:
    """Refuse what Stripe may know, but the sandbox does not act out.

    Raises:
        Invalid: Always; to pass over it would be to let somebody believe in it.
    """
    message = f"Stripe may know {param}={value}, but this sandbox does not act it out."
    raise Invalid(message, param=param, code="sandbox_unsupported")
