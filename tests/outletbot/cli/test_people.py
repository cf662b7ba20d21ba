"""
``outletbot add-retailer`` and ``invite`` let people in by a link that works once.
"""

import re

import pytest
from cryptography.fernet import Fernet
from sqlmodel import Session, select

from offers.accounts import OUTLET, accounts
from offers.merchants import Merchant, Role, accept_invitation
from offers.retailers import Retailer
from outletbot.clock import utc_now
from tests.factories import make_merchant, make_retailer
from tests.outletbot.cli.conftest import Type, outletbot

LONG = "https://outlet.a-rather-long-name-of-a-shop-on-the-internet.example.com"
ADD = ("add-retailer", "north", "North & Sons", "--owner", "ana@north.example")


def token_in(words: str) -> str:
    (token,) = re.findall(r"/invitations/(\w+)$", words.strip())
    return token


def all_of(session: Session, model):
    session.rollback()
    return list(session.exec(select(model)))


class TestAddRetailer:
    def test_makes_a_retailer_with_a_wall_and_an_owner(
        self, type_in: Type, session
    ) -> None:
        done = type_in(*ADD, "--country", "ie", "--time-zone", "Europe/Dublin")

        assert done.exit_code == 0
        (retailer,) = all_of(session, Retailer)
        assert (retailer.slug, retailer.name) == ("north", "North & Sons")
        assert (retailer.country, retailer.currency) == ("IE", "eur")
        assert [one.kind for one in accounts(session, retailer.id)] == [OUTLET]
        (owner,) = all_of(session, Merchant)
        assert (owner.email, owner.role) == ("ana@north.example", Role.OWNER)

    def test_prints_a_link_that_signs_in_once(self, type_in: Type, session) -> None:
        done = type_in(*ADD, PUBLIC_URL=LONG)

        assert f"\n{LONG}/invitations/" in done.stdout  # whole, however long
        session.rollback()
        invited = accept_invitation(session, token_in(done.stdout), now=utc_now())
        assert invited.email == "ana@north.example"

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"slug": "North"}, "lower-case"),
            ({"slug": "no/rth"}, "lower-case"),
            ({"slug": "ñorth"}, "lower-case"),
            ({"--country": "France"}, "no country"),
            ({"--country": "F1"}, "no country"),
            ({"--currency": "EURO"}, "no currency"),
            ({"--time-zone": "Paris"}, "Paris is no time zone"),
            ({"--time-zone": "Europe"}, "Europe is no time zone"),
            ({"--time-zone": "../etc/passwd"}, "no time zone"),
            ({"--owner": "ana"}, "e-mail"),
        ],
    )
    def test_says_what_cannot_be(self, type_in: Type, session, changes, words) -> None:
        asked = {"--owner": "ana@north.example", **changes}
        slug = asked.pop("slug", "north")
        options = [word for option in asked.items() for word in option]

        done = type_in("add-retailer", slug, "North", *options)

        assert words in str(done.exception)
        assert all_of(session, Retailer) == []

    def test_makes_none_twice(self, type_in: Type, session) -> None:
        type_in(*ADD)

        done = type_in(*ADD)

        assert "already" in str(done.exception)
        assert len(all_of(session, Retailer)) == 1


class TestInvite:
    def test_lets_somebody_in_again(self, type_in: Type, session) -> None:
        make_merchant(session)
        session.rollback()

        done = type_in("invite", "ANA@north.example")

        session.rollback()
        invited = accept_invitation(session, token_in(done.stdout), now=utc_now())
        assert invited.email == "ana@north.example"

    def test_lets_somebody_new_in(self, type_in: Type, session) -> None:
        retailer = make_retailer(session, "north")
        session.rollback()

        type_in("invite", "bob@north.example", "--retailer", "north")

        (bob,) = all_of(session, Merchant)
        assert (bob.name, bob.role, bob.retailer_id) == (
            "bob",
            Role.MERCHANT,
            retailer.id,
        )

    @pytest.mark.parametrize("more", [(), ("--retailer", "nowhere")])
    def test_lets_nobody_in_nowhere(self, type_in: Type, session, more) -> None:
        done = type_in("invite", "bob@north.example", *more)

        assert "There is no retailer" in str(done.exception)
        assert all_of(session, Merchant) == []


def test_new_key_is_one_that_seals(tmp_path) -> None:
    """It needs no installation: it is what one begins with."""
    first, second = (outletbot("new-key", env={}, folder=tmp_path) for _ in "ab")

    assert first.returncode == 0
    assert Fernet(first.stdout.strip())
    assert first.stdout != second.stdout
    assert list(tmp_path.iterdir()) == []
