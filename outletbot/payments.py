"""Taking money: what the service needs of a payment provider, and Stripe as one.

Whoever asks for a payment page must be able to ask again to the letter, so what is
asked is composed once (``describe``), stored, and only then sent.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from offers.checkouts import Checkout
from offers.disputes import DisputeWord
from offers.holds import Hold
from offers.ledger import BookLine
from offers.money import Money
from offers.payment_accounts import AccountWord
from offers.refund_news import RefundWord
from offers.refunds import Refund
from offers.retailers import Retailer


class PaymentError(Exception):
    """The provider did not do what was asked."""


class Unknown(PaymentError):
    """No usable answer came: it may have been done, or not."""


class TooFast(Unknown):
    """The provider was asked for more in a second than it allows, and did nothing."""


class Stuck(Unknown):
    """The provider failed at it, and says so again however often it is asked.

    It may have been done: look for what became of it.
    """


class Declined(PaymentError):
    """The provider answered that it will not, so it was not done.

    *code* is its word for why, if it gave one; *passing* means that it may tomorrow.
    """

    def __init__(
        self, reason: str = "", *, code: str = "", passing: bool = False
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.passing = passing


class Barred(Declined):
    """The provider does not let us act for the account: nothing was done just now.

    What was asked before may have been done.
    """


@dataclass(frozen=True, slots=True)
class ProviderEvent:
    """A message of the provider whose signature was right.

    *account* is the provider's name for the connected account that it is about.
    """

    id: str
    type: str
    created: int
    payload: dict[str, Any]
    account: str = ""
    livemode: bool = False


class PaymentGateway(Protocol):
    """The provider, acting for one payment account."""

    account_id: str
    livemode: bool
    writes_per_second: int

    def describe(self, hold: Hold) -> str:
        """Return what to ask for, to be stored as ``Hold.request``."""
        ...

    async def create(self, hold: Hold) -> Checkout:
        """Open the payment page that ``hold.request`` describes; twice is once.

        Raises:
            Declined: If the provider provably made none.
            Barred: If it made none now; it may have made one before.
            Stuck: If it may have made one, and will not say by this request.
            Unknown: If it may have made one.
        """
        ...

    async def find(self, hold: Hold) -> Checkout | None:
        """Return the payment page that was made for a hold, if the provider lists one.

        Raises:
            Barred: If we may not ask.
            Unknown: If the provider cannot be asked now.
        """
        ...

    async def retrieve(self, checkout_id: str) -> Checkout:
        """Return a payment page as it is now.

        Raises:
            Declined: If there is none.
            Barred: If we may not ask.
            Unknown: If the provider cannot be asked now.
        """
        ...

    async def expire(self, checkout_id: str) -> Checkout:
        """Close a payment page if it is still open. Return what it is then.

        Raises:
            Declined: If there is none.
            Barred: If we may not ask.
            Unknown: If the provider cannot be asked now.
        """
        ...

    async def refund(self, refund: Refund) -> RefundWord:
        """Give money back, once for each refund. Return it as it is then.

        Raises:
            Declined: If the provider provably did not.
            Unknown: If it may have been given: look for it before asking again.
        """
        ...

    async def refunds(self, payment_id: str) -> list[RefundWord]:
        """Return everything that was given back of a payment, as it is now.

        Raises:
            Declined: If there is no such payment.
            Unknown: If the provider cannot be asked now.
        """
        ...

    async def dispute(self, dispute_id: str, *, now: datetime) -> DisputeWord:
        """Return a dispute as it is *now*.

        Raises:
            Declined: If there is none.
            Barred: If we may not ask.
            Unknown: If the provider cannot be asked now.
        """
        ...

    async def standing(self) -> AccountWord:
        """Return what the provider says of the account itself now.

        Raises:
            Barred: If we may not ask.
            Unknown: If the provider cannot be asked now.
        """
        ...

    def read_event(self, body: bytes, signature: str) -> ProviderEvent:
        """Return the message that *body* is.

        Raises:
            Declined: If the signature is wrong or old, or the body is no event.
        """
        ...


class Books(Protocol):
    """What the provider has written down about one payment account."""

    async def balances(self) -> list[Money]:
        """Return what the account has in each currency, available and pending.

        Raises:
            PaymentError: If the provider does not say.
        """
        ...

    def lines(
        self, *, after: str, since: datetime
    ) -> AsyncGenerator[Sequence[BookLine], None]:
        """Yield every movement of its money, oldest first, some at a time.

        That is what is newer than the line *after*; without one, or if there is none
        such any more, what is not older than *since*.

        Raises:
            PaymentError: If the provider does not say.
        """
        ...

    def events(
        self, *, after: str, since: datetime
    ) -> AsyncGenerator[Sequence[ProviderEvent], None]:
        """Yield what was told about it, as ``lines`` does.

        Raises:
            PaymentError: If the provider does not say.
        """
        ...


class Connector(Protocol):
    """How accounts come to be known to us."""

    async def prove(self, key: str) -> AccountWord:
        """Return whose account a retailer's *key* is.

        Raises:
            Barred: If the provider does not take it.
            Unknown: If the provider cannot be asked now.
        """
        ...

    async def make_endpoint(self, key: str, url: str) -> str:
        """Let the account of *key* tell its events to *url*. Return their secret.

        Raises:
            Declined: If the key may not do that, or the provider will not.
            Unknown: If it may have been made.
        """
        ...

    async def make_account(self, retailer: Retailer, email: str, *, key: str) -> str:
        """Make an account for a retailer, once for each *key*. Return its name.

        Raises:
            Declined: If the provider will not.
            Unknown: If it may have been made: ask again with the same key.
        """
        ...

    async def onboarding(self, provider_id: str, *, back: str, again: str) -> str:
        """Return where the owner of an account tells the provider who they are.

        From there the provider leads *back*, or *again* here for a fresh address.

        Raises:
            PaymentError: If there is no such place now.
        """
        ...


class Gateways(Protocol):
    @property
    def connector(self) -> Connector: ...

    async def of(self, account_id: str) -> PaymentGateway:
        """Return the provider acting for a payment account, the house's if empty.

        Raises:
            Declined: If the service cannot act for it, or there is no such account.
        """
        ...

    async def books(self, account_id: str) -> Books:
        """Return what the provider has written down about a payment account.

        Raises:
            Declined: If the service cannot act for it, or there is no such account.
        """
        ...
