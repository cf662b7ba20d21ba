"""
The last look before a post goes out: whatever speaks against it, and nothing else.
"""

import asyncio
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from offers.allowances import Departure, Verdict, spent_micros
from offers.deals import Deal
from offers.departures import depart
from offers.follow_ups import follow_up, is_worth_saying
from offers.posting import lease_due_posts, rest
from offers.posts import Post, PostKind, PostState
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
    make_offer,
    make_post,
    make_retailer,
    outlet_account,
    post_of,
)

BOTH_DATABASES = True
CENT = 10_000


def make_leased(session: Session, **facts: Any) -> Post:
    deal = make_deal(session, opens_at=NOON, opened_at=None)
    post = post_of(session, deal)
    for name, value in facts.items():
        setattr(post, name, value)
    session.commit()
    return post


def departure(session: Session, post: Post, **facts: Any) -> Departure:
    deal = session.get_one(Deal, post.deal_id)
    return Departure(post.model_copy(), deal.model_copy(), "Parka", **facts)


def look(session: Session, *ready: Departure, now: datetime = NOON) -> list[Verdict]:
    session.commit()
    verdicts = depart(session, ready, now=now)
    session.commit()
    return [verdicts[one.post.id] for one in ready]


class TestVerdicts:
    def test_a_pause_of_the_account_holds_it(self, session: Session) -> None:
        post = make_leased(session)
        ready = departure(session, post)
        outlet_account(session).paused = True

        assert look(session, ready) == [Verdict.PAUSED]
        assert post.state is PostState.SCHEDULED
        assert lease_due_posts(session, now=NOON + HOUR, ahead=HOUR) == []

    def test_a_pause_of_all_posts_holds_it_until_it_is_over(
        self, session: Session
    ) -> None:
        post = make_leased(session)
        ready = departure(session, post)
        retailer = session.get_one(Retailer, post.retailer_id)
        retailer.posts_paused = True

        assert look(session, ready) == [Verdict.PAUSED]
        assert lease_due_posts(session, now=NOON, ahead=HOUR) == []
        retailer.posts_paused = False
        session.commit()
        assert len(lease_due_posts(session, now=NOON, ahead=HOUR)) == 1

    @pytest.mark.parametrize(
        "facts",
        [
            {"sold_out_at": NOON, "sold": 10},
            {"closes_at": NOON + SECOND, "opens_at": NOON - HOUR},
        ],
    )
    def test_what_is_over_is_skipped(self, session: Session, facts: Any) -> None:
        post = make_leased(session)
        ready = departure(session, post)
        deal = session.get_one(Deal, post.deal_id)
        for name, value in facts.items():
            setattr(deal, name, value)

        assert look(session, ready, now=NOON + MINUTE) == [Verdict.OVER]
        assert post.state is PostState.SKIPPED
        assert post.failure

    @pytest.mark.parametrize(
        "facts",
        [{"title": "Another"}, {"withheld": 2}, {"price_amount": 1}, {"pitch": "!"}],
    )
    def test_a_text_that_is_no_longer_true_is_made_anew(
        self, session: Session, facts: Any
    ) -> None:
        post = make_leased(session)
        ready = departure(session, post)
        deal = session.get_one(Deal, post.deal_id)
        for name, value in facts.items():
            setattr(deal, name, value)

        assert look(session, ready) == [Verdict.CHANGED]
        assert (post.state, post.due_at) == (PostState.SCHEDULED, NOON)

    def test_what_was_sold_meanwhile_changes_no_text(self, session: Session) -> None:
        post = make_leased(session)
        ready = departure(session, post)
        session.get_one(Deal, post.deal_id).sold = 3

        assert look(session, ready) == [Verdict.GO]


