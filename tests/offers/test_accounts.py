"""
A retailer's accounts are connected, paused and mended by that retailer alone.
"""

import pytest
from sqlmodel import Session

from offers.accounts import (
    OUTLET,
    Afterwards,
    ChannelAccount,
    Show,
    Standing,
    accounts,
    connect_account,
    connected_accounts,
    move_accounts,
    note_trouble,
    pause_account,
)
from offers.choices import Choices, settle_account
from offers.errors import InvalidField, Missing, WrongState
from tests.factories import (
    DAY,
    NOON,
    make_account,
    make_retailer,
    north,
    outlet_account,
)

SERVER = "https://mastodon.example"


def connect(
    session: Session,
    *,
    handle: str = "north",
    token: str = "sealed",
    remote_id: str = "",
) -> str:
    account = connect_account(
        session,
        north(session).id,
        "mastodon",
        base_url=SERVER,
        handle=handle,
        sealed_token=token,
        remote_id=remote_id,
        now=NOON,
    )
    return account.id


class TestConnectAccount:
    def test_keeps_an_account_that_works(self, session: Session) -> None:
        account_id = connect(session)

        (account,) = accounts(session, north(session).id)
        assert account.id == account_id
        assert (account.kind, account.base_url) == ("mastodon", SERVER)
        assert (account.handle, account.sealed_token) == ("north", "sealed")
        assert (account.connected_at, account.proved_at) == (NOON, NOON)

    def test_goes_on_with_one_that_was_connected_before(self, session: Session) -> None:
        before = make_account(
            session,
            base_url=SERVER,
            afterwards=Afterwards.DELETE,
            trouble="The token is revoked.",
            paused=True,
            proved_at=NOON - DAY,
        )

        assert connect(session, token="renewed") == before.id

        (account,) = accounts(session, before.retailer_id)
        assert (account.sealed_token, account.proved_at) == ("renewed", NOON)
        assert (account.trouble, account.paused) == ("", False)
        assert account.afterwards is Afterwards.DELETE
        assert account.connected_at < NOON

    def test_tells_accounts_apart(self, session: Session) -> None:
        make_account(session, base_url="https://other.example")
        make_account(session, "bluesky", base_url=SERVER)
        make_account(session, base_url=SERVER, retailer_id=make_retailer(session).id)

        connect(session)
        connect(session, handle="north_outlet")

        assert len(accounts(session, north(session).id)) == 4

    def test_knows_an_account_that_was_renamed(self, session: Session) -> None:
        before = make_account(session, base_url=SERVER, remote_id="42")

        assert connect(session, handle="north_outlet", remote_id="42") == before.id

        (account,) = accounts(session, before.retailer_id)
        assert (account.handle, account.remote_id) == ("north_outlet", "42")

    def test_learns_the_networks_name_of_one_known_by_its_handle(
        self, session: Session
    ) -> None:
        before = make_account(session, base_url=SERVER)

        assert connect(session, remote_id="42") == before.id

        assert before.remote_id == "42"

    def test_does_not_take_a_handle_that_was_given_up_for_the_account(
        self, session: Session
    ) -> None:
        before = make_account(session, base_url=SERVER, remote_id="42")

        after = connect(session, remote_id="43")

        assert after != before.id
        handles = {one.id: one.handle for one in accounts(session, before.retailer_id)}
        assert handles == {before.id: "north (42)", after: "north"}

    def test_takes_up_one_that_was_disconnected(self, session: Session) -> None:
        before = make_account(
            session,
            base_url=SERVER,
            paused=True,
            disconnected_at=NOON - DAY,
            refresh_attempts=4,
            expires_at=NOON - DAY,
        )

        assert connect(session) == before.id

        assert before.disconnected_at is None
        assert before.expires_at is None
        assert (before.paused, before.refresh_attempts) == (False, 0)
        assert before.check_at == NOON + DAY


