"""
What does not go out as it should is told once, as long as it lasts.
"""

from typing import Any

import pytest
from sqlmodel import Session, select

from offers.alarms import raise_alarms
from offers.deals import Deal
from offers.posting import LATE
from offers.posts import Post, PostState, adopt, try_again
from offers.retailers import Retailer
from offers.troubles import Alarm, AlarmKind, find_troubles
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
    north,
    post_of,
)

DUE = NOON - LATE
"""What was due then is late at noon."""


def make_planned(session: Session, **facts: Any) -> Post:
    """Make a post that was due two minutes ago, of a deal that goes on for an hour."""
    deal = make_deal(
        session, opens_at=DUE, opened_at=None, closes_at=NOON + HOUR, title="Parka"
    )
    post = post_of(session, deal)
    post.state = PostState.SKIPPED
    session.commit()
    account = facts.pop("account", None) or make_account(
        session, handle=f"north{deal.id}"
    )
    return make_post(session, deal, account, **facts)


def told(session: Session, *, now: Any = NOON) -> list[tuple[AlarmKind, str]]:
    session.commit()
    raised = raise_alarms(session, now=now)
    session.commit()
    return [
        *(
            (one.kind, one.post.id)
            for troubles in raised.values()
            for one in troubles.posts
        ),
        *(
            (AlarmKind.CHANNEL_TROUBLE, one.id)
            for troubles in raised.values()
            for one in troubles.accounts
        ),
    ]


class TestLate:
    @pytest.mark.parametrize("state", [PostState.SCHEDULED, PostState.SENDING])
    def test_posts_are_told_once(self, session: Session, state: PostState) -> None:
        post = make_planned(session, state=state)

        early = told(session, now=NOON - SECOND)
        found = told(session)
        again = told(session, now=NOON + MINUTE)

        assert (early, again) == ([], [])
        assert found == [(AlarmKind.POST_LATE, post.id)]
        assert session.get_one(Post, post.id).alarmed_at == NOON

    def test_posts_that_wait_for_a_network_are_late_too(self, session: Session) -> None:
        post = make_planned(session, due_at=NOON + HOUR, failure="Mastodon is down.")

        assert told(session) == [(AlarmKind.POST_LATE, post.id)]

    @pytest.mark.parametrize(
        "state", [PostState.PUBLISHED, PostState.SKIPPED, PostState.UNAPPROVED]
    )
    def test_are_only_posts_that_wait(self, session: Session, state: PostState) -> None:
        make_planned(session, state=state)

        assert told(session) == []

    def test_are_none_of_a_paused_channel(self, session: Session) -> None:
        make_planned(session, account=make_account(session, paused=True))

        assert told(session) == []

    def test_are_none_while_all_posts_are_paused(self, session: Session) -> None:
        post = make_planned(session)
        session.get_one(Retailer, post.retailer_id).posts_paused = True

        assert told(session) == []

    @pytest.mark.parametrize("facts", [{"closes_at": NOON}, {"sold_out_at": NOON}])
    def test_are_none_of_a_deal_that_is_over(
        self, session: Session, facts: dict[str, Any]
    ) -> None:
        post = make_planned(session)
        session.get_one(Deal, post.deal_id).sqlmodel_update(facts)

        assert told(session) == []

    def test_are_told_again_as_failed(self, session: Session) -> None:
        post = make_planned(session)
        told(session)

        session.get_one(Post, post.id).state = PostState.FAILED

        assert told(session) == [(AlarmKind.POST_FAILED, post.id)]


