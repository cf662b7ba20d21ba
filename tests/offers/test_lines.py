"""
A line is served in the order of the holds, whoever serves it, and each account has one.
"""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from offers.connecting import deauthorise
from offers.holds import Hold, HoldState
from offers.lines import account_of, begin_next, find_place, lines
from offers.pacing import Lane, take_turns
from offers.payment_accounts import NoAccount
from offers.payment_pages import (
    LOOK_AGAIN,
    MOST_WAIT,
    lease_lapsed_holds,
    leave_to_a_person,
    open_checkout,
)
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_deal,
    make_hold,
    make_payment_account,
    make_retailer,
)


def in_line(session: Session, count: int, **facts: Any) -> list[Hold]:
    """Make holds of one deal, a second between each two."""
    deal = facts.pop("deal", None) or make_deal(session, allotment=count)
    made = range(count)
    return [make_hold(session, deal, held_at=NOON + n * SECOND, **facts) for n in made]


def begin(
    session: Session, account_id: str = "", *, limit: int = 64, **facts: Any
) -> list[Hold]:
    facts = {"pace": 25, "now": NOON + MINUTE, **facts}
    turns = begin_next(session, account_id, _describe, limit=limit, **facts)
    return [turn.hold for turn in turns]


def _describe(hold: Hold) -> str:
    return f"asked for {hold.id}"


def ids(holds: list[Hold]) -> list[str]:
    return [hold.id for hold in holds]


class TestBeginNext:
    def test_takes_those_held_longest(self, session: Session) -> None:
        holds = in_line(session, 6)

        first, second = begin(session), begin(session)

        assert ids(first) == ids(holds[:4])
        assert ids(second) == ids(holds[4:])

    def test_writes_down_what_is_asked(self, session: Session) -> None:
        in_line(session, 1)

        (hold,) = begin(session)

        assert (hold.state, hold.attempts) == (HoldState.CREATING, 1)
        assert hold.request == f"asked for {hold.id}"

    def test_repeats_what_was_asked_before(self, session: Session) -> None:
        in_line(session, 1, state=HoldState.CREATING, request="to the letter")

        (hold,) = begin(session)

        assert hold.request == "to the letter"

    def test_gives_each_a_turn_of_its_own(self, session: Session) -> None:
        in_line(session, 20)
        now = NOON + MINUTE

        slices = [
            begin_next(session, "", _describe, pace=25, limit=64, now=now)
            for _ in range(5)
        ]

        times = [turn.begins_at for turns in slices for turn in turns]
        assert times == sorted(times)
        assert timedelta(seconds=0.5) < times[-1] - now < timedelta(seconds=1)

    def test_takes_no_more_than_the_limit(self, session: Session) -> None:
        in_line(session, 4)

        assert len(begin(session, limit=3)) == 3

    def test_takes_no_turn_for_nobody(self, session: Session) -> None:
        for _ in range(5):
            assert begin(session, now=NOON) == []

        (turn,) = take_turns(session, "", Lane.OPENING, wanted=1, pace=1, now=NOON)
        assert turn == NOON

    @pytest.mark.parametrize(
        "facts",
        [
            {"state": HoldState.OPEN},
            {"state": HoldState.RESERVED},
            {"leased_until": NOON + HOUR},
            {"expires_at": NOON},
        ],
    )
    def test_passes_over_whoever_does_not_wait(
        self, session: Session, facts: dict[str, Any]
    ) -> None:
        in_line(session, 1, **facts)

        assert begin(session) == []


class TestAccounts:
    def test_each_account_has_its_line(self, session: Session) -> None:
        south = make_retailer(session)
        account = make_payment_account(session, retailer_id=south.id)
        theirs = make_deal(session, retailer_id=south.id)
        (ours,) = in_line(session, 1)
        (other,) = in_line(session, 1, deal=theirs)

        assert ids(begin(session)) == [ours.id]
        assert ids(begin(session, account.id)) == [other.id]
        assert other.account_id == account.id

    def test_who_was_asked_once_is_asked_again(self, session: Session) -> None:
        (asked,) = in_line(session, 1, state=HoldState.CREATING)
        account = make_payment_account(session)

        assert account_of(session, asked) == ""
        assert begin(session, account.id) == []
        assert ids(begin(session)) == [asked.id]

    def test_nobody_sells_through_the_house_by_mistake(self, session: Session) -> None:
        account = make_payment_account(session)
        (hold,) = in_line(session, 1)
        deauthorise(session, account.id, now=NOON)

        assert begin(session) == begin(session, account.id) == []
        assert lines(session, now=NOON + MINUTE) == []
        with pytest.raises(NoAccount):
            account_of(session, hold)


