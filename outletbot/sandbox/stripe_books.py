"""What the sandbox knows: every object of every account, as Stripe would show it.

Objects are kept in the order in which they were made. A change is made to the object,
which is then kept again; what is kept is written down by ``Books.commit``, all of it or
nothing, so a sandbox with a file goes on after a restart (or a kill) where it was.
"""

import copy
import heapq
import json
import random
import sqlite3
import string
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias

from outletbot.sandbox.stripe_errors import no_such

Json: TypeAlias = dict[str, Any]

OWN = ""
"""The account that the API key itself belongs to; others are named by a header."""

OWN_NAME = "acct_sandbox"

SPOKEN = {
    "payment_intent": "payment_intent",
    "balance_transaction": "balance transaction",
}

_ALPHABET = string.ascii_letters + string.digits
_DDL = """
CREATE TABLE IF NOT EXISTS kept (
    account TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (account, kind, id)
)
"""
_KEEP = """
INSERT INTO kept VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET body = excluded.body
"""


class Account:
    """The objects of one account. What another account has cannot be found in it."""

    def __init__(self, account_id: str, books: "Books") -> None:
        self.id = account_id
        self.books = books
        self._kinds: dict[str, dict[str, Json]] = {}
        self._rows: dict[str, list[Json]] = defaultdict(list)
        self._places: dict[str, dict[str, int]] = defaultdict(dict)
        self._due: dict[str, list[tuple[int, str]]] = defaultdict(list)

    @property
    def livemode(self) -> bool:
        return self.books.livemode

    @property
    def platform(self) -> "Account | None":
        """The account that acts for this one by Stripe Connect, if any does."""
        house = self.books.account(OWN)
        connection = house.find("connection", self.id)
        return house if connection and not connection["revoked"] else None

    def keep(self, thing: Json) -> Json:
        """Keep a new object, or what an old one has become."""
        self.put(thing)
        self.books.note(self, thing)
        return thing

    def put(self, thing: Json) -> None:
        kind, name = thing["object"], thing["id"]
        rows, places = self._rows[kind], self._places[kind]
        if name in places:
            rows[places[name]] = thing
        else:
            places[name] = len(rows)
            rows.append(thing)
            if at := _due_at(thing):
                heapq.heappush(self._due[kind], (at, name))
        self._kinds.setdefault(kind, {})[name] = thing

    def find(self, kind: str, object_id: str) -> Json | None:
        return self._kinds.get(kind, {}).get(object_id)

    def get(self, kind: str, object_id: str, *, param: str = "id") -> Json:
        """Return an object.

        Raises:
            StripeRefusal: If this account has no such object.
        """
        thing = self.find(kind, object_id)
        if thing is None:
            raise no_such(SPOKEN.get(kind, kind), object_id, param=param)
        return thing

    def all(self, kind: str) -> list[Json]:
        """Return every object of a kind, oldest first."""
        return list(self._rows[kind])

    def rows(self, kind: str) -> Sequence[Json]:
        """Return every object of a kind, oldest first, to look at and not to change."""
        return self._rows[kind]

    def place(self, kind: str, object_id: str) -> int | None:
        """Return where in ``rows`` an object is."""
        return self._places[kind].get(object_id)

    def due(self, kind: str, now: datetime) -> Iterator[Json]:
        """Take the objects whose time has come; each comes once."""
        waiting = self._due[kind]
        while waiting and waiting[0][0] <= now.timestamp():
            yield self._kinds[kind][heapq.heappop(waiting)[1]]

    def new_id(self, prefix: str, *, length: int = 24) -> str:
        return self.books.new_id(prefix, length)

    def tell(self, event_type: str, thing: Json, *, now: datetime) -> None:
        """Keep an event about *thing* as it is now; it is sent after the commit."""
        event = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": self.books.api_version,
            "created": int(now.timestamp()),
            "data": {"object": copy.deepcopy(thing)},
            "livemode": self.livemode,
            "pending_webhooks": 0,
            "request": {"id": None, "idempotency_key": None},
            "type": event_type,
        }
        if self.platform is not None:
            event["account"] = self.id
        self.keep(event)
        self.books.news.append((self, event))


def _due_at(thing: Json) -> int | None:
    """Return when something happens to a new object by itself, if anything does."""
    match thing:
        case {"object": "checkout.session", "status": "open", "expires_at": int(at)}:
            return at
        case {
            "object": "balance_transaction",
            "status": "pending",
            "available_on": int(at),
        }:
            return at
        case {"object": "dispute", "evidence_details": {"due_by": int(at)}}:
            return at
    return None


class Books:
    """All accounts, the one source of ids, and the file behind them if there is one.

    What is made while *livemode* is set says that it is real money.
    """

    def __init__(self, *, seed: int, api_version: str, path: Path | None) -> None:
        self.api_version = api_version
        self.accounts: dict[str, Account] = {}
        self.livemode = False
        self.news: list[tuple[Account, Json]] = []
        self._seed = seed
        self._made = 0
        self._changed: dict[tuple[str, str, str], Json] = {}
        self._file = None if path is None else sqlite3.connect(path)
        if self._file:
            # Safe against a kill of the process; a cut of power may lose the last rows.
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = OFF")
            self._file.execute(_DDL)
            self._load(self._file.execute("SELECT * FROM kept ORDER BY rowid"))

    def account(self, account_id: str) -> Account:
        if account_id not in self.accounts:
            self.accounts[account_id] = Account(account_id, self)
        return self.accounts[account_id]

    def new_id(self, prefix: str, length: int) -> str:
        """Return the next id: the same one in each run with the same seed."""
        self._made += 1
        dice = random.Random(f"{self._seed}/{self._made}")  # noqa: S311 - no secret
        return f"{prefix}_{''.join(dice.choices(_ALPHABET, k=length))}"

    def note(self, account: Account, thing: Json) -> None:
        self._changed[account.id, thing["object"], thing["id"]] = thing

    def commit(self) -> None:
        """Write down what changed since the last commit."""
        if self._file and self._changed:
            count = {"id": "ids", "object": "counter", "made": self._made}
            rows = {**self._changed, (OWN, "counter", "ids"): count}
            with self._file:
                self._file.executemany(
                    _KEEP, [(*key, json.dumps(thing)) for key, thing in rows.items()]
                )
        self._changed.clear()

    def close(self) -> None:
        self.commit()
        if self._file:
            self._file.close()

    def _load(self, rows: Iterable[tuple[str, str, str, str]]) -> None:
        for account_id, kind, _, body in rows:
            thing = json.loads(body)
            if kind == "counter":
                self._made = thing["made"]
            else:
                self.account(account_id).put(thing)
