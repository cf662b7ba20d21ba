"""
Between a hold and the provider: each step is asked for once, whatever becomes of the
answers, and a unit is free again only when no money can come for it.

Stripe is the sandbox, behind Stripe's own client.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import stripe
from sqlmodel import Session

from offers.checkouts import CheckoutState
from offers.errors import Missing
from offers.holds import HoldState
from offers.payment_pages import lease_lapsed_holds
from offers.refunds import RefundStage
from outletbot.config import Settings
from outletbot.db import Database
from outletbot.jobs.paying import expire_holds, open_missing_pages
from outletbot.payments import Declined, Unknown
from outletbot.sandbox.faults import Fault
from outletbot.stripe_client import stripe_gateways
from outletbot.stripe_gateway import StripeGateway
from tests.factories import MINUTE, NOON, make_hold, make_refund
from tests.outletbot.till import CREATE, EXPIRE, REFUND, RETRIEVE, Till, open_till
from webhooks.settling import Outcome

BOTH_DATABASES = True

EVENT = {
    "id": "evt_1",
    "type": "charge.refunded",
    "created": 1_772_452_800,
    "data": {"object": {"id": "ch_1"}},
}
NO_ANSWER = [
    Fault.TIMEOUT_BEFORE,
    Fault.TIMEOUT_AFTER,
    Fault.ERROR_BEFORE,
    Fault.CUT_BODY,
    Fault.TOO_MANY,
    Fault.LOCKED,
]


@pytest.fixture
async def till(
    database: Database, session: Session, settings: Settings
) -> AsyncIterator[Till]:
    async with open_till(database, session, settings) as till:
        yield till


class TestOpen:
    async def test_gives_the_hold_its_payment_page(self, till: Till) -> None:
        deal = till.deal(price_amount=4_999)

        hold = await till.buy(deal, quantity=2)

        (page,) = till.pages
        assert hold.state is HoldState.OPEN
        assert (hold.checkout_id, hold.checkout_url) == (page["id"], page["url"])
        assert (page["amount_total"], page["currency"]) == (9_998, "eur")
        assert page["client_reference_id"] == hold.id
        assert page["success_url"] == f"{till.settings.public_url}/h/{hold.token}/paid"
        assert page["cancel_url"] == f"{till.settings.public_url}/h/{hold.token}"
        till.check()

    async def test_opens_one_page_however_often_it_is_asked(self, till: Till) -> None:
        hold = await till.claim(till.deal())

        await asyncio.gather(*(till.paying.open(hold.id) for _ in range(5)))
        again = await till.paying.open(hold.id)

        assert again.state is HoldState.OPEN
        assert (len(till.pages), till.asked(CREATE)) == (1, 1)
        till.check()

    @pytest.mark.parametrize("fault", NO_ANSWER)
    async def test_repeats_to_the_letter_what_was_not_answered(
        self, till: Till, fault: Fault
    ) -> None:
        till.goes_wrong(CREATE, fault)
        unanswered = await till.buy(till.deal())
        asked = unanswered.request

        too_soon = await till.paying.open(unanswered.id)
        till.clock.advance(seconds=6)
        opened = await till.paying.open(unanswered.id)

        assert (unanswered.state, unanswered.checkout_id) == (HoldState.CREATING, None)
        assert too_soon.checkout_id is None
        assert opened.state is HoldState.OPEN
        assert opened.request == asked
        assert opened.attempts == 2
        assert [page["id"] for page in till.pages] == [opened.checkout_id]
        till.check()

    async def test_asks_afresh_after_a_refusal(self, till: Till) -> None:
        hold = await till.claim(till.deal())
        till.clock.advance(hours=24)
        stale = till.gateway.describe(hold)
        till.change(hold, request=stale, state=HoldState.CREATING)

        refused = await till.paying.open(hold.id)
        till.change(hold, expires_at=till.clock.now + 10 * MINUTE)
        till.clock.advance(seconds=6)
        opened = await till.paying.open(hold.id)

        assert (refused.state, refused.request) == (HoldState.HELD, "")
        assert opened.state is HoldState.OPEN
        assert opened.request != stale
        assert len(till.pages) == 1

    async def test_leaves_a_hold_that_ended_alone(self, till: Till) -> None:
        hold = make_hold(till.session, state=HoldState.RELEASED)

        same = await till.paying.open(hold.id)

        assert same.state is HoldState.RELEASED
        assert till.asked(CREATE) == 0

    async def test_takes_up_what_another_process_dropped(self, till: Till) -> None:
        hold = await till.claim(till.deal())
        await till.paying._begin(hold.id)  # noqa: SLF001  (and dies right after)

        nobody_waits = await till.paying.open(hold.id)
        till.clock.advance(seconds=41)
        opened = await till.paying.open(hold.id)

        assert nobody_waits.state is HoldState.CREATING
        assert opened.state is HoldState.OPEN
        assert len(till.pages) == 1

    async def test_adopts_the_page_that_another_process_made_and_dropped(
        self, till: Till
    ) -> None:
        hold = await till.claim(till.deal())
        begun = await till.paying._begin(hold.id)  # noqa: SLF001
        assert begun is not None
        made = await till.gateway.create(begun)  # and dies before it is written down

        till.clock.advance(seconds=41)
        opened = await till.paying.open(hold.id)

        assert opened.checkout_id == made.id
        assert len(till.pages) == 1


class TestOpenMissingPages:
    async def test_asks_for_those_that_no_request_asks_for(self, till: Till) -> None:
        hold = await till.claim(till.deal())
        jobs = till.database, till.paying, till.clock

        too_soon = await open_missing_pages(*jobs)
        till.clock.advance(seconds=4)
        opened = await open_missing_pages(*jobs)

        assert (too_soon, opened) == (0, 1)
        assert till.now_is(hold).state is HoldState.OPEN

    async def test_does_nothing_for_a_hold_whose_time_is_up(self, till: Till) -> None:
        hold = await till.claim(till.deal())
        till.clock.advance(minutes=10)

        opened = await open_missing_pages(till.database, till.paying, till.clock)

        assert opened == 0
        assert till.now_is(hold).request == ""


class TestClose:
    async def test_releases_at_once_what_no_page_was_asked_for(
        self, till: Till
    ) -> None:
        hold = await till.claim(till.deal())
        till.clock.advance(minutes=10)

        await expire_holds(till.database, till.paying, till.clock)

        assert till.now_is(hold).state is HoldState.RELEASED
        assert till.calls == []
        till.check()

    async def test_leaves_a_hold_whose_time_is_not_up(self, till: Till) -> None:
        hold = await till.buy(till.deal())
        till.clock.advance(minutes=9, seconds=59)

        ended = await expire_holds(till.database, till.paying, till.clock)

        assert ended == 0
        assert till.now_is(hold).state is HoldState.OPEN

    async def test_frees_the_unit_only_when_stripe_has_closed_the_page(
        self, till: Till
    ) -> None:
        deal = till.deal()
        hold = await till.buy(deal)
        till.clock.advance(minutes=10)

        ended = await expire_holds(till.database, till.paying, till.clock)

        assert ended == 1
        assert till.now_is(hold).state is HoldState.RELEASED
        assert till.pages[0]["status"] == "expired"
        assert till.deal_now(deal).held == 0
        till.check()

    @pytest.mark.parametrize("fault", [*NO_ANSWER, Fault.ERROR_AFTER])
    async def test_keeps_the_unit_while_stripe_does_not_answer(
        self, till: Till, fault: Fault
    ) -> None:
        deal = till.deal()
        hold = await till.buy(deal)
        till.clock.advance(minutes=10)
        till.goes_wrong(EXPIRE, fault)

        unanswered = await expire_holds(till.database, till.paying, till.clock)
        held_then = till.deal_now(deal).held
        till.clock.advance(seconds=6)
        ended = await expire_holds(till.database, till.paying, till.clock)

        assert (unanswered, held_then, ended) == (0, 1, 1)
        assert till.now_is(hold).state is HoldState.RELEASED
        till.check()

    async def test_makes_an_order_if_the_shopper_was_quicker(self, till: Till) -> None:
        hold = await till.buy(till.deal())
        till.clock.advance(minutes=10)
        (leased,) = await till.database.transact(lease_lapsed_holds, now=till.clock.now)
        till.pay(hold)

        outcome = await till.paying.close(leased)

        assert outcome is Outcome.ORDERED
        assert till.now_is(hold).state is HoldState.PAID
        till.check()

    async def test_finds_out_about_a_page_whose_creation_was_never_answered(
        self, till: Till
    ) -> None:
        till.goes_wrong(CREATE, Fault.TIMEOUT_AFTER)
        hold = await till.buy(till.deal())
        till.clock.advance(minutes=10)

        ended = await expire_holds(till.database, till.paying, till.clock)

        assert ended == 1
        assert till.now_is(hold).state is HoldState.RELEASED
        assert [page["status"] for page in till.pages] == ["expired"]
        till.check()

    async def test_makes_an_order_of_a_page_nobody_knew_of(self, till: Till) -> None:
        till.goes_wrong(CREATE, Fault.TIMEOUT_AFTER)
        hold = await till.buy(till.deal())
        till.pay(till.pages[0]["id"])
        till.clock.advance(minutes=10)

        await expire_holds(till.database, till.paying, till.clock)

        assert till.now_is(hold).state is HoldState.PAID
        till.check()

    async def test_releases_when_a_creation_is_proven_not_to_have_happened(
        self, till: Till
    ) -> None:
        till.goes_wrong(CREATE, Fault.TIMEOUT_BEFORE)
        hold = await till.buy(till.deal())
        # The page would have less than the 30 minutes that Stripe wants by now.
        till.clock.advance(minutes=50)

        unproven = await expire_holds(till.database, till.paying, till.clock)
        between = till.now_is(hold)
        till.clock.advance(seconds=6)
        await expire_holds(till.database, till.paying, till.clock)

        assert unproven == 0
        assert (between.state, between.request) == (HoldState.HELD, "")
        assert till.now_is(hold).state is HoldState.RELEASED
        assert till.pages == []
        till.check()

    async def test_is_done_by_one_worker_at_a_time(self, till: Till) -> None:
        await till.buy(till.deal())
        till.clock.advance(minutes=10)
        jobs = till.database, till.paying, till.clock

        ended = await asyncio.gather(*(expire_holds(*jobs) for _ in range(4)))

        assert sum(ended) == 1
        assert till.asked(EXPIRE) == 1


class TestSettle:
    async def test_learns_of_the_payment_when_the_shopper_is_back(
        self, till: Till
    ) -> None:
        hold = await till.buy(till.deal())
        till.pay(hold)

        settled = await till.paying.settle(hold)

        assert settled.state is HoldState.PAID
        (order,) = till.orders
        assert (order.email, order.name) == ("sam@example.com", "Sam Shopper")
        till.check()

    async def test_does_not_fail_the_shopper_when_stripe_is_down(
        self, till: Till
    ) -> None:
        hold = await till.buy(till.deal())
        till.goes_wrong(RETRIEVE, Fault.ERROR_BEFORE)

        same = await till.paying.settle(hold)

        assert same.state is HoldState.OPEN

    async def test_tells_a_page_that_is_not_ours(self, till: Till) -> None:
        with pytest.raises(Declined):
            await till.paying.settle_checkout("", "cs_test_nobodys")

    async def test_knows_nothing_of_a_page_that_another_shop_made(
        self, till: Till
    ) -> None:
        hold = make_hold(till.session)
        foreign = {**json.loads(till.gateway.describe(hold))}
        foreign["client_reference_id"] = "cart_77"
        hold.request = json.dumps(foreign)
        page = await till.gateway.create(hold)

        with pytest.raises(Missing):
            await till.paying.settle_checkout("", page.id)


class TestStripeGateway:
    async def test_gives_a_refund_once_whatever_became_of_the_answer(
        self, till: Till
    ) -> None:
        hold = await till.buy(till.deal())
        till.pay(hold)
        page = await till.gateway.retrieve(hold.checkout_id or "")
        till.session.rollback()
        refund = make_refund(till.session, hold, payment_id=page.payment_id)
        till.goes_wrong(REFUND, Fault.TIMEOUT_AFTER)

        with pytest.raises(Unknown):
            await till.gateway.refund(refund)
        given = await till.gateway.refund(refund)

        (at_stripe,) = till.sandbox.account().all("refund")
        assert (at_stripe["id"], at_stripe["amount"]) == (given.id, hold.total.amount)
        assert (given.money, given.refund_id) == (hold.total, refund.id)
        assert given.stage is RefundStage.SUCCEEDED
        assert till.asked("GET /v1/refunds") == 0  # its key is all that was needed

    async def test_asks_anew_for_what_was_provably_not_given(self, till: Till) -> None:
        """Stripe repeats to the same key what it said before, a refusal too."""
        hold = await till.buy(till.deal())
        till.pay(hold)
        page = await till.gateway.retrieve(hold.checkout_id or "")
        till.session.rollback()
        refund = make_refund(till.session, hold, payment_id=page.payment_id, amount=100)

        first = await till.gateway.refund(refund)
        refund.refusals = 1
        second = await till.gateway.refund(refund)

        assert first.id != second.id
        assert {one.id for one in await till.gateway.refunds(page.payment_id)} == {
            first.id,
            second.id,
        }

    async def test_says_why_a_refund_is_refused(self, till: Till) -> None:
        hold = await till.buy(till.deal())
        till.pay(hold)
        page = await till.gateway.retrieve(hold.checkout_id or "")
        till.session.rollback()
        whole = make_refund(till.session, hold, payment_id=page.payment_id)
        again = make_refund(till.session, hold, payment_id=page.payment_id)
        await till.gateway.refund(whole)

        with pytest.raises(Declined) as refused:
            await till.gateway.refund(again)

        assert (refused.value.code, refused.value.passing) == (
            "charge_already_refunded",
            False,
        )

    async def test_declines_a_refund_of_nothing(self, till: Till) -> None:
        refund = make_refund(till.session, payment_id="pi_nobodys")

        with pytest.raises(Declined):
            await till.gateway.refund(refund)

    async def test_says_whose_account_it_is(self, till: Till) -> None:
        assert await till.gateway.check() == "acct_sandbox"

    async def test_closes_a_page_twice_as_well_as_once(self, till: Till) -> None:
        hold = await till.buy(till.deal())

        closed = [await till.gateway.expire(hold.checkout_id or "") for _ in "ab"]

        assert [page.state for page in closed] == [CheckoutState.EXPIRED] * 2

    async def test_takes_no_event_without_a_secret(self, till: Till) -> None:
        body = json.dumps(EVENT)
        made = stripe.WebhookSignature.generate_signature_header
        careless = StripeGateway(
            stripe.StripeClient("sk_test_1"),
            public_url="",
            webhook_secret="",
            livemode=False,
        )

        with pytest.raises(Declined, match="secret"):
            careless.read_event(body.encode(), made(body, "", None))

    @pytest.mark.parametrize(
        "body", ["", "no json", "[" * 20_000, "[]", "{}", '{"id": "evt_1"}']
    )
    async def test_takes_no_event_that_is_none(self, till: Till, body: str) -> None:
        signed = till.sandbox.postman.sign(body)

        with pytest.raises(Declined, match="no event"):
            till.gateway.read_event(body.encode(), signed)

    async def test_takes_an_event_as_stripe_sends_it(self, till: Till) -> None:
        body = json.dumps(EVENT)
        signed = till.sandbox.postman.sign(body)

        event = till.gateway.read_event(body.encode(), signed)

        assert (event.id, event.type) == ("evt_1", "charge.refunded")
        assert (event.created, event.payload) == (1_772_452_800, {"id": "ch_1"})

    async def test_works_with_the_client_that_settings_describe(
        self, till: Till
    ) -> None:
        settings = till.settings.model_copy(update={"stripe_api_base": till.stripe_url})
        till.goes_wrong("GET /v1/account", Fault.ERROR_BEFORE)

        async with stripe_gateways(settings) as gateways:
            assert await gateways.house.check() == "acct_sandbox"

        assert till.asked("GET /v1/account") == 2  # it repeats by itself

    async def test_lets_no_page_live_longer_than_stripe_allows(
        self, till: Till
    ) -> None:
        """That is 24 hours, and a hold of 60 minutes can be extended once."""
        hold = await till.claim(till.deal(hold_minutes=60))
        hold.expires_at += 60 * MINUTE

        asked = json.loads(till.gateway.describe(hold))

        assert asked["expires_at"] < (NOON + timedelta(hours=24)).timestamp()

    async def test_leaves_time_for_a_page_that_is_opened_late(self, till: Till) -> None:
        """Stripe wants 30 minutes when the request arrives, and a hold may have 60."""
        hold = await till.claim(till.deal(hold_minutes=60))
        till.clock.advance(minutes=59)

        opened = await till.paying.open(hold.id)

        assert opened.state is HoldState.OPEN
        closes = NOON + 60 * MINUTE + timedelta(minutes=65)
        assert till.pages[0]["expires_at"] == closes.timestamp()
        assert till.pages[0]["expires_at"] - till.clock.now.timestamp() > 30 * 60
