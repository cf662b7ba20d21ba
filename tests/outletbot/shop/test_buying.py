"""
From a deal's page to the payment page: one key, one hold, at the price of the deal.
"""

import asyncio
import re
from datetime import timedelta

from aiohttp import web
from sqlmodel import Session, select

from offers.claim_rows import Granted
from offers.claims import Claim
from offers.deals import Deal
from offers.holds import Hold, HoldState, end_hold
from outletbot.claim_lines import Busy
from outletbot.claims import ClaimQueue
from outletbot.keys import CLAIMS, CLOCK, DATABASE, PAYING
from outletbot.web.shop.keys import OPENINGS
from outletbot.web.shop.openings import Openings
from tests.factories import HOUR, NOON, make_deal, make_hold, post_of
from tests.fakes import FakePayments
from tests.outletbot.shop.conftest import Shop, StandingClock, Start
from tests.outletbot.shop.test_deal_page import words

RELEASED = HoldState.RELEASED
KEY = "0b6f2c1e-9a4d-4f6b-8f0e-3a5f9c2d7e11"


class Crowded(ClaimQueue):
    """More wait than can be answered."""

    async def claim(self, claim: Claim) -> Granted:
        raise Busy(seconds=2)


def code_of(session: Session, deal: Deal) -> str:
    return post_of(session, deal).code


def holds(session: Session) -> list[Hold]:
    session.rollback()
    return list(session.exec(select(Hold).execution_options(populate_existing=True)))


class TestBuy:
    async def test_leads_to_the_payment_page(
        self, shop: Shop, session: Session, payments: FakePayments
    ) -> None:
        deal = make_deal(session, allotment=2)

        answer = await shop.buy(code_of(session, deal), key=KEY)

        [hold] = holds(session)
        assert answer.status == 303
        assert answer.headers["Location"] == f"https://pay.example/{hold.id}"
        assert answer.headers["Cache-Control"] == "no-store"
        assert payments.checkouts[f"cs_{hold.id}"].total == deal.price

    async def test_the_post_is_remembered(self, shop: Shop, session: Session) -> None:
        deal = make_deal(session)

        await shop.buy(code_of(session, deal), key=KEY)

        assert holds(session)[0].post_id == post_of(session, deal).id

    async def test_charges_what_the_deal_says_whatever_the_form_says(
        self, shop: Shop, session: Session, payments: FakePayments
    ) -> None:
        deal = make_deal(session, price_amount=4_999)

        await shop.buy(
            code_of(session, deal), key=KEY, price="1", unit_amount="1", currency="jpy"
        )

        [checkout] = payments.checkouts.values()
        assert checkout.total == deal.price

    async def test_is_answered_before_stripe_is_asked(
        self, shop: Shop, session: Session, payments: FakePayments
    ) -> None:
        deal = make_deal(session)

        answer = await shop.post(f"/d/{code_of(session, deal)}/buy", key=KEY)

        [hold] = holds(session)
        assert answer.headers["Location"] == f"/h/{hold.token}/pay"
        assert hold.state is HoldState.HELD
        assert payments.checkouts == {}

    async def test_holds_as_many_as_were_asked_for(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, limit_per_shopper=3)

        await shop.buy(code_of(session, deal), key=KEY, quantity="3")

        assert holds(session)[0].quantity == 3

    async def test_refuses_a_number_that_is_none(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)

        answers = [
            await shop.buy(code_of(session, deal), key=KEY, quantity=wrong)
            for wrong in ("0", "-1", "11", "two", "1e3")
        ]

        assert [answer.status for answer in answers] == [422] * 5
        assert holds(session) == []

    async def test_a_double_tap_leads_to_one_hold(
        self, shop: Shop, session: Session, payments: FakePayments
    ) -> None:
        deal = make_deal(session, allotment=30)
        code = code_of(session, deal)

        answers = await asyncio.gather(*(shop.buy(code, key=KEY) for _ in range(20)))
        late = await shop.buy(code, key=KEY)

        [hold] = holds(session)
        leads = {answer.headers["Location"] for answer in answers}
        assert {answer.status for answer in answers} == {303}
        assert leads <= {f"https://pay.example/{hold.id}", f"/h/{hold.token}"}
        assert late.headers["Location"] == f"https://pay.example/{hold.id}"
        assert list(payments.checkouts) == [f"cs_{hold.id}"]

    async def test_the_last_unit_goes_to_one_of_twenty(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, allotment=1)
        code = code_of(session, deal)

        answers = await asyncio.gather(
            *(shop.buy(code, key=f"{KEY}-{number}") for number in range(20))
        )

        assert sorted(answer.status for answer in answers) == [303] + [409] * 19
        assert len(holds(session)) == 1

    async def test_knows_a_shopper_again(self, shop: Shop, session: Session) -> None:
        deal = make_deal(session, limit_per_shopper=1)
        code = code_of(session, deal)

        first = await shop.post(f"/d/{code}/buy", key=KEY)
        second = await shop.post(f"/d/{code}/buy", key=f"{KEY}-again")

        [hold] = holds(session)
        assert first.cookies["shopper"]["httponly"]
        assert first.cookies["shopper"]["samesite"] == "Lax"
        assert second.headers["Location"] == f"/h/{hold.token}"

    async def test_keeps_to_the_limit_for_who_has_bought(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, limit_per_shopper=1)
        code = code_of(session, deal)
        await shop.post(f"/d/{code}/buy", key=KEY)
        end_hold(session, holds(session)[0].id, HoldState.PAID, now=NOON)
        session.commit()

        answer = await shop.post(f"/d/{code}/buy", key=f"{KEY}-again")

        assert answer.status == 409
        assert "limited to 1 per person" in await answer.text()

    async def test_refuses_forms_of_other_sites(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)

        answer = await shop.client.post(
            f"/d/{code_of(session, deal)}/buy",
            data={"key": KEY},
            headers={"Sec-Fetch-Site": "cross-site"},
        )

        assert answer.status == 403
        assert holds(session) == []


