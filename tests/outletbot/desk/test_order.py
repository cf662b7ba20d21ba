"""
The page of one order: what it brought, and how some of it is given back, in two steps,
once, and never more than was paid.
"""

import re
from datetime import timedelta

import pytest
from sqlmodel import select

from offers.catalog import Offer
from offers.ledger import LedgerEntry
from offers.orders import Order, Way
from offers.payment_accounts import PaymentAccount, PaymentAccountKind
from offers.refunds import Refund, RefundStage
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_deal,
    make_dispute,
    make_merchant,
    make_offer,
    make_order,
    make_refund,
    make_retailer,
    north,
)
from tests.outletbot.desk.conftest import sign_in
from tests.outletbot.desk.test_summary import texts
from webhooks.outbox import Delivery


@pytest.fixture
def order(session) -> Order:
    offer = make_offer(session, title="Parka", sku="PARKA", quantity=7)
    deal = make_deal(session, offer, price_amount=4_000, allotment=10)
    return make_order(session, deal, quantity=3, address="1 North St\nDublin")


async def look(desk, order, status=200) -> str:
    answer = await desk.get(f"/sales/{order.id}")
    assert answer.status == status
    return await answer.text()


def key_in(html: str) -> str:
    found = re.search(r'name="key" value="(\w+)"', html)
    assert found is not None
    return found[1]


async def ask(desk, order, action="check", **typed: str) -> tuple[int, str]:
    form = {
        "key": "key1",
        "amount": "120.00",
        "units": "0",
        "reason": "requested_by_customer",
        "note": "",
        "action": action,
        **typed,
    }
    answer = await desk.post(
        f"/sales/{order.id}/refund", data=form, allow_redirects=False
    )
    return answer.status, await answer.text()


def refunds(session) -> list[Refund]:
    session.rollback()
    session.expire_all()
    found = list(session.exec(select(Refund).order_by(Refund.id)))
    session.rollback()
    return found


class TestShow:
    async def test_everything_of_one_order(self, desk, order):
        text = texts(await look(desk, order))

        assert "3 \N{MULTIPLICATION SIGN} Parka" in text
        assert "€120.00 of €120.00 paid" in text
        assert "3 \N{MULTIPLICATION SIGN} €40.00" in text
        assert "Sam Shopper sam@example.com" in text
        assert "1 North St Dublin" in text
        assert "Outlet page" in text
        assert order.payment_id in text
        assert "Nothing was given back." in text
        assert "not in Stripe's books yet" in text

    async def test_what_the_books_say(self, desk, session, order):
        for kind, amount, fee in (("charge", 12_000, 205), ("refund", -4_000, 0)):
            session.add(
                LedgerEntry(
                    id=f"entry_{kind}",
                    retailer_id=order.retailer_id,
                    account_id="",
                    transaction_id=f"txn_{kind}",
                    kind=kind,
                    order_id=order.id,
                    amount=amount,
                    fee=fee,
                    net=amount - fee,
                    currency="eur",
                    source_amount=amount,
                    source_currency="eur",
                    happened_at=NOON,
                )
            )
        session.commit()

        text = texts(await look(desk, order))

        assert "€77.95 €2.05 in fees for the payment" in text
        assert "Payment txn_charge €120.00 €2.05 €117.95" in text
        assert "Refund txn_refund -€40.00 €0.00 -€40.00" in text

    async def test_what_happened_in_its_order(self, desk, session, order, ana):
        make_refund(
            session,
            of=order,
            asked_by=ana.id,
            asked_at=NOON + MINUTE,
            given_at=NOON + 2 * MINUTE,
            failed_at=NOON + HOUR,
            provider_id="re_1",
            amount=4_000,
        )
        make_dispute(
            session,
            order,
            state="won",
            opened_at=NOON + 2 * HOUR,
            closed_at=NOON + 3 * HOUR,
        )

        text = texts(await look(desk, order))

        told = [
            "A shopper held it",
            "Paid: €120.00",
            "Ana asked for a refund of €40.00",
            "Stripe sent €40.00 back",
            "The refund of €40.00 failed",
            "The bank disputes €120.00",
            "The dispute ended Won",
        ]
        places = [text.index(words) for words in told]
        assert places == sorted(places)

    async def test_nothing_of_another_retailers(self, desk, session):
        south = make_retailer(session)
        foreign = make_order(session, make_deal(session, retailer_id=south.id))

        html = await look(desk, foreign, status=404)
        status, _ = await ask(desk, foreign, "give")

        assert "sam@example.com" not in html
        assert status == 404
        assert refunds(session) == []

    async def test_needs_a_sign_in(self, browser, order):
        answer = await browser.get(f"/sales/{order.id}", allow_redirects=False)

        assert answer.headers["Location"] == f"/sign-in?next=/sales/{order.id}"

    async def test_leads_to_the_sandbox_that_plays_stripe(self, desk, order):
        assert 'href="http://127.0.0.1:1/sandbox"' in await look(desk, order)

    async def test_is_found_from_the_list(self, desk, order):
        assert f'href="/sales/{order.id}"' in await (await desk.get("/sales")).text()


