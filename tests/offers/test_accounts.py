"""
A retailer's accounts are connected, paused and mended by that retailer alone.
"""

import pytest
from sqlmodel import Session

from offers.accounts import (
    OUTLET,
    Afterwards,
    ChannelAccount,
    accounts,
    choose_afterwards,
    connect_account,
    connected_accounts,
    move_accounts,
    note_trouble,
    pause_account,
)
from offers.errors import InvalidField, Missing
from tests.factories import (
    DAY,
    NOON,
    make_account,
    make_retailer,
    north,
    outlet_account,
)

SERVER = "https://mastodon.example"


def connect(session: Session, *, handle: str = "north", token: str = "sealed") -> str:
    account = connect_account(
        session,
        north(session).id,
        "mastodon",
        base_url=SERVER,
        handle=handle,
        sealed_token=token,
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


def test_what_becomes_of_posts_can_be_chosen_for_the_outlet_page_too(
    session: Session,
) -> None:
    wall = outlet_account(session)

    choose_afterwards(session, wall.retailer_id, wall.id, Afterwards.LEAVE)

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
        choose_afterwards(session, other, account.id, Afterwards.DELETE)

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

    found = {
        (seller.slug, account.id) for seller, account in connected_accounts(session)
    }

    assert found == {("north", ours.id), ("south", theirs.id)}
    assert OUTLET not in {account.kind for _, account in connected_accounts(session)}