class TestWithoutScript:
    async def test_a_page_with_a_key_comes_in_between(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)
        code = code_of(session, deal)

        asked = await shop.post(f"/d/{code}/buy", key="", quantity="2")
        page = await shop.get(asked.headers["Location"])
        html = await page.text()
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', html))
        first = await shop.post(f"/d/{code}/buy", **fields)
        reloaded = await shop.post(f"/d/{code}/buy", **fields)

        [hold] = holds(session)
        assert asked.status == 303
        assert asked.headers["Cache-Control"] == "no-store"
        assert page.headers["Cache-Control"] == "no-store"
        assert "€99.98" in html
        assert hold.quantity == 2
        assert first.headers["Location"] == f"/h/{hold.token}/pay"
        assert reloaded.headers["Location"] == first.headers["Location"]

    async def test_going_back_to_that_page_leads_to_the_same_hold(
        self, shop: Shop, session: Session
    ) -> None:
        code = code_of(session, make_deal(session))
        asked = await shop.post(f"/d/{code}/buy", key="")

        for _ in range(2):
            html = await shop.text(asked.headers["Location"])
            fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', html))
            await shop.post(f"/d/{code}/buy", **fields)

        assert len(holds(session)) == 1

    async def test_that_page_needs_a_key_and_a_number(
        self, shop: Shop, session: Session
    ) -> None:
        code = code_of(session, make_deal(session))

        keyless = await shop.get(f"/d/{code}/confirm?quantity=1")
        none = await shop.get(f"/d/{code}/confirm?key={KEY}&quantity=0")

        assert keyless.headers["Location"] == f"/d/{code}"
        assert none.status == 422

    async def test_a_key_that_could_be_guessed_is_none(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)

        answer = await shop.buy(code_of(session, deal), key="1")

        assert "/confirm?key=" in answer.headers["Location"]
        assert "key=1&" not in answer.headers["Location"]
        assert holds(session) == []


class TestComingBack:
    async def test_leads_to_the_hold_of_this_browser(
        self, shop: Shop, session: Session
    ) -> None:
        code = code_of(session, make_deal(session, allotment=1))
        bought = await shop.post(f"/d/{code}/buy", key=KEY)
        cookie = f"shopper={bought.cookies['shopper'].value}"

        back = await shop.get(f"/d/{code}/mine", Cookie=cookie)

        [hold] = holds(session)
        assert back.headers["Location"] == f"/h/{hold.token}"

    async def test_leads_nobody_else_there(self, shop: Shop, session: Session) -> None:
        code = code_of(session, make_deal(session, allotment=1))
        await shop.post(f"/d/{code}/buy", key=KEY)
        shop.client.session.cookie_jar.clear()

        other = await shop.get(f"/d/{code}/mine")

        assert other.status == 404
        assert "None of them was taken in this browser" in words(await other.text())

    async def test_a_hold_that_can_be_paid_goes_before_a_newer_one(
        self, shop: Shop, session: Session
    ) -> None:
        deal, shopper = make_deal(session), "s" * 26
        payable = make_hold(session, deal, shopper=shopper)
        ended = make_hold(
            session, deal, shopper=shopper, held_at=NOON + HOUR, state=RELEASED
        )
        address = f"/d/{code_of(session, deal)}/mine"

        first = await shop.get(address, Cookie=f"shopper={shopper}")
        end_hold(session, payable.id, RELEASED, now=NOON)
        session.commit()
        then = await shop.get(address, Cookie=f"shopper={shopper}")

        assert first.headers["Location"] == f"/h/{payable.token}"
        assert then.headers["Location"] == f"/h/{ended.token}"


