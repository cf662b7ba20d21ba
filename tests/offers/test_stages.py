"""
Stages: the copy's deal is as good as new, and nothing in it is anybody's real business.
"""

import pytest

from offers.accounts import OUTLET, accounts
from offers.deals import Deal, close_due, open_due
from offers.errors import Missing, WrongState
from offers.honesty_words import why_no_soldes
from offers.posting import lease_due_posts
from offers.posts import Post, PostState, posts_of_deal
from offers.readings import Subject
from offers.retailers import Retailer
from offers.stages import (
    HOLD_MINUTES,
    RUNS,
    Stand,
    hurry_books,
    raise_curtain,
    set_stage,
)
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_account,
    make_deal,
    make_hold,
    make_offer,
    make_order,
    make_post,
    make_reading,
    make_retailer,
    north,
)

STAND = Stand("http://127.0.0.1:1", "shop0", "sealed-stand")


@pytest.fixture
def deal(session):
    """Five units of ten were sold, one is held, and it is over."""
    offer = make_offer(session, quantity=5)
    deal = make_deal(
        session,
        offer,
        allotment=10,
        opens_at=NOON - 2 * HOUR,
        closes_at=NOON - HOUR,
        hold_minutes=10,
        reserve_until=NOON + DAY,
    )
    make_order(session, deal, quantity=5)
    make_hold(session, deal)
    return deal


def set_up(session, deal, stands=None):
    units = set_stage(session, deal.retailer_id, deal.id, stands or {}, now=NOON)
    session.commit()
    session.expire_all()
    return units


class TestDeal:
    def test_has_all_its_units_again(self, session, deal):
        units = set_up(session, deal)

        assert units == 10
        assert (deal.held, deal.sold, deal.withheld, deal.left) == (0, 0, 0, 10)
        assert deal.opened_at is deal.closed_at is deal.sold_out_at is None

    def test_sells_no_more_than_there_is_stock_for(self, session):
        deal = make_deal(session, make_offer(session, quantity=3), allotment=10)

        assert set_up(session, deal) == 3

    def test_sells_all_where_nobody_counts(self, session):
        deal = make_deal(session, make_offer(session, quantity=None), allotment=10)

        assert set_up(session, deal) == 10

    def test_cannot_be_played_without_stock(self, session):
        deal = make_deal(session, make_offer(session, quantity=0), allotment=10)

        with pytest.raises(WrongState):
            set_up(session, deal)

    def test_must_be_the_retailers_own(self, session, deal):
        with pytest.raises(Missing):
            set_stage(session, make_retailer(session).id, deal.id, {}, now=NOON)

    def test_gives_units_back_soon_and_reserves_none(self, session, deal):
        set_up(session, deal)

        assert deal.hold_minutes == HOLD_MINUTES
        assert deal.reserve_until is None

    def test_can_be_paid_for_online_whoever_takes_the_money_else(self, session):
        deal = make_deal(session, pay_online=False, payable=False)

        set_up(session, deal)

        assert deal.pay_online
        assert deal.payable

    def test_opens_when_the_curtain_rises(self, session, deal):
        set_up(session, deal)

        raise_curtain(session, deal.id, opens_at=NOON + HOUR)
        session.commit()
        session.expire_all()

        assert (deal.opens_at, deal.closes_at) == (NOON + HOUR, NOON + HOUR + RUNS)
        assert [one.id for one in open_due(session, now=NOON + HOUR)] == [deal.id]
        due = lease_due_posts(session, now=NOON + HOUR, ahead=HOUR)
        assert {post.deal_id for post in due} == {deal.id}


class TestOtherDeals:
    def test_neither_open_nor_close_nor_post(self, session, deal):
        make_deal(session, opens_at=NOON + HOUR)
        make_deal(session, closes_at=NOON + HOUR)

        set_up(session, deal)

        assert open_due(session, now=NOON + DAY) == [deal]
        session.rollback()
        assert close_due(session, now=NOON + DAY) == []
        posts = lease_due_posts(session, now=NOON + DAY, ahead=HOUR)
        assert {post.deal_id for post in posts} == {deal.id}

    def test_take_no_stock_away(self, session):
        offer = make_offer(session, quantity=10)
        other = make_deal(session, offer, allotment=8)
        make_hold(session, other, quantity=2)
        deal = make_deal(session, offer, allotment=10)

        assert set_up(session, deal) == 10
        assert session.get_one(Deal, other.id).held == 0


class TestPosts:
    def test_are_to_be_sent_again(self, session, deal):
        post = make_post(
            session,
            deal,
            make_account(session),
            state=PostState.RETIRED,
            retired_at=NOON,
            failure="x",
        )
        code = post.code

        set_up(session, deal)

        again = session.get_one(Post, post.id)
        assert (again.state, again.attempts, again.fence) == ("scheduled", 0, 0)
        assert again.remote_id is again.url is again.published_at is None
        assert again.retired_at is again.retire_at is None
        assert (again.failure, again.code) == ("", code)

    def test_are_made_where_there_are_none(self, session):
        deal = make_deal(session)
        for post in posts_of_deal(session, deal.retailer_id, deal.id):
            session.delete(post)
        session.commit()

        set_up(session, deal)

        channels = posts_of_deal(session, deal.retailer_id, deal.id)
        assert [post.channel for post in channels] == [OUTLET]


class TestWorld:
    def test_is_told_nothing(self, session, deal):
        retailer = session.get_one(Retailer, deal.retailer_id)
        retailer.webhook_url = "https://shop.example/hooks"
        retailer.sealed_webhook_secret = retailer.sealed_stock_secret = "sealed"
        session.commit()

        set_up(session, deal)

        secrets = (retailer.sealed_webhook_secret, retailer.sealed_stock_secret)
        assert (retailer.webhook_url, *secrets) == ("", "", "")

    def test_has_stands_in_place_of_accounts(self, session, deal):
        account = make_account(
            session,
            "bluesky",
            base_url="https://social.example",
            sealed_token="sealed-real",
            trouble="expired",
        )

        set_up(session, deal, {account.id: STAND})

        assert (account.kind, account.base_url) == ("mastodon", STAND.base_url)
        assert (account.handle, account.sealed_token) == ("shop0", "sealed-stand")
        assert (account.trouble, account.paused) == ("", False)

    def test_is_out_of_reach_for_an_account_without_a_stand(self, session, deal):
        account = make_account(
            session, base_url="https://social.example", sealed_token="sealed-real"
        )

        set_up(session, deal)

        assert (account.base_url, account.sealed_token) == ("", "")
        assert account.paused

    def test_leaves_the_outlet_page_as_it_is(self, session, deal):
        set_up(session, deal)

        (wall,) = accounts(session, north(session).id)
        assert (wall.kind, wall.paused) == (OUTLET, False)


def test_books_that_are_hurried_are_read_now(session):
    books = make_reading(session, subject=Subject.BOOKS, due_at=NOON + HOUR)
    events = make_reading(session, subject=Subject.EVENTS, due_at=NOON + HOUR)

    hurry_books(session, now=NOON)
    session.expire_all()

    assert (books.due_at, events.due_at) == (NOON, NOON + HOUR)


def test_a_deal_may_say_what_belongs_to_a_season(session, deal):
    retailer = north(session)
    retailer.country = "FR"
    session.add(retailer)
    set_up(session, deal)

    when = {"start": NOON, "end": NOON + 2 * HOUR}
    assert why_no_soldes(session, retailer, "Soldes", **when) is None