class TestFindPlace:
    def test_counts_those_before_in_the_same_line(self, session: Session) -> None:
        south = make_retailer(session)
        make_payment_account(session, retailer_id=south.id)
        in_line(session, 3, deal=make_deal(session, retailer_id=south.id))
        holds = in_line(session, 3)

        places = [find_place(session, h, "", pace=25, now=NOON) for h in holds]

        assert [place.number for place in places] == [1, 2, 3]
        assert places[0].wait <= places[1].wait <= places[2].wait

    def test_counts_nobody_who_has_a_page_or_has_gone(self, session: Session) -> None:
        deal = make_deal(session)
        in_line(session, 2, deal=deal, state=HoldState.OPEN)
        in_line(session, 2, deal=deal, expires_at=NOON)
        (hold,) = in_line(session, 1, deal=deal)

        assert find_place(session, hold, "", pace=25, now=NOON).number == 1

    def test_counts_those_being_asked_for(self, session: Session) -> None:
        _first, second = in_line(session, 2)
        begin(session, limit=1)

        assert find_place(session, second, "", pace=25, now=NOON).number == 2


class TestLines:
    def test_are_those_that_nobody_serves(self, session: Session) -> None:
        south = make_retailer(session)
        account = make_payment_account(session, retailer_id=south.id)
        in_line(session, 2, deal=make_deal(session, retailer_id=south.id))
        in_line(session, 2)

        assert lines(session, now=NOON + 2 * SECOND) == []
        assert lines(session, now=NOON + 9 * SECOND) == ["", account.id]


class TestTimeToPay:
    def opened(self, session: Session, at: datetime, **facts: Any) -> Hold:
        hold = make_hold(session, state=HoldState.CREATING, **facts)
        open_checkout(session, hold.id, "cs_1", "https://pay.example/1", now=at)
        session.refresh(hold)
        return hold

    def test_begins_when_the_page_is_there(self, session: Session) -> None:
        hold = self.opened(session, NOON + 4 * MINUTE)

        assert hold.expires_at == NOON + 14 * MINUTE

    def test_is_no_longer_than_a_long_wait_makes_it(self, session: Session) -> None:
        facts = {"expires_at": NOON + 3 * HOUR}
        short = make_hold(session, state=HoldState.CREATING)
        short.expires_at = NOON + HOUR
        session.commit()

        kept = self.opened(session, NOON + 2 * HOUR, **facts)
        open_checkout(session, short.id, "cs", "https://x", now=NOON + 59 * MINUTE)

        session.refresh(short)
        assert kept.expires_at == NOON + 3 * HOUR
        assert short.expires_at == NOON + HOUR
        assert MOST_WAIT == HOUR / 2

    def test_is_not_given_to_whoever_gave_up(self, session: Session) -> None:
        hold = self.opened(session, NOON + 4 * MINUTE, expires_at=NOON + MINUTE)

        assert hold.expires_at == NOON + MINUTE
        assert hold.state is HoldState.OPEN

    def test_a_place_is_kept_in_a_line_that_moves(self, session: Session) -> None:
        (hold,) = in_line(session, 1)
        now = hold.expires_at
        take_turns(session, "", Lane.OPENING, wanted=1, pace=25, now=now)
        session.flush()

        lease_lapsed_holds(session, now=now)

        session.refresh(hold)
        assert (hold.state, hold.expires_at) == (HoldState.HELD, now + LOOK_AGAIN)
        assert hold.leased_until is None

    @pytest.mark.parametrize(
        ("now", "facts"),
        [
            (NOON + 10 * MINUTE, {"attempts": 1}),
            (NOON + 30 * MINUTE, {}),
        ],
    )
    def test_but_not_for_ever(
        self, session: Session, now: datetime, facts: dict[str, Any]
    ) -> None:
        (hold,) = in_line(session, 1, **facts)
        take_turns(session, "", Lane.OPENING, wanted=1, pace=25, now=now)
        session.flush()

        lease_lapsed_holds(session, now=now)

        session.refresh(hold)
        assert hold.state is HoldState.RELEASED

    def test_nor_where_nothing_is_sold(self, session: Session) -> None:
        account = make_payment_account(session)
        (hold,) = in_line(session, 1)
        deauthorise(session, account.id, now=NOON)

        lease_lapsed_holds(session, now=hold.expires_at)

        session.refresh(hold)
        assert hold.state is HoldState.RELEASED


@pytest.mark.parametrize("state", list(HoldState))
def test_only_what_was_asked_for_is_left_to_a_person(
    session: Session, state: HoldState
) -> None:
    hold = make_hold(session, state=state)
    asked = {HoldState.CREATING, HoldState.OPEN, HoldState.PROCESSING}

    left = leave_to_a_person(session, hold.id, now=NOON)

    session.refresh(hold)
    assert left is (state in asked)
    assert hold.state is (HoldState.REVIEW if left else state)
