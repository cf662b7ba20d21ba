"""
What a retailer sees of its deals, against a story whose sums are written here.

Two deals of north, in euros. The *parka* has 10 units at 50.00: its post on the wall
earned 2 orders (1 and 2 units: 150.00), the one on Mastodon 1 order (2 units: 100.00),
of which 40.00 were given back. The *lamp* has 2 units at 20.00, gone in 15 minutes.
"""

from datetime import timedelta

import pytest
from sqlmodel import Session

from offers.clicks import Arrived, Visitor, record_clicks
from offers.deals import Deal, Phase, mark_sold_out
from offers.errors import Missing
from offers.holds import HoldState
from offers.money import Money
from offers.orders import orders
from offers.posts import Post
from offers.summary import (
    Sold,
    Total,
    sales_by_deal,
    sales_by_post,
    sales_of_deal,
    totals,
    units_over_time,
)
from tests.factories import (
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_dispute,
    make_hold,
    make_order,
    make_post,
    make_refund,
    make_retailer,
    north,
    post_of,
)


def eur(amount: int) -> Money:
    return Money(amount, "eur")


def arrive(session: Session, post: Post, people: int, robots: int = 0) -> None:
    for visitor, count in ((Visitor.PERSON, people), (Visitor.ROBOT, robots)):
        came = Arrived(post.retailer_id, post.deal_id, post.id, NOON, visitor)
        record_clicks(session, {came: count})
    session.commit()


@pytest.fixture
def parka(session: Session) -> Deal:
    deal = make_deal(session, title="Parka", allotment=10, price_amount=5_000)
    wall = post_of(session, deal)
    toot = make_post(session, deal, make_account(session, "mastodon"))
    arrive(session, wall, 30, robots=4)
    arrive(session, toot, 12)
    make_order(session, deal, paid_at=NOON - 30 * MINUTE)
    make_order(session, deal, quantity=2, paid_at=NOON - 10 * MINUTE)
    make_order(
        session,
        deal,
        quantity=2,
        post_id=toot.id,
        paid_at=NOON - 20 * MINUTE,
        refunded_amount=4_000,
    )
    make_hold(session, deal, state=HoldState.OPEN, quantity=1, post_id=toot.id)
    late = make_hold(session, deal, state=HoldState.RELEASED)
    make_refund(session, late)  # money that went straight back: in no sum
    return deal


@pytest.fixture
def lamp(session: Session) -> Deal:
    deal = make_deal(
        session,
        title="Lamp",
        allotment=2,
        price_amount=2_000,
        opens_at=NOON - 45 * MINUTE,
    )
    for minutes in (40, 30):
        make_order(session, deal, paid_at=NOON - minutes * MINUTE)
    mark_sold_out(session, deal.id, now=NOON - 30 * MINUTE)
    session.commit()
    session.refresh(deal)
    return deal


@pytest.mark.usefixtures("parka", "lamp")
class TestSalesByDeal:
    def test_adds_up(self, session: Session) -> None:
        lamp, parka = sales_by_deal(session, north(session).id, now=NOON)

        assert (parka.title, parka.phase) == ("Parka", Phase.OPEN)
        assert (parka.offered, parka.left, parka.held) == (10, 4, 1)
        sales = parka.sales
        assert (sales.clicks, sales.robots, sales.holds) == (42, 4, 5)
        assert (sales.orders, sales.units) == (3, 5)
        assert sales.gross == eur(25_000)
        assert sales.refunded == eur(4_000)
        assert sales.net == eur(21_000)
        assert parka.sell_through == 0.5
        assert parka.sold_out_after is None

        assert (lamp.title, lamp.phase) == ("Lamp", Phase.SOLD_OUT)
        assert (lamp.sales.orders, lamp.sales.units) == (2, 2)
        assert lamp.sales.net == eur(4_000)
        assert lamp.sell_through == 1.0
        assert lamp.sold_out_after == timedelta(minutes=15)

    def test_totals_add_up_by_currency(self, session: Session) -> None:
        pounds = make_deal(session, allotment=1, price_amount=700)
        pounds.currency = "gbp"
        make_order(session, pounds)

        lines = sales_by_deal(session, north(session).id, now=NOON)

        gbp = Money(700, "gbp")
        assert totals(lines) == [
            Total(eur(29_000), eur(4_000), eur(0)),
            Total(gbp, Money(0, "gbp"), Money(0, "gbp")),
        ]
        assert totals(lines)[0].net == eur(25_000)

    def test_takes_off_what_banks_took(self, session: Session, parka: Deal) -> None:
        taken, won = orders(session, parka.retailer_id, deal_id=parka.id)[:2]
        make_dispute(session, taken, withdrawn_amount=3_000)
        make_dispute(session, won, withdrawn_amount=0, state="won")

        lines = sales_by_deal(session, parka.retailer_id, now=NOON)

        (line,) = [line for line in lines if line.deal_id == parka.id]
        assert line.sales.disputed == eur(3_000)
        assert line.sales.net == eur(18_000)
        assert totals(lines)[0].net == eur(22_000)
        posts = sales_by_post(session, parka.retailer_id, parka.id)
        assert sum(post.sales.disputed.amount for post in posts) == 3_000

    def test_shows_nobody_elses(self, session: Session) -> None:
        south = make_retailer(session)

        assert sales_by_deal(session, south.id, now=NOON) == []
        assert totals([]) == []


class TestSalesOfDeal:
    def test_is_that_deals_line(self, session: Session, parka: Deal) -> None:
        line = sales_of_deal(session, parka.retailer_id, parka.id, now=NOON)

        assert [line] == sales_by_deal(session, parka.retailer_id, now=NOON)

    def test_is_missing_to_another_retailer(
        self, session: Session, parka: Deal
    ) -> None:
        south = make_retailer(session)

        with pytest.raises(Missing):
            sales_of_deal(session, south.id, parka.id, now=NOON)
        with pytest.raises(Missing):
            sales_by_post(session, south.id, parka.id)
        assert units_over_time(session, south.id, parka.id) == []

    def test_of_a_deal_that_sold_nothing_is_all_zero(self, session: Session) -> None:
        deal = make_deal(session)

        line = sales_of_deal(session, deal.retailer_id, deal.id, now=NOON)

        assert (line.sales.orders, line.sales.net, line.sell_through) == (0, eur(0), 0)


def test_sales_by_post_tell_what_each_earned(session: Session, parka: Deal) -> None:
    wall, toot = sales_by_post(session, parka.retailer_id, parka.id)

    assert (wall.channel, toot.channel) == ("outlet", "mastodon")
    assert (wall.sales.clicks, wall.sales.robots, wall.sales.holds) == (30, 4, 3)
    assert (wall.sales.orders, wall.sales.units) == (2, 3)
    assert wall.sales.net == eur(15_000)
    assert (toot.sales.clicks, toot.sales.holds, toot.sales.orders) == (12, 2, 1)
    assert (toot.sales.gross, toot.sales.net) == (eur(10_000), eur(6_000))


def test_units_over_time_grow_order_by_order(session: Session, parka: Deal) -> None:
    assert units_over_time(session, parka.retailer_id, parka.id) == [
        Sold(NOON - 30 * MINUTE, 1),
        Sold(NOON - 20 * MINUTE, 3),
        Sold(NOON - 10 * MINUTE, 5),
    ]
