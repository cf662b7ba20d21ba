"""
Accounts are renewed and looked at in time, by one at a time, and nobody is reminded of
what needs no reminding.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from offers.accounts import ChannelAccount, Standing
from offers.errors import InvalidField, Missing
from offers.keeping import (
    AFTER,
    CHECK_SOON,
    LEASE,
    READY,
    SOON,
    Key,
    disconnect_account,
    keep_key,
    lease_account,
    lease_checking,
    lease_refreshing,
    note_disowned,
    note_proof,
    note_silence,
    put_off_refreshing,
    renew,
    stop_refreshing,
)
from offers.posts import PostState
from offers.reminders import planned_posts, reminders
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
    outlet_account,
)


def account_of(session: Session, kind: str = "x", **facts: Any) -> ChannelAccount:
    facts = {"sealed_token": "sealed", "check_at": NOON + DAY, **facts}
    return make_account(session, kind, **facts)


def plan(session: Session, account: ChannelAccount, due_at: datetime) -> None:
    deal = make_deal(session, opens_at=due_at, opened_at=None)
    make_post(session, deal, account, state=PostState.SCHEDULED)


def now_of(session: Session, account: ChannelAccount) -> ChannelAccount:
    session.commit()
    session.refresh(account)
    return account


class TestLeaseRefreshing:
    def test_takes_what_is_due_once(self, session: Session) -> None:
        due = account_of(session, refresh_at=NOON)
        account_of(session, handle="later", refresh_at=NOON + SECOND)
        account_of(session, handle="never")

        taken = lease_refreshing(session, now=NOON)

        assert [one.id for one in taken] == [due.id]
        assert lease_refreshing(session, now=NOON + LEASE - SECOND) != taken
        assert due.id in {one.id for one in lease_refreshing(session, now=NOON + LEASE)}

    def test_leaves_those_disconnected(self, session: Session) -> None:
        account_of(session, refresh_at=NOON, disconnected_at=NOON)

        assert lease_refreshing(session, now=NOON) == []

    @pytest.mark.parametrize(
        ("due_in", "ends_in", "taken"),
        [
            (READY, READY + AFTER, True),
            (READY + SECOND, READY + AFTER, False),
            (READY, READY + AFTER + SECOND, False),
        ],
    )
    def test_makes_a_token_last_until_after_a_post(
        self, session: Session, due_in, ends_in, taken
    ) -> None:
        ends_at = NOON + ends_in
        account = account_of(
            session, expires_at=ends_at, refresh_at=ends_at - 10 * MINUTE
        )
        plan(session, account, NOON + due_in)

        assert bool(lease_refreshing(session, now=NOON)) is taken

    def test_does_not_hurry_a_network_that_gave_nothing(self, session: Session) -> None:
        ends_at = NOON + 15 * MINUTE
        account = account_of(
            session, expires_at=ends_at, refresh_at=NOON + MINUTE, refresh_attempts=1
        )
        plan(session, account, NOON + 10 * MINUTE)

        assert lease_refreshing(session, now=NOON) == []

    def test_does_not_renew_again_what_was_renewed_just_now(
        self, session: Session
    ) -> None:
        account = account_of(
            session,
            expires_at=NOON + 15 * MINUTE,
            refresh_at=NOON + 5 * MINUTE,
            proved_at=NOON - MINUTE,
        )
        plan(session, account, NOON + 10 * MINUTE)

        assert lease_refreshing(session, now=NOON) == []


class TestLeaseAccount:
    def test_is_for_one_at_a_time(self, session: Session) -> None:
        account = account_of(session)

        first = lease_account(session, account.id, now=NOON)
        second = lease_account(session, account.id, now=NOON)

        assert (first and first.id, second) == (account.id, None)


class TestLeaseChecking:
    def test_takes_what_was_not_looked_at_for_long(self, session: Session) -> None:
        outlet_account(session)
        never = account_of(session, check_at=None)
        due = account_of(session, handle="due", check_at=NOON)
        account_of(session, handle="later", check_at=NOON + SECOND)
        account_of(session, handle="resting", check_at=NOON, rest_until=NOON + SECOND)

        taken = lease_checking(session, now=NOON)

        assert {one.id for one in taken} == {never.id, due.id}
        assert lease_checking(session, now=NOON) == []

    def test_looks_earlier_at_what_is_to_post_soon(self, session: Session) -> None:
        account = account_of(session, check_at=NOON + CHECK_SOON + SECOND)
        plan(session, account, NOON + SOON)

        taken = lease_checking(session, now=NOON)
        note_silence(session, taken[0], now=NOON)

        assert [one.id for one in taken] == [account.id]
        assert lease_checking(session, now=NOON) == []

    def test_does_not_look_again_at_once_at_what_is_disowned(
        self, session: Session
    ) -> None:
        plan(session, account_of(session, check_at=NOON), NOON + SOON)
        (taken,) = lease_checking(session, now=NOON)

        note_disowned(session, taken, "Revoked.", now=NOON)

        assert lease_checking(session, now=NOON + MINUTE) == []
        assert lease_checking(session, now=NOON + CHECK_SOON) == [taken]


class TestOutcomes:
    def test_a_renewed_key_is_kept(self, session: Session) -> None:
        account = account_of(session, refresh_attempts=3, trouble="Down.")
        (leased,) = [lease_account(session, account.id, now=NOON)]
        key = Key("newer", NOON + HOUR, NOON + DAY, NOON + 50 * MINUTE)

        assert leased
        assert renew(session, leased, key, now=NOON)

        now = now_of(session, account)
        assert (now.sealed_token, now.expires_at) == ("newer", NOON + HOUR)
        assert (now.refresh_expires_at, now.refresh_at) == (
            NOON + DAY,
            NOON + 50 * MINUTE,
        )
        assert (now.refresh_attempts, now.trouble, now.kept_until) == (0, "", None)
        assert now.proved_at == NOON

    def test_a_key_that_was_replaced_meanwhile_stays(self, session: Session) -> None:
        account = account_of(session)
        stale = ChannelAccount(**account.model_dump())
        keep_key(session, account, Key("from the merchant"))
        session.commit()

        assert not renew(session, stale, Key("older"), now=NOON)
        assert not note_disowned(session, stale, "Revoked.", now=NOON)
        note_proof(session, stale, "@another", now=NOON)
        stop_refreshing(session, stale, "Revoked.")

        now = now_of(session, account)
        assert (now.sealed_token, now.trouble) == ("from the merchant", "")
        assert now.handle == "north"

    def test_what_was_disconnected_meanwhile_stays_so(self, session: Session) -> None:
        account = account_of(session)
        stale = ChannelAccount(**account.model_dump())
        disconnect_account(session, account.retailer_id, account.id, now=NOON)
        session.commit()

        assert not renew(session, stale, Key("newer"), now=NOON)

        assert now_of(session, account).sealed_token == ""

    def test_a_failed_try_is_counted(self, session: Session) -> None:
        account = account_of(session, refresh_at=NOON, kept_until=NOON + LEASE)

        put_off_refreshing(session, account, until=NOON + MINUTE)

        now = now_of(session, account)
        assert (now.refresh_at, now.refresh_attempts) == (NOON + MINUTE, 1)
        assert now.kept_until is None

    def test_stopping_keeps_what_was_wrong_before(self, session: Session) -> None:
        account = account_of(session, refresh_at=NOON, trouble="Revoked.")

        stop_refreshing(session, account)

        now = now_of(session, account)
        assert (now.refresh_at, now.trouble) == (None, "Revoked.")

    def test_being_disowned_is_news_once(self, session: Session) -> None:
        account = account_of(session)

        assert note_disowned(session, account, "Revoked.", now=NOON)
        session.commit()
        assert not note_disowned(session, account, "Revoked.", now=NOON)

        now = now_of(session, account)
        assert (now.trouble, now.check_at) == ("Revoked.", NOON + DAY)

    def test_a_proof_mends_and_tells_the_handle(self, session: Session) -> None:
        account = account_of(session, trouble="Revoked.", handle="@old")
        plan(session, account, NOON + DAY)

        note_proof(session, account, "@new", now=NOON)

        now = now_of(session, account)
        assert (now.trouble, now.proved_at, now.handle) == ("", NOON, "@new")
        assert now.check_at == NOON + CHECK_SOON

    def test_a_proof_of_the_same_handle_changes_nothing_else(
        self, session: Session
    ) -> None:
        account = account_of(session, handle="@north")

        note_proof(session, account, "@north", now=NOON)

        now = now_of(session, account)
        assert (now.handle, now.check_at) == ("@north", NOON + DAY)

    def test_silence_proves_nothing(self, session: Session) -> None:
        account = account_of(session, check_at=NOON, proved_at=NOON - DAY)

        note_silence(session, account, now=NOON)

        now = now_of(session, account)
        assert (now.trouble, now.proved_at) == ("", NOON - DAY)
        assert now.check_at == NOON + HOUR


class TestDisconnect:
    def test_forgets_the_token_and_keeps_the_rest(self, session: Session) -> None:
        account = account_of(session, trouble="Revoked.", refresh_at=NOON)

        for later in (timedelta(), DAY):
            disconnect_account(
                session, account.retailer_id, account.id, now=NOON + later
            )

        now = now_of(session, account)
        assert (now.sealed_token, now.refresh_at, now.trouble) == ("", None, "")
        assert now.disconnected_at == NOON
        assert now.standing(now=NOON) is Standing.DISCONNECTED

    def test_is_not_for_the_outlet_page_or_others(self, session: Session) -> None:
        wall, account = outlet_account(session), account_of(session)

        with pytest.raises(InvalidField):
            disconnect_account(session, wall.retailer_id, wall.id, now=NOON)
        with pytest.raises(Missing):
            disconnect_account(session, make_retailer(session).id, account.id, now=NOON)


class TestReminders:
    def test_name_what_ends_before_its_post(self, session: Session) -> None:
        account = account_of(session, "linkedin", expires_at=NOON + 30 * DAY)
        plan(session, account, NOON + DAY)
        plan(session, account, NOON + 31 * DAY)
        plan(session, account, NOON + 32 * DAY)

        (reminder,) = reminders(session, account.retailer_id, now=NOON)

        assert (reminder.by, reminder.post_at) == (NOON + 30 * DAY, NOON + 31 * DAY)

    def test_leave_out_what_lasts(self, session: Session) -> None:
        for_ever = account_of(session)
        renewed = account_of(
            session, handle="renewed", expires_at=NOON + HOUR, refresh_at=NOON + MINUTE
        )
        lasting = account_of(session, "linkedin", expires_at=NOON + 30 * DAY)
        for account in (for_ever, renewed, lasting):
            plan(session, account, NOON + 29 * DAY)
        account_of(session, "bluesky", trouble="Gone.", disconnected_at=NOON)

        assert reminders(session, for_ever.retailer_id, now=NOON) == []

    def test_the_most_urgent_first(self, session: Session) -> None:
        soon = account_of(session, "linkedin", expires_at=NOON + 2 * DAY)
        broken = account_of(session, trouble="Revoked.")
        plan(session, broken, NOON + DAY)

        found = reminders(session, soon.retailer_id, now=NOON)

        assert [(one.account.id, one.by, one.post_at) for one in found] == [
            (broken.id, None, NOON + DAY),
            (soon.id, NOON + 2 * DAY, None),
        ]

    def test_are_each_retailers_own(self, session: Session) -> None:
        south = make_retailer(session)
        account_of(session, trouble="Revoked.", retailer_id=south.id)

        assert reminders(session, account_of(session).retailer_id, now=NOON) == []


def test_planned_are_posts_that_will_go_out(session: Session) -> None:
    account = account_of(session)
    plan(session, account, NOON + DAY)
    make_post(session, make_deal(session), account)

    planned = planned_posts(session, account.retailer_id)

    assert planned[account.id] == [NOON + DAY]
