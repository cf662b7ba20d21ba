"""
What ties up most cash for the longest time is proposed first, at a price that its floor
and the shop's price leave room for.
"""

from typing import Any

import pytest
from sqlmodel import Session

from offers.catalog import Offer
from offers.money import Money
from offers.proposals import (
    Proposal,
    categories,
    caught_by,
    overview,
    proposals,
    proposals_of,
)
from offers.proposed_prices import Terms
from offers.rules import RuleFacts, RuleField, keep_rule, keep_terms
from offers.sell_through import NOTHING
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_deal,
    make_hold,
    make_offer,
    make_retailer,
    north,
)
from tests.offers.test_sell_through import past


def eur(amount: int) -> Money:
    return Money(amount, "eur")


def lying(session: Session, days: int = 10, **facts: Any) -> Offer:
    """Make an offer that a feed brought *days* ago."""
    return make_offer(session, first_seen_at=NOON - days * DAY, **facts)


def found(session: Session, **facts: Any) -> list[Proposal]:
    return proposals(session, north(session).id, now=NOON, **facts)


def titles(session: Session, **facts: Any) -> list[str]:
    return [proposal.offer.title for proposal in found(session, **facts)]


def rule(session: Session, value: str, **facts: Any) -> str:
    told = {
        "field": RuleField.CATEGORY,
        "excludes": False,
        "markdown_percent": 50,
        "margin_percent": 0,
        **facts,
    }
    kept = keep_rule(
        session, north(session).id, RuleFacts(value=value, **told), now=NOON
    )
    session.commit()
    return kept.id


class TestOrder:
    def test_is_by_units_and_cost_and_days(self, session) -> None:
        lying(session, 10, title="few", quantity=1, cost_amount=1_000)
        lying(session, 10, title="many", quantity=9, cost_amount=1_000)
        lying(session, 10, title="dear", quantity=2, cost_amount=9_000)
        lying(session, 99, title="old", quantity=9, cost_amount=1_000)
        lying(session, 0, title="new", quantity=9, cost_amount=1_000)

        assert titles(session) == ["old", "dear", "many", "few", "new"]

    def test_goes_on_from_page_to_page(self, session) -> None:
        for number in range(5):
            lying(session, 10 + number, title=str(number))

        pages = [titles(session, page=n, limit=2) for n in (1, 2, 3, 4)]

        assert pages == [["4", "3"], ["2", "1"], ["0"], []]

    def test_of_some_offers_is_the_same(self, session) -> None:
        less = lying(session, 10, title="less", quantity=5)
        more = lying(session, 10, title="more", quantity=6)
        lying(session, 10, title="another")

        chosen = proposals_of(session, more.retailer_id, [less.id, more.id], now=NOON)

        assert [one.offer.title for one in chosen] == ["more", "less"]


class TestFacts:
    def test_are_what_lies_there_and_since_when(self, session) -> None:
        lying(session, 10, quantity=7, cost_amount=2_500, price_amount=9_900)

        [one] = found(session)

        assert (one.units, one.most, one.days) == (7, 7, 10)
        assert (one.cost, one.is_cost_told) == (eur(2_500), True)
        assert one.tied_up == eur(17_500)
        assert (one.floor, one.price, one.percent) == (eur(2_750), eur(6_890), 30)
        assert one.expected == NOTHING
        assert (one.rule, one.last_deal_at) == (None, None)

    @pytest.mark.parametrize("cost", [None, 0])
    def test_say_when_the_cost_is_a_guess(self, session, cost) -> None:
        lying(session, quantity=2, cost_amount=cost, price_amount=9_901)

        [one] = found(session)

        assert (one.cost, one.is_cost_told) == (eur(4_951), False)
        assert one.tied_up == eur(9_902)

    def test_units_in_deals_are_not_counted(self, session) -> None:
        offer = lying(session, quantity=20)
        make_deal(session, offer, allotment=5, sold=1)  # four are still promised
        over = make_deal(
            session, offer, opens_at=NOON - DAY, closes_at=NOON - HOUR, allotment=9
        )
        make_hold(session, over, quantity=2)  # still being paid for
        retailer = north(session)
        retailer.stock_buffer = 3
        session.add(retailer)
        session.commit()

        [one] = found(session)

        assert one.units == 20 - 4 - 2 - 3
        assert one.last_deal_at == NOON + HOUR

    def test_what_has_no_units_or_nobody_counts_is_left_out(self, session) -> None:
        lying(session, quantity=0)
        lying(session, quantity=None)
        offer = lying(session, quantity=5)
        make_deal(session, offer, allotment=5)

        assert found(session) == []
        assert overview(session, offer.retailer_id, now=NOON).uncounted == 1

    def test_no_price_where_none_fits(self, session) -> None:
        lying(session, price_amount=9_900, cost_amount=9_500)

        [one] = found(session)

        assert (one.price, one.floor, one.percent) == (None, eur(10_450), 0)

    def test_what_came_before_we_noted_it_is_as_old_as_its_last_feed(
        self, session
    ) -> None:
        make_offer(session, first_seen_at=None, imported_at=NOON - 3 * DAY)

        assert found(session)[0].days == 3

    def test_past_deals_are_told(self, session) -> None:
        past(session, category="Jackets")
        lying(session, 90, category="Jackets", quantity=99)

        assert "in this category" in str(found(session)[0].expected)

    def test_are_ones_own(self, session) -> None:
        lying(session, retailer_id=make_retailer(session).id)

        assert found(session) == []


