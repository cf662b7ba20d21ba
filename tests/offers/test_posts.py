"""
A post goes out once: by whoever holds the lease, and looked up before it is repeated.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from offers.allowances import Departure, Verdict
from offers.deals import Deal
from offers.departures import depart
from offers.errors import Missing
from offers.posting import (
    LEASE,
    give_up_retiring,
    lease_due_posts,
    lease_retiring_posts,
    leave_unconfirmed,
    mark_failed,
    mark_published,
    mark_retired,
    mark_skipped,
    mark_unconfirmed,
    postpone,
    put_off_retiring,
)
from offers.posts import (
    Post,
    PostState,
    adopt,
    get_post_by_code,
    posts_of_deal,
    retire_posts,
    schedule_posts,
    try_again,
)
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_account,
    make_deal,
    make_post,
    make_retailer,
    outlet_account,
    post_of,
)

NOW = timedelta(0)


def make_due(session: Session, **facts: Any) -> Post:
    """A post that is due at NOON."""
    deal = make_deal(session, opens_at=NOON, opened_at=None)
    post = post_of(session, deal)
    for name, value in facts.items():
        setattr(post, name, value)
    session.add(post)
    session.commit()
    return post


def lease(session: Session, **options: Any) -> list[Post]:
    now = options.pop("now", NOON)
    leased = lease_due_posts(
        session, now=now, ahead=options.pop("ahead", NOW), **options
    )
    session.commit()
    return leased


def begin(session: Session, post: Post, *, now: datetime = NOON) -> Verdict:
    departure = Departure(post, session.get_one(Deal, post.deal_id), "Parka")
    return depart(session, [departure], now=now)[post.id]


def make_sending(session: Session) -> Post:
    make_due(session)
    (post,) = lease(session)
    assert begin(session, post) is Verdict.GO
    session.refresh(post)
    return post


def make_published(session: Session) -> Post:
    return post_of(session, make_deal(session))


class TestSchedule:
    def test_is_due_at_the_opening_on_every_account(self, session: Session) -> None:
        deal = make_deal(session, opens_at=NOON + HOUR)
        other = make_account(session)
        session.delete(post_of(session, deal))
        session.flush()

        made = schedule_posts(session, deal, [outlet_account(session), other], now=NOON)

        assert [post.due_at for post in made] == [NOON + HOUR] * 2
        assert [post.state for post in made] == [PostState.SCHEDULED] * 2
        assert len({post.code for post in made}) == 2

    def test_is_once_for_an_account(self, session: Session) -> None:
        deal = make_deal(session)

        with pytest.raises(IntegrityError):
            schedule_posts(session, deal, [outlet_account(session)], now=NOON)
        session.rollback()


class TestLease:
    def test_takes_what_is_due_once(self, session: Session) -> None:
        post = make_due(session)

        assert [one.id for one in lease(session)] == [post.id]
        assert lease(session) == []

    def test_takes_what_is_due_within_the_time_ahead(self, session: Session) -> None:
        make_due(session)

        assert lease(session, now=NOON - SECOND) == []
        assert len(lease(session, now=NOON - SECOND, ahead=SECOND)) == 1

    def test_passes_to_the_next_once_it_is_over(self, session: Session) -> None:
        make_due(session)
        (first,) = lease(session)
        fence = first.fence

        assert lease(session, now=NOON + LEASE - SECOND) == []
        (second,) = lease(session, now=NOON + LEASE)

        assert second.fence == fence + 1

    def test_takes_the_longest_due_first(self, session: Session) -> None:
        newer = make_due(session, first_due_at=NOON - MINUTE)
        older = make_due(session, first_due_at=NOON - HOUR)

        assert [post.id for post in lease(session, limit=1)] == [older.id]
        assert [post.id for post in lease(session, limit=1)] == [newer.id]

    @pytest.mark.parametrize("state", list(PostState))
    def test_takes_what_waits_or_was_left_half_sent(
        self, session: Session, state: PostState
    ) -> None:
        make_due(session, state=state)

        waits = state in {PostState.SCHEDULED, PostState.SENDING}
        assert len(lease(session)) == waits


class TestBeginSending:
    def test_writes_down_what_is_about_to_go_out(self, session: Session) -> None:
        make_due(session)
        (post,) = lease(session)

        assert begin(session, post, now=NOON + SECOND) is Verdict.GO

        session.refresh(post)
        assert (post.state, post.text) == (PostState.SENDING, "Parka")
        assert (post.attempts, post.due_at) == (1, NOON + SECOND + LEASE)

    def test_refuses_who_slept_through_their_lease(self, session: Session) -> None:
        make_due(session)
        (sleeper,) = lease(session)
        old = sleeper.model_copy()
        lease(session, now=NOON + LEASE)

        assert begin(session, old, now=NOON + LEASE) is Verdict.NOT_OURS

        session.refresh(sleeper)
        assert (sleeper.state, sleeper.attempts) == (PostState.SCHEDULED, 0)


class TestAfterSending:
    def test_published_is_a_fact(self, session: Session) -> None:
        post = make_sending(session)

        mark_published(
            session, post, remote_id="1", url="https://s.example/1", now=NOON
        )

        session.refresh(post)
        assert (post.state, post.remote_id) == (PostState.PUBLISHED, "1")
        assert (post.url, post.published_at) == ("https://s.example/1", NOON)
        assert lease(session, now=NOON + HOUR) == []

    @pytest.mark.parametrize(
        "said",
        [
            lambda session, post: postpone(session, post, until=NOON, reason="busy"),
            lambda session, post: mark_skipped(session, post, "sold out"),
            lambda session, post: mark_failed(session, post, "refused"),
        ],
    )
    def test_published_is_a_fact_whatever_the_next_worker_said(
        self, session: Session, said: Any
    ) -> None:
        slow = make_sending(session)
        session.expunge(slow)
        (other,) = lease(session, now=NOON + LEASE)
        said(session, other)

        mark_published(
            session, slow, remote_id="1", url="https://s.example/1", now=NOON
        )

        session.refresh(other)
        assert (other.state, other.remote_id) == (PostState.PUBLISHED, "1")

    def test_published_keeps_the_first_address(self, session: Session) -> None:
        post = make_sending(session)
        mark_published(
            session, post, remote_id="1", url="https://s.example/1", now=NOON
        )

        mark_published(
            session, post, remote_id="2", url="https://s.example/2", now=NOON
        )

        session.refresh(post)
        assert post.remote_id == "1"

    def test_postponed_is_sent_later(self, session: Session) -> None:
        post = make_sending(session)

        postpone(session, post, until=NOON + MINUTE, reason="too many posts")

        session.refresh(post)
        assert (post.state, post.failure) == (PostState.SCHEDULED, "too many posts")
        assert lease(session, now=NOON + MINUTE - SECOND) == []
        assert len(lease(session, now=NOON + MINUTE)) == 1

    def test_unconfirmed_stays_half_sent(self, session: Session) -> None:
        post = make_sending(session)

        leave_unconfirmed(session, post, until=NOON + MINUTE, reason="no answer")

        (found,) = lease(session, now=NOON + MINUTE)
        assert (found.state, found.failure) == (PostState.SENDING, "no answer")

    def test_failed_waits_for_a_person(self, session: Session) -> None:
        post = make_sending(session)
        mark_failed(session, post, "the token was revoked")
        session.refresh(post)
        assert (post.state, post.failure) == (PostState.FAILED, "the token was revoked")
        assert lease(session, now=NOON + HOUR) == []

        try_again(session, post.retailer_id, post.id, now=NOON + HOUR)

        (again,) = lease(session, now=NOON + HOUR)
        assert (again.state, again.failure) == (PostState.SCHEDULED, "")

    def test_nobody_could_look_so_a_person_does(self, session: Session) -> None:
        post = make_sending(session)
        mark_unconfirmed(session, post, "the network lets nobody look")
        assert lease(session, now=NOON + HOUR) == []

        adopt(session, make_retailer(session).id, post.id, "")
        session.refresh(post)
        assert post.state is PostState.UNCONFIRMED  # it is somebody else's

        adopt(session, post.retailer_id, post.id, "https://t.example/1")

        session.refresh(post)
        assert (post.state, post.failure) == (PostState.PUBLISHED, "")
        assert (post.url, post.published_at) == ("https://t.example/1", NOON)

    def test_tries_only_its_own_failures_again(self, session: Session) -> None:
        failed, fine = make_sending(session), make_published(session)
        mark_failed(session, failed, "refused")

        try_again(session, make_retailer(session).id, failed.id, now=NOON)
        try_again(session, fine.retailer_id, fine.id, now=NOON)

        session.refresh(failed)
        session.refresh(fine)
        assert (failed.state, fine.state) == (PostState.FAILED, PostState.PUBLISHED)

    @pytest.mark.parametrize(
        "say",
        [
            lambda session, post: mark_failed(session, post, "refused"),
            lambda session, post: mark_skipped(session, post, "sold out"),
            lambda session, post: postpone(session, post, until=NOON, reason="x"),
            lambda session, post: leave_unconfirmed(
                session, post, until=NOON, reason="x"
            ),
        ],
    )
    def test_nothing_is_heard_of_who_slept_through_their_lease(
        self, session: Session, say: Any
    ) -> None:
        sleeper = make_sending(session)
        session.expunge(sleeper)
        (other,) = lease(session, now=NOON + LEASE)
        before = other.model_dump()

        say(session, sleeper)

        session.refresh(other)
        assert other.model_dump() == before


class TestRetire:
    def test_takes_what_was_published_of_the_deal(self, session: Session) -> None:
        post, other = make_published(session), make_published(session)

        retire_posts(session, post.deal_id, now=NOON)

        leased = lease_retiring_posts(session, now=NOON)
        assert [one.id for one in leased] == [post.id]
        assert lease_retiring_posts(session, now=NOON) == []
        session.refresh(other)
        assert other.retire_at is None

    def test_passes_to_the_next_once_the_lease_is_over(self, session: Session) -> None:
        retire_posts(session, make_published(session).deal_id, now=NOON)
        lease_retiring_posts(session, now=NOON)

        assert len(lease_retiring_posts(session, now=NOON + LEASE)) == 1

    def test_retired_is_the_end(self, session: Session) -> None:
        post = self.leased(session)

        mark_retired(session, post, "Sold out: Parka", now=NOON)

        session.refresh(post)
        assert (post.state, post.text) == (PostState.RETIRED, "Sold out: Parka")
        retire_posts(session, post.deal_id, now=NOON + HOUR)
        assert lease_retiring_posts(session, now=NOON + HOUR) == []

    def test_reaches_a_post_that_turns_out_to_be_out(self, session: Session) -> None:
        post = make_sending(session)

        retire_posts(session, post.deal_id, now=NOON)
        assert lease_retiring_posts(session, now=NOON) == []
        mark_published(
            session, post, remote_id="1", url="https://s.example/1", now=NOON
        )

        assert len(lease_retiring_posts(session, now=NOON)) == 1

    def test_is_put_off_and_counted(self, session: Session) -> None:
        post = self.leased(session)

        put_off_retiring(session, post, until=NOON + MINUTE, reason="busy")

        assert lease_retiring_posts(session, now=NOON + SECOND) == []
        (again,) = lease_retiring_posts(session, now=NOON + MINUTE)
        assert (again.retire_attempts, again.failure) == (1, "busy")

    def test_is_given_up(self, session: Session) -> None:
        post = self.leased(session)

        give_up_retiring(session, post, "the network has no edit", now=NOON)

        session.refresh(post)
        assert (post.state, post.retired_at) == (PostState.PUBLISHED, NOON)
        assert lease_retiring_posts(session, now=NOON + HOUR) == []

    def leased(self, session: Session) -> Post:
        retire_posts(session, make_published(session).deal_id, now=NOON)
        (post,) = lease_retiring_posts(session, now=NOON)
        return post


class TestReads:
    def test_finds_a_post_by_the_word_in_its_link(self, session: Session) -> None:
        post = make_published(session)

        assert get_post_by_code(session, post.code).id == post.id
        with pytest.raises(Missing):
            get_post_by_code(session, post.code.upper())

    def test_shows_a_deals_posts_to_its_retailer(self, session: Session) -> None:
        deal = make_deal(session)
        make_post(session, deal, make_account(session, "mastodon"))

        found = posts_of_deal(session, deal.retailer_id, deal.id)

        assert [post.channel for post in found] == ["mastodon", "outlet"]
        assert posts_of_deal(session, make_retailer(session).id, deal.id) == []
