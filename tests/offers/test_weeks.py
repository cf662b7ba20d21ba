"""
A week of deals: each in a slot of its own, all of them made or none, once, and called
off again as long as none has opened.
"""

from dataclasses import replace
from datetime import date, datetime, time
from typing import Any

import pytest
from sqlmodel import Session, col, func, select

from offers.catalog import Offer
from offers.deals import Deal, close_due, end_deal, open_due
from offers.errors import InvalidFields, Missing, WrongState
from offers.posts import Post, PostState
from offers.proposals import proposals
from offers.rules import RuleFacts, RuleField, keep_rule
from offers.slots import Pattern
from offers.spreading import Spread, spread
from offers.weeks import (
    Week,
    can_be_cancelled,
    cancel_week,
    check_week,
    deals_of_week,
    make_week,
    weeks,
)
from tests.conftest import Connect
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_offer,
    make_retailer,
    make_rule,
    north,
    outlet_account,
)
from tests.offers.test_races import at_once

TUESDAY, WEDNESDAY = date(2026, 3, 3), date(2026, 3, 4)


def pattern(*days: date, number: int = 2) -> Pattern:
    return Pattern(
        days=days or (TUESDAY, WEDNESDAY),
        number=number,
        first=time(10),
        last=time(18),
        run=3 * HOUR,
    )


def spread_all(session: Session, wanted: Pattern | None = None) -> Spread:
    retailer = north(session)
    found = proposals(session, retailer.id, now=NOON)
    return spread(session, retailer, found, wanted or pattern(), now=NOON)


def lie(session: Session, number: int, **facts: Any) -> list[Offer]:
    return [
        make_offer(session, title=f"No. {n}", quantity=10 + n, **facts)
        for n in range(number)
    ]


def make(
    session: Session, plans: Any, key: str = "key-1", now: datetime = NOON
) -> Week:
    made = make_week(session, north(session), plans, key=key, by="ana", now=now)
    session.commit()
    return made


def count(session: Session, table: Any) -> int:
    session.rollback()
    return session.exec(select(func.count(col(table.id)))).one()


class TestSpread:
    def test_gives_each_a_slot_of_its_own(self, session) -> None:
        lie(session, 4)

        found = spread_all(session)

        assert [plan.opens_at for plan in found.plans] == [
            NOON + 22 * HOUR,
            NOON + 30 * HOUR,
            NOON + 46 * HOUR,
            NOON + 54 * HOUR,
        ]
        assert {plan.closes_at - plan.opens_at for plan in found.plans} == {3 * HOUR}
        assert (found.without_slot, found.without_price) == ((), ())

    def test_plans_what_was_proposed(self, session) -> None:
        [offer] = lie(session, 1, price_amount=9_900, cost_amount=2_500)

        [plan] = spread_all(session).plans

        assert plan.offer_id == offer.id
        assert (plan.price.amount, plan.units, plan.limit_per_shopper) == (6_890, 10, 2)
        assert plan.title == "No. 0"

    def test_says_what_finds_no_slot_or_has_no_price(self, session) -> None:
        lie(session, 3)
        make_offer(session, title="Dear", cost_amount=9_800)

        found = spread_all(session, pattern(TUESDAY))

        assert [one.offer.title for one in found.without_slot] == ["No. 0"]
        assert [one.offer.title for one in found.without_price] == ["Dear"]

    def test_keeps_away_from_what_is_posted_already(self, session) -> None:
        lie(session, 1)
        make_deal(session, opens_at=NOON + 22 * HOUR + 9 * MINUTE)

        [plan] = spread_all(session, pattern(TUESDAY)).plans

        assert plan.opens_at == NOON + 30 * HOUR

    def test_gives_no_slot_that_is_past(self, session) -> None:
        lie(session, 1)

        assert spread_all(session, pattern(date(2026, 3, 2), number=1)).plans == ()

    def test_without_days_nothing_is_planned(self, session) -> None:
        lie(session, 1)
        none = replace(pattern(), days=())

        assert spread_all(session, none).plans == ()