class TestRules:
    def test_change_price_and_floor_and_units(self, session) -> None:
        lying(
            session,
            category="Jackets",
            quantity=50,
            price_amount=9_900,
            cost_amount=4_000,
        )
        kept = rule(session, "Jackets", most_units=12)

        [one] = found(session)

        assert (one.price, one.floor) == (eur(4_890), eur(4_000))
        assert (one.units, one.most) == (50, 12)
        assert one.rule is not None
        assert one.rule.id == kept

    def test_leave_out_what_they_exclude(self, session) -> None:
        lying(session, title="in", category="Shoes")
        lying(session, title="out", category="Jackets")
        kept = rule(session, "Jackets", excludes=True)

        assert titles(session) == ["in"]
        assert titles(session, rule_id=kept) == ["out"]

    def test_are_looked_at_one_by_one(self, session) -> None:
        for category in ("Jackets", "Shoes", None):
            lying(session, title=str(category), category=category)
        kept = rule(session, "Jackets")

        assert titles(session, rule_id=kept) == ["Jackets"]
        assert set(titles(session, rule_id="none")) == {"Shoes", "None"}
        assert titles(session, rule_id="rule_of_another") == []

    def test_the_overview_counts_what_each_catches(self, session) -> None:
        lying(session, category="Jackets", quantity=2, cost_amount=1_000)
        lying(session, category="Jackets", quantity=3, cost_amount=1_000)
        lying(session, category="Jackets", quantity=1, cost_amount=5, currency="usd")
        lying(session, category="Shoes", quantity=1, cost_amount=700)
        rule(session, "Jackets")

        seen = overview(session, north(session).id, now=NOON)

        assert seen.of(0).offers == 3
        assert seen.of(0).tied_up == (eur(5_000), Money(5, "usd"))
        assert (seen.of(-1).offers, seen.of(-1).tied_up) == (1, (eur(700),))
        assert seen.of(7).offers == 0

    def test_show_what_they_would_catch(self, session) -> None:
        lying(session, title="much", category="Jackets", quantity=9)
        lying(session, title="little", category="Jackets", quantity=1)
        lying(session, category="Shoes")
        facts = RuleFacts(
            field=RuleField.CATEGORY,
            value="Jackets",
            excludes=False,
            markdown_percent=1,
            margin_percent=1,
        )

        number, some = caught_by(session, north(session).id, facts, limit=1)

        assert (number, [offer.title for offer in some]) == (2, ["much"])

    def test_categories_are_those_of_the_offers(self, session) -> None:
        for category in ("Shoes", "Jackets", "Shoes", None, ""):
            lying(session, category=category)

        assert categories(session, north(session).id) == ["Jackets", "Shoes"]


def test_the_policy_is_for_everything(session) -> None:
    lying(session, price_amount=9_900, cost_amount=2_000)
    wanted = Terms(markdown_percent=10, margin_percent=50, ending="00")
    keep_terms(session, north(session).id, wanted, now=NOON)
    session.commit()

    [one] = found(session)

    assert (one.price, one.floor) == (eur(8_900), eur(3_000))