class TestRefusals:
    async def test_all_held_is_said_on_the_deals_page(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, allotment=1)
        make_hold(session, deal)

        answer = await shop.buy(code_of(session, deal), key=KEY)

        html = await answer.text()
        assert answer.status == 409
        assert "Some may come back" in words(html)
        assert "Nothing was charged" in words(html)
        assert deal.title in words(html)
        assert answer.headers["Cache-Control"] == "no-store"

    async def test_too_early_and_too_late(self, shop: Shop, session: Session) -> None:
        early = make_deal(session, opens_at=NOON + HOUR, closes_at=NOON + 2 * HOUR)
        late = make_deal(session, opens_at=NOON - 2 * HOUR, closes_at=NOON - HOUR)

        too_early = await shop.buy(code_of(session, early), key=KEY)
        too_late = await shop.buy(code_of(session, late), key=KEY)

        assert (too_early.status, too_late.status) == (409, 409)
        assert "has not opened yet" in await too_early.text()
        assert "has ended" in await too_late.text()

    async def test_when_too_many_wait_the_page_says_when_to_come_back(
        self, app: web.Application, aiohttp_client: Start, session: Session
    ) -> None:
        app[CLAIMS] = Crowded(app[DATABASE], app[CLOCK])
        shop = Shop(app, await aiohttp_client(app))
        deal = make_deal(session)

        answer = await shop.buy(code_of(session, deal), key=KEY)

        assert answer.status == 503
        assert answer.headers["Retry-After"] == "2"
        assert "your turn in about 2 s" in await answer.text()

    async def test_asks_in_the_shoppers_language(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)

        answer = await shop.client.post(
            f"/d/{code_of(session, deal)}/buy",
            data={"key": ""},
            headers={"Sec-Fetch-Site": "same-origin", "Accept-Language": "fr"},
        )

        assert '<html lang="fr">' in await answer.text()


class TestStripesTroubles:
    async def test_the_unit_is_held_while_stripe_is_down(
        self, shop: Shop, session: Session, payments: FakePayments
    ) -> None:
        deal = make_deal(session)
        payments.down = True

        answer = await shop.buy(code_of(session, deal), key=KEY)

        [hold] = holds(session)
        assert answer.headers["Location"] == f"/h/{hold.token}"
        assert hold.state is HoldState.CREATING

    async def test_nobody_waits_for_a_slow_stripe(
        self, app: web.Application, aiohttp_client: Start, session: Session
    ) -> None:
        app[OPENINGS] = Openings(app[PAYING], app[DATABASE], patience=timedelta(0))
        shop = Shop(app, await aiohttp_client(app))
        deal = make_deal(session)

        answer = await shop.buy(code_of(session, deal), key=KEY)
        await app[OPENINGS].finish()

        [hold] = holds(session)
        assert answer.headers["Location"] == f"/h/{hold.token}"
        assert hold.state is HoldState.OPEN

    async def test_the_key_of_a_released_hold_leads_to_its_page(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)
        hold = make_hold(session, deal, key=KEY, state=HoldState.RELEASED)

        answer = await shop.buy(code_of(session, deal), key=KEY)

        assert answer.headers["Location"] == f"/h/{hold.token}"

    async def test_a_page_whose_time_is_up_is_not_led_to(
        self, shop: Shop, session: Session, clock: StandingClock
    ) -> None:
        deal = make_deal(session)
        hold = make_hold(session, deal, key=KEY, state=HoldState.OPEN)
        clock.advance(deal.hold_for)

        answer = await shop.buy(code_of(session, deal), key=KEY)

        assert answer.headers["Location"] == f"/h/{hold.token}"
