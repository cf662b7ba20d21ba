"""
Retailers side by side, each paid to an account of their own: by the house, by their own
key, by Stripe Connect. What one of them says or does is nothing to the others.

Stripe is the sandbox, behind Stripe's own client.
"""

import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import stripe
from sqlmodel import Session

from offers.connecting import KEEP_SECRET, begin_connecting
from offers.deals import Deal
from offers.errors import Missing
from offers.holds import Hold, HoldState
from offers.payment_accounts import PaymentAccount, PaymentAccountKind
from offers.retailers import Retailer
from offers.reviews import let_go
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.jobs.paying import expire_holds
from outletbot.payments import Barred, Declined
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.stripe_webhooks import Fate, Treatment
from outletbot.sealing import Seal
from outletbot.stripe_client import StripeGateways
from outletbot.web.stripe_webhook import LIVE_AT_TEST, NOT_OURS
from tests.factories import (
    HOUR,
    KEY,
    NOON,
    make_deal,
    make_payment_account,
    make_retailer,
)
from tests.outletbot.till import CREATE, Till, open_till
from webhooks.inbox import Arrival
from webhooks.settling import Outcome

BOTH_DATABASES = True

SOUTH_KEY, SOUTH_SECRET = "sk_test_south", "whsec_south"
CONNECTED = PaymentAccountKind.CONNECTED


@dataclass
class Town:
    """North sells through the house, south by a key of its own, west by Connect."""

    till: Till
    south: PaymentAccount
    west: PaymentAccount

    async def buy(self, account: PaymentAccount | None = None, **facts: Any) -> Hold:
        retailer_id = account.retailer_id if account else ""
        deal = make_deal(self.till.session, retailer_id=retailer_id, **facts)
        return await self.till.buy(deal)

    def pages(self, name: str) -> list[Any]:
        return self.till.sandbox.account(name).all("checkout.session")

    async def tell(
        self, event: dict[str, Any], *, at: str = "", secret: str = SOUTH_SECRET
    ) -> int:
        """Send an event to an account's own address, or to the house's."""
        body = json.dumps({"id": "evt_1", "created": int(NOON.timestamp()), **event})
        now = int(time.time())  # noqa: TID251  (so does the library)
        sign = stripe.WebhookSignature.generate_signature_header
        headers = {"Stripe-Signature": sign(body, secret, now)}
        url = f"{self.till.hook_url}/{at}" if at else self.till.hook_url
        async with (
            aiohttp.ClientSession() as http,
            http.post(url, data=body, headers=headers) as answer,
        ):
            return answer.status

    @property
    def arrivals(self) -> list[Arrival]:
        return self.till.all(Arrival)


def completed(checkout_id: str, **facts: Any) -> dict[str, Any]:
    kind = "checkout.session.completed"
    return {"type": kind, "data": {"object": {"id": checkout_id}}, **facts}


@pytest.fixture
async def town(
    database: Database, session: Session, settings: Settings
) -> AsyncIterator[Town]:
    async with open_till(database, session, settings) as till:
        till.sandbox.add_key(SOUTH_KEY, "acct_south")
        till.sandbox.connect("acct_west")
        seal = Seal(KEY)
        south = make_payment_account(
            session,
            retailer_id=make_retailer(session, "south").id,
            provider_id="acct_south",
            sealed_key=seal.close(SOUTH_KEY),
            sealed_webhook_secret=seal.close(SOUTH_SECRET),
        )
        west = make_payment_account(
            session,
            retailer_id=make_retailer(session, "west").id,
            kind=CONNECTED,
            provider_id="acct_west",
            fee_bps=250,
        )
        yield Town(till, south, west)


