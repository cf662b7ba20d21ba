"""
The merchant's phone: a code is typed or scanned, and what it stands for handed over.
"""

import pytest
from sqlmodel import select

from offers.holds import HoldState, give_up_hold
from offers.merchants import MAX_ATTEMPTS, Role
from offers.orders import Order, Way
from tests.factories import DAY, NOON, make_hold, make_merchant, make_retailer
from tests.factories import make_deal as deal_of
from tests.outletbot.desk.conftest import sign_in
from tests.outletbot.desk.test_summary import texts

CODE = "7h2k0m1q"


def reserve(session, **facts: object):
    kind = {"state": HoldState.RESERVED, "pickup_code": CODE}
    return make_hold(session, **{**kind, "expires_at": NOON + DAY, **facts})


def orders(session):
    session.rollback()
    return session.exec(select(Order)).all()


async def test_asks_for_a_code(desk):
    html = await (await desk.get("/redeem")).text()

    assert 'name="code"' in html
    assert "type the code" in texts(html)


@pytest.mark.parametrize("typed", ["7h2k0m1q", " 7H2K-OMLQ "])
async def test_leads_from_a_code_to_its_reservation(desk, session, typed):
    reserve(session)

    answer = await desk.post("/redeem", data={"code": typed}, allow_redirects=False)

    assert (answer.status, answer.headers["Location"]) == (303, f"/redeem/{CODE}")


@pytest.mark.parametrize("typed", ["", "  ", "../..", "7h2k/0m1q"])
async def test_says_what_to_type(desk, typed):
    answer = await desk.post("/redeem", data={"code": typed})

    assert answer.status == 422
    assert "Type the code that the shopper shows." in texts(await answer.text())


async def test_shows_what_to_take_and_to_hand_over(desk, session):
    deal = deal_of(session, title="Parka", price_amount=4_000)
    reserve(session, deal=deal, quantity=2)

    text = texts(await (await desk.get(f"/redeem/{CODE}")).text())

    assert "2 \u00d7 Parka" in text
    assert "Take €80.00" in text
    assert "Each €40.00" in text
    assert "7H2K0M1Q" in text


async def test_hands_over_once(desk, session, ana):
    reserve(session)

    first = await desk.post(f"/redeem/{CODE}")
    again = await desk.post(f"/redeem/{CODE}")

    assert (first.status, again.status) == (200, 409)
    assert "Paid and handed over." in texts(await first.text())
    told = texts(await again.text())
    assert "redeemed before, by Ana" in told
    assert "Do not hand it over again." in told
    [order] = orders(session)
    assert (order.way, order.redeemed_by) == (Way.STORE, ana.id)


async def test_says_that_a_reservation_is_over(desk, session):
    give_up_hold(session, reserve(session).token, now=NOON)
    session.commit()

    shown = await desk.get(f"/redeem/{CODE}")
    pressed = await desk.post(f"/redeem/{CODE}")

    assert "is over" in texts(await shown.text())
    assert pressed.status == 409
    assert orders(session) == []


async def test_knows_no_code_of_another_retailer(desk, session):
    south = make_retailer(session)
    reserve(session, deal=deal_of(session, retailer_id=south.id))

    shown = await desk.get(f"/redeem/{CODE}")
    pressed = await desk.post(f"/redeem/{CODE}")

    assert (shown.status, pressed.status) == (404, 404)
    assert "no reservation with this code" in texts(await shown.text())
    assert orders(session) == []


async def test_slows_down_who_guesses_and_nobody_else(desk, session, browser, database):
    reserve(session)
    for number in range(MAX_ATTEMPTS):
        await desk.get(f"/redeem/0000000{number}")

    guesser = await desk.get(f"/redeem/{CODE}")
    ben = make_merchant(session, "ben@north.example", role=Role.MERCHANT)
    await sign_in(browser, database, ben)
    colleague = await browser.get(f"/redeem/{CODE}")

    assert (guesser.status, colleague.status) == (429, 200)


async def test_a_scanned_code_waits_for_the_sign_in(browser, session):
    reserve(session)

    answer = await browser.get(f"/redeem/{CODE}", allow_redirects=False)

    assert answer.headers["Location"] == f"/sign-in?next=/redeem/{CODE}"
