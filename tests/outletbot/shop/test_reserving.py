"""
Reserve and pay in the store: a second button, a code with its QR, and a way out.
"""

import re
from datetime import timedelta

import pytest
import zxingcpp
from PIL import Image
from sqlmodel import select

from offers.holds import Hold, HoldState
from offers.ids import new_code
from outletbot.web.shop.reserved_page import qr_code, spoken
from tests.factories import DAY, NOON, make_deal, make_hold, post_of
from webhooks.settling import redeem

KEY = "k" * 32


def open_deal(session, **facts: object):
    return make_deal(session, **{"reserve_until": NOON + 2 * DAY, **facts})


def holds(session):
    session.rollback()
    fresh = select(Hold).execution_options(populate_existing=True)
    return session.exec(fresh).all()


def code_of(session, deal):
    return post_of(session, deal).code


class TestDealPage:
    async def test_has_a_second_button(self, shop, session):
        deal = open_deal(session)

        html = await shop.text(f"/d/{code_of(session, deal)}")

        assert f'formaction="/d/{code_of(session, deal)}/reserve"' in html
        assert "Reserve, pay in the store" in html
        assert "Buy for" in html

    async def test_has_only_that_where_nothing_is_paid_online(self, shop, session):
        deal = open_deal(session, pay_online=False)

        html = await shop.text(f"/d/{code_of(session, deal)}")

        assert "Reserve for €49.99" in html
        assert "Buy for" not in html
        assert "Stripe" not in html

    async def test_has_none_where_the_store_is_no_choice(self, shop, session):
        html = await shop.text(f"/d/{code_of(session, make_deal(session))}")

        assert "/reserve" not in html


class TestReserving:
    async def test_leads_to_the_code(self, shop, session):
        deal = open_deal(session)

        answer = await shop.post(f"/d/{code_of(session, deal)}/reserve", key=KEY)

        [hold] = holds(session)
        assert answer.headers["Location"] == f"/h/{hold.token}"
        assert (hold.state, hold.expires_at) == (HoldState.RESERVED, NOON + 2 * DAY)
        assert spoken(hold.pickup_code) in await shop.text(f"/h/{hold.token}")

    async def test_twice_is_once(self, shop, session):
        path = f"/d/{code_of(session, open_deal(session))}/reserve"

        first, second = [await shop.post(path, key=KEY) for _ in range(2)]

        assert first.headers["Location"] == second.headers["Location"]
        assert len(holds(session)) == 1

    async def test_asks_first_where_no_script_runs(self, shop, session):
        code = code_of(session, open_deal(session))

        asked = await shop.post(f"/d/{code}/reserve", quantity=2)
        page = await shop.text(asked.headers["Location"])

        assert holds(session) == []
        assert f'action="/d/{code}/reserve"' in page
        key = re.search(r'name="key" value="(\w+)"', page)
        await shop.post(f"/d/{code}/reserve", key=key[1], quantity=2)
        assert [hold.quantity for hold in holds(session)] == [2]

    async def test_is_refused_where_the_store_is_no_choice(self, shop, session):
        code = code_of(session, make_deal(session))

        answer = await shop.post(f"/d/{code}/reserve", key=KEY)

        assert answer.status == 409
        assert "cannot be paid in the store" in await answer.text()
        assert holds(session) == []

    async def test_paying_online_is_refused_where_only_the_store_is_paid(
        self, shop, session
    ):
        code = code_of(session, open_deal(session, pay_online=False))

        answer = await shop.post(f"/d/{code}/buy", key=KEY)

        assert answer.status == 409
        assert "is paid in the store" in await answer.text()
        assert holds(session) == []

    async def test_keeps_to_the_limit_and_leads_back(self, shop, session):
        deal = open_deal(session, limit_per_shopper=1)
        path = f"/d/{code_of(session, deal)}/reserve"
        first = await shop.post(path, key=KEY)

        again = await shop.post(path, key=new_code())

        assert again.status == 303
        assert again.headers["Location"] == first.headers["Location"]