class TestSideBySide:
    async def test_each_is_paid_to_their_own_account(self, town: Town) -> None:
        till = town.till
        bought = [await town.buy(a) for a in (None, town.south, town.west)]

        for hold in bought:
            till.pay(hold)
            await till.paying.settle(hold)

        accounts = {"", town.south.id, town.west.id}
        assert {order.account_id for order in till.orders} == accounts
        for name, hold in zip(("", "acct_south", "acct_west"), bought, strict=True):
            (page,) = town.pages(name)
            assert page["id"] == hold.checkout_id
            assert page["payment_status"] == "paid"

    async def test_the_house_takes_its_share_of_a_connected_account(
        self, town: Town
    ) -> None:
        west = await town.buy(town.west, price_amount=4_999)
        south = await town.buy(town.south)

        asked = json.loads(west.request)["payment_intent_data"]
        assert asked["application_fee_amount"] == 124
        assert "application_fee_amount" not in south.request

    @pytest.mark.parametrize(
        ("fee_bps", "amount", "currency", "fee"),
        [
            (1, 100, "eur", None),
            (10_000, 100, "eur", None),
            (250, 1_000, "jpy", 25),
            (250, 1_000, "isk", 2_500),
            (333, 100, "isk", 300),
            (250, 12_340, "kwd", 300),
        ],
    )
    async def test_a_share_is_a_whole_number_of_what_can_be_charged(
        self, town: Town, fee_bps: int, amount: int, currency: str, fee: int | None
    ) -> None:
        town.till.change(town.west, fee_bps=fee_bps)
        hold = Hold(
            id="hold_1",
            token="t",  # type: ignore[call-arg]  # as a row is made
            title="Parka",
            quantity=1,
            unit_amount=amount,
            currency=currency,
            expires_at=NOON + HOUR,
        )

        gateway = await town.till.gateways.of(town.west.id)
        asked = json.loads(gateway.describe(hold))

        assert asked["payment_intent_data"].get("application_fee_amount") == fee

    async def test_a_page_ends_where_it_was_opened(self, town: Town) -> None:
        till = town.till
        for account in (town.south, town.west):
            await town.buy(account)
        till.clock.advance(minutes=10)

        ended = await expire_holds(till.database, till.paying, till.clock)

        assert ended == 2
        pages = town.pages("acct_south") + town.pages("acct_west")
        assert [page["status"] for page in pages] == ["expired"] * 2

    async def test_a_hold_stays_with_the_account_it_was_asked_of(
        self, town: Town
    ) -> None:
        till = town.till
        hold = await town.buy(town.south)
        till.change(town.south, ended_at=NOON)
        till.pay(hold)

        settled = await till.paying.settle(hold)

        assert settled.state is HoldState.PAID
        assert till.orders[0].account_id == town.south.id


class TestGateways:
    async def test_are_made_once(self, town: Town) -> None:
        gateways = town.till.gateways

        assert await gateways.of(town.south.id) is await gateways.of(town.south.id)

    async def test_are_made_anew_when_the_key_is_replaced(self, town: Town) -> None:
        gateways, sandbox = town.till.gateways, town.till.sandbox
        before = await gateways.of(town.south.id)
        sandbox.expire_key(SOUTH_KEY)
        sandbox.add_key("sk_test_new", "acct_south")

        with pytest.raises(Barred):
            await before.check()
        town.till.change(town.south, sealed_key=Seal(KEY).close("sk_test_new"))
        after = await gateways.of(town.south.id)

        assert await after.check() == "acct_south"

    async def test_of_a_connected_account_act_in_its_name(self, town: Town) -> None:
        gateway = await town.till.gateways.of(town.west.id)

        assert await gateway.check() == "acct_west"
        assert gateway.options() == {"stripe_account": "acct_west"}

    async def test_of_nobody_are_declined(self, town: Town) -> None:
        with pytest.raises(Declined, match="no payment account"):
            await town.till.gateways.of("payacc_none")
        with pytest.raises(Declined, match="for the house alone"):
            await StripeGateways(town.till.gateway, town.till.database).of(
                town.south.id
            )
        with pytest.raises(Declined, match="no payment account"):
            await StripeGateways(town.till.gateway).of(town.south.id)

    async def test_whose_secret_cannot_be_opened_are_declined(self, town: Town) -> None:
        town.till.change(town.south, sealed_key="sealed by somebody else")

        with pytest.raises(Declined, match="another SECRET_KEY"):
            await town.till.gateways.of(town.south.id)

    async def test_keep_the_pace_of_the_account(self, town: Town) -> None:
        usual = await town.till.gateways.of(town.west.id)
        town.till.change(town.west, writes_per_second=7)

        own = await town.till.gateways.of(town.west.id)

        assert usual.writes_per_second == 10_000
        assert own.writes_per_second == 7