class TestRates:
    def test_no_more_go_out_than_the_network_allows(self, session: Session) -> None:
        rates = [(2, MINUTE)]
        ready = [
            departure(session, make_leased(session), rates=rates) for _ in range(3)
        ]

        verdicts = look(session, *ready)

        assert sorted(verdicts) == [Verdict.GO, Verdict.GO, Verdict.TOO_FAST]
        late = session.get_one(Post, ready[verdicts.index(Verdict.TOO_FAST)].post.id)
        assert late.due_at == NOON + 30 * SECOND
        (again,) = lease_due_posts(session, now=NOON + 30 * SECOND, ahead=timedelta())
        session.commit()
        then = NOON + MINUTE + SECOND
        assert look(session, departure(session, again, rates=rates), now=then) == [
            Verdict.GO
        ]

    def test_an_account_that_rests_keeps_the_others_going(
        self, session: Session
    ) -> None:
        deal = make_deal(session, opens_at=NOON, opened_at=None)
        account = make_account(session)
        make_post(session, deal, account)
        rest(session, account.id, until=NOON + HOUR)
        rest(session, account.id, until=NOON + MINUTE)  # the longer one stands
        session.commit()

        leased = lease_due_posts(session, now=NOON, ahead=timedelta())

        assert [post.channel for post in leased] == ["outlet"]
        session.commit()
        late = NOON + HOUR + SECOND
        assert "mastodon" in [
            post.channel for post in lease_due_posts(session, now=late, ahead=SECOND)
        ]

    def test_retailers_take_turns(self, session: Session) -> None:
        other = make_retailer(session)
        for _ in range(4):
            make_leased(session)
        offer = make_offer(session, retailer_id=other.id)
        make_deal(session, offer, opens_at=NOON + SECOND, opened_at=None)
        session.commit()

        leased = lease_due_posts(session, now=NOON, ahead=MINUTE, limit=2)

        assert len({post.retailer_id for post in leased}) == 2


class TestBudget:
    def test_is_never_overspent(self, session: Session) -> None:
        outlet_account(session).budget_cents = 50
        ready = [
            departure(session, make_leased(session), cost_micros=20 * CENT)
            for _ in range(3)
        ]

        verdicts = look(session, *ready)

        assert sorted(verdicts) == [Verdict.GO, Verdict.GO, Verdict.TOO_DEAR]
        account = outlet_account(session)
        assert spent_micros(session, account.id, now=NOON) == 40 * CENT
        assert spent_micros(session, account.id, now=NOON + 31 * DAY) == 0
        dear = session.get_one(Post, ready[verdicts.index(Verdict.TOO_DEAR)].post.id)
        assert (dear.state, dear.cost_micros) == (PostState.FAILED, 0)

    def test_what_was_looked_for_and_not_found_is_not_paid_for_twice(
        self, session: Session
    ) -> None:
        sent = {"state": PostState.SENDING, "begun_at": NOON - MINUTE}
        post = make_leased(session, cost_micros=20 * CENT, **sent)
        outlet_account(session).budget_cents = 30
        again = departure(session, post, cost_micros=20 * CENT, rates=[(1, HOUR)])

        assert look(session, again) == [Verdict.GO]

        assert spent_micros(session, post.account_id, now=NOON) == 20 * CENT
        session.refresh(post)
        assert post.begun_at == NOON


class TestTwoWorkers:
    async def test_count_one_after_the_other(
        self, database: Database, session: Session
    ) -> None:
        """Each leaves with a post of the same account, at the same instant."""
        outlet_account(session).budget_cents = 30
        ready = [
            departure(session, make_leased(session), cost_micros=20 * CENT)
            for _ in range(2)
        ]
        session.commit()

        def leave(session: Session, one: Departure) -> Verdict:
            verdict = depart(session, [one], now=NOON)[one.post.id]
            time.sleep(0.1)
            return verdict

        both = (database.transact(leave, one) for one in ready)
        verdicts = await asyncio.gather(*both)

        assert sorted(verdicts) == [Verdict.GO, Verdict.TOO_DEAR]


