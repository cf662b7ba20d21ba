"""Who may call: keys, what they may do, for whom they act, and how often."""

from collections import Counter
from datetime import datetime

from outletbot.sandbox.stripe_books import OWN, OWN_NAME, Account, Books, Json
from outletbot.sandbox.stripe_errors import (
    expired_key,
    lacks_permission,
    no_access,
    no_key,
    too_many,
    wrong_key,
)

TEST_RATE = 25
LIVE_RATE = 100
"""What Stripe allows an account in a second (https://docs.stripe.com/rate-limits)."""

# What a restricted key must be allowed for each resource. Where Stripe's own word for
# it is not known, it is the resource's.
_RIGHTS = {
    "account": "accounts_kyc_basic",
    "accounts": "accounts_kyc_basic",
    "account_links": "account_link",
    "balance_transactions": "balance_transaction_source",
    "checkout": "checkout_session",
    "refunds": "charge",
    "webhook_endpoints": "webhook",
}


def add_key(books: Books, key: str, account_id: str, lacks: frozenset[str]) -> Json:
    """Let *key* be one of an account; a restricted one *lacks* some rights."""
    return books.account(OWN).keep(
        {
            "id": key,
            "object": "api_key",
            "account": account_id,
            "lacks": sorted(lacks),
            "expired": False,
        }
    )


def expire_key(books: Books, key: str) -> None:
    """Let a key be of no use any more, as when its owner has rolled it."""
    kept = books.account(OWN).find("api_key", key)
    known = kept or add_key(books, key, OWN, frozenset())
    books.account(OWN).keep(known | {"expired": True})


class Door:
    """Lets calls in.

    *keys* says whose account each API key is for. *rate_limit* is how many reads, and
    how many writes, an account may make in a second; None is any number.
    """

    def __init__(
        self, books: Books, keys: dict[str, str], rate_limit: int | None = None
    ) -> None:
        self.keys = keys
        self.rate_limit = rate_limit
        self._books = books
        self._second = 0
        self._calls: Counter[tuple[str, bool]] = Counter()
        for kept in books.account(OWN).rows("api_key"):
            keys.setdefault(kept["id"], kept["account"])

    def let_in(
        self, authorization: str, named: str, method: str, path: str, *, now: datetime
    ) -> tuple[Account, str]:
        """Return the account that a call is about, and the key that it was made with.

        Raises:
            NotStarted: If it may not be made, or not now.
        """
        key = self._key_of(authorization)
        account = self._account_of(key, named)
        kept = self._books.account(OWN).find("api_key", key) or {"lacks": []}
        right = right_to(method, path)
        if right in kept["lacks"]:
            raise lacks_permission(key, account.id or OWN_NAME, right)
        self._count(account, is_read=method == "GET", now=now)
        return account, key

    def _key_of(self, authorization: str) -> str:
        scheme, _, key = authorization.partition(" ")
        if scheme.lower() != "bearer" or not key:
            raise no_key()
        if key not in self.keys:
            raise wrong_key(key)
        kept = self._books.account(OWN).find("api_key", key)
        if kept and kept["expired"]:
            raise expired_key(key)
        return key

    def _account_of(self, key: str, named: str) -> Account:
        home = self._books.account(self.keys[key])
        if named in ("", home.id or OWN_NAME):
            return home
        account = self._books.accounts.get(named)
        if account is None or account.platform is not home:
            raise no_access(key, named)
        return account

    def _count(self, account: Account, *, is_read: bool, now: datetime) -> None:
        if self.rate_limit is None:
            return
        if self._second != int(now.timestamp()):
            self._second = int(now.timestamp())
            self._calls.clear()
        if self._calls[account.id, is_read] >= self.rate_limit:
            raise too_many()
        self._calls[account.id, is_read] += 1


def right_to(method: str, path: str) -> str:
    """Return the name of the right to call this: ``rak_checkout_session_write``."""
    resource = path.split("/")[2]
    right = _RIGHTS.get(resource, resource.removesuffix("s"))
    return f"rak_{right}_{'read' if method == 'GET' else 'write'}"
