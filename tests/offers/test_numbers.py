"""
How a post does is asked at growing intervals, and what a network does not tell is kept.
"""

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session

from offers.accounts import ChannelAccount
from offers.numbers import (
    DAILY,
    PACE,
    Reading,
    lease_measuring,
    numbers_of_deal,
    posts_to_measure,
    record_reading,
)
from offers.posts import Post, PostState
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_account,
    make_deal,
    make_post,
    make_retailer,
)

KINDS = ["mastodon"]


def post_at(
    session: Session, moment: datetime, account: ChannelAccount, **facts: Any
) -> Post:
    return make_post(session, make_deal(session), account, published_at=moment, **facts)


class TestPostsToMeasure:
    @pytest.mark.parametrize(
        ("age", "measured", "due"),
        [
            (5 * MINUTE - SECOND, None, False),
            (5 * MINUTE, None, True),
            (29 * MINUTE, 5 * MINUTE, False),
            (30 * MINUTE, 5 * MINUTE, True),
            (30 * MINUTE, 30 * MINUTE, False),
            (2 * HOUR, 31 * MINUTE, True),
            (DAY - SECOND, 3 * HOUR, False),
            (DAY, 3 * HOUR, True),
            (7 * DAY, 6 * DAY, True),
            (7 * DAY + HOUR, 7 * DAY, False),
            (8 * DAY, None, False),
        ],
    )
    def test_are_those_of_another_age(self, session, age, measured, due) -> None:
        account = make_account(session)
        published_at = NOON - age
        read_at = None if measured is None else published_at + measured
        post = post_at(session, published_at, account, measured_at=read_at)

        found = posts_to_measure(session, account.id, now=NOON)

        assert [one.id for one in found] == ([post.id] if due else [])

    def test_are_asked_about_once_a_day_where_that_costs(self, session) -> None:
        account = make_account(session)
        post_at(session, NOON - 2 * HOUR, account)
        old = post_at(session, NOON - DAY, account)

        found = posts_to_measure(session, account.id, now=NOON, ages=DAILY)

        assert [one.id for one in found] == [old.id]

    def test_are_only_those_that_are_out_and_have_a_name(self, session) -> None:
        account = make_account(session)
        post_at(session, NOON - HOUR, account, remote_id=None)
        post_at(session, NOON - HOUR, account, state=PostState.FAILED)
        told = post_at(session, NOON - HOUR, account, state=PostState.RETIRED)

        found = posts_to_measure(session, account.id, now=NOON)

        assert [one.id for one in found] == [told.id]
        told.published_at = None
        session.commit()
        assert posts_to_measure(session, account.id, now=NOON) == []


class TestLeaseMeasuring:
    def test_takes_accounts_with_posts_to_ask_about(self, session) -> None:
        account = make_account(session)
        post_at(session, NOON - 5 * MINUTE, account)
        make_account(session, handle="idle")
        other = make_account(session, "telegram")
        post_at(session, NOON - 5 * MINUTE, other)

        taken = lease_measuring(session, KINDS, now=NOON)

        assert [one.id for one in taken] == [account.id]
        assert lease_measuring(session, KINDS, now=NOON + PACE - SECOND) == []
        assert lease_measuring(session, KINDS, now=NOON + PACE) != []

    @pytest.mark.parametrize(
        "facts",
        [
            {"trouble": "Revoked."},
            {"disconnected_at": NOON},
            {"rest_until": NOON + SECOND},
        ],
    )
    def test_leaves_accounts_that_would_not_answer(self, session, facts) -> None:
        account = make_account(session, **facts)
        post_at(session, NOON - 5 * MINUTE, account)

        assert lease_measuring(session, KINDS, now=NOON) == []


class TestRecordReading:
    def test_keeps_what_was_not_told(self, session) -> None:
        account = make_account(session)
        post = post_at(session, NOON - HOUR, account, likes=3, views=90)

        record_reading(session, post.id, Reading(likes=5, replies=0), now=NOON)
        reading = Reading(views=99, cost_micros=1_000)
        record_reading(session, post.id, reading, now=NOON + HOUR)

        session.commit()
        session.refresh(post)
        assert (post.likes, post.reposts, post.replies, post.views) == (5, None, 0, 99)
        assert (post.measured_at, post.cost_micros) == (NOON + HOUR, 1_000)


def test_the_numbers_of_a_deal_are_its_retailers(session) -> None:
    account = make_account(session)
    deal = make_deal(session)
    post = make_post(session, deal, account, likes=4, measured_at=NOON)

    numbers = numbers_of_deal(session, deal.retailer_id, deal.id)

    found = {one.post_id: (one.likes, one.measured_at) for one in numbers}
    assert found[post.id] == (4, NOON)
    assert len(found) == 2  # the wall's post as well
    assert numbers_of_deal(session, make_retailer(session).id, deal.id) == []
