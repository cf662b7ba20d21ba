"""
What a shop could not be told is an alarm after a while, until it was, or done by hand.
"""

from typing import Any

import pytest
from sqlmodel import Session

from offers.alarms import raise_alarms
from offers.echoes import EchoState, not_in_count, told_apart
from offers.errors import Missing, WrongState
from offers.shop_troubles import WORRY, echoes, settle_by_hand, tell_again, troubled
from offers.shops import ShopConnection
from offers.troubles import find_troubles
from outletbot.alarm_letters import word_alarms
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_echo,
    make_offer,
    make_retailer,
    make_shop,
    north,
)

LONG_AGO = NOON - WORRY


@pytest.fixture
def shop(session: Session) -> ShopConnection:
    return make_shop(session, name="Our shop", tells_back=True)


def raised(session: Session, *, now: Any = NOON) -> list[str]:
    session.commit()
    told = raise_alarms(session, now=now)
    session.commit()
    return [one.shop.id for troubles in told.values() for one in troubles.shops]


class TestAlarm:
    def test_is_raised_once(self, session: Session, shop: ShopConnection) -> None:
        for _ in range(2):
            make_echo(session, shop_id=shop.id, failing_since=LONG_AGO, failure="401")

        assert raised(session) == [shop.id]
        assert raised(session, now=NOON + HOUR) == []

    def test_is_raised_again_if_it_was_over(
        self, session: Session, shop: ShopConnection
    ) -> None:
        echo = make_echo(session, shop_id=shop.id, failing_since=LONG_AGO)
        raised(session)
        settle_by_hand(session, echo.retailer_id, echo.id, now=NOON)
        assert raised(session, now=NOON + MINUTE) == []

        make_echo(session, shop_id=shop.id, state=EchoState.GIVEN_UP)

        assert raised(session, now=NOON + DAY) == [shop.id]

    def test_is_none_for_a_while(self, session: Session, shop: ShopConnection) -> None:
        make_echo(session, shop_id=shop.id)
        make_echo(session, shop_id=shop.id, failing_since=LONG_AGO + SECOND)

        assert raised(session) == []

    def test_is_the_retailers_own(self, session: Session, shop: ShopConnection) -> None:
        south = make_retailer(session, "south")
        make_echo(session, shop_id=shop.id, failing_since=LONG_AGO)

        assert find_troubles(session, north(session).id, now=NOON).shops
        assert not find_troubles(session, south.id, now=NOON)

    def test_says_which_shop_and_why(
        self, session: Session, shop: ShopConnection
    ) -> None:
        make_echo(
            session, shop_id=shop.id, failing_since=LONG_AGO, failure="Why (401)."
        )
        troubles = find_troubles(session, north(session).id, now=NOON)

        words = word_alarms(north(session), troubles, public_url="https://o.example")

        assert "Our shop" in words.subject
        assert "Why (401)." in words.body
        assert f"https://o.example/shops/{shop.id}/sales" in words.body


class TestPeople:
    def test_see_what_was_told_and_what_was_not(
        self, session: Session, shop: ShopConnection
    ) -> None:
        told = make_echo(session, shop_id=shop.id, state=EchoState.TOLD)
        wrong = make_echo(session, shop_id=shop.id, state=EchoState.GIVEN_UP)
        make_echo(session, shop_id="another")

        mine = echoes(session, told.retailer_id, shop.id)
        assert {echo.id for echo in mine} == {told.id, wrong.id}
        assert troubled(session, told.retailer_id, now=NOON) == [wrong]

    def test_cannot_change_what_was_told(self, session: Session) -> None:
        echo = make_echo(session, state=EchoState.TOLD)

        for change in (tell_again, settle_by_hand):
            with pytest.raises(WrongState):
                change(session, echo.retailer_id, echo.id, now=NOON)

    def test_cannot_change_what_is_not_theirs(self, session: Session) -> None:
        echo = make_echo(session, state=EchoState.GIVEN_UP)
        south = make_retailer(session, "south")

        for change in (tell_again, settle_by_hand):
            with pytest.raises(Missing):
                change(session, south.id, echo.id, now=NOON)


class TestCounts:
    """What a count of a shop does not include; the rule of decision 25."""

    @pytest.mark.parametrize(
        ("facts", "quantity", "missing"),
        [
            ({}, 5, 2),
            ({"sent_at": NOON}, 5, 2),
            ({"state": EchoState.GIVEN_UP}, 5, 2),
            ({"applied_at": NOON - SECOND}, 5, 0),
            ({"applied_at": NOON + SECOND}, 5, 2),
            ({"applied_at": NOON}, 5, 0),
            ({"applied_at": NOON, "level_after": 5}, 5, 0),
            ({"applied_at": NOON, "level_after": 4}, 5, 2),
            ({"applied_at": NOON, "level_after": 6}, 5, 0),
        ],
    )
    def test_includes_what_was_applied_by_then(
        self, session: Session, facts: Any, quantity: int, missing: int
    ) -> None:
        if "applied_at" in facts:
            facts = {"state": EchoState.TOLD, **facts}
        offer = make_offer(session)
        echo = make_echo(session, offer, change=-2, place_key="7", **facts)

        asked = (session, offer, echo.shop_id, "7", quantity, NOON)
        assert not_in_count(*asked) == missing
        session.refresh(echo)
        assert (echo.taken_off_at == NOON) == (missing > 0)

    def test_are_of_one_place_of_one_shop(self, session: Session) -> None:
        offer = make_offer(session)
        make_echo(session, offer, shop_id="one", place_key="7")
        make_echo(session, offer, shop_id="one", place_key="8", change=-3)
        make_echo(session, offer, shop_id="one", change=-5)
        make_echo(session, offer, shop_id="two", place_key="7", change=-9)
        make_echo(session, shop_id="one", place_key="7", change=-11)

        assert not_in_count(session, offer, "one", "7", 5, NOON) == 6
        assert not_in_count(session, offer, "one", "8", 5, NOON) == 8

    def test_lack_what_came_back_as_well(self, session: Session) -> None:
        offer = make_offer(session)
        make_echo(session, offer, change=-2)
        make_echo(session, offer, change=3)

        assert not_in_count(session, offer, "shop_1", "", 5, NOON) == -1

    def test_judge_what_has_a_row_by_that_alone(self, session: Session) -> None:
        offer = make_offer(session)
        make_echo(session, offer, change=-2, created_at=NOON)
        make_echo(session, offer, change=-4, created_at=NOON - HOUR)

        assert told_apart(session, offer, "shop_1", "", NOON - MINUTE) == 2
