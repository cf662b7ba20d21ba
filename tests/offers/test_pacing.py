"""
Turns to write to the provider: never more than its pace, and neither lane is starved.
"""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from offers.pacing import (
    FURTHEST,
    PAUSE,
    Lane,
    PaymentPace,
    is_busy,
    most_at_once,
    slow_down,
    take_turns,
    wait_for,
)
from tests.factories import MINUTE, NOON, SECOND

OPENING, ENDING = Lane.OPENING, Lane.ENDING


def take(
    session: Session,
    wanted: int = 1,
    lane: Lane = OPENING,
    *,
    account_id: str = "",
    pace: float = 25,
    now: datetime = NOON,
) -> list[datetime]:
    return take_turns(session, account_id, lane, wanted=wanted, pace=pace, now=now)


def row(session: Session) -> PaymentPace:
    session.flush()
    return session.get_one(PaymentPace, "")


class TestTakeTurns:
    def test_the_first_comes_at_once(self, session: Session) -> None:
        assert take(session) == [NOON]

    @pytest.mark.parametrize("pace", [25, 100])
    def test_no_second_has_more_than_the_pace(
        self, session: Session, pace: int
    ) -> None:
        turns = sorted(
            turn
            for _ in range(40)
            for lane, wanted in ((OPENING, 5), (ENDING, 1))
            for turn in take(session, wanted, lane, pace=pace)
        )

        for begins in turns:
            within = [turn for turn in turns if begins <= turn < begins + SECOND]
            assert len(within) <= pace

    def test_are_each_taken_once(self, session: Session) -> None:
        turns = [turn for _ in range(10) for turn in take(session, 4)]

        later = [turn for turn in turns if turn > NOON]
        assert len(set(later)) == len(later)
        assert turns == sorted(turns)

    def test_ending_things_has_the_whole_pace_while_nothing_is_opened(
        self, session: Session
    ) -> None:
        """Who asks at each turn's time finds those that the other lane leaves."""
        now, given = NOON, 0
        while now < NOON + SECOND:
            (turn,) = take_turns(session, "", ENDING, wanted=1, pace=100, now=now)
            now, given = max(now, turn), given + 1

        assert 85 <= given <= 100

    def test_ending_things_waits_for_no_line(self, session: Session) -> None:
        take(session, 500)

        assert take(session, 1, ENDING)[0] < NOON + SECOND / 2

    def test_a_lane_takes_what_the_other_leaves(self, session: Session) -> None:
        alone = take(session, 3, ENDING, pace=100)
        both = take(session, 3, ENDING, pace=100)

        assert alone == [NOON] * 3  # one of its own, the others are saved up
        assert both[0] < NOON + SECOND / 10

    def test_accounts_do_not_wait_for_each_other(self, session: Session) -> None:
        take(session, 500, account_id="payacc_north")

        assert take(session, account_id="payacc_south") == [NOON]

    def test_what_was_not_used_is_not_saved_up_for_long(self, session: Session) -> None:
        take(session)

        turns = take(session, 25, now=NOON + MINUTE)

        assert turns[-1] > NOON + MINUTE + SECOND / 2

    def test_a_clock_that_was_wrong_keeps_nobody_waiting(
        self, session: Session
    ) -> None:
        take(session, now=NOON + 10 * MINUTE)

        assert take(session) == [NOON]

    def test_a_long_line_is_no_wrong_clock(self, session: Session) -> None:
        take(session, 500)

        assert NOON + 20 * SECOND < take(session)[0] < NOON + FURTHEST


class TestMostAtOnce:
    @pytest.mark.parametrize(("pace", "most"), [(1, 1), (25, 4), (100, 16)])
    def test_is_a_slice(self, session: Session, pace: int, most: int) -> None:
        assert most_at_once(session, "", OPENING, pace, NOON) == most


class TestSlowDown:
    def test_pauses_for_everybody(self, session: Session) -> None:
        slow_down(session, "", now=NOON)

        assert take(session)[0] == take(session, 1, ENDING)[0] == NOON + PAUSE

    def test_halves_the_pace(self, session: Session) -> None:
        slow_down(session, "", now=NOON)

        first, second = take(session, 2)

        assert second - first == timedelta(seconds=1 / (25 * 0.5 * 0.82))

    def test_counts_complaints_of_one_moment_once(self, session: Session) -> None:
        for late in range(5):
            slow_down(session, "", now=NOON + late * SECOND / 10)

        assert row(session).percent == 50

    def test_goes_on_slowing_down_but_never_stands_still(
        self, session: Session
    ) -> None:
        for late in range(10):
            slow_down(session, "", now=NOON + late * PAUSE)

        assert row(session).percent == 10

    def test_recovers(self, session: Session) -> None:
        slow_down(session, "", now=NOON)

        slowly = [row(session).percent_at(NOON + s * SECOND) for s in (0, 4, 10, 60)]

        assert slowly == [50, 70, 100, 100]


class TestWaitFor:
    def test_is_nothing_for_the_first(self, session: Session) -> None:
        assert wait_for(session, "", place=1, pace=25, now=NOON) == timedelta()

    def test_grows_with_the_place(self, session: Session) -> None:
        take(session, 5)

        wait = wait_for(session, "", place=205, pace=25, now=NOON)

        assert timedelta(seconds=9.5) < wait < timedelta(seconds=10.5)


def test_a_line_is_busy_while_it_moves(session: Session) -> None:
    before = is_busy(session, "", now=NOON)
    take(session)
    session.flush()

    assert not before
    assert is_busy(session, "", now=NOON + SECOND)
    assert not is_busy(session, "", now=NOON + 3 * SECOND)
