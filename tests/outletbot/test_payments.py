"""
Stripe as our gateway, by its own library, against a server that speaks its API.
"""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
import stripe
from aiohttp.test_utils import unused_port
from pytest_aiohttp.plugin import AiohttpServer
from sqlmodel import Session

from offers.checkouts import CheckoutState, Paid
from offers.holds import Hold
from offers.money import Money
from outletbot.clock import utc_now
from outletbot.payments import Declined, Unknown
from outletbot.stripe_gateway import LEEWAY, StripeGateway
from outletbot.stripe_money import (
    from_stripe,
    minimum,
    to_stripe,
    why_not_charged,
)
from tests.factories import NOON, make_deal, make_hold, make_refund
from tests.outletbot.sandbox.stripe_stage import SECRET, Stage, set_stage

PUBLIC = "https://outlet.example"


@pytest.fixture
async def stage(aiohttp_server: AiohttpServer) -> AsyncIterator[Stage]:
    opened: list[Any] = []

    def keep(client: Any) -> Any:
        opened.append(client)
        return client

    yield await set_stage(aiohttp_server, keep)
    for client in opened:
        ours = isinstance(client, aiohttp.ClientSession)
        await (client.close() if ours else client.close_async())


def open_gateway(client: stripe.StripeClient, **options: Any) -> StripeGateway:
    return StripeGateway(
        client,
        public_url=PUBLIC,
        webhook_secret=SECRET,
        livemode=False,
        **options,
    )


@pytest.fixture
def gateway(stage: Stage) -> StripeGateway:
    return open_gateway(stage.client)


@pytest.fixture
def hold(session: Session, gateway: StripeGateway) -> Hold:
    """A hold whose page is about to be asked for."""
    deal = make_deal(session, price_amount=1_250, title="Parka")
    made = make_hold(session, deal, quantity=2)
    made.request = gateway.describe(made)
    return made


class TestDescribe:
    def test_asks_for_what_is_held_and_nothing_else(self, hold: Hold) -> None:
        asked = json.loads(hold.request)

        assert asked["client_reference_id"] == hold.id
        assert asked["expires_at"] == int((hold.expires_at + LEEWAY).timestamp())
        (line,) = asked["line_items"]
        assert (line["quantity"], line["price_data"]["unit_amount"]) == (2, 1_250)
        assert asked["success_url"].startswith(f"{PUBLIC}/h/{hold.token}")
        assert "shipping_address_collection" not in asked

    def test_asks_where_to_ship_if_we_do(self, stage: Stage, hold: Hold) -> None:
        gateway = open_gateway(stage.client, ship_to=["IE", "FR"])

        asked = json.loads(gateway.describe(hold))

        countries = {"allowed_countries": ["IE", "FR"]}
        assert asked["shipping_address_collection"] == countries


class TestCheckout:
    async def test_is_what_was_asked_for(
        self, gateway: StripeGateway, hold: Hold
    ) -> None:
        page = await gateway.create(hold)

        assert (page.hold_id, page.total) == (hold.id, hold.total)
        assert (page.state, page.paid) == (CheckoutState.OPEN, Paid.UNPAID)
        assert page.url
        assert not page.livemode

    async def test_twice_is_once(self, gateway: StripeGateway, hold: Hold) -> None:
        first, second = [await gateway.create(hold) for _ in range(2)]

        assert first.id == second.id

    async def test_asked_afresh_is_another(
        self, gateway: StripeGateway, hold: Hold
    ) -> None:
        first = await gateway.create(hold)
        hold.expires_at += timedelta(minutes=1)
        hold.request = gateway.describe(hold)

        assert (await gateway.create(hold)).id != first.id

    async def test_is_declined_if_stripe_will_not(
        self, gateway: StripeGateway, hold: Hold
    ) -> None:
        hold.request = hold.request.replace('"payment"', '"barter"', 1)

        with pytest.raises(Declined):
            await gateway.create(hold)

    async def test_is_paid(
        self, stage: Stage, gateway: StripeGateway, hold: Hold
    ) -> None:
        page = await gateway.create(hold)
        await stage.press(page.id, email="sam@example.com", name="Sam")

        paid = await gateway.retrieve(page.id)

        assert (paid.state, paid.paid) == (CheckoutState.COMPLETE, Paid.PAID)
        assert paid.payment_id.startswith("pi_")
        assert paid.total == hold.total

    async def test_expires(self, gateway: StripeGateway, hold: Hold) -> None:
        page = await gateway.create(hold)

        assert (await gateway.expire(page.id)).state is CheckoutState.EXPIRED
        assert (await gateway.expire(page.id)).state is CheckoutState.EXPIRED

    async def test_that_was_paid_does_not_expire(
        self, stage: Stage, gateway: StripeGateway, hold: Hold
    ) -> None:
        page = await gateway.create(hold)
        await stage.press(page.id, email="sam@example.com", name="Sam")

        assert (await gateway.expire(page.id)).paid is Paid.PAID

    async def test_of_nobody_is_declined(self, gateway: StripeGateway) -> None:
        with pytest.raises(Declined):
            await gateway.retrieve("cs_test_none")


