"""
Other companies, as far as our protocols know them: they keep what they were given, and
go wrong when told to.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self

from offers.checkouts import Checkout, CheckoutState, Paid
from offers.disputes import DisputeWord
from offers.holds import Hold
from offers.payment_accounts import AccountWord
from offers.refund_news import RefundWord
from offers.refunds import Refund, RefundStage
from offers.retailers import Retailer
from outletbot.channels import (
    Ability,
    Capabilities,
    Draft,
    Go,
    ImageRules,
    Numbers,
    Published,
    TryLater,
    Unconfirmed,
    at_once,
)
from outletbot.payments import Barred, Declined, ProviderEvent, Unknown

SIGNED = "signed"
"""The signature that ``FakePayments`` takes for its own."""


NORTH_AT_STRIPE = AccountWord("acct_north", "North", enabled=True)


@dataclass
class FakeConnector:
    """Where accounts are made and keys are proved.

    *words* is what it says of each key; *secret* is what it tells of an endpoint, which
    it does not make if that is empty. While *down* it answers nothing.
    """

    words: dict[str, AccountWord] = field(default_factory=dict)
    secret: str = "whsec_made"
    down: bool = False
    endpoints: list[tuple[str, str]] = field(default_factory=list)
    made: dict[str, tuple[str, str]] = field(default_factory=dict)
    links: list[tuple[str, str, str]] = field(default_factory=list)

    async def prove(self, key: str) -> AccountWord:
        self._begin()
        if key not in self.words:
            msg = "Invalid API Key provided"
            raise Barred(msg)
        return self.words[key]

    async def make_endpoint(self, key: str, url: str) -> str:
        if not self.secret:
            msg = "The provided key does not have the required permissions"
            raise Barred(msg)
        self.endpoints.append((key, url))
        return self.secret

    async def make_account(self, retailer: Retailer, email: str, *, key: str) -> str:
        self._begin()
        self.made.setdefault(key, (retailer.id, email))
        return f"acct_{list(self.made).index(key) + 1}"

    async def onboarding(self, provider_id: str, *, back: str, again: str) -> str:
        self._begin()
        self.links.append((provider_id, back, again))
        return f"https://connect.example/{provider_id}"

    def _begin(self) -> None:
        if self.down:
            msg = "no answer"
            raise Unknown(msg)


@dataclass
class FakePayments:
    """A provider whose shoppers do what the test says.

    While *down* it answers nothing and does nothing. Of the next *lost* answers it does
    what was asked, and nobody hears of it. *refuses* is why it declines
    everything, with its *code*, for now (*passing*) or for good.
    """

    account_id: str = ""
    livemode: bool = False
    writes_per_second: int = 10_000
    down: bool = False
    lost: int = 0
    refuses: str = ""
    checkouts: dict[str, Checkout] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    code: str = ""
    passing: bool = False
    stage: RefundStage = RefundStage.SUCCEEDED
    refunds_asked: dict[str, Refund] = field(default_factory=dict)
    given: dict[str, dict[str, RefundWord]] = field(default_factory=dict)
    disputes: dict[str, DisputeWord] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    connector: FakeConnector = field(default_factory=FakeConnector)
    word: AccountWord = NORTH_AT_STRIPE

    async def of(self, account_id: str) -> Self:
        """Every account is this one."""
        self.account_id = account_id
        return self

    def describe(self, hold: Hold) -> str:
        """Return what has the hold's time in it: composed anew, it is another."""
        asked = {
            "hold": hold.id,
            "total": str(hold.total),
            "expires_at": hold.expires_at.isoformat(),
        }
        return json.dumps(asked)

    async def create(self, hold: Hold) -> Checkout:
        self._begin("create")
        self.requests.append(hold.request)
        checkout = self.checkouts.setdefault(
            f"cs_{hold.id}",
            Checkout(
                id=f"cs_{hold.id}",
                hold_id=hold.id,
                state=CheckoutState.OPEN,
                paid=Paid.UNPAID,
                total=hold.total,
                livemode=self.livemode,
                account_id=self.account_id,
                url=f"https://pay.example/{hold.id}",
            ),
        )
        self._end()
        return checkout

    async def find(self, hold: Hold) -> Checkout | None:
        self._begin("find")
        return self.checkouts.get(f"cs_{hold.id}")

    async def retrieve(self, checkout_id: str) -> Checkout:
        self._begin("retrieve")
        return self._get(checkout_id)

    async def expire(self, checkout_id: str) -> Checkout:
        self._begin("expire")
        checkout = self._get(checkout_id)
        if checkout.state is CheckoutState.OPEN:
            checkout = self.change(checkout_id, state=CheckoutState.EXPIRED)
        self._end()
        return checkout

    async def refund(self, refund: Refund) -> RefundWord:
        self._begin("refund")
        self.refunds_asked.setdefault(refund.id, refund)
        word = RefundWord(
            id=f"re_{refund.id}",
            money=refund.money,
            stage=self.stage,
            refund_id=refund.id,
            reason=refund.reason,
        )
        self.given.setdefault(refund.payment_id, {}).setdefault(word.id, word)
        self._end()
        return self.given[refund.payment_id][word.id]

    async def refunds(self, payment_id: str) -> list[RefundWord]:
        self._begin("refunds")
        return list(self.given.get(payment_id, {}).values())

    async def dispute(self, dispute_id: str, *, now: datetime) -> DisputeWord:
        self._begin("dispute")
        return replace(self.disputes[dispute_id], read_at=now)

    async def standing(self) -> AccountWord:
        self._begin("standing")
        return self.word

    def read_event(self, body: bytes, signature: str) -> ProviderEvent:
        if signature != SIGNED:
            msg = "the signature is not ours"
            raise Declined(msg)
        event = json.loads(body)
        return ProviderEvent(
            event["id"], event["type"], event["created"], event["data"]["object"]
        )

    def pay(self, checkout_id: str, **facts: str) -> Checkout:
        """The shopper pays."""
        payment_id = facts.pop("payment_id", f"pi_{checkout_id}")
        who = {"email": "sam@example.com", "name": "Sam Shopper", **facts}
        return self.change(
            checkout_id,
            state=CheckoutState.COMPLETE,
            paid=Paid.PAID,
            payment_id=payment_id,
            **who,
        )

    def promise(self, checkout_id: str) -> Checkout:
        """The shopper finishes the page; the money is on its way."""
        return self.change(
            checkout_id,
            state=CheckoutState.COMPLETE,
            paid=Paid.UNPAID,
            payment_id=f"pi_{checkout_id}",
        )

    def fail(self, checkout_id: str) -> Checkout:
        """The money that was on its way does not come."""
        return self.change(checkout_id, paid=Paid.FAILED)

    def change(self, checkout_id: str, **facts: object) -> Checkout:
        changed: Checkout = replace(self.checkouts[checkout_id], **facts)  # type: ignore[arg-type]  # as the fields are
        self.checkouts[checkout_id] = changed
        return changed

    async def measure(self, remote_ids: Sequence[str]) -> Mapping[str, Numbers]:
        self._begin("measure")
        return {number: Numbers() for number in remote_ids if number in self.texts}

    def _begin(self, call: str) -> None:
        self.calls[call] += 1
        if self.down:
            msg = "no answer"
            raise Unknown(msg)
        if self.refuses:
            raise Declined(self.refuses, code=self.code, passing=self.passing)

    def _end(self) -> None:
        if self.lost:
            self.lost -= 1
            msg = "the answer was lost"
            raise Unknown(msg)

    def _get(self, checkout_id: str) -> Checkout:
        if checkout_id not in self.checkouts:
            msg = f"No such checkout.session: {checkout_id}"
            raise Declined(msg)
        return self.checkouts[checkout_id]


