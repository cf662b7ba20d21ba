"""
A letter is written with what it is about, taken by one worker at a time, tried again by
its schedule, and given up at its end.
"""

from typing import Any

import pytest
from sqlmodel import Session

from offers.letters import (
    LEASE,
    SCHEDULE,
    Letter,
    LetterState,
    last_letter,
    lease_due_letters,
    mark_sent,
    put_off_letter,
    write_letter,
)
from tests.factories import DAY, MINUTE, NOON, SECOND, make_retailer, north


def make_letter(session: Session, subject: str = "Late", **facts: Any) -> Letter:
    letter = write_letter(
        session,
        facts.pop("retailer_id", "") or north(session).id,
        recipient="ana@north.example",
        subject=subject,
        body="A post is late.\n",
        now=facts.pop("now", NOON),
    )
    session.commit()
    return letter


def now_is(session: Session, letter: Letter) -> Letter:
    session.commit()
    return session.get_one(Letter, letter.id, populate_existing=True)


class TestWriting:
    def test_keeps_a_subject_on_one_line(self, session: Session) -> None:
        assert make_letter(session, "Parka\r\nBcc: x").subject == "Parka Bcc: x"

    def test_the_last_is_found_by_its_retailer(self, session: Session) -> None:
        make_letter(session)
        latest = make_letter(session, "Later", now=NOON + MINUTE)
        make_letter(session, retailer_id=make_retailer(session).id, now=NOON + DAY)

        assert last_letter(session, north(session).id) == latest
        assert last_letter(session, "retailer_none") is None


class TestLeasing:
    def test_takes_a_letter_for_a_while(self, session: Session) -> None:
        make_letter(session)

        [taken] = lease_due_letters(session, now=NOON)

        assert taken.attempts == 1
        assert lease_due_letters(session, now=NOON + LEASE - SECOND) == []
        assert len(lease_due_letters(session, now=NOON + LEASE)) == 1

    def test_leaves_what_is_sent(self, session: Session) -> None:
        make_letter(session)
        [taken] = lease_due_letters(session, now=NOON)

        assert mark_sent(session, taken, now=NOON) is LetterState.SENT

        kept = now_is(session, taken)
        assert (kept.state, kept.sent_at) == (LetterState.SENT, NOON)
        assert lease_due_letters(session, now=NOON + DAY) == []


class TestPuttingOff:
    def test_goes_by_the_schedule_and_then_gives_up(self, session: Session) -> None:
        make_letter(session)
        now, waits = NOON, []

        while leased := lease_due_letters(session, now=now):
            state = put_off_letter(session, leased[0], "busy", for_good=False, now=now)
            if state is LetterState.GIVEN_UP:
                break
            waits.append(now_is(session, leased[0]).due_at - now)
            now += waits[-1]

        assert waits == list(SCHEDULE)
        kept = now_is(session, leased[0])
        assert (kept.state, kept.failure) == (LetterState.GIVEN_UP, "busy")
        assert lease_due_letters(session, now=NOON + 30 * DAY) == []

    def test_gives_up_at_once_what_is_refused_for_good(self, session: Session) -> None:
        make_letter(session)
        [taken] = lease_due_letters(session, now=NOON)

        state = put_off_letter(session, taken, "no", for_good=True, now=NOON)

        assert state is LetterState.GIVEN_UP
        assert now_is(session, taken).state is LetterState.GIVEN_UP

    @pytest.mark.parametrize("for_good", [True, False])
    def test_of_who_was_too_slow_changes_nothing(
        self, session: Session, *, for_good: bool
    ) -> None:
        make_letter(session)
        slow = lease_due_letters(session, now=NOON)[0].model_copy()
        session.commit()
        [quick] = lease_due_letters(session, now=NOON + LEASE)

        put_off_letter(session, slow, "no", for_good=for_good, now=NOON + LEASE)

        kept = now_is(session, quick)
        assert (kept.state, kept.failure) == (LetterState.DUE, "")
        assert kept.due_at == NOON + 2 * LEASE

    def test_does_not_undo_that_it_was_sent(self, session: Session) -> None:
        make_letter(session)
        slow = lease_due_letters(session, now=NOON)[0].model_copy()
        mark_sent(session, slow, now=NOON)

        put_off_letter(session, slow, "no", for_good=True, now=NOON)

        assert now_is(session, slow).state is LetterState.SENT