class TestMaking:
    def test_makes_every_deal_with_its_posts(self, session) -> None:
        lie(session, 3)
        outlet_account(session)
        make_account(session, paused=True)

        week = make(session, spread_all(session).plans)

        deals = deals_of_week(session, week)
        assert len(deals) == 3
        assert [deal.opens_at for deal in deals] == sorted(d.opens_at for d in deals)
        posts = session.exec(select(Post)).all()
        assert {(p.channel, p.state) for p in posts} == {
            ("outlet", PostState.SCHEDULED)
        }
        assert {post.due_at for post in posts} == {deal.opens_at for deal in deals}

    def test_waits_for_approval_where_that_is_wanted(self, session) -> None:
        lie(session, 1)
        outlet_account(session)
        retailer = north(session)
        retailer.approval = True
        session.add(retailer)
        session.commit()

        make(session, spread_all(session).plans)

        [post] = session.exec(select(Post)).all()
        assert (post.state, post.planned_by) == (PostState.UNAPPROVED, "ana")

    def test_posts_where_a_rule_says(self, session) -> None:
        lie(session, 1, category="Jackets")
        outlet_account(session)
        toots = make_account(session)
        facts = RuleFacts(
            field=RuleField.CATEGORY,
            value="Jackets",
            excludes=False,
            markdown_percent=30,
            margin_percent=10,
            channels=(toots.id, "account_that_is_gone"),
        )
        keep_rule(session, north(session).id, facts, now=NOON)

        make(session, spread_all(session).plans)

        [post] = session.exec(select(Post)).all()
        assert post.account_id == toots.id

    @pytest.mark.parametrize("paused", [True, False])
    def test_posts_nowhere_else_if_what_a_rule_names_cannot(
        self, session, paused
    ) -> None:
        lie(session, 1, category="Jackets")
        outlet_account(session)
        toots = make_account(session, paused=True)
        channels = toots.id if paused else "account_that_is_gone"
        make_rule(session, "Jackets", channels=channels)

        make(session, spread_all(session).plans)

        assert session.exec(select(Post)).all() == []

    def test_makes_it_once_however_often_it_is_asked(self, session) -> None:
        lie(session, 2)
        plans = spread_all(session).plans

        first, second = make(session, plans), make(session, plans)

        assert first.id == second.id
        assert count(session, Deal) == 2

    def test_makes_it_once_for_two_at_once(self, connect: Connect, session) -> None:
        lie(session, 2)
        plans = spread_all(session).plans
        retailer, other = north(session), connect()

        def press() -> str:
            week = other.transact_here(
                make_week, retailer, plans, key="key-1", by="ana", now=NOON
            )
            return week.id

        ids = at_once(press, 3)

        assert len(set(ids)) == 1
        assert count(session, Deal) == 2

    def test_makes_all_or_none(self, session) -> None:
        lie(session, 3)
        plans = list(spread_all(session).plans)
        plans[1] = replace(plans[1], units=99_999)

        with pytest.raises(InvalidFields):
            make(session, plans)
        session.rollback()

        assert (count(session, Deal), count(session, Week)) == (0, 0)

    def test_says_what_is_wrong_with_each(self, session) -> None:
        lie(session, 2)
        one, two = spread_all(session).plans
        wrong = [replace(one, units=99_999), two, two]

        problems = check_week(session, north(session).id, wrong, now=NOON)

        assert [[p.field for p in row] for row in problems] == [
            ["units"],
            [],
            ["units"],
        ]

    def test_is_of_ones_own_offers(self, session) -> None:
        lie(session, 1)
        theirs = make_offer(session, retailer_id=make_retailer(session).id)
        [plan] = spread_all(session).plans
        foreign = replace(plan, offer_id=theirs.id)

        with pytest.raises(Missing):
            check_week(session, north(session).id, [foreign], now=NOON)
        with pytest.raises(Missing):
            make(session, [foreign])


class TestCancelling:
    def made(self, session: Session) -> Week:
        lie(session, 2)
        outlet_account(session)
        return make(session, spread_all(session).plans)

    def cancel(self, session: Session, week: Week, retailer_id: str = "") -> Week:
        done = cancel_week(
            session, retailer_id or week.retailer_id, week.id, by="ben", now=NOON + HOUR
        )
        session.commit()
        return done

    def test_calls_every_deal_off(self, session) -> None:
        week = self.made(session)

        done = self.cancel(session, week)

        assert (done.cancelled_by, done.cancelled_at) == ("ben", NOON + HOUR)
        close_due(session, now=NOON + HOUR)
        session.commit()
        assert open_due(session, now=NOON + 5 * DAY) == []
        assert {
            deal.phase(NOON + 2 * HOUR) for deal in deals_of_week(session, week)
        } == {"ended"}
        assert len(proposals(session, week.retailer_id, now=NOON)) == 2  # free again

    def test_is_done_once(self, session) -> None:
        week = self.made(session)
        self.cancel(session, week)

        again = cancel_week(
            session, week.retailer_id, week.id, by="cy", now=NOON + 2 * HOUR
        )

        assert again.cancelled_by == "ben"

    def test_is_too_late_once_one_has_opened(self, session) -> None:
        week = self.made(session)
        deals = deals_of_week(session, week)
        assert can_be_cancelled(week, deals, now=NOON)

        with pytest.raises(WrongState):
            cancel_week(
                session, week.retailer_id, week.id, by="", now=deals[0].opens_at
            )

        assert not can_be_cancelled(week, deals, now=deals[0].opens_at)

    def test_can_be_done_if_one_was_called_off_by_itself(self, session) -> None:
        week = self.made(session)
        first, second = deals_of_week(session, week)
        end_deal(session, week.retailer_id, first.id, now=NOON)
        close_due(session, now=NOON)
        session.commit()

        self.cancel(session, week)

        assert second.ended_early
        assert second.phase(NOON + HOUR) == "ended"

    def test_is_for_ones_own(self, session) -> None:
        week = self.made(session)

        with pytest.raises(Missing):
            self.cancel(session, week, make_retailer(session).id)


def test_the_latest_weeks_come_first(session) -> None:
    lie(session, 3)
    plans = spread_all(session).plans
    for number, plan in enumerate(plans):
        now = NOON + number * MINUTE
        made = make(session, [plan], key=f"key-{number}", now=now)

    found = weeks(session, made.retailer_id, limit=2)

    assert [week.key for week in found] == ["key-2", "key-1"]
