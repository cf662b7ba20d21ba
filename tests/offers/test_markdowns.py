"""
A deal's price falls by the plan that was armed: each step once, never up, never under
the floor; and what was held before keeps its price.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from offers.catalog import Offer
from offers.claim_rows import Granted
from offers.claims import place_holds
from offers.deals import Deal, close_due
from offers.errors import InvalidFields, Missing, WrongState
from offers.holds import Hold
from offers.ids import new_id
from offers.markdown_plans import disarm, plan_markdown, skip_next
from offers.markdown_steps import Fall, apply_due_steps
from offers.markdowns import (
    MOST_STEPS,
    Markdown,
    MarkdownPlan,
    MarkdownStep,
    Step,
    StepState,
    find_markdown,
)
from offers.money import Money
from offers.moving import move_deal
from offers.prices import log_price, price_log
from tests.conftest import Connect
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_claim,
    make_deal,
    make_hold,
    make_offer,
    make_price,
    make_retailer,
)


def eur(amount: int) -> Money:
    return Money(amount, "eur")


def make_markdown(
    session: Session,
    deal: Deal,
    steps: Sequence[tuple[int, int] | tuple[int, int, int]],
    *,
    floor: int = 3_000,
    armed: bool = True,
    state: StepState = StepState.WAITING,
) -> MarkdownPlan:
    """Make a plan of steps: minutes after the opening, price, sold below what."""
    plan = MarkdownPlan(
        id=new_id("markdown", NOON),
        retailer_id=deal.retailer_id,
        deal_id=deal.id,
        floor_amount=floor,
        currency=deal.currency,
        changed_at=NOON,
        armed_at=NOON - HOUR if armed else None,
    )
    session.add(plan)
    session.flush()
    for after, price, *below in steps:
        step = MarkdownStep(
            id=new_id("step", NOON),
            retailer_id=deal.retailer_id,
            plan_id=plan.id,
            after_minutes=after,
            price_amount=price,
            sold_below=below[0] if below else None,
            state=state,
        )
        session.add(step)
    session.commit()
    return plan


def running(session: Session, **facts: Any) -> Deal:
    """Make a deal of ten units at 49.99 that opened an hour before noon."""
    return make_deal(
        session, **{"closes_at": NOON + 5 * HOUR, "opens_at": NOON - HOUR, **facts}
    )


def step_down(session: Session, now: datetime = NOON) -> list[Fall]:
    session.rollback()
    falls = apply_due_steps(session, now=now)
    session.commit()
    return falls


def states(session: Session, deal: Deal) -> list[str]:
    session.rollback()
    found = find_markdown(session, deal.retailer_id, deal.id)
    return [] if found is None else [str(step.state) for step in found.steps]


def price_of(session: Session, deal: Deal) -> int:
    session.rollback()
    session.refresh(deal)
    return deal.price_amount


class TestAStep:
    def test_comes_at_its_time(self, session) -> None:
        deal = running(session)
        make_markdown(session, deal, [(60, 4_490), (120, 3_990)])

        assert step_down(session, NOON - SECOND) == []
        [fall] = step_down(session, NOON)

        assert (fall.before, fall.price) == (eur(4_999), eur(4_490))
        assert price_of(session, deal) == 4_490
        assert states(session, deal) == ["applied", "waiting"]
        assert step_down(session, NOON + MINUTE) == []

    def test_is_kept_in_the_price_log(self, session) -> None:
        deal = running(session)
        offer = log_prices(session, deal)
        make_markdown(session, deal, [(60, 4_490)])

        step_down(session)

        last = price_log(session, offer.retailer_id, offer.id)[-1]
        assert (last.price, last.applied_at) == (eur(4_490), NOON)
        assert last.source == f"{deal.id} marked down"

    def test_moves_with_its_deal(self, session) -> None:
        deal = make_deal(session, opens_at=NOON + HOUR, closes_at=NOON + 9 * HOUR)
        make_markdown(session, deal, [(60, 4_490)])
        move_deal(
            session,
            deal.retailer_id,
            deal.id,
            NOON + 3 * HOUR,
            seen=deal.opens_at,
            now=NOON,
        )
        deal.opened_at = NOON + 3 * HOUR
        session.commit()

        assert step_down(session, NOON + 3 * HOUR) == []
        assert len(step_down(session, NOON + 4 * HOUR)) == 1

    @pytest.mark.parametrize(
        ("sold", "withheld", "state"),
        [
            (4, 0, "applied"),
            (5, 0, "unneeded"),  # half is not below half
            (9, 0, "unneeded"),
            (4, 2, "unneeded"),  # of eight that there are
            (3, 2, "applied"),
        ],
    )
    def test_may_wait_for_what_sells(self, session, sold, withheld, state) -> None:
        deal = running(session, sold=sold, withheld=withheld)
        make_markdown(session, deal, [(60, 4_490, 50)])

        step_down(session)

        assert states(session, deal) == [state]
        assert price_of(session, deal) == (4_490 if state == "applied" else 4_999)

    def test_notes_how_much_was_sold(self, session) -> None:
        deal = running(session, sold=3)
        make_markdown(session, deal, [(60, 4_490)])

        step_down(session)

        [step] = session.exec(select(MarkdownStep)).all()
        assert (step.sold, step.settled_at) == (3, NOON)

    def test_of_several_that_are_late_the_last_counts(self, session) -> None:
        deal = running(session)
        offer = log_prices(session, deal)
        make_markdown(
            session, deal, [(10, 4_490), (20, 4_290), (30, 3_990, 1), (90, 3_490)]
        )

        [fall] = step_down(session)

        assert fall.price == eur(3_990)
        assert states(session, deal) == ["passed", "passed", "applied", "waiting"]
        logged = [
            point.price_amount
            for point in price_log(session, offer.retailer_id, offer.id)
        ]
        assert 4_490 not in logged

    @pytest.mark.parametrize(
        "facts",
        [
            {"closes_at": NOON},
            {"sold": 10, "sold_out_at": NOON - MINUTE},
            {"ended_early": True, "closes_at": NOON - MINUTE},
        ],
        ids=str,
    )
    def test_is_passed_over_once_the_deal_is_over(self, session, facts) -> None:
        deal = running(session, **facts)
        make_markdown(session, deal, [(60, 4_490), (100, 3_990)])

        assert step_down(session) == []

        assert states(session, deal) == ["passed", "passed"]
        assert price_of(session, deal) == 4_999

    def test_waits_until_its_deal_has_opened(self, session) -> None:
        deal = running(session, opened_at=None)
        make_markdown(session, deal, [(60, 4_490)])

        assert step_down(session) == []
        assert states(session, deal) == ["waiting"]

    def test_does_nothing_unless_it_is_armed(self, session) -> None:
        deal = running(session)
        make_markdown(session, deal, [(60, 4_490)], armed=False)

        assert step_down(session) == []
        assert price_of(session, deal) == 4_999

    @pytest.mark.parametrize("price", [4_999, 5_500])
    def test_never_raises_a_price(self, session, price) -> None:
        deal = running(session)
        make_markdown(session, deal, [(60, price)])

        assert step_down(session) == []
        assert (price_of(session, deal), states(session, deal)) == (4_999, ["passed"])

    def test_never_goes_under_the_floor(self, session) -> None:
        deal = running(session)
        make_markdown(session, deal, [(60, 2_999)], floor=3_000)

        assert step_down(session) == []
        assert (price_of(session, deal), states(session, deal)) == (4_999, ["passed"])

    def test_never_goes_under_a_cost_that_rose_meanwhile(self, session) -> None:
        deal = running(session)
        make_markdown(session, deal, [(60, 4_490)])
        session.get_one(Offer, deal.offer_id).cost_amount = 4_600
        session.commit()

        assert step_down(session) == []
        assert (price_of(session, deal), states(session, deal)) == (4_999, ["passed"])

    def test_announces_no_reduction_that_is_not_proven(self, session) -> None:
        deal = running(session, prior_amount=9_900)
        make_markdown(session, deal, [(60, 4_490)])

        step_down(session)

        session.refresh(deal)
        assert deal.prior_amount is None

    @pytest.mark.parametrize(
        ("country", "prior"),
        [("IE", 4_999), ("FR", 9_900)],
    )
    def test_announces_the_price_before_by_the_countrys_rule(
        self, session, country, prior
    ) -> None:
        """In France the price before the first cut; elsewhere the lowest, ours too."""
        shop = make_retailer(session, country=country)
        offer = make_offer(session, retailer_id=shop.id)
        deal = running(session, offer=offer, prior_amount=9_900)
        log_prices(session, deal)
        make_markdown(session, deal, [(60, 4_490)])

        step_down(session)

        session.refresh(deal)
        assert deal.prior_amount == prior
        assert deal.reduction is not None
        assert deal.reduction.price == eur(4_490)


def log_prices(session: Session, deal: Deal) -> Offer:
    """Log what the offer of *deal* cost before, and since."""
    offer = session.get_one(Offer, deal.offer_id)
    make_price(session, offer, 9_900, NOON - 40 * DAY)
    log_price(
        session,
        offer.retailer_id,
        offer.id,
        deal.price,
        source=f"{deal.id} opened",
        now=deal.opens_at,
    )
    session.commit()
    return offer


class TestHolds:
    def test_keep_the_price_they_were_made_at(self, session) -> None:
        deal = running(session)
        hold = make_hold(session, deal)
        make_markdown(session, deal, [(60, 4_490)])

        step_down(session)

        session.refresh(hold)
        assert hold.unit_amount == 4_999

    def test_made_after_it_are_cheaper(self, session) -> None:
        deal = running(session)
        make_markdown(session, deal, [(60, 4_490)])
        step_down(session)

        place_holds(session, [make_claim(session, deal)], now=NOON + SECOND)
        session.commit()

        [hold] = session.exec(select(Hold)).all()
        assert hold.unit_amount == 4_490


class TestPlanning:
    def plan(
        self,
        session: Session,
        deal: Deal,
        *steps: Step,
        floor: int = 3_000,
        arm: bool = True,
        now: datetime = NOON,
    ) -> Markdown:
        made = plan_markdown(
            session,
            deal.retailer_id,
            deal.id,
            eur(floor),
            steps,
            by="merchant_1",
            arm=arm,
            now=now,
        )
        session.commit()
        return made

    def step(self, hours: float, price: int, below: int | None = None) -> Step:
        return Step(after=timedelta(hours=hours), price=eur(price), sold_below=below)

    def test_is_kept_and_changed(self, session) -> None:
        deal = running(session)
        self.plan(session, deal, self.step(2, 4_490), arm=False)

        made = self.plan(
            session, deal, self.step(3, 4_290, 40), self.step(4, 3_990), floor=3_500
        )

        assert made.is_armed
        assert made.plan.floor == eur(3_500)
        assert [
            (s.after_minutes, s.price_amount, s.sold_below) for s in made.steps
        ] == [
            (180, 4_290, 40),
            (240, 3_990, None),
        ]

    def test_leaves_what_has_happened_alone(self, session) -> None:
        deal = running(session)
        make_markdown(session, deal, [(60, 4_490), (120, 3_990)])
        step_down(session)
        session.refresh(deal)

        made = self.plan(session, deal, self.step(3, 4_290), now=NOON)

        assert [(s.price_amount, str(s.state)) for s in made.steps] == [
            (4_490, "applied"),
            (4_290, "waiting"),
        ]

    @pytest.mark.parametrize(
        ("steps", "fields"),
        [
            ([], ["steps"]),
            ([(2, 4_999)], ["price-0"]),
            ([(2, 2_999)], ["price-0"]),
            ([(0.5, 4_490)], ["at-0"]),  # past
            ([(0, 4_490)], ["at-0"]),
            ([(6, 4_490)], ["at-0"]),  # at the end
            ([(2, 4_490, 0)], ["below-0"]),
            ([(2, 4_490, 101)], ["below-0"]),
            ([(2, 4_490), (2, 3_990)], ["at-1"]),
            ([(2, 4_490), (3, 4_490)], ["price-1"]),
            ([(2, 4_490), (1.5, 4_600)], ["at-1", "price-1"]),
            ([(1.1 + n / 10, 4_990 - n) for n in range(MOST_STEPS + 1)], ["steps"]),
        ],
        ids=str,
    )
    def test_says_what_cannot_be(self, session, steps, fields) -> None:
        deal = running(session)

        with pytest.raises(InvalidFields) as refused:
            self.plan(session, deal, *(self.step(*step) for step in steps))

        assert sorted({p.field for p in refused.value.problems}) == fields
        assert find_markdown(session, deal.retailer_id, deal.id) is None

    @pytest.mark.parametrize("floor", [0, 2_499, 4_999])
    def test_needs_a_floor_between_cost_and_price(self, session, floor) -> None:
        deal = running(session)  # it cost 25.00

        with pytest.raises(InvalidFields) as refused:
            self.plan(session, deal, self.step(2, 4_990), floor=floor)

        assert "floor" in {problem.field for problem in refused.value.problems}

    def test_is_too_late_once_the_deal_is_over(self, session) -> None:
        deal = running(session, closes_at=NOON)

        with pytest.raises(WrongState):
            self.plan(session, deal, self.step(2, 4_490))

    def test_is_for_ones_own_deals(self, session) -> None:
        deal, other = running(session), make_retailer(session).id

        with pytest.raises(Missing):
            plan_markdown(
                session, other, deal.id, eur(1), [], by="", arm=True, now=NOON
            )
        with pytest.raises(Missing):
            disarm(session, other, deal.id, by="", now=NOON)
        with pytest.raises(Missing):
            skip_next(session, other, deal.id, "step_1", now=NOON)
        assert find_markdown(session, other, deal.id) is None

    def test_is_disarmed_and_armed_again(self, session) -> None:
        deal = running(session)
        make_markdown(session, deal, [(60, 4_490)])
        for _ in range(2):
            disarm(session, deal.retailer_id, deal.id, by="ana", now=NOON)
            session.commit()

        assert step_down(session) == []

        made = self.plan(session, deal, self.step(2, 4_290))
        assert made.is_armed
        assert len(step_down(session, NOON + HOUR)) == 1

    def test_the_next_step_is_left_out_once(self, session) -> None:
        deal = running(session)
        make_markdown(session, deal, [(60, 4_490), (120, 3_990)])
        found = find_markdown(session, deal.retailer_id, deal.id)
        assert found is not None
        first, second = (step.id for step in found.steps)

        assert not skip_next(session, deal.retailer_id, deal.id, second, now=NOON)
        assert skip_next(session, deal.retailer_id, deal.id, first, now=NOON)
        assert not skip_next(session, deal.retailer_id, deal.id, first, now=NOON)
        session.commit()

        assert step_down(session) == []
        assert states(session, deal) == ["skipped", "waiting"]


class TestAtOnce:
    def test_workers_take_each_step_once(self, connect: Connect, session) -> None:
        deals = [running(session) for _ in range(5)]
        for deal in deals:
            make_markdown(session, deal, [(60, 4_490)])
        databases = [connect() for _ in range(4)]
        start = threading.Barrier(len(databases))

        def work(database: Any) -> int:
            start.wait()
            return len(database.transact_here(apply_due_steps, now=NOON))

        with ThreadPoolExecutor(len(databases)) as threads:
            done = list(threads.map(work, databases))
        rest = step_down(session)

        assert sum(done) + len(rest) == len(deals)
        assert {price_of(session, deal) for deal in deals} == {4_490}
        for deal in deals:
            log = price_log(session, deal.retailer_id, deal.offer_id)
            assert [point.price_amount for point in log] == [4_490]

    def test_a_claim_pays_the_price_before_or_after(
        self, connect: Connect, session
    ) -> None:
        deal = running(session, allotment=200, limit_per_shopper=2)
        make_markdown(session, deal, [(60, 4_490)])
        claims = [make_claim(session, deal) for _ in range(60)]
        claiming, stepping = connect(), connect()
        start = threading.Barrier(2)
        prices: list[tuple[str, int]] = []

        def claim() -> list[Granted]:
            start.wait()
            granted = []
            for one in claims:
                shown = claiming.read_here(_price, deal.id)
                [answer] = claiming.transact_here(place_holds, [one], now=NOON)
                assert isinstance(answer, Granted)
                prices.append((answer.id, shown))
                granted.append(answer)
            return granted

        def step() -> list[Fall]:
            start.wait()
            return stepping.transact_here(apply_due_steps, now=NOON)

        with ThreadPoolExecutor(2) as threads:
            claimed, fell = threads.submit(claim), threads.submit(step)
            assert (len(claimed.result()), len(fell.result())) == (60, 1)

        session.rollback()
        for hold_id, shown in prices:
            paid = session.get_one(Hold, hold_id).unit_amount
            assert paid in {4_999, 4_490}
            assert paid <= shown

    def test_a_deal_that_closes_meanwhile_keeps_its_price(
        self, connect: Connect, session
    ) -> None:
        deal = running(session, closes_at=NOON + SECOND)
        make_markdown(session, deal, [(60, 4_490)])
        other = connect()
        other.transact_here(close_due, now=NOON + SECOND)

        assert step_down(session, NOON) == []
        assert price_of(session, deal) == 4_999


def _price(session: Session, deal_id: str) -> int:
    return session.get_one(Deal, deal_id).price_amount
