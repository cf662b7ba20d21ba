"""The sandbox as an object: what it knows, and what can be made to go wrong with it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aiohttp import web

from outletbot.clock import Clock
from outletbot.sandbox.faults import Faults
from outletbot.sandbox.stripe_access import Door, add_key, expire_key
from outletbot.sandbox.stripe_balance import pay_out
from outletbot.sandbox.stripe_books import OWN, Account, Books, Json
from outletbot.sandbox.stripe_connect import (
    allow_charges,
    connect,
    disconnect,
    tell_deauthorized,
)
from outletbot.sandbox.stripe_disputes import (
    answer_dispute,
    end_unanswered,
    lose_dispute,
    open_dispute,
    win_dispute,
)
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

    *latency* is how long a POST takes.
    """

    books: Books
    postman: Postman
    clock: Clock
    public_url: str
    door: Door
    fees: Fees = field(default_factory=Fees)
    faults: Faults = field(default_factory=Faults)
    latency: timedelta = timedelta()
    being_answered: set[tuple[str, str]] = field(default_factory=set)

    @property
    def rate_limit(self) -> int | None:
        """How many reads, and how many writes, an account may make in a second."""
        return self.door.rate_limit

    @rate_limit.setter
    def rate_limit(self, limit: int | None) -> None:
        self.door.rate_limit = limit

    def account(self, account_id: str = "") -> Account:
        """Return a connected account, or the one that the key itself belongs to."""
        return self.books.account(account_id)

    def commit(self) -> None:
        """Write down what happened, then tell it: nobody hears what may be lost."""
        self.postman.take_news()
        self.books.commit()

    def add_key(self, key: str, account_id: str = OWN, *lacks: str) -> None:
        """Let *key* be one of an account; a restricted one *lacks* some rights."""
        add_key(self.books, key, account_id, frozenset(lacks))
        self.door.keys[key] = account_id
        self.commit()

    def expire_key(self, key: str) -> None:
        """Let a key be of no use any more, as when its owner has rolled it."""
        expire_key(self.books, key)
        self.commit()

    def connect(self, account_id: str) -> Account:
        """Let the platform act for an account that has signed up long ago."""
        connect(self.account(), account_id)
        self.commit()
        return self.account(account_id)

    def deauthorize(self, account_id: str) -> None:
        """Let an account's owner withdraw their consent: told first, then true.

        Raises:
            StripeRefusal: If the platform never acted for it.
        """
        tell_deauthorized(self.account(account_id), now=self.clock())
        self.commit()
        disconnect(self.account(), account_id)
        self.commit()

    def allow_charges(self, account_id: str, *, enabled: bool) -> Json:
        """Let an account take money, or let Stripe stop it; its platform is told."""
        account = self.account(account_id)
        allowed = allow_charges(account, enabled=enabled, now=self.clock())
        self.commit()
        return allowed

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

    def dispute(
        self, payment_id: str, amount: int | None = None, reason: str = "fraudulent"
    ) -> Json:
        """Let a shopper's bank take a payment back. Return the dispute.

        Raises:
            StripeRefusal: If there is no such money, or it was disputed before.
            LookupError: If there is no such payment.
        """
        account, intent = self._owner_of("payment_intent", payment_id)
        dispute = open_dispute(
            account,
            account.get("charge", intent["latest_charge"]),
            amount=amount,
            reason=reason,
            fee=self.fees.dispute,
            now=self.clock(),
        )
        self.commit()
        return dispute

    def answer_dispute(self, dispute_id: str) -> Json:
        """Give the bank evidence, as the retailer does in Stripe's dashboard.

        Raises:
            StripeRefusal: If the bank has decided.
            LookupError: If there is no such dispute.
        """
        account, _ = self._owner_of("dispute", dispute_id)
        asked = {"evidence": {"uncategorized_text": "It was delivered."}}
        dispute = answer_dispute(account, dispute_id, asked, now=self.clock())
        self.commit()
        return dispute

    def decide_dispute(self, dispute_id: str, *, won: bool) -> Json:
        """Let the bank decide, for the retailer or against.

        Raises:
            StripeRefusal: If it has.
            LookupError: If there is no such dispute.
        """
        account, _ = self._owner_of("dispute", dispute_id)
        decide = win_dispute if won else lose_dispute
        dispute = decide(account, dispute_id, now=self.clock())
        self.commit()
        return dispute

    def payout(self, account_id: str = "") -> list[Json]:
        """Pay out what is available in every currency. Return the payouts."""
        payouts = pay_out(self.account(account_id), now=self.clock())
        self.commit()
        return payouts

    def sweep(self, *, now: datetime) -> int:
        """Expire the sessions whose time is up. Return how many that were.

        Disputes that nobody answered in time are lost.
        """
        ended = 0
        for account in list(self.books.accounts.values()):
            ended += end_lapsed_sessions(account, now=now)
            end_unanswered(account, now=now)
        self.commit()
        return ended

    def _owner(self, session_id: str) -> Account:
        return self._owner_of("checkout.session", session_id)[0]

    def _owner_of(self, kind: str, object_id: str) -> tuple[Account, Json]:
        for account in self.books.accounts.values():
            if thing := account.find(kind, object_id):
                return account, thing
        message = f"no such {kind}: {object_id}"
        raise LookupError(message)


SANDBOX = web.AppKey("stripe_sandbox", StripeSandbox)
ACCOUNT = web.RequestKey("stripe_account", Account)
KEY = web.RequestKey("stripe_key", str)
REQUEST_ID = web.RequestKey("stripe_request_id", str)
