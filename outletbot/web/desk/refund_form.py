"""The form by which a merchant gives money back: what was typed, and what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from offers.errors import InvalidField, WrongState
from offers.ids import new_code
from offers.money import Money, exponent
from offers.orders import Order
from offers.returns import (
    LONGEST_NOTE,
    RefundReason,
    RefundWish,
    Returnable,
    check_wish,
)
from offers.sentences import Sentence
from outletbot.web.forms import Form, read_amount, read_int, read_text

FIELDS = ("key", "amount", "units", "reason", "note")
LONGEST_KEY = 40
TWO_DECIMALS_AT_MOST = 2


@dataclass(frozen=True, slots=True)
class RefundForm:
    """*values* are as typed; *wish* is there if nothing is wrong with them."""

    values: Mapping[str, str]
    problems: Mapping[str, Sentence]
    wish: RefundWish | None = None


def first_values(left: Returnable) -> RefundForm:
    """Return what the form proposes: all that is left, and no unit back."""
    values = {
        "key": new_code(),
        "amount": str(left.money.value),
        "units": "0",
        "reason": RefundReason.REQUESTED.value,
        "note": "",
    }
    return RefundForm(values, {})


def read_refund_form(
    session: Session, order: Order, form: Form, *, asked_by: str
) -> RefundForm:
    """Read the form and check it against what can still be given back."""
    values = _typed(form, order)
    try:
        wish = _read(values, order, asked_by)
        check_wish(session, order, wish)
    except InvalidField as problem:
        return RefundForm(values, {problem.field: problem.sentence})
    except WrongState as refusal:
        return RefundForm(values, {"": refusal.sentence})
    return RefundForm(values, {}, wish)


def _typed(form: Form, order: Order) -> dict[str, str]:
    """Return what was typed; a button for whole units stands for both its numbers."""
    values = {name: form.get(name, "") for name in FIELDS}
    typed = {name: v if isinstance(v, str) else "" for name, v in values.items()}
    whole = form.get("whole")
    if isinstance(whole, str) and whole.isascii() and whole.isdigit():
        units = min(int(whole[:6]), order.quantity)
        unit = Money(order.total_amount // order.quantity, order.currency)
        typed |= {"units": str(units), "amount": str((unit * units).value)}
    return typed


def _read(values: Mapping[str, str], order: Order, asked_by: str) -> RefundWish:
    return RefundWish(
        key=read_text(values, "key", longest=LONGEST_KEY, needed=True),
        money=_read_money(values, order.currency),
        units=read_int(values, "units", minimum=0, maximum=order.quantity),
        reason=_read_reason(values),
        note=read_text(values, "note", longest=LONGEST_NOTE),
        asked_by=asked_by,
    )


def _read_money(values: Mapping[str, str], currency: str) -> Money:
    money = read_amount(values, "amount", currency)
    # Cards know two decimals (https://docs.stripe.com/currencies#three-decimal).
    if exponent(currency) > TWO_DECIMALS_AT_MOST and money.amount % 10:
        problem = Sentence("Cards take two decimals at most: end with a zero.")
        raise InvalidField("amount", problem, values["amount"])
    return money


def _read_reason(values: Mapping[str, str]) -> RefundReason:
    try:
        return RefundReason(values["reason"])
    except ValueError:
        problem = Sentence("Choose from the list.")
        raise InvalidField("reason", problem, values["reason"]) from None