class TestReservedPage:
    async def test_shows_what_where_and_until_when(self, shop, session):
        hold = make_hold(
            session,
            open_deal(session, title="Parka"),
            state=HoldState.RESERVED,
            pickup_code="7h2k0m1q",
            quantity=2,
            expires_at=NOON + 2 * DAY,
        )

        html = await shop.text(f"/h/{hold.token}")

        assert "7H2K 0M1Q" in html
        assert "To pay in the store: €99.98." in html
        assert "Parka" in html
        assert "<svg" in html
        assert 'role="img"' in html

    async def test_asks_no_provider(self, shop, session, payments):
        hold = make_hold(session, open_deal(session), state=HoldState.RESERVED)

        answer = await shop.get(f"/h/{hold.token}/pay")

        assert answer.headers["Location"] == f"/h/{hold.token}"
        assert payments.calls.total() == 0

    async def test_goes_into_a_calendar(self, shop, session):
        hold = make_hold(
            session,
            open_deal(session),
            state=HoldState.RESERVED,
            expires_at=NOON + 2 * DAY,
        )

        text = await shop.text(f"/h/{hold.token}/pickup.ics")

        assert "DTSTART:20260304T120000Z" in text
        assert "TRIGGER:-PT120M" in text
        assert f"URL:http://outlet.example/h/{hold.token}" in text

    async def test_lets_go_at_once(self, shop, session):
        hold = make_hold(session, open_deal(session), state=HoldState.RESERVED)

        await shop.post(f"/h/{hold.token}/release")

        assert [one.state for one in holds(session)] == [HoldState.RELEASED]
        assert "This hold has ended" in await shop.text(f"/h/{hold.token}")

    async def test_says_that_its_time_is_up(self, shop, session, clock):
        hold = make_hold(session, open_deal(session), state=HoldState.RESERVED)
        clock.advance(timedelta(days=3))

        assert "Its time is up." in await shop.text(f"/h/{hold.token}")


class TestOrder:
    async def test_is_shown_as_what_was_paid_and_taken(self, shop, session):
        hold = make_hold(
            session,
            open_deal(session),
            state=HoldState.RESERVED,
            pickup_code="7h2k0m1q",
        )
        redeem(session, hold.retailer_id, "7h2k0m1q", merchant_id="", now=NOON)
        session.commit()

        led = await shop.get(f"/h/{hold.token}")
        html = await shop.text(led.headers["Location"])

        assert "You paid €49.99 in the store." in html
        assert "gets it ready" not in html


class TestQr:
    @pytest.mark.parametrize("code", ["7h2k0m1q", "zzzzzzzz"])
    def test_is_read_by_a_camera(self, code):
        address = f"https://outlet.example/redeem/{code}"

        found = zxingcpp.read_barcode(drawn(qr_code(address)))

        assert found is not None
        assert found.text == address

    def test_is_dark_on_light_whatever_the_page_is(self):
        svg = qr_code("https://outlet.example/redeem/7h2k0m1q")

        assert 'fill="#fff"' in svg
        assert 'stroke="#000"' in svg
        assert "style=" not in svg  # the policy allows no style of an element


def drawn(svg: str) -> Image.Image:
    """Draw the lines of the SVG that segno makes, eight pixels to a module."""
    width = int(re.search(r'viewBox="0 0 (\d+)', svg)[1])
    image = Image.new("L", (width, width), 255)
    path = re.search(r'class="[^"]*"[^>]* d="([^"]+)"|stroke[^>]* d="([^"]+)"', svg)
    x, y = 0.0, 0.0
    for kind, numbers in re.findall(r"([Mmh])([-\d. ]+)", path[1] or path[2]):
        values = [float(n) for n in numbers.split()]
        if kind == "M":
            x, y = values
        elif kind == "m":
            x, y = x + values[0], y + values[1]
        else:
            for step in range(int(values[0])):
                image.putpixel((int(x) + step, int(y)), 0)
            x += values[0]
    return image.resize((width * 8, width * 8), Image.Resampling.NEAREST)


def test_a_code_is_spoken_in_two_groups() -> None:
    assert spoken("7h2k0m1q") == "7H2K 0M1Q"
