"""
A planned deal moves with its posts or not at all, a second person agrees where that is
wanted, and a pause holds everything until it is over.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session

from offers.allowances import Departure, Verdict
from offers.deals import Deal, open_due
from offers.departures import depart
from offers.errors import InvalidField, Missing, WrongState
from offers.merchants import Merchant
from offers.moving import (
    Times,
    approvals,
    approve_posts,
    ask_again,
    move_deal,
    next_week,
    pause_posts,
    resume_posts,
    send_back,
    waive_approval,
    want_approval,
)
from offers.posting import lease_due_posts
from offers.posts import Post, PostState, try_again
from offers.retailers import Retailer
from outletbot.db import Database
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_account,
    make_deal,
    make_merchant,
    make_post,
    make_retailer,
    north,
    post_of,
)

SOON = NOON + HOUR
LATER = NOON + DAY
AHEAD = timedelta(seconds=5)
PARIS = ZoneInfo("Europe/Paris")


def planned(session: Session, **facts: Any) -> Deal:
    return make_deal(session, opens_at=facts.pop("opens_at", SOON), **facts)


def move(session: Session, deal: Deal, to: datetime, **facts: Any) -> Deal:
    moved = move_deal(
        session,
        facts.pop("retailer_id", deal.retailer_id),
        deal.id,
        to,
        seen=facts.pop("seen", deal.opens_at),
        now=facts.pop("now", NOON),
    )
    session.commit()
    return moved


def waiting(session: Session, planner: Merchant, **facts: Any) -> tuple[Deal, Post]:
    """Make a deal whose post waits for somebody but *planner* to agree."""
    session.get_one(Retailer, planner.retailer_id).approval = True
    deal = planned(session, retailer_id=planner.retailer_id, **facts)
    post = post_of(session, deal)
    post.state, post.planned_by = PostState.UNAPPROVED, planner.id
    session.commit()
    return deal, post


@pytest.fixture
def ana(session: Session) -> Merchant:
    return make_merchant(session)


@pytest.fixture
def ben(session: Session) -> Merchant:
    return make_merchant(session, "ben@north.example", name="Ben")


class TestMoving:
    def test_takes_the_end_and_the_posts_along(self, session: Session) -> None:
        deal = planned(session, reserve_until=SOON + 5 * HOUR)
        post = post_of(session, deal)
        run = deal.closes_at - deal.opens_at

        move(session, deal, LATER)

        assert (deal.opens_at, deal.closes_at) == (LATER, LATER + run)
        assert deal.reserve_until == LATER + 5 * HOUR
        session.refresh(post)
        assert (post.due_at, post.first_due_at) == (LATER, LATER)

    def test_can_be_undone(self, session: Session) -> None:
        deal = planned(session)
        before = (deal.opens_at, deal.closes_at)
        move(session, deal, LATER)

        move(session, deal, SOON, seen=LATER)

        assert (deal.opens_at, deal.closes_at) == before

    def test_takes_a_post_out_of_a_workers_hands(self, session: Session) -> None:
        deal = planned(session)
        [leased] = lease_due_posts(session, now=SOON - SECOND, ahead=AHEAD)
        ready = Departure(leased.model_copy(), deal.model_copy(), "Parka")
        session.commit()

        move(session, deal, LATER, now=SOON - SECOND)

        assert depart(session, [ready], now=SOON) == {leased.id: Verdict.NOT_OURS}
        assert lease_due_posts(session, now=SOON, ahead=AHEAD) == []
        assert len(lease_due_posts(session, now=LATER, ahead=AHEAD)) == 1

    def test_is_refused_once_a_post_is_being_sent(self, session: Session) -> None:
        deal = planned(session)
        [leased] = lease_due_posts(session, now=SOON - SECOND, ahead=AHEAD)
        depart(session, [Departure(leased, deal, "Parka")], now=SOON - SECOND)
        session.commit()

        with pytest.raises(WrongState, match="on their way"):
            move(session, deal, LATER, now=SOON - SECOND)

        session.rollback()
        assert session.get_one(Deal, deal.id).opens_at == SOON

    def test_leaves_what_is_no_plan_as_it_is(self, session: Session) -> None:
        deal, state = planned(session), PostState.SKIPPED
        post = make_post(session, deal, make_account(session), state=state)

        move(session, deal, LATER)

        session.refresh(post)
        assert (post.state, post.first_due_at, post.fence) == (state, SOON, 0)

    def test_a_post_that_failed_is_not_sent_again_before_the_new_opening(
        self, session: Session
    ) -> None:
        deal = planned(session)
        failed = PostState.FAILED
        post = make_post(session, deal, make_account(session), state=failed)

        move(session, deal, LATER)
        session.refresh(post)
        assert post.state is failed
        try_again(session, post.retailer_id, post.id, now=SOON)

        session.refresh(post)
        assert (post.state, post.due_at) == (PostState.SCHEDULED, LATER)

    def test_leaves_what_waits_for_approval_waiting(
        self, session: Session, ana: Merchant
    ) -> None:
        deal, post = waiting(session, ana)
        post.failure = "Ben: not today"
        session.commit()

        move(session, deal, LATER)

        session.refresh(post)
        assert post.state is PostState.UNAPPROVED
        assert (post.due_at, post.failure) == (LATER, "Ben: not today")

    @pytest.mark.parametrize(
        "facts",
        [
            {"opens_at": NOON - MINUTE},
            {"opens_at": NOON, "opened_at": None},
            {"opens_at": NOON - DAY, "closes_at": NOON - HOUR},
        ],
    )
    def test_is_refused_when_it_has_opened_or_its_time_has_come(
        self, session: Session, facts: Any
    ) -> None:
        deal = make_deal(session, **facts)

        with pytest.raises(WrongState, match="has opened"):
            move(session, deal, LATER)

    @pytest.mark.parametrize(
        ("to", "problem"),
        [
            (NOON, "in the past"),
            (NOON - DAY, "in the past"),
            (NOON + 731 * DAY, "two years"),
            (datetime.max.replace(tzinfo=UTC), "two years"),
        ],
    )
    def test_is_refused_to_where_no_deal_can_be(
        self, session: Session, to: datetime, problem: str
    ) -> None:
        deal = planned(session)

        with pytest.raises(InvalidField, match=problem):
            move(session, deal, to)

    def test_is_refused_if_somebody_was_faster(self, session: Session) -> None:
        deal = planned(session)
        move(session, deal, LATER)

        with pytest.raises(WrongState, match="meanwhile"):
            move(session, deal, NOON + 2 * DAY, seen=SOON)

    def test_is_for_a_retailers_own(self, session: Session) -> None:
        deal = planned(session)
        other = make_retailer(session).id

        with pytest.raises(Missing):
            move(session, deal, LATER, retailer_id=other)

    def test_is_done_by_one_of_several_at_once(
        self, session: Session, database: Database
    ) -> None:
        deal = planned(session)
        targets = [LATER + n * HOUR for n in range(8)]

        def attempt(to: datetime) -> bool:
            try:
                database.transact_here(
                    move_deal, deal.retailer_id, deal.id, to, seen=SOON, now=NOON
                )
            except WrongState:
                return False
            return True

        with ThreadPoolExecutor(4) as threads:
            won = list(threads.map(attempt, targets))

        session.rollback()
        session.refresh(deal)
        assert won.count(True) == 1
        assert deal.opens_at == targets[won.index(True)]
        assert post_of(session, deal).first_due_at == deal.opens_at

    def test_opens_it_at_the_new_time_only(self, session: Session) -> None:
        deal = planned(session)
        move(session, deal, LATER)

        assert open_due(session, now=SOON + HOUR) == []
        assert open_due(session, now=LATER) == [deal]


class TestApproval:
    def test_lets_the_posts_go_out_at_the_opening(
        self, session: Session, ana: Merchant, ben: Merchant
    ) -> None:
        deal, post = waiting(session, ana)
        assert lease_due_posts(session, now=SOON, ahead=AHEAD) == []

        assert approve_posts(session, ben, deal.id, now=NOON) == 1

        session.commit()
        session.refresh(post)
        assert (post.state, post.approved_by) == (PostState.SCHEDULED, ben.id)
        assert (post.due_at, post.failure) == (SOON, "")
        assert len(lease_due_posts(session, now=SOON, ahead=AHEAD)) == 1

    def test_of_a_deal_that_runs_sends_them_at_once_and_not_late(
        self, session: Session, ana: Merchant, ben: Merchant
    ) -> None:
        deal, post = waiting(session, ana)
        open_due(session, now=SOON)
        now = SOON + 30 * MINUTE

        approve_posts(session, ben, deal.id, now=now)

        session.commit()
        session.refresh(post)
        assert (post.due_at, post.first_due_at) == (now, now)

    def test_is_not_for_who_planned_it(self, session: Session, ana: Merchant) -> None:
        deal, post = waiting(session, ana)

        for settle in (approve_posts, refuse):
            with pytest.raises(WrongState, match="Somebody else"):
                settle(session, ana, deal.id, now=NOON)

        session.rollback()
        session.refresh(post)
        assert post.state is PostState.UNAPPROVED

    def test_is_for_the_planner_once_one_person_is_enough(
        self, session: Session, ana: Merchant
    ) -> None:
        deal, _ = waiting(session, ana)
        waive_approval(session, ana.retailer_id)
        session.flush()

        assert approve_posts(session, ana, deal.id, now=NOON) == 1

    def test_twice_is_once(
        self, session: Session, ana: Merchant, ben: Merchant
    ) -> None:
        deal, post = waiting(session, ana)
        approve_posts(session, ben, deal.id, now=NOON)
        session.commit()

        assert approve_posts(session, ben, deal.id, now=NOON) == 0
        session.refresh(post)
        assert post.fence == 1

    @pytest.mark.parametrize(
        "facts",
        [{"sold_out_at": NOON}, {"opens_at": NOON - DAY, "closes_at": NOON - HOUR}],
    )
    def test_comes_too_late_for_a_deal_that_is_over(
        self, session: Session, ana: Merchant, ben: Merchant, facts: Any
    ) -> None:
        deal, _ = waiting(session, ana, **facts)

        with pytest.raises(WrongState, match="over already"):
            approve_posts(session, ben, deal.id, now=NOON)

    def test_is_no_other_retailers(self, session: Session, ana: Merchant) -> None:
        deal, _ = waiting(session, ana)
        south = make_retailer(session).id
        eve = make_merchant(session, "eve@south.example", retailer_id=south)

        for settle in (approve_posts, refuse):
            with pytest.raises(Missing):
                settle(session, eve, deal.id, now=NOON)
        with pytest.raises(Missing):
            ask_again(session, south, deal.id)
        assert approvals(session, south) == {}

    def test_is_told_of_with_who_planned_it_and_what_was_said(
        self, session: Session, ana: Merchant, ben: Merchant
    ) -> None:
        deal, post = waiting(session, ana)
        retailer = north(session)

        refuse(session, ben, deal.id, now=NOON)

        session.commit()
        found = approvals(session, retailer.id)[deal.id]
        assert (found.planner, found.note) == ("Ana", "Ben: Too dear.")
        assert (found.is_for(ana, retailer), found.is_for(ben, retailer)) == (
            False,
            True,
        )
        session.refresh(post)
        assert post.state is PostState.UNAPPROVED

    def test_can_be_asked_for_again(
        self, session: Session, ana: Merchant, ben: Merchant
    ) -> None:
        deal, _ = waiting(session, ana)
        refuse(session, ben, deal.id, now=NOON)

        ask_again(session, deal.retailer_id, deal.id)

        session.commit()
        assert approvals(session, deal.retailer_id)[deal.id].note == ""

    def test_wants_two_people(self, session: Session, ana: Merchant) -> None:
        with pytest.raises(InvalidField, match="needs two people"):
            want_approval(session, ana.retailer_id)
        make_merchant(session, "ben@north.example")

        want_approval(session, ana.retailer_id)

        assert north(session).approval


class TestPausing:
    def test_holds_what_is_due_until_it_is_over(self, session: Session) -> None:
        deal = planned(session, closes_at=SOON + DAY)
        pause_posts(session, deal.retailer_id)
        session.commit()
        assert lease_due_posts(session, now=SOON + HOUR, ahead=AHEAD) == []

        resume_posts(session, deal.retailer_id, now=SOON + HOUR)

        session.commit()
        [post] = lease_due_posts(session, now=SOON + HOUR, ahead=AHEAD)
        assert post.first_due_at == SOON + HOUR

    def test_sends_nothing_early_when_it_is_over(self, session: Session) -> None:
        deal = planned(session)
        pause_posts(session, deal.retailer_id)

        resume_posts(session, deal.retailer_id, now=NOON)

        session.commit()
        assert post_of(session, deal).first_due_at == SOON
        assert lease_due_posts(session, now=NOON, ahead=AHEAD) == []

    def test_lets_what_is_over_meanwhile_be_skipped(self, session: Session) -> None:
        deal = planned(session)
        pause_posts(session, deal.retailer_id)
        now = deal.closes_at + HOUR

        resume_posts(session, deal.retailer_id, now=now)

        [post] = lease_due_posts(session, now=now, ahead=AHEAD)
        ready = Departure(post.model_copy(), deal.model_copy(), "Parka")
        assert depart(session, [ready], now=now) == {post.id: Verdict.OVER}

    def test_is_one_retailers(self, session: Session) -> None:
        mine, theirs = planned(session), make_retailer(session)
        deal = planned(session, retailer_id=theirs.id)

        pause_posts(session, theirs.id)

        session.commit()
        [post] = lease_due_posts(session, now=SOON, ahead=AHEAD)
        assert post.deal_id == mine.id
        resume_posts(session, mine.retailer_id, now=SOON + HOUR)
        session.commit()
        assert post_of(session, deal).first_due_at == SOON


class TestNextWeek:
    def times(self, opens: datetime, now: datetime, **facts: Any) -> Times:
        opens_at = opens.astimezone(UTC)
        deal = Deal(opens_at=opens_at, closes_at=opens_at + 3 * HOUR, **facts)
        found = next_week(deal, PARIS, now=now)
        assert found.closes_at - found.opens_at == 3 * HOUR
        return found

    @pytest.mark.parametrize(
        ("now", "day"),
        [
            (datetime(2026, 3, 3, tzinfo=UTC), 9),
            (datetime(2026, 3, 9, 16, 59, tzinfo=UTC), 9),
            (datetime(2026, 3, 9, 17, 0, tzinfo=UTC), 16),
            (datetime(2026, 3, 20, tzinfo=UTC), 23),
        ],
    )
    def test_is_the_first_that_is_yet_to_come(self, now: datetime, day: int) -> None:
        found = self.times(datetime(2026, 3, 2, 18, tzinfo=PARIS), now)

        there = found.opens_at.astimezone(PARIS)
        assert (there.month, there.day, there.hour) == (3, day, 18)

    @pytest.mark.parametrize(
        ("opens", "offset"),
        [
            (datetime(2026, 3, 24, 18, tzinfo=PARIS), 2),
            (datetime(2026, 10, 20, 18, tzinfo=PARIS), 1),
        ],
    )
    def test_is_at_the_same_time_of_day_when_the_clocks_change(
        self, opens: datetime, offset: int
    ) -> None:
        now = opens + DAY

        found = self.times(opens, now)

        there = found.opens_at.astimezone(PARIS)
        assert there.hour == 18
        assert there.utcoffset() == offset * HOUR

    def test_is_an_hour_later_if_the_clocks_skip_it(self) -> None:
        opens = datetime(2026, 3, 22, 2, 30, tzinfo=PARIS)

        found = self.times(opens, datetime(2026, 3, 23, tzinfo=UTC))

        there = found.opens_at.astimezone(PARIS)
        assert (there.day, there.hour, there.minute) == (29, 3, 30)

    def test_takes_along_until_when_units_are_kept(self) -> None:
        until = datetime(2026, 3, 4, 12, tzinfo=UTC)
        now = datetime(2026, 3, 5, tzinfo=UTC)

        found = self.times(
            datetime(2026, 3, 2, 18, tzinfo=PARIS), now, reserve_until=until
        )

        assert found.reserve_until == until + 7 * DAY


def refuse(session: Session, merchant: Merchant, deal_id: str, *, now: datetime) -> int:
    return send_back(session, merchant, deal_id, "Too dear.", now=now)
