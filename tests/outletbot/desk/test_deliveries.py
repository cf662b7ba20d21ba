"""
A merchant sees every message to their shop with each try, and can send one again.
"""

from datetime import timedelta

from offers.ids import new_id
from tests.factories import MINUTE, NOON, make_delivery, make_retailer, north
from webhooks.outbox import DeliveryAttempt, DeliveryState


def make_attempt(session, delivery, *, status, answer="", tried_at=NOON):
    attempt = DeliveryAttempt(
        id=new_id("attempt", tried_at),
        retailer_id=delivery.retailer_id,
        delivery_id=delivery.id,
        tried_at=tried_at,
        status=status,
        answer=answer,
    )
    session.add(attempt)
    session.commit()
    return attempt


def give_address(session) -> None:
    retailer = north(session)
    retailer.webhook_url = "https://shop.example/hooks"
    session.add(retailer)
    session.commit()


async def test_shows_each_message_with_its_tries(desk, session):
    give_address(session)
    delivery = make_delivery(session, due_at=NOON + timedelta(minutes=5))
    make_attempt(session, delivery, status=None, tried_at=NOON - MINUTE)
    make_attempt(session, delivery, status=500, answer="<b>oh no</b>")

    html = await (await desk.get("/deliveries")).text()

    assert "Order paid" in html
    assert "https://shop.example/hooks" in html
    assert "2 tries, the last one: it answered 500" in html
    assert "no answer" in html
    assert "&lt;b&gt;oh no&lt;/b&gt;" in html
    assert "next try" in html


async def test_is_loud_about_what_was_given_up(desk, session):
    make_delivery(session, state=DeliveryState.GIVEN_UP)

    html = await (await desk.get("/deliveries")).text()

    assert "1 message was given up" in html


async def test_sends_a_message_again_at_once(desk, session):
    delivery = make_delivery(
        session, state=DeliveryState.GIVEN_UP, due_at=NOON - MINUTE, attempts=10
    )

    answer = await desk.post(f"/deliveries/{delivery.id}/again", allow_redirects=False)

    session.refresh(delivery)
    assert answer.status == 303
    assert (delivery.state, delivery.due_at) == (DeliveryState.DUE, NOON)


async def test_does_not_know_another_retailers_messages(desk, session):
    south = make_retailer(session)
    delivery = make_delivery(
        session, retailer_id=south.id, state=DeliveryState.GIVEN_UP
    )

    assert (await desk.post(f"/deliveries/{delivery.id}/again")).status == 404
    assert delivery.id not in await (await desk.get("/deliveries")).text()

    session.refresh(delivery)
    assert delivery.state is DeliveryState.GIVEN_UP


async def test_leads_to_the_settings_while_there_is_no_address(desk):
    html = await (await desk.get("/deliveries")).text()

    assert "Your shop is told nothing yet" in html
    assert "/settings#webhook" in html


async def test_says_so_while_there_is_nothing_to_tell(desk, session):
    give_address(session)

    assert "Nothing to tell yet" in await (await desk.get("/deliveries")).text()