class TestForgeries:
    async def test_a_page_of_another_account_says_nothing_of_our_hold(
        self, town: Town
    ) -> None:
        till = town.till
        hold = await town.buy()
        south = await till.gateways.of(town.south.id)
        forged = hold.model_copy(update={"id": hold.id})
        page = await south.create(forged)
        till.pay(page.id)

        with pytest.raises(Missing):
            await till.paying.settle_checkout(town.south.id, page.id)

        assert till.now_is(hold).state is HoldState.OPEN
        assert till.orders == []

    async def test_nor_does_an_event_about_it(self, town: Town) -> None:
        till = town.till
        hold = await town.buy()
        south = await till.gateways.of(town.south.id)
        page = await south.create(hold)
        till.pay(page.id)

        status = await town.tell(completed(page.id), at=town.south.id)
        await till.work("handling")

        forged = [a for a in town.arrivals if a.account_id == town.south.id]
        assert status == 204
        assert [a.outcome for a in forged] == ["not a hold of ours"]
        assert till.now_is(hold).state is HoldState.OPEN

    async def test_an_event_that_names_anothers_page_is_ignored(
        self, town: Town
    ) -> None:
        till = town.till
        hold = await town.buy()

        await town.tell(completed(hold.checkout_id or ""), at=town.south.id)
        await till.work("handling")

        (arrival,) = [a for a in town.arrivals if a.account_id == town.south.id]
        assert arrival.handled_at == NOON
        assert "No such checkout" in arrival.outcome
        assert till.now_is(hold).state is HoldState.OPEN

    async def test_an_own_address_takes_no_other_signature(self, town: Town) -> None:
        house = town.till.settings.stripe_webhook_secret.get_secret_value()
        event = completed("cs_1")

        statuses = [
            await town.tell(event, at=town.south.id, secret=house),
            await town.tell(event, at=town.west.id, secret=house),
            await town.tell(event, at="payacc_none", secret=house),
            await town.tell(event, secret=SOUTH_SECRET),
        ]

        assert statuses == [400] * 4
        assert town.arrivals == []


class TestEvents:
    async def test_go_to_whose_they_are(self, town: Town) -> None:
        till = town.till
        hold = await town.buy(town.west)
        till.pay(hold)

        await till.work("handling")

        assert till.now_is(hold).state is HoldState.PAID
        (arrival,) = [a for a in town.arrivals if a.outcome == Outcome.ORDERED]
        assert (arrival.retailer_id, arrival.account_id) == (
            town.west.retailer_id,
            town.west.id,
        )

    async def test_of_an_own_key_come_to_its_own_address(self, town: Town) -> None:
        till = town.till
        hold = await town.buy(town.south)
        till.pay(hold)

        await town.tell(completed(hold.checkout_id or ""), at=town.south.id)
        await till.work("handling")

        assert till.now_is(hold).state is HoldState.PAID

    async def test_of_an_unknown_account_are_kept_as_not_ours(self, town: Town) -> None:
        secret = town.till.settings.stripe_webhook_secret.get_secret_value()

        status = await town.tell(completed("cs_1", account="acct_x"), secret=secret)

        (arrival,) = town.arrivals
        assert status == 204
        assert (arrival.outcome, arrival.handled_at) == (NOT_OURS, NOON)

    async def test_of_the_other_mode_are_kept_and_ignored(self, town: Town) -> None:
        hold = await town.buy(town.south)
        town.till.pay(hold)
        live = completed(hold.checkout_id or "", livemode=True)

        status = await town.tell(live, at=town.south.id)
        await town.till.work("handling")

        arrival = town.arrivals[-1]
        assert status == 204
        assert arrival.outcome == LIVE_AT_TEST
        assert town.till.now_is(hold).state is HoldState.OPEN

    async def test_signed_with_the_secret_before_count_for_a_day(
        self, town: Town
    ) -> None:
        till, seal = town.till, Seal(KEY)
        till.change(
            town.south,
            sealed_webhook_secret=seal.close("whsec_new"),
            sealed_previous_secret=seal.close(SOUTH_SECRET),
            previous_until=NOON + KEEP_SECRET,
        )

        new = await town.tell(completed("cs"), at=town.south.id, secret="whsec_new")
        old = await town.tell(completed("cs"), at=town.south.id)
        till.clock.advance(hours=25)
        too_old = await town.tell(completed("cs"), at=town.south.id)

        assert (new, old, too_old) == (204, 204, 400)

    async def test_of_the_account_itself_note_how_it_stands(self, town: Town) -> None:
        till = town.till
        till.change(town.south, trouble="something")
        event = {"type": "account.updated", "data": {"object": {"id": "acct_south"}}}

        await town.tell(event, at=town.south.id)
        await till.work("handling")

        assert town.arrivals[-1].outcome == "account in use"
        south = till.session.get_one(
            PaymentAccount, town.south.id, populate_existing=True
        )
        assert south.trouble == ""


