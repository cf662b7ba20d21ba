"""The sandbox as an object: what it knows, and what can be made to go wrong with it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import web

from outletbot.clock import Clock
from outletbot.sandbox.faults import Faults
from outletbot.sandbox.stripe_balance import pay_out
from outletbot.sandbox.stripe_books import Account, Books, Json
from outletbot.sandbox.stripe_payments import (
    Fees,
    Shopper,
    let_arrive,
    let_fail,
    pay_later,
    pay_now,
)
from outletbot.sandbox.stripe_refunds import conclude_refund, fail_refund
from outletbot.sandbox.stripe_sessions import end_lapsed_sessions
from outletbot.sandbox.stripe_webhooks import Postman


@dataclass
class StripeSandbox:
    """One Stripe. Everything here may be changed while it runs.

    *keys* says whose account each API key is for; *revoked* are connected accounts
    that have withdrawn their consent; *latency* is how long a POST takes;
    *rate_limit* is how many reads, and how many writes, an account may make in a
    second (Stripe: 100 each, 25 each in its own sandboxes), None for any number.
    """

    books: Books
    postman: Postman
    clock: Clock
    public_url: str
    keys: dict[str, str]
    fees: Fees = field(default_factory=Fees)
    faults: Faults = field(default_factory=Faults)
    revoked: set[str] = field(default_factory=set)
    latency: timedelta = timedelta()
    rate_limit: int | None = None
    being_answered: set[tuple[str, str]] = field(default_factory=set)
    calls: dict[tuple[str, bool, int], int] = field(default_factory=dict)

    def account(self, account_id: str = "") -> Account:
        """Return a connected account, or the one that the key itself belongs to."""
        return self.books.account(account_id)

    def commit(self) -> None:
        """Write down what happened, then tell it: nobody hears what may be lost."""
        self.postman.take_news()
        self.books.commit()

    def account_of_session(self, session_id: str) -> Account | None:
        """Return whose session this is; the page's address does not say it."""
        for account in self.books.accounts.values():
            if account.find("checkout.session", session_id):
                return account
        return None

    def pay(self, session_id: str, shopper: Shopper | None = None) -> Json:
        """Pay a session by card, as the button on the page does.

        Raises:
            SessionOver: If it is not open.
            LookupError: If there is no such session.
        """
        account, now = self._owner(session_id), self.clock()
        try:
            return pay_now(
                account, session_id, shopper or Shopper(), self.fees, now=now
            )
        finally:
            self.commit()

    def promise(self, session_id: str, shopper: Shopper | None = None) -> Json:
        """Pay a session by bank debit: it is complete, and the money may come.

        Raises:
            SessionOver: If it is not open.
            LookupError: If there is no such session.
        """
        account, now = self._owner(session_id), self.clock()
        try:
            return pay_later(account, session_id, shopper or Shopper(), now=now)
        finally:
            self.commit()

    def conclude(self, session_id: str) -> Json:
        """Let the money of a bank debit arrive.

        Raises:
            StripeRefusal: If none is on its way.
        """
        account, now = self._owner(session_id), self.clock()
        session = let_arrive(account, session_id, self.fees, now=now)
        self.commit()
        return session

    def disappoint(self, session_id: str) -> Json:
        """Let a bank debit fail.

        Raises:
            StripeRefusal: If none is on its way.
        """
        session = let_fail(self._owner(session_id), session_id, now=self.clock())
        self.commit()
        return session

    def conclude_refund(self, refund_id: str, account_id: str = "") -> Json:
        """Let a pending refund arrive.

        Raises:
            StripeRefusal: If it is not pending.
        """
        account = self.account(account_id)
        refund = conclude_refund(account, refund_id, now=self.clock())
        self.commit()
        return refund

    def fail_refund(self, refund_id: str, account_id: str = "") -> Json:
        """Let a refund fail, even one that had succeeded.

        Raises:
            StripeRefusal: If it failed before.
        """
        refund = fail_refund(self.account(account_id), refund_id, now=self.clock())
        self.commit()
        return refund

    def payout(self, account_id: str = "") -> list[Json]:
        """Pay out what is available in every currency. Return the payouts."""
        payouts = pay_out(self.account(account_id), now=self.clock())
        self.commit()
        return payouts

    def sweep(self, *, now: datetime) -> int:
        """Expire the sessions whose time is up. Return how many that were."""
        ended = sum(
            end_lapsed_sessions(account, now=now)
            for account in list(self.books.accounts.values())
        )
        self.commit()
        return ended

    def _owner(self, session_id: str) -> Account:
        account = self.account_of_session(session_id)
        if account is None:
            message = f"no such session: {session_id}"
            raise LookupError(message)
        return account


SANDBOX = web.AppKey("stripe_sandbox", StripeSandbox)
ACCOUNT = web.RequestKey("stripe_account", Account)
REQUEST_ID = web.RequestKey("stripe_request_id", str)