async def test_a_refund_is_given_once(
    stage: Stage, gateway: StripeGateway, hold: Hold, session: Session
) -> None:
    page = await gateway.create(hold)
    await stage.press(page.id, email="sam@example.com", name="Sam")
    payment_id = (await gateway.retrieve(page.id)).payment_id
    refund = make_refund(session, hold, payment_id=payment_id)

    first, second = [await gateway.refund(refund) for _ in range(2)]

    assert first == second
    assert first.id.startswith("re_")


async def test_without_an_answer_nothing_is_known(session: Session) -> None:
    http = stripe.AIOHTTPClient(timeout=aiohttp.ClientTimeout(total=2))
    nowhere = {"api": f"http://127.0.0.1:{unused_port()}"}
    client = stripe.StripeClient(
        "sk_test_1",
        http_client=http,
        base_addresses=nowhere,  # type: ignore[arg-type]  # the others stay
        max_network_retries=0,
    )
    gateway, hold = open_gateway(client), make_hold(session, request="{}")

    with pytest.raises(Unknown):
        await gateway.create(hold)
    with pytest.raises(Unknown):
        await gateway.expire("cs_1")

    await http.close_async()


class TestReadEvent:
    EVENT = json.dumps(
        {
            "id": "evt_1",
            "type": "checkout.session.completed",
            "created": 1_772_452_800,
            "data": {"object": {"id": "cs_1"}},
        }
    )

    def sign(self, text: str, at: datetime) -> str:
        seconds = int(at.timestamp())
        said = f"{seconds}.{text}".encode()
        digest = hmac.digest(SECRET.encode(), said, hashlib.sha256).hex()
        return f"t={seconds},v1={digest}"

    def test_takes_what_stripe_signed(self, gateway: StripeGateway) -> None:
        signature = self.sign(self.EVENT, utc_now())

        event = gateway.read_event(self.EVENT.encode(), signature)

        assert (event.id, event.type) == ("evt_1", "checkout.session.completed")
        assert (event.created, event.payload) == (1_772_452_800, {"id": "cs_1"})

    @pytest.mark.parametrize("signature", ["", "t=1", "v1=abc", "t=é,v1=ü"])
    def test_refuses_what_is_no_signature(
        self, gateway: StripeGateway, signature: str
    ) -> None:
        with pytest.raises(Declined):
            gateway.read_event(self.EVENT.encode(), signature)

    def test_refuses_another_body_and_an_old_one(self, gateway: StripeGateway) -> None:
        now = utc_now()
        with pytest.raises(Declined):
            gateway.read_event(b"{}", self.sign(self.EVENT, now))
        old = self.sign(self.EVENT, now - timedelta(seconds=301))
        with pytest.raises(Declined, match=r"30\d s ago"):
            gateway.read_event(self.EVENT.encode(), old)

    def test_goes_by_the_clock_that_it_was_given(self, stage: Stage) -> None:
        """Which is the database's where this machine's is off."""
        gateway = open_gateway(stage.client, clock=lambda: NOON)

        event = gateway.read_event(self.EVENT.encode(), self.sign(self.EVENT, NOON))

        assert event.id == "evt_1"

    @pytest.mark.parametrize("text", ["", "no json", "[]", "{}", '{"id": 1}'])
    def test_refuses_what_is_no_event(self, gateway: StripeGateway, text: str) -> None:
        with pytest.raises(Declined):
            gateway.read_event(text.encode(), self.sign(text, utc_now()))

    def test_refuses_what_is_no_text(self, gateway: StripeGateway) -> None:
        with pytest.raises(Declined):
            gateway.read_event(b"\xff", self.sign("", utc_now()))


class TestAmounts:
    @pytest.mark.parametrize(
        ("money", "written"),
        [
            (Money(1250, "eur"), 1250),
            (Money(1250, "jpy"), 1250),
            (Money(7, "isk"), 700),
        ],
    )
    def test_are_written_as_stripe_does(self, money: Money, written: int) -> None:
        assert to_stripe(money) == written
        assert from_stripe(written, money.currency) == money

    @pytest.mark.parametrize(
        ("price", "said"),
        [
            (Money(49, "eur"), "Card payments begin at 0.50 EUR."),
            (Money(50, "eur"), None),
            (Money(1, "xaf"), None),
            (Money(12_340, "kwd"), None),
            (
                Money(12_345, "kwd"),
                "Card payments in KWD end in 0: choose 12.340 KWD or 12.350 KWD.",
            ),
        ],
    )
    def test_that_cannot_be_charged_say_why(
        self, price: Money, said: str | None
    ) -> None:
        problem = why_not_charged(price)

        assert (problem and str(problem)) == said

    def test_have_a_least_one_where_it_is_known(self) -> None:
        assert minimum("eur") == Money(50, "eur")
        assert minimum("xaf") is None
