"""
Rehearsals: asked for once, played one at a time, and told where they stand.
"""

from datetime import timedelta

import pytest

from offers.errors import InvalidField, Missing
from offers.rehearsals import (
    LONGEST,
    MOST_SHOPPERS,
    Progress,
    Rehearsal,
    RehearsalState,
    Stage,
    ask_rehearsal,
    dump_progress,
    fail_rehearsal,
    finish_rehearsal,
    lease_rehearsal,
    load_progress,
    note_stage,
    put_back_rehearsal,
    rehearsals_of_deal,
)
from tests.factories import MINUTE, NOON, SECOND, make_deal, make_retailer

PLAYING = Progress(stage=Stage.SELLING, seconds=3.5, units=10, held=4, sold=2)


@pytest.fixture
def deal(session):
    return make_deal(session)


def ask(session, deal, *, now=NOON, shoppers=100, faults=True):
    rehearsal = ask_rehearsal(
        session,
        deal.retailer_id,
        deal.id,
        shoppers=shoppers,
        faults=faults,
        asked_by="merchant_ana",
        now=now,
    )
    session.commit()
    return rehearsal


def lease(session, now=NOON):
    leased = lease_rehearsal(session, now=now)
    session.commit()
    return leased


def again(session, rehearsal):
    session.expire_all()
    return session.get_one(Rehearsal, rehearsal.id)


class TestAsking:
    def test_waits_for_a_worker(self, session, deal):
        rehearsal = ask(session, deal)

        assert rehearsal.state is RehearsalState.WAITING
        assert rehearsal.under_way
        assert (rehearsal.shoppers, rehearsal.faults) == (100, True)
        assert rehearsals_of_deal(session, deal.retailer_id, deal.id) == [rehearsal]

    def test_twice_is_once_while_it_is_under_way(self, session, deal):
        first = ask(session, deal)
        lease(session)

        assert ask(session, deal, shoppers=7).id == first.id

    def test_again_once_it_is_over(self, session, deal):
        first = ask(session, deal)
        lease(session)
        finish_rehearsal(session, first.id, {"sold": 1}, now=NOON)

        second = ask(session, deal, now=NOON + MINUTE)

        listed = rehearsals_of_deal(session, deal.retailer_id, deal.id)
        assert [one.id for one in listed] == [second.id, first.id]

    @pytest.mark.parametrize("shoppers", [0, -1, MOST_SHOPPERS + 1])
    def test_refuses_a_crowd_that_cannot_be_played(self, session, deal, shoppers):
        with pytest.raises(InvalidField) as refusal:
            ask(session, deal, shoppers=shoppers)

        assert refusal.value.field == "shoppers"

    def test_is_of_ones_own_deals_alone(self, session, deal):
        other = make_retailer(session)

        with pytest.raises(Missing):
            ask_rehearsal(
                session, other.id, deal.id, shoppers=1, faults=False, now=NOON
            )
        assert rehearsals_of_deal(session, other.id, deal.id) == []


class TestPlaying:
    def test_takes_the_one_that_waits_longest(self, session, deal):
        late = ask(session, make_deal(session), now=NOON + SECOND)
        early = ask(session, deal)

        leased = lease(session, NOON + MINUTE)

        assert leased is not None
        assert leased.id == early.id
        assert (leased.state, leased.attempts) == (RehearsalState.PLAYING, 1)
        assert again(session, late).state is RehearsalState.WAITING

    def test_plays_one_at_a_time(self, session, deal):
        ask(session, deal)
        ask(session, make_deal(session))
        first = lease(session)
        assert first is not None

        assert lease(session) is None
        finish_rehearsal(session, first.id, {}, now=NOON)
        assert lease(session) is not None

    def test_finds_nothing_where_nothing_was_asked_for(self, session, deal):
        assert lease(session) is None

    def test_tells_where_it_stands(self, session, deal):
        rehearsal = ask(session, deal)
        lease(session)

        note_stage(session, rehearsal.id, dump_progress(PLAYING))

        assert load_progress(again(session, rehearsal).stage) == PLAYING

    def test_keeps_its_report(self, session, deal):
        rehearsal = ask(session, deal)
        lease(session)

        finish_rehearsal(session, rehearsal.id, {"sold": 3}, now=NOON + MINUTE)

        done = again(session, rehearsal)
        assert (done.state, done.report) == (RehearsalState.DONE, {"sold": 3})
        assert done.finished_at == NOON + MINUTE
        assert not done.under_way

    def test_says_why_it_failed(self, session, deal):
        rehearsal = ask(session, deal)
        lease(session)

        fail_rehearsal(session, rehearsal.id, "No room on the disk.", now=NOON)

        failed = again(session, rehearsal)
        assert failed.state is RehearsalState.FAILED
        assert failed.failure == "No room on the disk."

    def test_begins_afresh_where_its_player_had_to_go(self, session, deal):
        rehearsal = ask(session, deal)
        lease(session)

        put_back_rehearsal(session, rehearsal.id, now=NOON + SECOND)
        session.commit()

        leased = lease(session, NOON + SECOND)
        assert leased is not None
        assert (leased.id, leased.attempts) == (rehearsal.id, 2)

    def test_is_given_up_when_its_player_does_not_come_back(self, session, deal):
        rehearsal = ask(session, deal)
        lease(session)

        assert lease(session, NOON + LONGEST - SECOND) is None
        assert again(session, rehearsal).state is RehearsalState.PLAYING
        assert lease(session, NOON + LONGEST) is None
        assert again(session, rehearsal).state is RehearsalState.FAILED

    def test_says_no_more_once_it_was_given_up(self, session, deal):
        rehearsal = ask(session, deal)
        lease(session)
        lease(session, NOON + LONGEST + timedelta(seconds=1))

        finish_rehearsal(session, rehearsal.id, {"sold": 3}, now=NOON + LONGEST)

        given_up = again(session, rehearsal)
        assert given_up.state is RehearsalState.FAILED
        assert given_up.report == {}


class TestProgress:
    def test_is_read_as_it_was_written(self):
        assert load_progress(dump_progress(PLAYING)) == PLAYING
        assert PLAYING.free == 4

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", '"opening"', '{"stage": "dancing"}', '{"seconds": 1}']
    )
    def test_is_nothing_where_there_is_none(self, text):
        assert load_progress(text) is None
