"""
The list of orders: whose, of what, by way of which post; of one's own deals only.
"""

import csv
import io
from datetime import timedelta

from tests.factories import (
    NOON,
    make_account,
    make_deal,
    make_order,
    make_post,
    make_retailer,
)
from tests.outletbot.desk.test_summary import texts


async def test_lists_orders_the_latest_first_with_their_channel(desk, session):
    deal = make_deal(session, title="Parka", price_amount=4_000)
    social = make_post(session, deal, make_account(session))
    make_order(session, deal, paid_at=NOON - timedelta(minutes=5))
    make_order(
        session,
        deal,
        quantity=2,
        post_id=social.id,
        refunded_amount=4_000,
        email="lea@example.com",
        name="Léa Martin",
    )

    text = texts(await (await desk.get("/sales")).text())

    latest = text.index("2 €80.00 €40.00 Léa Martin lea@example.com Mastodon")
    first = text.index("1 €40.00 - Sam Shopper sam@example.com Outlet page")
    assert latest < first


async def test_shows_the_orders_of_one_deal(desk, session):
    parka, kettle = (make_deal(session, title=title) for title in ("Parka", "Kettle"))
    make_order(session, parka, email="parka@example.com")
    make_order(session, kettle, email="kettle@example.com")

    html = await (await desk.get("/sales", params={"deal": parka.id})).text()

    assert "parka@example.com" in html
    assert "kettle@example.com" not in html
    assert f'href="/sales.csv?deal={parka.id}"' in html


async def test_shows_nothing_of_another_retailer(desk, session):
    south = make_retailer(session)
    make_order(session, make_deal(session, retailer_id=south.id), email="x@example.com")

    for path in ("/sales", "/sales.csv"):
        assert "x@example.com" not in await (await desk.get(path)).text()


async def test_leads_on_when_there_is_none(desk):
    assert "No orders yet" in await (await desk.get("/sales")).text()


async def test_exports_every_order_without_formulas(desk, session):
    deal = make_deal(session, price_amount=4_050)
    make_order(
        session,
        deal,
        quantity=2,
        refunded_amount=4_050,
        name="@SUM(1)",
        address="1 rue Nègre\n75001 Paris",
    )

    answer = await desk.get("/sales.csv")

    text = (await answer.read()).decode("utf-8-sig")
    assert 'filename="orders.csv"' in answer.headers["Content-Disposition"]
    [row] = csv.DictReader(io.StringIO(text, newline=""))
    assert row["total"] == "81.00"
    assert row["refunded"] == row["net"] == "40.50"
    assert row["currency"] == "EUR"
    assert row["channel"] == "outlet"
    assert row["name"] == "'@SUM(1)"
    assert row["address"] == "1 rue Nègre\n75001 Paris"