class TestFollowUps:
    @pytest.mark.parametrize(
        ("kind", "facts", "now", "worth"),
        [
            (PostKind.HALF_GONE, {"allotment": 20, "sold": 10}, MINUTE, True),
            (PostKind.HALF_GONE, {"allotment": 20, "sold": 9}, MINUTE, False),
            (PostKind.HALF_GONE, {"allotment": 20, "held": 10}, MINUTE, False),
            (PostKind.HALF_GONE, {"allotment": 20, "sold": 15}, MINUTE, False),
            (PostKind.LAST_UNITS, {"allotment": 20, "sold": 15}, MINUTE, True),
            (PostKind.LAST_UNITS, {"allotment": 20, "sold": 14}, MINUTE, False),
            (
                PostKind.LAST_UNITS,
                {"allotment": 20, "sold": 14, "held": 4},
                MINUTE,
                False,
            ),
            (PostKind.LAST_UNITS, {"allotment": 5, "sold": 1}, MINUTE, False),
            (
                PostKind.LAST_UNITS,
                {"allotment": 20, "sold": 18, "held": 2},
                MINUTE,
                False,
            ),
            (PostKind.ENDING, {}, 23 * HOUR, True),
            (PostKind.ENDING, {}, 22 * HOUR, False),
            (PostKind.ENDING, {}, 24 * HOUR, False),
            (PostKind.OVER, {}, 24 * HOUR, True),
            (PostKind.OVER, {}, 23 * HOUR, False),
        ],
    )
    def test_are_never_false(
        self, session: Session, kind: PostKind, facts: Any, now: Any, worth: Any
    ) -> None:
        deal = make_deal(session, opens_at=NOON, closes_at=NOON + 24 * HOUR, **facts)

        assert is_worth_saying(kind, deal, now=NOON + now) is worth

    def test_a_short_deal_does_not_end_soon_all_the_time(
        self, session: Session
    ) -> None:
        deal = make_deal(session, opens_at=NOON, closes_at=NOON + HOUR)

        assert not is_worth_saying(PostKind.ENDING, deal, now=NOON + MINUTE)

    def test_are_planned_once_where_the_retailer_wants_them(
        self, session: Session
    ) -> None:
        deal = make_deal(session, closes_at=NOON + DAY, allotment=20, sold=10)
        wanted = make_account(session, follow_ups="half_gone,ending")
        other = make_account(session, "x")
        announcement = make_post(session, deal, wanted)
        make_post(session, deal, other)
        session.commit()

        (post,) = follow_up(session, now=NOON)
        session.commit()

        assert (post.account_id, post.kind) == (wanted.id, PostKind.HALF_GONE)
        assert (post.answers_id, post.due_at) == (announcement.id, NOON)
        assert follow_up(session, now=NOON + MINUTE) == []

    def test_one_that_became_false_is_not_sent(self, session: Session) -> None:
        deal = make_deal(session, allotment=20, sold=10)
        make_post(session, deal, make_account(session, follow_ups="half_gone"))
        session.commit()
        (post,) = follow_up(session, now=NOON)
        ready = departure(session, post)
        deal.sold = 9  # one came back

        assert look(session, ready) == [Verdict.OVER]

    def test_one_that_is_true_again_is_sent_after_all(self, session: Session) -> None:
        """All that is left is held in the moment it would leave, and comes back."""
        deal = make_deal(session, allotment=20, sold=16)
        make_post(session, deal, make_account(session, follow_ups="last_units"))
        session.commit()
        (post,) = follow_up(session, now=NOON)
        ready = departure(session, post)
        deal.held = 4
        assert look(session, ready) == [Verdict.OVER]
        assert follow_up(session, now=NOON) == []

        deal.held = 0
        session.commit()
        (again,) = follow_up(session, now=NOON + SECOND)

        assert (again.id, again.state) == (post.id, PostState.SCHEDULED)
        later = NOON + SECOND
        assert look(session, ready, now=later) == [Verdict.NOT_OURS]
        assert look(session, departure(session, again), now=later) == [Verdict.GO]
        assert follow_up(session, now=later) == []

    def test_nothing_is_planned_where_nothing_can_be_posted(
        self, session: Session
    ) -> None:
        deal = make_deal(session, allotment=20, sold=10)
        account = make_account(session, follow_ups="half_gone", disconnected_at=NOON)
        make_post(session, deal, account)
        session.commit()

        assert follow_up(session, now=NOON) == []
