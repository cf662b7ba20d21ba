"""
Audits: units and money add up, or it is noticed.
"""

import pytest

from offers.audits import holds_kept, money_of_deal, unfinished, units_of_deal
from offers.deals import Deal
from offers.holds import HoldState
from offers.posts import PostState
from tests.factories import (
    NOON,
    SECOND,
    make_deal,
    make_entry,
    make_hold,
    make_order,
    make_refund,
    post_of,
)


@pytest.fixture
def deal(session):
    return make_deal(session, allotment=10)


class TestUnits:
    def test_are_held_sold_or_free(self, session, deal):
        make_hold(session, deal, quantity=2)
        make_hold(session, deal, state=HoldState.PROCESSING)
        make_hold(session, deal, state=HoldState.RELEASED)
        make_order(session, deal, quantity=3)
        make_order(session, quantity=3)

        units = units_of_deal(session, deal.id)

        assert (units.offered, units.held, units.sold, units.free) == (10, 3, 3, 4)
        assert units.beyond == 0
        assert not units.adrift

    def test_without_any_are_all_free(self, session, deal):
        assert units_of_deal(session, deal.id).free == 10

    def test_that_were_withheld_are_not_offered(self, session):
        deal = make_deal(session, allotment=10, withheld=4)

        assert units_of_deal(session, deal.id).offered == 6

    def test_are_adrift_where_the_counters_say_something_else(self, session, deal):
        make_hold(session, deal)
        session.get_one(Deal, deal.id).held = 0
        session.commit()

        assert units_of_deal(session, deal.id).adrift

    def test_are_beyond_what_there_is_by_the_rows_alone(self, session, deal):
        for _ in range(4):
            make_order(session, deal, quantity=2)
        found = session.get_one(Deal, deal.id)
        found.sold, found.allotment = 5, 5
        session.commit()

        assert units_of_deal(session, deal.id).beyond == 3


class TestUnfinished:
    def test_is_nothing_once_all_is_over(self, session):
        deal = make_deal(session)
        post = post_of(session, deal)
        post.state, post.retired_at = PostState.RETIRED, NOON
        session.commit()
        make_hold(session, deal, state=HoldState.RELEASED)
        make_order(session, deal)

        assert unfinished(session, deal.id) == {}

    def test_is_what_waits_for_somebody(self, session, deal):
        hold = make_hold(session, deal, state=HoldState.OPEN)
        make_refund(session, hold)
        make_refund(session, hold, given_at=NOON)
        make_refund(session, hold, failed_at=NOON)
        make_refund(session)

        assert unfinished(session, deal.id) == {"holds": 1, "refunds": 1, "posts": 1}

    @pytest.mark.parametrize("state", [PostState.FAILED, PostState.SKIPPED])
    def test_is_no_post_that_never_went_out(self, session, deal, state):
        post_of(session, deal).state = state
        session.commit()

        assert unfinished(session, deal.id) == {}


def test_holds_are_all_that_were_ever_made(session, deal):
    second = make_hold(session, deal, held_at=NOON + SECOND)
    first = make_hold(session, deal, state=HoldState.RELEASED, quantity=2)
    make_hold(session)

    kept = holds_kept(session, deal.id)

    assert [(hold.key, hold.quantity) for hold in kept] == [
        (first.key, 2),
        (second.key, 1),
    ]


class TestMoney:
    def test_is_known_by_its_order_or_its_refund(self, session, deal):
        order = make_order(session, deal, payment_id="pi_order")
        late = make_hold(session, deal, state=HoldState.RELEASED)
        given = {"payment_id": "pi_late", "amount": 700, "given_at": NOON}
        make_refund(session, late, **given)
        make_refund(session, late, payment_id="pi_owed")

        money = money_of_deal(session, deal.id)

        assert money.ordered == {"pi_order": order.total_amount}
        assert (money.given, money.refunds) == ({"pi_late": 700}, 1)
        known = [money.knows(one) for one in ("pi_order", "pi_late", "pi_owed")]
        assert known == [True, True, False]

    def test_given_back_in_parts_is_the_sum_of_them(self, session, deal):
        hold = make_hold(session, deal)
        for amount in (100, 50):
            make_refund(session, hold, payment_id="pi_1", amount=amount, given_at=NOON)

        money = money_of_deal(session, deal.id)

        assert (money.given, money.refunds) == ({"pi_1": 150}, 2)

    def test_of_the_books_is_their_net(self, session, deal):
        make_entry(session, amount=1_000, fee=100)
        make_entry(session, amount=-200, kind="refund")

        money = money_of_deal(session, deal.id)

        assert (money.entries, money.net) == (2, 700)