@dataclass
class FakeChannel:
    """A network that takes everything, unless told otherwise.

    While *down* it takes nothing; of the next *lost* answers it does what was asked,
    and nobody hears of it. *trouble* is raised by whatever is asked.
    """

    name: str = "mastodon"
    capabilities: Capabilities = field(
        default_factory=lambda: Capabilities(
            max_length=500,
            images=ImageRules(most=4, max_bytes=5_000_000, max_alt_length=1_500),
            abilities=frozenset(Ability),
        )
    )
    down: bool = False
    lost: int = 0
    trouble: Exception | None = None
    drafts: list[Draft] = field(default_factory=list)
    keys: dict[str, Published] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, Numbers] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    def length(self, text: str) -> int:
        return len(text)

    async def check(self) -> str:
        self._begin("check")
        return "north@social.example"

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        self._begin("publish")
        await go()
        if key not in self.keys:
            number = str(len(self.drafts) + 1)
            self.drafts.append(draft)
            self.texts[number] = draft.text
            self.keys[key] = Published(number, f"https://social.example/{number}")
        self._end()
        return self.keys[key]

    async def find(self, draft: Draft) -> Published | None:
        self._begin("find")
        for number in sorted(self.texts, key=int, reverse=True):
            if draft.link in self.texts[number]:
                return Published(number, f"https://social.example/{number}")
        return None

    async def edit(self, remote_id: str, draft: Draft) -> None:
        self._begin("edit")
        self.texts[remote_id] = draft.text
        self._end()

    async def delete(self, remote_id: str) -> None:
        self._begin("delete")
        self.texts.pop(remote_id, None)
        self._end()

    async def measure(self, remote_ids: Sequence[str]) -> Mapping[str, Numbers]:
        self._begin("measure")
        empty = {number: Numbers() for number in remote_ids if number in self.texts}
        told = {n: self.numbers[n] for n in remote_ids if n in self.numbers}
        return empty | told

    def _begin(self, call: str) -> None:
        self.calls[call] += 1
        if self.down:
            msg = "the network is down"
            raise TryLater(msg, after=timedelta(minutes=1))
        if self.trouble is not None:
            raise self.trouble

    def _end(self) -> None:
        if self.lost:
            self.lost -= 1
            msg = "the answer was lost"
            raise Unconfirmed(msg)


@dataclass
class FakeNetworks:
    """Opens one channel a kind, whatever the account."""

    channels: Mapping[str, FakeChannel]

    async def channel(self, account: object) -> FakeChannel:
        return self.channels[getattr(account, "kind", "")]
