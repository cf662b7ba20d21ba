"""
What past deals say of the next one is what they were, and never more.
"""

from typing import Any

import pytest
from sqlmodel import Session

from offers.deals import Deal
from offers.markdowns import StepState
from offers.sell_through import NOTHING, outlook, pace, past_deals
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_deal,
    make_offer,
    make_price,
    make_retailer,
    north,
)
from tests.offers.test_markdowns import make_markdown


def past(
    session: Session,
    *,
    charged: int = 10_000,
    price: int = 7_000,
    sold: int = 7,
    category: str = "Jackets",
    hours: int = 2,
    retailer_id: str = "",
    **facts: Any,
) -> Deal:
    """Make a deal of ten units that is over, of an offer that cost *charged* before."""
    offer = make_offer(
        session, retailer_id=retailer_id, category=category, price_amount=5_000
    )
    opens_at = NOON - 3 * DAY
    if charged:
        make_price(session, offer, charged, opens_at - DAY)
    make_price(session, offer, price, opens_at)
    facts = {"opens_at": opens_at, "closes_at": opens_at + hours * HOUR, **facts}
    return make_deal(session, offer, price_amount=price, sold=sold, **facts)


class TestPastDeals:
    def test_are_reckoned_from_what_the_shop_charged_before(self, session) -> None:
        past(session, charged=10_000, price=7_050)

        [found] = past_deals(session, north(session).id)

        assert (found.percent, found.units, found.sold) == (29, 10, 7)
        assert (found.category, found.lasted) == ("Jackets", 2 * HOUR)

    def test_last_until_they_are_sold_out(self, session) -> None:
        past(session, sold=10, sold_out_at=NOON - 3 * DAY + 30 * MINUTE)

        assert past_deals(session, north(session).id)[0].lasted == 30 * MINUTE

    def test_do_not_count_what_the_stock_lost(self, session) -> None:
        past(session, withheld=2)

        assert past_deals(session, north(session).id)[0].units == 8

    @pytest.mark.parametrize(
        "facts",
        [
            {"charged": 0},  # nobody knows what the shop charged
            {"charged": 7_000},  # no cheaper than the shop
            {"opens_at": NOON - HOUR, "closes_at": NOON + HOUR},  # still on
            {"opens_at": NOON + HOUR, "closes_at": NOON + 2 * HOUR},  # not yet
            {"withheld": 10},  # nothing was to be had
            {"opened_at": NOON - 3 * DAY + 2 * HOUR, "ended_early": True},  # called off
        ],
        ids=str,
    )
    def test_are_none_that_say_nothing(self, session, facts) -> None:
        past(session, **{"sold": 0, **facts})

        assert past_deals(session, north(session).id) == []

    def test_are_none_whose_price_fell_on_the_way(self, session) -> None:
        deal = past(session)
        make_markdown(session, deal, [(60, 6_000)], state=StepState.APPLIED)
        kept = past(session)
        make_markdown(session, kept, [(60, 6_000)], state=StepState.PASSED)

        assert len(past_deals(session, north(session).id)) == 1

    def test_are_ones_own(self, session) -> None:
        past(session, retailer_id=make_retailer(session).id)

        assert past_deals(session, north(session).id) == []


class TestOutlook:
    def say(
        self, session: Session, percent: int = 30, category: str = "Jackets"
    ) -> str:
        found = past_deals(session, north(session).id)
        return str(outlook(found, category, percent))

    def test_is_nothing_without_past_deals(self, session) -> None:
        assert outlook([], "Jackets", 30) == NOTHING
        assert str(NOTHING) == "No past deals to go by."

    def test_is_of_deals_that_were_about_as_cheap(self, session) -> None:
        past(session, price=7_000, sold=9)
        past(session, price=6_500, sold=6)
        past(session, price=7_400, sold=6)
        past(session, price=6_400, sold=0)  # 36 % off
        past(session, price=7_600, sold=0)  # 24 % off

        assert self.say(session) == (
            "3 past deals at 25 to 35 % off in this category sold 70 % of their units; "
            "too few to say more."
        )

    def test_of_one_deal(self, session) -> None:
        past(session, sold=7)

        assert self.say(session) == (
            "One past deal at 25 to 35 % off in this category sold 70 % of its units; "
            "too few to say more."
        )

    def test_says_how_far_apart_many_deals_were(self, session) -> None:
        for sold in range(10):
            past(session, sold=sold)

        assert self.say(session) == (
            "10 past deals at 25 to 35 % off in this category sold 45 % of their "
            "units, from 0 % to 90 %."
        )

    def test_is_of_other_categories_where_there_is_none(self, session) -> None:
        past(session, category="Shoes")

        assert "in other categories" in self.say(session)
        assert "in other categories" in self.say(session, category="")

    def test_is_nothing_of_deals_at_quite_another_price(self, session) -> None:
        past(session, price=5_000)

        assert self.say(session) == "No past deals to go by."


class TestPace:
    def test_is_how_fast_the_units_of_one_deal_went(self, session) -> None:
        past(session, sold=8, hours=2)
        past(session, sold=4, hours=4)

        found = pace(past_deals(session, north(session).id), "jackets", 30)

        assert found is not None
        assert (found.deals, found.same_category) == (2, True)
        assert (found.share, found.per_hour) == (0.6, 2.0)

    def test_is_of_what_is_nearest(self, session) -> None:
        past(session, sold=8, category="Shoes")
        past(session, sold=2, price=4_000)

        known = past_deals(session, north(session).id)

        jackets, hats = pace(known, "Jackets", 30), pace(known, "Hats", 30)
        assert jackets is not None
        assert (jackets.share, jackets.same_category) == (0.2, True)
        assert hats is not None
        assert (hats.share, hats.same_category) == (0.8, False)

    def test_is_nothing_without_past_deals(self) -> None:
        assert pace([], "Jackets", 30) is None