class TestFailed:
    @pytest.mark.parametrize("state", [PostState.FAILED, PostState.UNCONFIRMED])
    def test_posts_are_told_once(self, session: Session, state: PostState) -> None:
        post = make_planned(session, state=state)

        assert told(session) == [(AlarmKind.POST_FAILED, post.id)]
        assert told(session) == []

    def test_posts_that_fail_again_are_told_again(self, session: Session) -> None:
        post = make_planned(session, state=PostState.FAILED)
        told(session)
        try_again(session, post.retailer_id, post.id, now=NOON)
        told(session, now=NOON + SECOND)

        session.get_one(Post, post.id).state = PostState.FAILED

        found = told(session, now=NOON + MINUTE)
        assert found == [(AlarmKind.POST_FAILED, post.id)]

    def test_posts_sent_again_have_the_time_that_posts_have(
        self, session: Session
    ) -> None:
        post = make_planned(session, state=PostState.FAILED)
        told(session)
        try_again(session, post.retailer_id, post.id, now=NOON)

        at_once = told(session)
        soon = told(session, now=NOON + LATE - SECOND)
        later = told(session, now=NOON + LATE)

        assert (at_once, soon) == ([], [])
        assert later == [(AlarmKind.POST_LATE, post.id)]

    def test_a_post_that_is_there_after_all_ends_it(self, session: Session) -> None:
        post = make_planned(session, state=PostState.UNCONFIRMED)
        told(session)

        adopt(session, post.retailer_id, post.id, "")

        assert told(session) == []
        assert session.exec(select(Alarm)).one().ended_at == NOON

    def test_posts_of_long_ago_are_left_alone(self, session: Session) -> None:
        """Whoever sets this up has old failures, and nobody wants to hear of them."""
        old = make_planned(session, state=PostState.FAILED, first_due_at=NOON - DAY)
        deal = session.get_one(Deal, old.deal_id)
        deal.opens_at, deal.closes_at = NOON - 2 * DAY, NOON - SECOND

        assert told(session) == []

    def test_posts_of_today_are_told_though_their_deal_is_over(
        self, session: Session
    ) -> None:
        post = make_planned(session, state=PostState.UNCONFIRMED)
        session.get_one(Deal, post.deal_id).closes_at = NOON - SECOND

        assert told(session) == [(AlarmKind.POST_FAILED, post.id)]


class TestChannels:
    def test_in_trouble_are_told_once(self, session: Session) -> None:
        account = make_account(session, trouble="The token was revoked.")

        assert told(session) == [(AlarmKind.CHANNEL_TROUBLE, account.id)]
        assert told(session) == []

    def test_in_trouble_again_are_told_again(self, session: Session) -> None:
        account = make_account(session, trouble="The token was revoked.")
        told(session)
        account.trouble = ""
        told(session)

        account.trouble = "It was revoked again."

        assert told(session) == [(AlarmKind.CHANNEL_TROUBLE, account.id)]

    def test_that_are_disconnected_trouble_nobody(self, session: Session) -> None:
        make_account(session, trouble="x", disconnected_at=NOON)

        assert told(session) == []


class TestRetailers:
    def test_are_told_of_their_own(self, session: Session) -> None:
        ours = make_planned(session)
        south = make_retailer(session)
        theirs = make_account(session, retailer_id=south.id, trouble="x")
        session.commit()

        raised = raise_alarms(session, now=NOON)

        assert set(raised) == {ours.retailer_id, south.id}
        assert [one.post.id for one in raised[ours.retailer_id].posts] == [ours.id]
        assert raised[ours.retailer_id].accounts == ()
        assert raised[south.id].posts == ()
        assert [one.id for one in raised[south.id].accounts] == [theirs.id]

    def test_see_what_is_wrong_as_long_as_it_is(self, session: Session) -> None:
        late = make_planned(session)
        failed = make_planned(session, state=PostState.FAILED)
        account = make_account(session, handle="bad", trouble="x")
        make_account(session, retailer_id=make_retailer(session).id, trouble="x")
        told(session)

        found = find_troubles(session, north(session).id, now=NOON)

        assert [one.post.id for one in found.posts] == [failed.id, late.id]
        assert [one.id for one in found.accounts] == [account.id]
        assert found
        assert not find_troubles(session, "retailer_none", now=NOON)


class TestStanding:
    """A deal is over, and we could not say so where it was announced."""

    GIVEN_UP = {  # noqa: RUF012
        "state": PostState.PUBLISHED,
        "retired_at": NOON,
        "failure": "It is locked.",
    }

    def test_posts_are_told_once(self, session: Session) -> None:
        post = make_planned(session, **self.GIVEN_UP)
        session.get_one(Deal, post.deal_id).closes_at = NOON

        found, again = told(session), told(session, now=NOON + MINUTE)

        assert (found, again) == ([(AlarmKind.POST_STANDS, post.id)], [])
        troubles = find_troubles(session, post.retailer_id, now=NOON)
        assert [one.post.id for one in troubles.posts] == [post.id]
        assert not find_troubles(session, post.retailer_id, now=NOON + DAY)

    def test_posts_that_say_so_are_no_worry(self, session: Session) -> None:
        make_planned(session, **{**self.GIVEN_UP, "state": PostState.RETIRED})
        make_planned(session, **{**self.GIVEN_UP, "retired_at": None})

        assert told(session) == []