class TestStanding:
    @pytest.mark.parametrize(
        ("facts", "standing"),
        [
            ({}, Standing.HEALTHY),
            ({"trouble": "Revoked."}, Standing.BROKEN),
            ({"paused": True}, Standing.PAUSED),
            ({"paused": True, "trouble": "Revoked."}, Standing.BROKEN),
            ({"paused": True, "disconnected_at": NOON}, Standing.DISCONNECTED),
            ({"expires_at": NOON}, Standing.BROKEN),
            ({"expires_at": NOON + 14 * DAY}, Standing.EXPIRING),
            ({"expires_at": NOON + 15 * DAY}, Standing.HEALTHY),
            ({"expires_at": NOON - DAY, "refresh_at": NOON}, Standing.HEALTHY),
            (
                {"refresh_expires_at": NOON + 8 * DAY, "refresh_at": NOON},
                Standing.HEALTHY,
            ),
            (
                {"refresh_expires_at": NOON + 7 * DAY, "refresh_at": NOON},
                Standing.EXPIRING,
            ),
        ],
    )
    def test_says_how_it_is(self, facts, standing) -> None:
        account = ChannelAccount(
            id="account_1", retailer_id="r", kind="x", connected_at=NOON, **facts
        )

        assert account.standing(now=NOON) is standing


class TestSettleAccount:
    def test_keeps_what_was_chosen(self, session: Session) -> None:
        account = make_account(session)
        choices = Choices(Afterwards.ANSWER, Show.CARD, ["ending", "half_gone"], 500)

        settle_account(session, account.retailer_id, account.id, choices)

        session.commit()
        session.refresh(account)
        assert (account.afterwards, account.show) == (Afterwards.ANSWER, Show.CARD)
        assert account.follows_up == {"ending", "half_gone"}
        assert account.budget_cents == 500


class TestNoteTrouble:
    def test_is_told_until_it_is_over(self, session: Session) -> None:
        account = make_account(session, proved_at=NOON - DAY)

        note_trouble(session, account.retailer_id, account.id, "Revoked.", now=NOON)
        assert (account.trouble, account.proved_at) == ("Revoked.", NOON - DAY)

        note_trouble(session, account.retailer_id, account.id, "", now=NOON)
        assert (account.trouble, account.proved_at) == ("", NOON)


class TestPauseAccount:
    def test_pauses_and_resumes(self, session: Session) -> None:
        account = make_account(session)

        for paused in (True, False):
            pause_account(session, account.retailer_id, account.id, paused=paused)
            session.commit()
            session.refresh(account)
            assert account.paused is paused

    def test_refuses_the_outlet_page(self, session: Session) -> None:
        wall = outlet_account(session)

        with pytest.raises(InvalidField, match="always there"):
            pause_account(session, wall.retailer_id, wall.id, paused=True)

        assert not wall.paused

    def test_refuses_one_that_is_disconnected(self, session: Session) -> None:
        account = make_account(session, disconnected_at=NOON, paused=True)

        with pytest.raises(WrongState, match="Connect it again"):
            pause_account(session, account.retailer_id, account.id, paused=False)


def test_what_becomes_of_posts_can_be_chosen_for_the_outlet_page_too(
    session: Session,
) -> None:
    wall = outlet_account(session)

    settle_account(session, wall.retailer_id, wall.id, Choices(Afterwards.LEAVE))

    session.commit()
    session.refresh(wall)
    assert wall.afterwards is Afterwards.LEAVE


def test_another_retailers_account_does_not_exist(session: Session) -> None:
    account = make_account(session)
    other = make_retailer(session).id

    with pytest.raises(Missing):
        note_trouble(session, other, account.id, "Revoked.", now=NOON)
    with pytest.raises(Missing):
        pause_account(session, other, account.id, paused=True)
    with pytest.raises(Missing):
        settle_account(session, other, account.id, Choices(Afterwards.DELETE))

    session.refresh(account)
    assert (account.trouble, account.paused) == ("", False)
    assert account.afterwards is Afterwards.EDIT


def test_accounts_go_along_when_their_server_moves(session: Session) -> None:
    moved = make_account(session, base_url=SERVER)
    wall = outlet_account(session)
    other = make_account(
        session, base_url=SERVER, retailer_id=make_retailer(session).id
    )

    move_accounts(session, moved.retailer_id, "mastodon", "https://new.example")
    session.commit()

    rows: list[ChannelAccount] = [moved, wall, other]
    for account in rows:
        session.refresh(account)
    assert [row.base_url for row in rows] == ["https://new.example", "", SERVER]


def test_connected_are_those_on_a_network_with_whose_they_are(
    session: Session,
) -> None:
    south = make_retailer(session)
    outlet_account(session, south.id)
    ours = make_account(session)
    theirs = make_account(session, retailer_id=south.id)
    make_account(session, "bluesky", disconnected_at=NOON)

    found = {
        (seller.slug, account.id) for seller, account in connected_accounts(session)
    }

    assert found == {("north", ours.id), ("south", theirs.id)}
    assert OUTLET not in {account.kind for _, account in connected_accounts(session)}
