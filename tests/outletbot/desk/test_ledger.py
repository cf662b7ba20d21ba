"""
The ledger: what Stripe's books say, where ours differ, and the line on the summary.
"""

import csv
import io
from datetime import timedelta

from offers.ledger import AccountBalance
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_deal,
    make_entry,
    make_order,
    make_payment_account,
    make_reading,
    make_retailer,
    north,
)
from tests.outletbot.desk.test_summary import texts


async def read(desk, address="/ledger"):
    response = await desk.get(address)
    assert response.status == 200
    return texts(await response.text())


class TestTheSummary:
    async def test_says_what_remains_and_that_it_agrees(self, desk, session):
        order = make_order(session, make_deal(session, price_amount=5_000))
        make_entry(session, order, fee=100)
        make_reading(session, read_at=NOON + HOUR)

        text = await read(desk, "/summary")

        assert "€50.00 - - €1.00 €49.00" in text
        assert "Agrees with Stripe · 13:00" in text

    async def test_says_by_what_it_differs(self, desk, session):
        deal = make_deal(session, price_amount=1_200, allotment=10)
        make_order(session, deal)
        make_order(session, deal)
        make_reading(session)

        text = await read(desk, "/summary")

        assert "Differs from Stripe by €24.00: 2 items" in text

    async def test_says_that_it_differs_where_sums_even_out(self, desk, session):
        deal = make_deal(session, price_amount=1_200)
        make_order(session, deal)
        twice = make_order(session, deal)
        make_entry(session, twice, 2_400)
        make_reading(session)

        assert "Differs from Stripe: 2 items" in await read(desk, "/summary")

    async def test_says_nothing_of_books_where_nothing_was_sold_online(
        self, desk, session
    ):
        make_deal(session)
        make_reading(session)

        text = await read(desk, "/summary")

        assert "Stripe's books" not in text
        assert "ledger" not in text

    async def test_says_that_nothing_was_compared_yet(self, desk, session):
        make_order(session)

        assert "Not compared with Stripe yet" in await read(desk, "/summary")

    async def test_says_that_it_was_long_ago(self, desk, session):
        make_entry(session, make_order(session, paid_at=NOON - 9 * HOUR))
        make_reading(session, read_at=NOON - HOUR - MINUTE)

        assert "last read Mon 2 Mar, 10:59" in await read(desk, "/summary")

    async def test_can_be_followed_live(self, desk, session):
        make_entry(session, make_order(session))
        make_reading(session)

        async with desk.get("/summary/live") as response:
            line = b""
            while not line.startswith(b"data:") or b"Agrees" not in line:
                line = await response.content.readline()

        assert b"Agrees with Stripe" in line


class TestDifferences:
    async def test_say_what_since_when_and_what_to_do(self, desk, session):
        deal = make_deal(session, title="Parka", price_amount=1_200)
        order = make_order(session, deal, payment_id="pi_lost")
        make_reading(session)

        response = await desk.get("/ledger")
        html = await response.text()

        text = texts(html)
        assert "An order whose payment Stripe's books do not have" in text
        assert "Parka pi_lost" in text
        assert "-€12.00 Mon 2 Mar, 12:00" in text
        assert "do not send the goods" in text
        assert f'href="/sales/{order.id}"' in html

    async def test_of_every_kind_have_their_words(self, desk, session):
        account = make_payment_account(session).id
        mine = {"retailer_id": north(session).id, "account_id": account}
        own = {"account_id": account}
        deal = make_deal(session, allotment=10)
        make_order(session, deal, **own)
        paid_less, refunded = (make_order(session, deal, **own) for _ in range(2))
        make_entry(session, paid_less, 4_000)
        make_entry(session, refunded)
        make_entry(session, refunded, -500, kind="refund")
        make_entry(session, payment_id="pi_1", **mine)
        make_entry(session, payment_id="pi_2", hold_id="hold_gone", **mine)
        make_entry(session, amount=-900, kind="dispute", source_id="du_1", **mine)
        balance = AccountBalance(
            account_id=account,
            currency="eur",
            amount=7,
            listed_amount=9,
            differs_since=NOON,
            read_at=NOON + HOUR,
        )
        session.add(balance)
        session.commit()
        make_reading(session, account)

        text = await read(desk)

        assert "An order that was paid with another amount" in text
        assert "An order of which another sum was given back" in text
        assert "A payment that is no order here" in text
        assert "was an old backup restored?" in text
        assert "A dispute that is not known here" in text
        assert "The balance is not the sum of its entries" in text

    async def test_say_why_the_books_cannot_be_read(self, desk, session):
        make_order(session)
        make_reading(session, read_at=None, trouble="Invalid API Key provided.")

        text = await read(desk)

        assert "could not be read: Invalid API Key provided." in text


