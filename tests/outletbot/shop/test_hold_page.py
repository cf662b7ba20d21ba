"""
A hold's own pages: what its shopper is told, and what they may do.
"""

import pytest
from sqlmodel import Session

from offers.checkouts import Checkout, CheckoutState, Paid
from offers.deals import Deal
from offers.holds import Hold, HoldState
from offers.orders import find_order_of_hold
from tests.factories import (
    MINUTE,
    NOON,
    make_deal,
    make_hold,
    make_order,
    make_refund,
    post_of,
)
from tests.fakes import FakePayments
from tests.outletbot.shop.conftest import Shop, StandingClock
from tests.outletbot.shop.test_deal_page import words


def put_up(payments: FakePayments, hold: Hold) -> str:
    """Give *hold* its page at the provider."""
    assert hold.checkout_id is not None
    payments.checkouts[hold.checkout_id] = Checkout(
        id=hold.checkout_id,
        hold_id=hold.id,
        state=CheckoutState.OPEN,
        paid=Paid.UNPAID,
        total=hold.total,
        livemode=False,
        url=hold.checkout_url,
    )
    return hold.checkout_id


class TestStandings:
    async def test_waiting_refreshes_itself(self, shop: Shop, session: Session) -> None:
        hold = make_hold(session, state=HoldState.CREATING)

        html = await shop.text(f"/h/{hold.token}")

        assert "Your unit is held" in words(html)
        assert f'http-equiv="refresh" content="2; url=/h/{hold.token}/pay"' in html
        assert f"/h/{hold.token}/release" in html

    async def test_payable_shows_the_way_and_the_time(
        self, shop: Shop, session: Session
    ) -> None:
        hold = make_hold(session, state=HoldState.OPEN, quantity=2)

        html = await shop.text(f"/h/{hold.token}")

        assert 'href="https://pay.example/1"' in html
        assert "Pay €99.98" in words(html)
        assert "Until Mon 2 Mar, 12:10 (Dublin)" in words(html)
        assert "goes back on sale" in words(html)
        assert "refresh" not in html

    async def test_is_this_shoppers_alone(self, shop: Shop, session: Session) -> None:
        hold = make_hold(session, state=HoldState.OPEN)

        answer = await shop.get(f"/h/{hold.token}")

        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["Referrer-Policy"] == "same-origin"

    async def test_past_its_time_it_is_not_offered_for_payment(
        self, shop: Shop, session: Session, clock: StandingClock
    ) -> None:
        hold = make_hold(session, state=HoldState.OPEN)
        clock.advance(10 * MINUTE)

        html = await shop.text(f"/h/{hold.token}")

        assert "Letting your unit go" in words(html)
        assert hold.checkout_url not in html

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            (HoldState.PROCESSING, "Your payment is on its way"),
            (HoldState.REVIEW, "We are looking into your payment"),
            (HoldState.RELEASED, "This hold has ended"),
        ],
    )
    async def test_says_how_it_stands(
        self, shop: Shop, session: Session, state: HoldState, said: str
    ) -> None:
        hold = make_hold(session, state=state)

        html = await shop.text(f"/h/{hold.token}")

        assert said in words(html)
        assert "checkout_url" not in html

    async def test_released_offers_another_try_with_a_fresh_key(
        self, shop: Shop, session: Session
    ) -> None:
        hold = make_hold(session, state=HoldState.RELEASED)

        html = await shop.text(f"/h/{hold.token}")

        assert "Try again for €49.99" in words(html)
        assert hold.key not in html
        assert f'data-forget="{hold.deal_id}"' in html

    async def test_released_offers_no_other_try_once_the_deal_is_over(
        self, shop: Shop, session: Session, clock: StandingClock
    ) -> None:
        hold = make_hold(session, state=HoldState.RELEASED)
        clock.advance(60 * MINUTE)

        html = await shop.text(f"/h/{hold.token}")

        assert "Try again" not in words(html)

    async def test_refunded_says_why_and_where_the_money_is(
        self, shop: Shop, session: Session
    ) -> None:
        owed = make_hold(session, state=HoldState.RELEASED)
        make_refund(session, owed)
        given = make_hold(session, state=HoldState.RELEASED)
        make_refund(session, given, given_at=NOON)

        before = words(await shop.text(f"/h/{owed.token}"))
        after = words(await shop.text(f"/h/{given.token}"))

        assert "Your money is on its way back" in before
        assert "€49.99 came after your time was up" in before
        assert "Your money was sent back" in after

    @pytest.mark.parametrize(
        ("state", "says"),
        [
            (HoldState.OPEN, "If you have paid, all of it comes back to you."),
            (HoldState.PROCESSING, "As soon as your bank confirms the payment"),
            (HoldState.RELEASED, "Nothing was charged."),
        ],
    )
    async def test_lost_to_the_shop_says_so(
        self, shop: Shop, session: Session, state: HoldState, says: str
    ) -> None:
        hold = make_hold(session, state=state, lost_at=NOON, expires_at=NOON)

        html = words(await shop.text(f"/h/{hold.token}"))

        assert "sold in the shop itself" in html
        assert says in html

    async def test_lost_to_the_shop_and_paid_says_so(
        self, shop: Shop, session: Session
    ) -> None:
        hold = make_hold(session, state=HoldState.RELEASED, lost_at=NOON)
        make_refund(session, hold, reason="shop_sold")

        html = words(await shop.text(f"/h/{hold.token}"))

        assert "Your money is on its way back" in html
        assert "While you were paying €49.99, the last units were sold" in html

    async def test_paid_leads_to_the_order(self, shop: Shop, session: Session) -> None:
        order = make_order(session)
        hold = session.get_one(Hold, order.hold_id)

        answer = await shop.get(f"/h/{hold.token}")

        assert answer.status == 303
        assert answer.headers["Location"] == f"/orders/{order.code}"

    async def test_an_unknown_token_is_not_found(self, shop: Shop) -> None:
        answer = await shop.get("/h/nosuchtoken")

        assert answer.status == 404


