"""
A deal's units are each free, held, sold or withheld, and it opens and closes by itself.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from offers.allotments import fit_to_stock, promised
from offers.catalog import Offer
from offers.deals import (
    Deal,
    Phase,
    close_due,
    deals,
    deals_of_offer,
    end_deal,
    expected_reduction,
    find_overstock,
    mark_sold_out,
    next_deals,
    offers_in_deals,
    open_due,
    pictures_of_deals,
)
from offers.errors import InvalidFields, Missing, WrongState
from offers.holds import HoldState
from offers.money import Money
from offers.pictures import keep_picture
from offers.planning import TWICE, DealPlan, find_deal_of_plan, plan_deal
from offers.prices import log_price, price_log
from tests.conftest import Passing
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_deal,
    make_hold,
    make_offer,
    make_order,
    make_price,
    make_retailer,
    north,
)


def make_plan(offer: Offer, **facts: Any) -> DealPlan:
    return DealPlan(
        offer_id=offer.id,
        price=Money(facts.pop("amount", 4_999), facts.pop("currency", "eur")),
        units=facts.pop("units", 5),
        limit_per_shopper=facts.pop("limit_per_shopper", 2),
        opens_at=facts.pop("opens_at", NOON + HOUR),
        closes_at=facts.pop("closes_at", NOON + 2 * HOUR),
        **facts,
    )


def refused(session: Session, offer: Offer, **facts: Any) -> list[str]:
    """The fields that a plan is refused for; none if it is taken."""
    try:
        plan_deal(session, offer.retailer_id, make_plan(offer, **facts), now=NOON)
    except InvalidFields as refusal:
        return [problem.field for problem in refusal.problems]
    return []


class TestPlanDeal:
    def test_makes_a_deal_that_has_not_opened(self, session: Session) -> None:
        offer = make_offer(session, title="Parka", quantity=10)

        deal = plan_deal(session, offer.retailer_id, make_plan(offer), now=NOON)

        assert (deal.title, deal.price) == ("Parka", Money(4_999, "eur"))
        assert (deal.left, deal.held, deal.sold, deal.withheld) == (5, 0, 0, 0)
        assert deal.opened_at is None
        assert deal.phase(NOON) is Phase.SCHEDULED

    def test_takes_the_title_from_the_plan(self, session: Session) -> None:
        offer = make_offer(session)

        plan = make_plan(offer, title="Parka, last chance", pitch="Warm.")
        deal = plan_deal(session, offer.retailer_id, plan, now=NOON)

        assert (deal.title, deal.pitch) == ("Parka, last chance", "Warm.")

    def test_says_all_that_is_wrong_at_once(self, session: Session) -> None:
        offer = make_offer(session)

        wrong = {
            "amount": 0,
            "units": 0,
            "limit_per_shopper": 11,
            "hold_minutes": 1,
            "closes_at": NOON,
        }

        assert refused(session, offer, **wrong) == [
            "price",
            "units",
            "limit_per_shopper",
            "hold_minutes",
            "closes_at",
        ]

    def test_keeps_nothing_of_a_refused_plan(self, session: Session) -> None:
        offer = make_offer(session)

        assert refused(session, offer, units=0)

        assert deals(session, offer.retailer_id) == []

    def test_refuses_another_retailers_offer(self, session: Session) -> None:
        offer = make_offer(session)
        south = make_retailer(session, "south")

        with pytest.raises(Missing):
            plan_deal(session, south.id, make_plan(offer), now=NOON)

    @pytest.mark.parametrize(
        ("amount", "problems"),
        [(-1, 1), (0, 1), (1, 0), (9_899, 0), (9_900, 1), (9_901, 1)],
    )
    def test_wants_a_price_below_the_shops(
        self, session: Session, amount: int, problems: int
    ) -> None:
        offer = make_offer(session, price_amount=9_900, cost_amount=None)

        assert refused(session, offer, amount=amount) == ["price"] * problems

    def test_wants_a_price_in_the_offers_currency(self, session: Session) -> None:
        assert refused(session, make_offer(session), currency="gbp") == ["price"]

    @pytest.mark.parametrize(("units", "problems"), [(0, 1), (1, 0), (10, 0), (11, 1)])
    def test_wants_no_more_units_than_there_are(
        self, session: Session, units: int, problems: int
    ) -> None:
        offer = make_offer(session, quantity=10)

        found = refused(session, offer, units=units, limit_per_shopper=1)

        assert found == ["units"] * problems

    def test_counts_what_other_deals_promise(self, session: Session) -> None:
        offer = make_offer(session, quantity=10)
        running = make_deal(session, offer, allotment=6)
        make_order(session, running, quantity=2)
        over = make_deal(session, offer, closes_at=NOON - MINUTE, allotment=100)
        make_hold(session, over, quantity=1)
        offer.quantity = 8  # two of them are sold

        assert promised(session, offer) == 4 + 1
        assert refused(session, offer, units=4) == ["units"]
        assert refused(session, offer, units=3) == []

    def test_takes_any_number_while_the_stock_is_unknown(
        self, session: Session
    ) -> None:
        offer = make_offer(session, quantity=None)

        assert refused(session, offer, units=100_000) == []
        assert refused(session, offer, units=100_001) == ["units"]

    @pytest.mark.parametrize(
        ("limit", "units", "problems"),
        [(0, 5, 1), (1, 1, 0), (2, 1, 1), (10, 10, 0), (11, 11, 1)],
    )
    def test_limits_the_limit(
        self, session: Session, limit: int, units: int, problems: int
    ) -> None:
        offer = make_offer(session, quantity=100)

        found = refused(session, offer, units=units, limit_per_shopper=limit)

        assert found == ["limit_per_shopper"] * problems

    @pytest.mark.parametrize(
        ("minutes", "problems"), [(1, 1), (2, 0), (60, 0), (61, 1)]
    )
    def test_limits_the_minutes_of_a_hold(
        self, session: Session, minutes: int, problems: int
    ) -> None:
        found = refused(session, make_offer(session), hold_minutes=minutes)

        assert found == ["hold_minutes"] * problems

    @pytest.mark.parametrize(
        ("opens_in", "closes_in", "problems"),
        [
            (HOUR, 2 * HOUR, []),
            (HOUR, HOUR, ["closes_at"]),
            (HOUR, HOUR - SECOND, ["closes_at"]),
            (-2 * HOUR, -HOUR, ["closes_at"]),
            (-2 * HOUR, timedelta(0), ["closes_at"]),
            (-2 * HOUR, HOUR, ["opens_at"]),
            (-MINUTE, HOUR, []),
            (HOUR, HOUR + 30 * DAY, []),
            (HOUR, HOUR + 30 * DAY + SECOND, ["closes_at"]),
        ],
    )
    def test_wants_times_in_their_order(
        self,
        session: Session,
        opens_in: timedelta,
        closes_in: timedelta,
        problems: list[str],
    ) -> None:
        times = {"opens_at": NOON + opens_in, "closes_at": NOON + closes_in}

        assert refused(session, make_offer(session), **times) == problems


class TestFindDealOfPlan:
    def test_finds_what_was_made_of_it_just_now(self, session: Session) -> None:
        plan = make_plan(make_offer(session))
        made = plan_deal(session, north(session).id, plan, now=NOON)

        now = NOON + TWICE - SECOND
        found = find_deal_of_plan(session, made.retailer_id, plan, now=now)
        assert found is not None
        assert found.id == made.id

        now = NOON + TWICE
        assert find_deal_of_plan(session, made.retailer_id, plan, now=now) is None

    @pytest.mark.parametrize(
        "change", [{"amount": 4_998}, {"units": 4}, {"closes_at": NOON + 3 * HOUR}]
    )
    def test_takes_another_plan_for_another(
        self, session: Session, change: dict[str, Any]
    ) -> None:
        offer = make_offer(session)
        made = plan_deal(session, north(session).id, make_plan(offer), now=NOON)

        other = make_plan(offer, **change)

        assert find_deal_of_plan(session, made.retailer_id, other, now=NOON) is None

    def test_keeps_to_the_offer_and_its_retailer(self, session: Session) -> None:
        plan = make_plan(make_offer(session))
        made = plan_deal(session, north(session).id, plan, now=NOON)

        other = make_plan(make_offer(session))
        south = make_retailer(session).id

        assert find_deal_of_plan(session, made.retailer_id, other, now=NOON) is None
        assert find_deal_of_plan(session, south, plan, now=NOON) is None


class TestTheDatabase:
    """The last guard: even a wrong program cannot oversell."""

    @pytest.mark.parametrize(
        "units",
        [
            {"held": 11},
            {"held": 5, "sold": 6},
            {"held": 5, "sold": 5, "withheld": 1},
            {"held": -1},
            {"sold": -1},
            {"withheld": -1},
        ],
    )
    def test_refuses_units_that_do_not_add_up(
        self, session: Session, units: dict[str, int]
    ) -> None:
        with pytest.raises(IntegrityError):
            make_deal(session, allotment=10, **units)
        session.rollback()

    def test_refuses_a_deal_that_ends_before_it_opens(self, session: Session) -> None:
        with pytest.raises(IntegrityError):
            make_deal(session, opens_at=NOON, closes_at=NOON)
        session.rollback()


class TestPhase:
    def phase(self, at: datetime = NOON, **units: Any) -> Phase:
        deal = Deal(allotment=2, opens_at=NOON, closes_at=NOON + HOUR, **units)
        return deal.phase(at)

    def test_begins_at_the_opening_and_stops_at_the_end(self) -> None:
        assert self.phase(NOON - SECOND) is Phase.SCHEDULED
        assert self.phase(NOON) is Phase.OPEN
        assert self.phase(NOON + HOUR - SECOND) is Phase.OPEN
        assert self.phase(NOON + HOUR) is Phase.ENDED

    def test_is_sold_out_only_if_nothing_can_come_back(self) -> None:
        assert self.phase(held=1, sold=1) is Phase.ALL_HELD
        assert self.phase(sold=2) is Phase.SOLD_OUT
        assert self.phase(sold=1, withheld=1) is Phase.SOLD_OUT
        assert self.phase(sold=1) is Phase.OPEN

    def test_stays_sold_out_after_the_end(self) -> None:
        after = NOON + 2 * HOUR

        assert self.phase(after, sold=2, sold_out_at=NOON) is Phase.SOLD_OUT
        assert self.phase(after, sold=2) is Phase.ENDED


class TestOpenDue:
    def test_opens_what_is_due_and_once(self, session: Session) -> None:
        due = make_deal(session, opens_at=NOON, opened_at=None)
        make_deal(session, opens_at=NOON + SECOND)

        first = open_due(session, now=NOON)
        second = open_due(session, now=NOON)

        assert [deal.id for deal in first] == [due.id]
        assert second == []
        assert due.opened_at == NOON

    def test_settles_the_prior_price_at_the_opening(self, session: Session) -> None:
        offer = make_offer(session, price_amount=9_900)
        make_price(session, offer, 9_900, NOON - 40 * DAY)
        deal = make_deal(session, offer, opens_at=NOON, opened_at=None)
        assert expected_reduction(session, deal) is not None

        open_due(session, now=NOON)

        assert deal.prior_amount == 9_900
        assert deal.reduction is not None
        assert deal.reduction.percent == 49

    def test_announces_no_reduction_without_evidence(self, session: Session) -> None:
        offer = make_offer(session, price_amount=9_900)
        make_price(session, offer, 9_900, NOON - 29 * DAY)
        deal = make_deal(session, offer, opens_at=NOON, opened_at=None)

        open_due(session, now=NOON)

        assert deal.prior_amount is None
        assert deal.reduction is None

    def test_takes_its_own_price_for_a_price(self, session: Session) -> None:
        offer = make_offer(session, price_amount=9_900)
        make_price(session, offer, 9_900, NOON - 40 * DAY)
        make_deal(session, offer, opens_at=NOON, opened_at=None, price_amount=4_999)
        open_due(session, now=NOON)
        close_due(session, now=NOON + HOUR)

        again = make_deal(
            session,
            offer,
            opens_at=NOON + 2 * DAY,
            closes_at=NOON + 3 * DAY,
            price_amount=3_999,
        )
        open_due(session, now=NOON + 2 * DAY)

        assert again.prior_amount == 4_999

    def test_opens_the_earliest_first(self, session: Session) -> None:
        second = make_deal(session, opens_at=NOON - MINUTE, opened_at=None)
        first = make_deal(session, opens_at=NOON - HOUR, opened_at=None)

        opened = open_due(session, now=NOON, limit=1)
        assert [deal.id for deal in opened] == [first.id]
        opened = open_due(session, now=NOON, limit=1)
        assert [deal.id for deal in opened] == [second.id]


class TestCloseDue:
    def test_closes_what_is_due_and_once(self, session: Session) -> None:
        due = make_deal(session, closes_at=NOON, closed_at=None)
        make_deal(session, closes_at=NOON + SECOND)

        first = close_due(session, now=NOON)
        second = close_due(session, now=NOON)

        assert [deal.id for deal in first] == [due.id]
        assert second == []
        assert due.closed_at == NOON

    def test_leaves_alone_what_never_opened(self, session: Session) -> None:
        make_deal(session, closes_at=NOON, opened_at=None, closed_at=None)

        assert close_due(session, now=NOON) == []

    def test_logs_the_shops_price_again(self, session: Session) -> None:
        deal = self.run(session, make_offer(session, price_amount=9_900))

        assert self.logged(session, deal) == [4_999, 9_900]

    def test_counts_the_deals_price_until_its_end_whatever_a_feed_says_meanwhile(
        self, session: Session
    ) -> None:
        offer = make_offer(session, price_amount=9_900)
        make_price(session, offer, 9_900, NOON - 90 * DAY)
        deal = make_deal(
            session, offer, opens_at=NOON - 25 * DAY, opened_at=None, closes_at=NOON
        )
        deal.closed_at = None
        open_due(session, now=NOON - 25 * DAY)
        now, price = NOON - 24 * DAY, Money(9_500, "eur")
        log_price(session, offer.retailer_id, offer.id, price, source="feed", now=now)
        close_due(session, now=NOON)

        later = make_deal(
            session, offer, opens_at=NOON + 20 * DAY, closes_at=NOON + 21 * DAY
        )

        reduction = expected_reduction(session, later)
        assert reduction is None  # it costs what it cost 20 days before

    def test_logs_nothing_for_a_deal_ended_before_it_opened(
        self, session: Session
    ) -> None:
        offer = make_offer(session, price_amount=9_900)
        make_price(session, offer, 9_900, NOON - DAY)
        deal = make_deal(
            session, offer, opens_at=NOON + HOUR, closes_at=NOON + 2 * HOUR
        )
        end_deal(session, deal.retailer_id, deal.id, now=NOON)

        assert open_due(session, now=NOON) == []
        assert [closed.id for closed in close_due(session, now=NOON)] == [deal.id]

        assert self.logged(session, deal) == [9_900]

    def test_logs_one_deal_after_another_in_the_same_instant(
        self, session: Session
    ) -> None:
        offer = make_offer(session, price_amount=9_900)
        deal = self.run(session, offer)
        make_deal(session, offer, opens_at=NOON, opened_at=None, price_amount=3_999)

        open_due(session, now=NOON)

        assert self.logged(session, deal) == [4_999, 9_900, 3_999]

    def run(self, session: Session, offer: Offer) -> Deal:
        deal = make_deal(session, offer, opened_at=None, closes_at=NOON)
        deal.closed_at = None
        open_due(session, now=deal.opens_at)
        close_due(session, now=NOON)
        return deal

    def logged(self, session: Session, deal: Deal) -> list[int]:
        log = price_log(session, deal.retailer_id, deal.offer_id)
        return [point.price_amount for point in log]


class TestEndDeal:
    def test_ends_it_now(self, session: Session) -> None:
        deal = make_deal(session)

        end_deal(session, deal.retailer_id, deal.id, now=NOON)

        assert deal.ended_early
        assert not deal.is_open(NOON)
        assert [closed.id for closed in close_due(session, now=NOON)] == [deal.id]

    def test_leaves_its_holds(self, session: Session) -> None:
        deal = make_deal(session)
        hold = make_hold(session, deal)

        end_deal(session, deal.retailer_id, deal.id, now=NOON)

        session.refresh(hold)
        assert (hold.state, deal.held) == (HoldState.HELD, 1)

    def test_keeps_one_that_has_not_opened_from_opening(self, session: Session) -> None:
        deal = make_deal(session, opens_at=NOON + HOUR, closes_at=NOON + 2 * HOUR)

        end_deal(session, deal.retailer_id, deal.id, now=NOON)

        assert deal.phase(NOON) is Phase.ENDED
        assert open_due(session, now=NOON + HOUR) == []

    def test_ends_one_in_the_second_of_its_opening(self, session: Session) -> None:
        deal = make_deal(session, opens_at=NOON)

        end_deal(session, deal.retailer_id, deal.id, now=NOON)

        assert deal.phase(NOON) is Phase.ENDED

    def test_refuses_one_that_is_over(self, session: Session) -> None:
        deal = make_deal(session, closes_at=NOON)

        with pytest.raises(WrongState):
            end_deal(session, deal.retailer_id, deal.id, now=NOON)

    def test_refuses_another_retailers(self, session: Session) -> None:
        deal = make_deal(session)

        with pytest.raises(Missing):
            end_deal(session, make_retailer(session).id, deal.id, now=NOON)


class TestMarkSoldOut:
    @pytest.mark.parametrize(
        ("units", "marked"),
        [
            ({"sold": 10}, True),
            ({"sold": 7, "withheld": 3}, True),
            ({"sold": 9, "held": 1}, False),
            ({"sold": 9}, False),
        ],
    )
    def test_marks_what_has_nothing_that_can_come_back(
        self, session: Session, units: dict[str, int], *, marked: bool
    ) -> None:
        deal = make_deal(session, allotment=10, **units)

        assert mark_sold_out(session, deal.id, now=NOON) is marked

        session.refresh(deal)
        assert deal.sold_out_at == (NOON if marked else None)

    def test_is_news_only_once(self, session: Session) -> None:
        deal = make_deal(session, allotment=1, sold=1)

        assert mark_sold_out(session, deal.id, now=NOON)
        assert not mark_sold_out(session, deal.id, now=NOON + HOUR)

        session.refresh(deal)
        assert deal.sold_out_at == NOON


class TestFitToStock:
    def test_withholds_what_the_stock_no_longer_has(self, session: Session) -> None:
        offer = make_offer(session, quantity=10)
        deal = make_deal(session, offer, allotment=10)

        offer.quantity = 4
        changed = fit_to_stock(session, offer)

        assert [one.id for one in changed] == [deal.id]
        assert (deal.left, deal.withheld) == (4, 6)

    def test_changes_nothing_when_there_is_enough(self, session: Session) -> None:
        offer = make_offer(session, quantity=10)
        make_deal(session, offer, allotment=10)

        assert fit_to_stock(session, offer) == []

    def test_takes_from_the_newest_first(self, session: Session) -> None:
        offer = make_offer(session, quantity=20)
        newer = make_deal(session, offer, allotment=10, opens_at=NOON - MINUTE)
        older = make_deal(session, offer, allotment=10, opens_at=NOON - HOUR)

        offer.quantity = 14
        fit_to_stock(session, offer)
        assert (older.left, newer.left) == (10, 4)

        offer.quantity = 3
        fit_to_stock(session, offer)
        assert (older.left, newer.left) == (3, 0)

    def test_leaves_held_units_promised(self, session: Session) -> None:
        offer = make_offer(session, quantity=10)
        deal = make_deal(session, offer, allotment=10)
        make_hold(session, deal, quantity=3)

        offer.quantity = 1
        fit_to_stock(session, offer)

        assert (deal.held, deal.left, deal.withheld) == (3, 0, 7)

    def test_counts_what_is_held_of_a_closed_deal(self, session: Session) -> None:
        offer = make_offer(session, quantity=10)
        over = make_deal(session, offer, allotment=10, closes_at=NOON - MINUTE)
        make_hold(session, over, quantity=3)
        deal = make_deal(session, offer, allotment=10)

        fit_to_stock(session, offer)

        assert deal.left == 7

    def test_leaves_sold_units_sold(self, session: Session) -> None:
        offer = make_offer(session, quantity=10)
        deal = make_deal(session, offer, allotment=10)
        make_order(session, deal, quantity=6)

        offer.quantity = 0
        fit_to_stock(session, offer)

        assert (deal.sold, deal.left, deal.withheld) == (6, 0, 4)

    def test_gives_units_back_when_stock_comes_back(self, session: Session) -> None:
        offer = make_offer(session, quantity=0)
        deal = make_deal(session, offer, allotment=10, withheld=10)
        mark_sold_out(session, deal.id, now=NOON)
        session.refresh(deal)

        offer.quantity = 6
        fit_to_stock(session, offer)

        assert (deal.left, deal.withheld) == (6, 4)
        assert deal.sold_out_at is None

    def test_leaves_closed_deals_alone(self, session: Session) -> None:
        offer = make_offer(session, quantity=10)
        over = make_deal(session, offer, allotment=10, closes_at=NOON - MINUTE)

        offer.quantity = 0

        assert fit_to_stock(session, offer) == []
        assert over.withheld == 0

    def test_leaves_all_alone_while_the_stock_is_unknown(
        self, session: Session
    ) -> None:
        offer = make_offer(session, quantity=None)
        make_deal(session, offer)

        assert fit_to_stock(session, offer) == []


@given(
    stock=st.integers(0, 30),
    units=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 5)), max_size=4
    ),
)
def test_any_stock_is_dealt_out_and_no_unit_is_lost_or_made(
    passing: Passing, stock: int, units: list[tuple[int, int, int]]
) -> None:
    with passing() as session:
        offer = make_offer(session, quantity=stock)
        made = [
            make_deal(
                session,
                offer,
                allotment=held + sold + free,
                held=held,
                sold=sold,
                opens_at=NOON - number * MINUTE,
            )
            for number, (held, sold, free) in enumerate(units)
        ]

        fit_to_stock(session, offer)

        left = sum(deal.left for deal in made)
        room = max(0, stock - sum(held for held, _, _ in units))
        free = sum(free for _, _, free in units)
        assert left == min(free, room)
        assert all(deal.left >= 0 for deal in made)
        assert fit_to_stock(session, offer) == []


class TestReads:
    def test_shows_the_latest_opening_first(self, session: Session) -> None:
        older = make_deal(session, opens_at=NOON - HOUR)
        newer = make_deal(session, opens_at=NOON)
        make_deal(session, retailer_id=make_retailer(session).id)

        found = deals(session, north(session).id)

        assert [deal.id for deal in found] == [newer.id, older.id]

    def test_offers_who_came_too_late_what_is_open_first(
        self, session: Session
    ) -> None:
        soon = make_deal(session, opens_at=NOON + HOUR, closes_at=NOON + 2 * HOUR)
        now = make_deal(session)
        make_deal(session, closes_at=NOON)
        make_deal(session, sold=10, sold_out_at=NOON)
        make_deal(session, retailer_id=make_retailer(session).id)

        found = next_deals(session, north(session).id, now=NOON)

        assert [deal.id for deal in found] == [now.id, soon.id]

    def test_shows_the_deals_of_an_offer(self, session: Session) -> None:
        offer = make_offer(session)
        older = make_deal(session, offer, opens_at=NOON - HOUR)
        newer = make_deal(session, offer, opens_at=NOON)
        make_deal(session)

        found = deals_of_offer(session, offer.retailer_id, offer.id)

        assert [deal.id for deal in found] == [newer.id, older.id]
        assert deals_of_offer(session, make_retailer(session).id, offer.id) == []

    def test_shows_what_deals_look_like(self, session: Session) -> None:
        picture = keep_picture(
            session, north(session).id, b"jpeg", size=(8, 6), now=NOON
        )
        shown = make_deal(session, make_offer(session, picture_id=picture.id))
        plain = make_deal(session)
        make_deal(session, retailer_id=make_retailer(session).id)

        found = pictures_of_deals(session, north(session).id)

        assert found == {shown.id: picture.id, plain.id: None}

    def test_tells_which_offers_are_in_deals(self, session: Session) -> None:
        south = make_retailer(session).id
        offer = make_offer(session, sku="PARKA")
        make_deal(session, offer)
        make_deal(session, make_offer(session, sku="COAT"))
        make_deal(session, make_offer(session, sku="HAT"), closes_at=NOON)
        make_offer(session, sku="SCARF")
        make_deal(session, make_offer(session, sku="PARKA", retailer_id=south))

        skus = ["PARKA", "HAT", "SCARF"]
        found = offers_in_deals(session, offer.retailer_id, skus)

        assert [one.id for one in found] == [offer.id]


class TestFindOverstock:
    def test_finds_what_there_is_most_of(self, session: Session) -> None:
        make_offer(session, quantity=20)
        most = make_offer(session, quantity=30)
        make_offer(session, quantity=None)
        make_offer(session, quantity=99, retailer_id=make_retailer(session).id)

        found = find_overstock(session, most.retailer_id, least=20)

        assert found is not None
        assert found.id == most.id
        assert find_overstock(session, most.retailer_id, least=30) is not None
        assert find_overstock(session, most.retailer_id, least=31) is None

    def test_leaves_out_what_was_in_a_deal(self, session: Session) -> None:
        offer = make_offer(session, quantity=30)
        make_deal(session, offer, closes_at=NOON)

        assert find_overstock(session, offer.retailer_id, least=1) is None
