"""
A merchant sees what their own shop was told of, and what they have to look at.
"""

from typing import Any

from offers.echoes import Echo, EchoState
from offers.stock import Cause
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_echo,
    make_offer,
    make_order,
    make_shop,
)


def make_told(session, shop, **facts: Any):
    offer = facts.pop("offer", None) or make_offer(session, sku="PARKA")
    return make_echo(session, offer, shop_id=shop.id, **facts)


async def look(desk, shop) -> str:
    answer = await desk.get(f"/shops/{shop.id}/sales")
    assert answer.status == 200
    return await answer.text()


async def press(desk, shop, echo, what):
    address = f"/shops/{shop.id}/sales/{echo.id}/{what}"
    answer = await desk.post(address, allow_redirects=False)
    if answer.status == 303:
        assert answer.headers["Location"] == f"/shops/{shop.id}/sales"
    return answer.status


def now(session, echo) -> Echo:
    session.expire_all()
    return session.get_one(Echo, echo.id)


async def test_shows_what_was_told(desk, session):
    shop = make_shop(session, name="Our Shopify", tells_back=True)
    order = make_order(session)
    make_told(
        session,
        shop,
        change=-2,
        source_id=order.id,
        state=EchoState.TOLD,
        told_at=NOON,
    )

    html = await look(desk, shop)

    assert "What Our Shopify was told" in html
    assert "PARKA" in html
    assert "\N{MINUS SIGN}2" in html
    assert f'href="/sales/{order.id}"' in html
    assert "Told" in html
    assert "Try again" not in html


async def test_shows_what_came_back(desk, session):
    shop = make_shop(session, tells_back=True)
    make_told(session, shop, change=1, cause=Cause.REFUND)

    html = await look(desk, shop)

    assert "+1" in html
    assert "Came back" in html


async def test_says_what_could_not_be_told(desk, session):
    shop = make_shop(session, tells_back=True)
    words = "Shopify says: <Not you> (401)."
    make_told(session, shop, failure=words, failing_since=NOON - HOUR)

    html = await look(desk, shop)

    assert "1 change could not be told" in html
    assert "Shopify says: &lt;Not you&gt; (401)." in html
    assert "Try again" in html


async def test_tells_it_again(desk, session):
    shop = make_shop(session, tells_back=True)
    echo = make_told(session, shop, state=EchoState.GIVEN_UP, due_at=NOON - DAY)

    assert await press(desk, shop, echo, "again") == 303

    assert now(session, echo).state is EchoState.DUE
    assert now(session, echo).due_at == NOON


async def test_believes_whoever_did_it_by_hand(desk, session):
    shop = make_shop(session, tells_back=True)
    lead = make_told(session, shop, state=EchoState.GIVEN_UP)
    other = make_told(
        session,
        shop,
        offer=make_offer(session),
        lead_id=lead.id,
        state=EchoState.GIVEN_UP,
    )

    assert await press(desk, shop, lead, "by-hand") == 303

    assert now(session, lead).state is EchoState.TOLD
    assert now(session, other).state is EchoState.TOLD
    assert "could not be told" not in await look(desk, shop)


async def test_what_was_told_is_told(desk, session):
    shop = make_shop(session, tells_back=True)
    echo = make_told(session, shop, state=EchoState.TOLD, told_at=NOON)

    assert await press(desk, shop, echo, "again") == 409
    assert await press(desk, shop, echo, "by-hand") == 409


async def test_says_why_nothing_is_told(desk, session):
    silent = make_shop(session, tells_back=False)
    paused = make_shop(session, tells_back=True, paused=True)

    assert "This shop is told nothing" in await look(desk, silent)
    assert "This shop is paused" in await look(desk, paused)
    assert "Nothing to tell yet" in await look(desk, paused)