class TestExtend:
    async def test_gives_the_same_time_again_once(
        self, shop: Shop, session: Session
    ) -> None:
        hold = make_hold(session, state=HoldState.OPEN)

        first = await shop.post(f"/h/{hold.token}/extend")
        html = await shop.text(f"/h/{hold.token}")
        second = await shop.post(f"/h/{hold.token}/extend")

        assert first.status == 303
        assert "Until Mon 2 Mar, 12:20 (Dublin)" in words(html)
        assert "I need more time" not in words(html)
        assert second.status == 409
        assert "cannot be extended any more" in words(await second.text())


class TestRelease:
    async def test_frees_a_unit_that_nobody_can_pay(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session, allotment=1)
        hold = make_hold(session, deal)

        answer = await shop.post(f"/h/{hold.token}/release")
        html = await shop.text(f"/h/{hold.token}")

        assert answer.headers["Location"] == f"/h/{hold.token}"
        assert "This hold has ended" in words(html)

    async def test_leaves_a_page_that_may_be_paid_to_the_providers_word(
        self, shop: Shop, session: Session
    ) -> None:
        hold = make_hold(session, state=HoldState.OPEN)

        await shop.post(f"/h/{hold.token}/release")
        html = await shop.text(f"/h/{hold.token}")

        session.refresh(hold)
        assert hold.state is HoldState.OPEN
        assert "Letting your unit go" in words(html)
        assert session.get_one(Deal, hold.deal_id).held == 1


class TestReturn:
    async def test_makes_an_order_of_what_was_paid(
        self, shop: Shop, session: Session, payments: FakePayments
    ) -> None:
        hold = make_hold(session, state=HoldState.OPEN)
        payments.pay(put_up(payments, hold))

        answer = await shop.get(f"/h/{hold.token}/paid")

        session.rollback()
        order = find_order_of_hold(session, hold.id)
        assert order is not None
        assert answer.headers["Location"] == f"/orders/{order.code}"

    async def test_does_not_believe_the_address(
        self, shop: Shop, session: Session, payments: FakePayments
    ) -> None:
        hold = make_hold(session, state=HoldState.OPEN)
        put_up(payments, hold)

        html = await shop.text(f"/h/{hold.token}/paid")

        assert find_order_of_hold(session, hold.id) is None
        assert "Looking up your payment" in words(html)
        assert hold.checkout_url not in html

    async def test_asks_nobody_to_pay_again_while_stripe_is_down(
        self, shop: Shop, session: Session, payments: FakePayments
    ) -> None:
        hold = make_hold(session, state=HoldState.OPEN)
        payments.pay(put_up(payments, hold))
        payments.down = True

        html = await shop.text(f"/h/{hold.token}/paid")

        assert "Looking up your payment" in words(html)
        assert hold.checkout_url not in html
        assert f'http-equiv="refresh" content="3; url=/h/{hold.token}/paid"' in html

    async def test_says_that_the_money_is_on_its_way(
        self, shop: Shop, session: Session, payments: FakePayments
    ) -> None:
        hold = make_hold(session, state=HoldState.OPEN)
        payments.promise(put_up(payments, hold))

        html = await shop.text(f"/h/{hold.token}/paid")

        assert "Your payment is on its way" in words(html)

    async def test_says_when_it_came_too_late(
        self, shop: Shop, session: Session, payments: FakePayments
    ) -> None:
        deal = make_deal(session, allotment=1)
        late = make_hold(session, deal, state=HoldState.RELEASED)
        make_hold(session, deal, state=HoldState.OPEN)
        payments.pay(put_up(payments, late))

        html = await shop.text(f"/h/{late.token}/paid")

        assert "Your money is on its way back" in words(html)


class TestOrder:
    async def test_shows_what_was_bought_and_hides_the_address_of_mail(
        self, shop: Shop, session: Session
    ) -> None:
        order = make_order(session, quantity=2, address="Sam\n1 Main Street\nDublin IE")

        answer = await shop.get(f"/orders/{order.code}")

        said = words(await answer.text())
        assert "€99.98" in said
        assert "s••@example.com" in said
        assert "sam@example.com" not in said
        assert "1 Main Street" in said
        assert "Mon 2 Mar, 12:00 (Dublin)" in said
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Robots-Tag"] == "noindex"

    async def test_shows_what_was_sent_back(self, shop: Shop, session: Session) -> None:
        order = make_order(session, refunded_amount=1_000)

        html = await shop.text(f"/orders/{order.code}")

        assert "€10.00 of it was sent back to you" in words(html)

    async def test_shares_the_deal_and_never_itself(
        self, shop: Shop, session: Session
    ) -> None:
        deal = make_deal(session)
        order = make_order(session, deal)

        html = await shop.text(f"/orders/{order.code}")

        link = f"http://outlet.example/d/{post_of(session, deal).code}"
        assert f'data-share="{link}"' in html
        assert order.code not in html