class TestCheck:
    async def test_says_in_plain_words_what_happens(self, desk, session, order):
        status, html = await ask(desk, order, amount="40,00", units="1")

        text = texts(html)
        assert status == 200
        assert "Give €40.00 back?" in text
        assert "€40.00 goes back to the card or account that paid" in text
        assert "1 unit goes back into your stock, which is then 8" in text
        assert "€80.00 of the order can still be given back afterwards." in text
        assert refunds(session) == []

    async def test_a_button_stands_for_whole_units(self, desk, order):
        assert "2 units, €80.00" in texts(await look(desk, order))

        _, html = await ask(desk, order, whole="2", amount="", units="")

        assert "Give €80.00 back?" in texts(html)
        assert 'name="units" value="2"' in html

    async def test_names_the_platforms_share(self, desk, session, order):
        account = PaymentAccount(
            id="pacc_1",
            retailer_id=order.retailer_id,
            kind=PaymentAccountKind.CONNECTED,
            provider_id="acct_1",
            livemode=False,
            fee_bps=250,
            connected_at=NOON,
        )
        order.account_id = account.id
        session.add_all([account, order])
        session.commit()

        _, html = await ask(desk, order)

        assert "The platform's share is given back to you" in texts(html)

    async def test_says_that_uncounted_stock_stays_so(self, desk, session):
        deal = make_deal(session, make_offer(session, quantity=None))
        order = make_order(session, deal)

        _, html = await ask(desk, order, amount="49.99", units="1")

        assert "Your stock of it is not counted" in texts(html)

    @pytest.mark.parametrize(
        ("typed", "problem"),
        [
            ({"amount": "120.01"}, "Only €120.00 of it can still be given back."),
            ({"amount": "0"}, "Enter an amount above zero."),
            ({"amount": "-5"}, "Enter an amount such as 12.50."),
            ({"amount": "1.234"}, "Enter an amount such as 12.50."),
            ({"amount": ""}, "Fill this in."),
            ({"units": "4"}, "Choose between 0 and 3."),
            ({"units": "x"}, "Enter a whole number."),
            ({"reason": "bored"}, "Choose from the list."),
            ({"note": "n" * 501}, "Use 500 characters at most."),
            ({"key": ""}, "Fill this in."),
        ],
    )
    @pytest.mark.parametrize("action", ["check", "give"])
    async def test_refuses_what_cannot_be(
        self, desk, session, order, typed, problem, action
    ):
        status, html = await ask(desk, order, action, **typed)

        assert status == 422
        if "key" not in typed:
            assert problem in texts(html)
        assert refunds(session) == []

    async def test_takes_two_decimals_of_a_currency_that_has_three(self, desk, session):
        offer = make_offer(session, currency="kwd", price_amount=9_000)
        order = make_order(session, make_deal(session, offer, price_amount=4_000))

        status, html = await ask(desk, order, amount="1.255")

        assert status == 422
        assert "Cards take two decimals at most" in texts(html)

    async def test_keeps_what_was_typed(self, desk, order):
        _, html = await ask(desk, order, amount="999", note="Ana & co")

        assert 'value="999"' in html
        assert 'value="Ana &amp; co"' in html