class TestDeauthorised:
    async def withdraw(self, town: Town) -> None:
        town.till.sandbox.deauthorize("acct_west")
        await town.till.work("handling")

    async def test_nothing_new_is_asked_for(self, town: Town) -> None:
        till = town.till
        deal = make_deal(till.session, retailer_id=town.west.retailer_id)
        hold = await till.claim(deal)
        await self.withdraw(town)

        same = await till.paying.open(hold.id)
        await till.work("paging")

        assert same.state is HoldState.HELD
        assert till.now_is(hold).request == ""
        assert not till.deal_now(deal).payable
        assert till.asked(CREATE) == 0

    async def test_what_is_open_there_is_left_to_a_person(self, town: Town) -> None:
        till = town.till
        hold = await town.buy(town.west)
        await self.withdraw(town)
        till.clock.advance(minutes=10)

        await till.work("expiring")
        left = till.now_is(hold).state
        held = till.session.get_one(Deal, hold.deal_id, populate_existing=True).held
        till.session.rollback()
        await till.database.transact(
            let_go, town.west.retailer_id, hold.id, now=till.clock.now
        )

        assert left is HoldState.REVIEW
        assert held == 1
        assert till.now_is(hold).state is HoldState.RELEASED

    async def test_a_page_that_may_be_there_is_left_to_a_person_too(
        self, town: Town
    ) -> None:
        till = town.till
        till.goes_wrong(CREATE, Fault.TIMEOUT_AFTER)
        hold = await town.buy(town.west)
        await self.withdraw(town)
        till.clock.advance(minutes=10)

        await till.work("expiring")

        assert till.now_is(hold).state is HoldState.REVIEW

    async def test_a_page_that_cannot_be_there_is_not(self, town: Town) -> None:
        till = town.till
        till.sandbox.postman.treat_next(Treatment(Fate.DROPPED))
        till.sandbox.deauthorize("acct_west")
        hold = await town.buy(town.west)

        refused = till.now_is(hold)
        till.clock.advance(minutes=10)
        await till.work("expiring")

        assert (refused.state, refused.request) == (HoldState.HELD, "")
        assert till.now_is(hold).state is HoldState.RELEASED
        west = till.session.get_one(
            PaymentAccount, town.west.id, populate_existing=True
        )
        assert "does not let us act" in west.trouble


