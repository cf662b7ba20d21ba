"""
Merchants sign in by what only they have, for as long as they are there.
"""

from datetime import timedelta

import pytest
from sqlmodel import Session, select

from offers.errors import InvalidField, TooManyAttempts, WrongState
from offers.merchants import (
    ABSOLUTE,
    ATTEMPT_WINDOW,
    IDLE,
    INVITED_FOR,
    MAX_ATTEMPTS,
    Attempt,
    Invitation,
    Role,
    SignIn,
    accept_invitation,
    add_merchant,
    check_attempts,
    end_sign_in,
    find_merchant,
    invite,
    merchants,
    note_attempt,
    set_password,
    start_sign_in,
    touch_sign_in,
    who_signed_in,
)
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_merchant,
    make_retailer,
    north,
)


def add(session: Session, email: str) -> str:
    made = add_merchant(session, north(session).id, email, name="Ana", now=NOON)
    return made.email


class TestAddMerchant:
    def test_finds_them_however_they_write_their_email(self, session: Session) -> None:
        assert add(session, " Ana@North.Example ") == "ana@north.example"

        found = find_merchant(session, "ANA@north.example ")
        assert found is not None
        assert (found.role, found.password_hash) == (Role.MERCHANT, None)

    @pytest.mark.parametrize("email", ["", "ana", "@", "@north.example", "ana@"])
    def test_wants_an_email(self, session: Session, email: str) -> None:
        with pytest.raises(InvalidField) as refusal:
            add(session, email)

        assert refusal.value.field == "email"

    def test_refuses_an_email_that_is_somebodys(self, session: Session) -> None:
        south = make_retailer(session)
        make_merchant(session, "ana@north.example", retailer_id=south.id)

        with pytest.raises(InvalidField):
            add(session, "ANA@north.example")


class TestSignIn:
    def test_is_known_by_its_token(self, session: Session) -> None:
        ana = make_merchant(session)

        token = start_sign_in(session, ana, now=NOON)

        found = who_signed_in(session, token, now=NOON)
        assert found is not None
        assert found.id == ana.id
        assert who_signed_in(session, token[:-1], now=NOON) is None

    def test_keeps_no_token(self, session: Session) -> None:
        token = start_sign_in(session, make_merchant(session), now=NOON)

        (kept,) = session.exec(select(SignIn)).all()
        assert token not in str(kept.model_dump())

    def test_idles_out(self, session: Session) -> None:
        token = start_sign_in(session, make_merchant(session), now=NOON)

        assert who_signed_in(session, token, now=NOON + IDLE) is not None
        assert who_signed_in(session, token, now=NOON + IDLE + SECOND) is None

    def test_lasts_while_it_is_used_but_not_for_ever(self, session: Session) -> None:
        token, now = start_sign_in(session, make_merchant(session), now=NOON), NOON

        while now + 11 * HOUR <= NOON + ABSOLUTE:
            now += 11 * HOUR
            assert who_signed_in(session, token, now=now) is not None
            touch_sign_in(session, token, now=now)

        late = NOON + ABSOLUTE + SECOND
        assert late - now < IDLE
        assert who_signed_in(session, token, now=late) is None

    def test_is_touched_every_few_minutes_only(self, session: Session) -> None:
        token = start_sign_in(session, make_merchant(session), now=NOON)

        touch_sign_in(session, token, now=NOON + 4 * MINUTE)

        (kept,) = session.exec(select(SignIn)).all()
        assert kept.seen_at == NOON

    def test_ends_when_asked(self, session: Session) -> None:
        ana = make_merchant(session)
        one, other = (start_sign_in(session, ana, now=NOON) for _ in range(2))

        end_sign_in(session, one)

        assert who_signed_in(session, one, now=NOON) is None
        assert who_signed_in(session, other, now=NOON) is not None

    def test_ends_with_the_password(self, session: Session) -> None:
        ana, kim = make_merchant(session), make_merchant(session, "kim@north.example")
        hers, his = (start_sign_in(session, one, now=NOON) for one in (ana, kim))

        set_password(session, ana.id, "$argon2id$new")

        session.refresh(ana)
        assert ana.password_hash == "$argon2id$new"
        assert who_signed_in(session, hers, now=NOON) is None
        assert who_signed_in(session, his, now=NOON) is not None


class TestInvitation:
    def test_signs_in_once(self, session: Session) -> None:
        ana = make_merchant(session)
        token = invite(session, ana, now=NOON)

        assert accept_invitation(session, token, now=NOON).id == ana.id
        with pytest.raises(WrongState):
            accept_invitation(session, token, now=NOON)

    def test_lasts_three_days(self, session: Session) -> None:
        token = invite(session, make_merchant(session), now=NOON)

        with pytest.raises(WrongState):
            accept_invitation(session, token, now=NOON + INVITED_FOR)
        late = NOON + INVITED_FOR - SECOND
        assert accept_invitation(session, token, now=late).name == "Ana"
        assert timedelta(days=3) == INVITED_FOR

    def test_is_unknown_if_we_never_made_it(self, session: Session) -> None:
        token = invite(session, make_merchant(session), now=NOON)

        with pytest.raises(WrongState):
            accept_invitation(session, "guess", now=NOON)

        (kept,) = session.exec(select(Invitation)).all()
        assert token not in str(kept.model_dump())


class TestAttempts:
    def fail(self, session: Session, times: int) -> None:
        for _ in range(times):
            note_attempt(session, "ana@north.example", now=NOON)

    def test_are_refused_after_ten_failures(self, session: Session) -> None:
        self.fail(session, MAX_ATTEMPTS - 1)
        check_attempts(session, "ana@north.example", now=NOON)

        self.fail(session, 1)

        with pytest.raises(TooManyAttempts):
            check_attempts(session, "ana@north.example", now=NOON)
        check_attempts(session, "kim@north.example", now=NOON)

    def test_are_taken_again_after_a_quarter_of_an_hour(self, session: Session) -> None:
        self.fail(session, MAX_ATTEMPTS)
        later = NOON + ATTEMPT_WINDOW

        with pytest.raises(TooManyAttempts):
            check_attempts(session, "ana@north.example", now=later - SECOND)
        check_attempts(session, "ana@north.example", now=later)

    def test_are_forgotten_when_they_no_longer_count(self, session: Session) -> None:
        self.fail(session, 3)

        note_attempt(session, "kim@north.example", now=NOON + ATTEMPT_WINDOW)

        (kept,) = session.exec(select(Attempt)).all()
        assert kept.subject == "kim@north.example"


def test_merchants_are_shown_to_their_retailer(session: Session) -> None:
    make_merchant(session, "zoe@north.example", name="Zoe")
    make_merchant(session)
    make_merchant(
        session, "kim@south.example", retailer_id=make_retailer(session).id, name="Kim"
    )

    found = merchants(session, north(session).id)

    assert [merchant.name for merchant in found] == ["Ana", "Zoe"]