class TestGive:
    async def test_owes_the_money_and_takes_the_units_back(
        self, desk, session, order, ana
    ):
        key = key_in(await look(desk, order))

        status, _ = await ask(
            desk, order, "give", key=key, amount="40", units="1", note="too small"
        )

        (refund,) = refunds(session)
        assert status == 303
        assert (refund.amount, refund.units, refund.order_id) == (4_000, 1, order.id)
        assert (refund.asked_by, refund.note) == (ana.id, "too small")
        assert refund.reason == "requested_by_customer"
        assert session.exec(select(Offer)).one().quantity == 8

    async def test_is_done_once_however_often_it_is_sent(self, desk, session, order):
        answers = [await ask(desk, order, "give", amount="40") for _ in range(3)]

        assert [status for status, _ in answers] == [303] * 3
        assert len(refunds(session)) == 1

    async def test_goes_on_until_nothing_is_left(self, desk, session, order):
        for key, amount in (("one", "40"), ("two", "50"), ("three", "30")):
            status, _ = await ask(desk, order, "give", key=key, amount=amount)
            assert status == 303

        status, html = await ask(desk, order, "give", key="four", amount="0.01")

        assert status == 422
        assert "All of it was given back, or is about to be." in texts(html)
        assert sum(refund.amount for refund in refunds(session)) == 12_000

    async def test_is_open_to_every_merchant(self, browser, database, session, order):
        marc = make_merchant(session, "marc@north.example", role="merchant")
        await sign_in(browser, database, marc)

        status, _ = await ask(browser, order, "give", amount="40")

        assert status == 303
        assert refunds(session)[0].asked_by == marc.id

    async def test_of_a_store_order_is_noted_at_once_and_told(
        self, desk, session, order
    ):
        order.way, order.payment_id = Way.STORE, f"store-{order.hold_id}"
        retailer = north(session)
        retailer.webhook_url = "https://north.example/hook"
        session.add_all([order, retailer])
        session.commit()

        _, html = await ask(desk, order, amount="40")
        for _ in range(2):
            await ask(desk, order, "give", amount="40", units="1")

        (refund,) = refunds(session)
        assert "You hand €40.00 to the shopper in the store" in texts(html)
        assert (refund.given_at, refund.stage) == (NOON, RefundStage.SUCCEEDED)
        assert session.get_one(Order, order.id).refunded_amount == 4_000
        assert sorted(one.type for one in session.exec(select(Delivery))) == [
            "order.refunded",
            "stock.changed",
        ]
        text = texts(await look(desk, order))
        assert "€40.00 given back in the store" in text
        assert "In Stripe's dashboard" not in text

    async def test_is_off_while_disputed(self, desk, session, order):
        make_dispute(session, order)

        text = texts(await look(desk, order))
        status, html = await ask(desk, order, "give", amount="40")

        reason = "until that is decided Stripe gives nothing back"
        assert reason in text
        assert "Give money back" not in text
        assert status == 422
        assert reason in texts(html)
        assert refunds(session) == []


class TestTrouble:
    async def test_shows_why_a_refund_failed_and_tries_again(
        self, desk, session, order, ana
    ):
        failed = make_refund(
            session,
            of=order,
            amount=4_000,
            failed_at=NOON,
            failure_code="expired_or_canceled_card",
        )

        text = texts(await look(desk, order))
        again = await desk.post(f"/refunds/{failed.id}/again", allow_redirects=False)
        await desk.post(f"/refunds/{failed.id}/again", allow_redirects=False)

        assert "A refund of €40.00 failed" in text
        assert "agree with the shopper on another way" in text
        assert again.headers["Location"] == f"/sales/{order.id}#refunds"
        old, new = sorted(refunds(session), key=lambda one: one.id != failed.id)
        assert old.cleared_at == NOON
        assert (new.amount, new.asked_by, new.failed_at) == (4_000, ana.id, None)

    async def test_goes_away_when_it_was_settled_another_way(
        self, desk, session, order
    ):
        failed = make_refund(session, of=order, amount=4_000, failed_at=NOON)

        await desk.post(f"/refunds/{failed.id}/clear")

        assert "A refund of €40.00 failed" not in texts(await look(desk, order))

    async def test_of_another_retailer_is_not_for_us_to_end(self, desk, session):
        south = make_retailer(session)
        foreign = make_order(session, make_deal(session, retailer_id=south.id))
        failed = make_refund(session, of=foreign, failed_at=NOON)

        answers = [
            (await desk.post(f"/refunds/{failed.id}/{verb}")).status
            for verb in ("again", "clear")
        ]

        assert answers == [404, 404]
        assert refunds(session)[0].cleared_at is None

    async def test_without_an_order_leads_back_to_the_summary(self, desk, session):
        make_order(session)
        failed = make_refund(session, failed_at=NOON, failure="Stripe says no.")

        answer = await desk.post(f"/refunds/{failed.id}/clear", allow_redirects=False)

        assert answer.headers["Location"] == "/summary"

    async def test_tells_by_when_a_dispute_is_to_be_answered(
        self, desk, session, order
    ):
        make_dispute(session, order, due_by=NOON + timedelta(days=2, hours=3))

        text = texts(await look(desk, order))

        assert "A payment of €120.00 is disputed" in text
        assert "the shopper says nothing arrived" in text
        assert "Answer by Wed 4 Mar, 15:00 in Stripe's dashboard: 2 d 3 h left." in text
        assert "The bank has taken the money until then." in text
        assert "€0.00 of €120.00 paid" in text

    async def test_says_when_the_time_to_answer_is_over(self, desk, session, order):
        make_dispute(session, order, due_by=NOON - HOUR)

        text = texts(await look(desk, order))

        assert "The time to answer ended Mon 2 Mar, 11:00." in text

    async def test_says_that_a_dispute_was_lost(self, desk, session, order):
        make_dispute(session, order, state="lost", closed_at=NOON)

        text = texts(await look(desk, order))

        assert "The bank has given this payment back already, in a dispute." in text
        assert "Lost" in text