class TestKeyThatDoesNotWork:
    async def test_keeps_the_unit_for_a_while(self, town: Town) -> None:
        """A key replaced in Stripe's dashboard is soon replaced here."""
        till = town.till
        hold = await town.buy(town.south)
        till.sandbox.expire_key(SOUTH_KEY)
        till.clock.advance(minutes=10)

        await till.work("expiring")
        barred = till.now_is(hold).state
        till.sandbox.add_key(SOUTH_KEY, "acct_south")
        till.clock.advance(seconds=6)
        await till.work("expiring")

        assert barred is HoldState.OPEN
        assert till.now_is(hold).state is HoldState.RELEASED

    async def test_leaves_it_to_a_person_at_last(self, town: Town) -> None:
        till = town.till
        hold = await town.buy(town.south)
        till.sandbox.expire_key(SOUTH_KEY)
        till.clock.advance(minutes=71)

        await till.work("expiring")

        assert till.now_is(hold).state is HoldState.REVIEW

    async def test_loses_no_message(self, town: Town) -> None:
        till = town.till
        hold = await town.buy(town.south)
        till.pay(hold)
        till.sandbox.expire_key(SOUTH_KEY)

        await town.tell(completed(hold.checkout_id or ""), at=town.south.id)
        await till.work("handling")
        waiting = till.now_is(hold).state
        till.sandbox.add_key(SOUTH_KEY, "acct_south")
        till.clock.advance(minutes=1)
        await till.work("handling")

        assert waiting is HoldState.OPEN
        assert till.now_is(hold).state is HoldState.PAID


async def test_two_secrets_of_the_house_count(
    database: Database, session: Session, settings: Settings
) -> None:
    both = settings.model_copy(
        update={"stripe_connect_webhook_secret": settings.stripe_webhook_secret}
    )
    async with open_till(database, session, both) as till:
        secrets = till.gateway._secrets  # noqa: SLF001  (nothing else tells)

    assert secrets == ["whsec_north", "whsec_north"]


class TestConnector:
    """What the desk asks of Stripe, by the real client."""

    async def test_proves_a_key(self, town: Town) -> None:
        connector = town.till.gateways.connector

        word = await connector.prove(SOUTH_KEY)

        assert (word.provider_id, word.enabled) == ("acct_south", True)
        with pytest.raises(Barred):
            await connector.prove("sk_test_nobody")

    async def test_makes_an_endpoint_that_we_understand(self, town: Town) -> None:
        till = town.till
        url = f"{till.hook_url}/{town.south.id}"

        secret = await till.gateways.connector.make_endpoint(SOUTH_KEY, url)
        till.change(town.south, sealed_webhook_secret=Seal(KEY).close(secret))
        hold = await town.buy(town.south)
        till.pay(hold)
        await till.work("handling")

        assert secret.startswith("whsec_")
        assert till.now_is(hold).state is HoldState.PAID

    async def test_is_told_if_a_key_may_not(self, town: Town) -> None:
        town.till.sandbox.add_key("rk_test_weak", "acct_south", "rak_webhook_write")

        with pytest.raises(Barred):
            await town.till.gateways.connector.make_endpoint(
                "rk_test_weak", "https://outlet.example/webhooks/stripe/x"
            )

    async def test_makes_an_account_once_and_leads_its_owner_to_stripe(
        self, town: Town
    ) -> None:
        till, connector = town.till, town.till.gateways.connector
        retailer = till.all(Retailer)[0]

        first, second = [
            await connector.make_account(retailer, "ana@south.example", key="k1")
            for _ in "ab"
        ]
        account = await till.database.transact(
            begin_connecting,
            retailer.id,
            first,
            fee_bps=0,
            livemode=False,
            now=NOON,
        )
        home = "https://outlet.example/settings/payments"
        link = await connector.onboarding(first, back=home, again=home)
        gateway = await till.gateways.of(account.id)

        assert first == second
        assert link.startswith(till.stripe_url)
        assert not (await gateway.standing()).enabled
        till.sandbox.allow_charges(first, enabled=True)
        await till.work("handling")
        assert till.session.get_one(
            PaymentAccount, account.id, populate_existing=True
        ).is_in_use

    async def test_of_the_house_alone_knows_no_other_key(self, town: Town) -> None:
        alone = StripeGateways(town.till.gateway)

        with pytest.raises(Declined):
            await alone.connector.prove(SOUTH_KEY)