class TestEntries:
    async def test_are_listed_the_latest_first(self, desk, session):
        order = make_order(session, make_deal(session, price_amount=5_000))
        make_entry(session, order, fee=100)
        refund = {"kind": "refund", "happened_at": NOON + MINUTE}
        make_entry(session, order, -1_000, **refund)

        text = await read(desk)

        latest = text.index("Refund its order")
        first = text.index("Payment its order")
        assert latest < first
        assert "€50.00 €1.00 €49.00" in text
        assert "-€10.00 - -€10.00" in text

    async def test_of_one_kind(self, desk, session):
        order = make_order(session)
        make_entry(session, order)
        make_entry(session, order, -1_000, kind="refund")

        html = await (await desk.get("/ledger?kind=refund")).text()

        assert "-€10.00" in html
        assert "€49.99" not in html.partition("<caption>Entries")[2]
        assert 'href="/ledger.csv?kind=refund"' in html

    async def test_say_what_the_shopper_paid_in_another_currency(self, desk, session):
        order = make_order(session)
        paid = {"source_amount": 5_000, "source_currency": "jpy"}
        make_entry(session, order, 3_120, currency="eur", **paid)

        assert "€31.20 JP¥5,000" in await read(desk)

    async def test_are_paged(self, desk, session):
        retailer = north(session).id
        for number in range(101):
            at = NOON - timedelta(seconds=number)
            make_entry(session, retailer_id=retailer, amount=number, happened_at=at)

        html = await (await desk.get("/ledger")).text()
        older = html.partition('rel="next" href="')[2].partition('"')[0]
        last = await read(desk, older.replace("&amp;", "&"))

        assert "€0.99" in html
        assert "€1.00" not in html
        assert "€1.00" in last
        assert "The latest" in last
        assert "Older entries" not in last

    async def test_none_of_a_kind_is_said(self, desk, session):
        make_entry(session, make_order(session))

        assert "No such entries" in await read(desk, "/ledger?kind=payout")

    async def test_none_at_all_is_said(self, desk):
        assert "No entries yet" in await read(desk)

    async def test_of_others_are_not_shown(self, desk, session):
        south = make_retailer(session)
        theirs = make_order(session, make_deal(session, retailer_id=south.id))
        entry = make_entry(session, theirs, 7_777)
        make_entry(session, payment_id="pi_nobodys", amount=8_888)

        for address in ("/ledger", f"/ledger?before={entry.id}", "/ledger.csv"):
            text = await (await desk.get(address)).text()
            assert "77.77" not in text
            assert "88.88" not in text

    async def test_can_be_taken_away(self, desk, session):
        order = make_order(session, payment_id="pi_1")
        make_entry(session, order, fee=100, source_id="ch_1")

        text = await (await desk.get("/ledger.csv")).text()

        (row,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
        assert row["happened_at"] == "2026-03-02T12:00:00+00:00"
        assert (row["kind"], row["currency"]) == ("charge", "EUR")
        assert (row["amount"], row["fee"], row["net"]) == ("49.99", "1.00", "48.99")
        assert (row["order_id"], row["payment_id"]) == (order.id, "pi_1")


class TestAccounts:
    async def test_of_ones_own_show_their_balance(self, desk, session):
        account = make_payment_account(session, name="North on Stripe")
        balance = AccountBalance(
            account_id=account.id,
            currency="eur",
            amount=123_456,
            listed_amount=123_456,
            read_at=NOON,
        )
        session.add(balance)
        session.commit()
        make_reading(session, account.id)

        assert "North on Stripe Mon 2 Mar, 13:00 €1,234.56" in await read(desk)

    async def test_that_are_shared_do_not(self, desk, session):
        make_entry(session, make_order(session))
        balance = AccountBalance(
            account_id="",
            currency="eur",
            amount=123_456,
            listed_amount=123_456,
            read_at=NOON,
        )
        session.add(balance)
        session.commit()
        make_reading(session)

        text = await read(desk)

        assert "The house's account, which others share" in text
        assert "1,234.56" not in text
