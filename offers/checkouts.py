"""Checkouts: the provider's word on a page where a hold is paid."""

from dataclasses import dataclass, field
from enum import StrEnum

from offers.money import Money


class CheckoutState(StrEnum):
    """Whether the page can still be paid, as Stripe words it."""

    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


class Paid(StrEnum):
    """Whether the money is there. ``UNPAID`` on a complete page: it is on its way."""

    PAID = "paid"
    UNPAID = "unpaid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """A payment page as the provider describes it now.

    *account_id* is the payment account by which the provider was asked, ours to know:
    nothing in the page itself says it.
    """

    id: str
    hold_id: str
    state: CheckoutState
    paid: Paid
    total: Money
    livemode: bool
    account_id: str = ""
    url: str = ""
    payment_id: str = ""
    email: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    address: str = field(default="", repr=False)
