"""
Feeds that come by themselves: when their sources are looked at, and what goes in
without a person.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session

from offers.alarms import raise_alarms
from offers.bringing import (
    BACKOFF,
    HOURLY,
    LEASE,
    find_brought,
    lease_due_sources,
    note_brought,
    note_failure,
    note_nothing_new,
    note_seen,
    refuse_flood,
)
from offers.deciding import confirm_import, discard_import
from offers.errors import InvalidField, Missing, TooManyAttempts, WrongState
from offers.imports import FeedImport, ImportState
from offers.judging import drop_doubted, judge_imports
from offers.sentences import Sentence, load_sentence
from offers.source_tokens import add_token, find_by_token, renew_token
from offers.sources import (
    MOST_SOURCES,
    Address,
    FeedSource,
    Halt,
    SourceImport,
    SourceKind,
    Standing,
    add_address,
    ask_now,
    delete_source,
    next_turn,
    pause_source,
    resume_source,
    sources,
    watch_folder,
)
from offers.troubles import AlarmKind, find_troubles
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_import,
    make_retailer,
    make_source,
    north,
)

SHOP = Address("Shop", "https://n.example/a.csv", "", "eur", 60, 0)
LIKE_BEFORE: dict[str, Any] = {"fingerprint": "f", "rows": 100, "good": 100}


def add(session: Session, **facts: Any) -> FeedSource:
    return make_source(session, **{"fingerprint": "f", "rows": 100, **facts})


def bring(session: Session, source: FeedSource, **facts: Any) -> FeedImport:
    """Let a file come that was checked, like those before unless *facts* say so."""
    shrinkage = facts.pop("facts", {"known": 100, "stocked": 100, "emptied": 0})
    how = {"state": ImportState.CHECKED, **LIKE_BEFORE, **facts}
    entry = make_import(session, facts=json.dumps(shrinkage), **how)
    note_brought(session, source, entry.id, sha256=entry.sha256, now=NOON)
    session.commit()
    return entry


def judge(session: Session, source: FeedSource) -> FeedSource:
    judge_imports(session, now=NOON)
    session.commit()
    session.refresh(source)
    return source


def end(session: Session, entry: FeedImport, state: ImportState) -> None:
    """Let the worker, or a person, be done with a file."""
    session.refresh(entry)
    entry.state = state
    session.add(entry)
    session.commit()


class TestSchedule:
    @pytest.mark.parametrize(
        ("every", "minute", "local", "turn"),
        [
            (15, 0, "12:00", "12:15"),
            (15, 5, "12:03", "12:05"),
            (60, 90, "12:00", "12:30"),
            (1_440, 6 * 60, "12:00", "06:00"),
            (720, 6 * 60, "12:00", "18:00"),
            (1_440, 12 * 60, "12:00", "12:00"),
        ],
    )
    def test_is_by_the_local_day(self, every, minute, local, turn) -> None:
        zone = ZoneInfo("Europe/Paris")
        hour, minutes = map(int, local.split(":"))
        now = datetime(2026, 3, 2, hour, minutes, 30, tzinfo=zone)
        source = FeedSource(every=every, minute=minute)

        found = next_turn(source, zone, now.astimezone(UTC))

        assert found.astimezone(zone).strftime("%H:%M") == turn
        assert timedelta() < found - now <= timedelta(minutes=every)

    def test_keeps_its_hour_when_the_clocks_change(self) -> None:
        zone = ZoneInfo("Europe/Paris")
        source = FeedSource(every=1_440, minute=6 * 60)
        now = datetime(2026, 3, 28, 12, tzinfo=zone)  # they change that night

        found = next_turn(source, zone, now)

        assert found.astimezone(zone).strftime("%d %H:%M") == "29 06:00"

    def test_begins_at_once(self, session) -> None:
        source = add_address(session, north(session).id, SHOP, now=NOON)

        assert [one.id for one in lease_due_sources(session, now=NOON)] == [source.id]

    def test_is_of_the_list(self, session) -> None:
        wrong = Address("Shop", "https://n.example", "", "eur", 7, 0)

        with pytest.raises(InvalidField):
            add_address(session, north(session).id, wrong, now=NOON)


class TestTurns:
    def test_are_taken_once(self, session) -> None:
        add(session)

        assert len(lease_due_sources(session, now=NOON)) == 1
        assert lease_due_sources(session, now=NOON) == []
        assert len(lease_due_sources(session, now=NOON + LEASE)) == 1

    @pytest.mark.parametrize("halt", [Halt.PAUSED, Halt.FIRST, Halt.DOUBT])
    def test_are_not_of_who_is_halted_but_for_folders(self, session, halt) -> None:
        add(session, halt=halt)
        folder = add(session, halt=halt, kind=SourceKind.FOLDER)

        assert [one.id for one in lease_due_sources(session, now=NOON)] == [folder.id]

    def test_come_by_the_schedule_when_there_was_nothing_new(self, session) -> None:
        source = add(session, failing_since=NOON - DAY, failures=3)

        note_nothing_new(session, source, now=NOON + MINUTE)

        assert source.due_at == NOON + HOUR
        assert (source.failing_since, source.failures) == (None, 0)

    def test_come_ever_more_seldom_while_it_fails(self, session) -> None:
        source, waits = add(session), []
        for n in range(len(BACKOFF) + 2):
            note_failure(session, source, Sentence("No."), now=NOON + n * DAY)
            waits.append(source.due_at - (NOON + n * DAY))

        assert waits == [*BACKOFF, BACKOFF[-1], BACKOFF[-1]]
        assert source.failing_since == NOON

    @pytest.mark.parametrize(
        "note",
        [
            lambda *one: note_brought(*one, "feed_1", sha256="a", now=NOON),
            lambda *one: note_nothing_new(*one, now=NOON),
            lambda *one: note_failure(*one, Sentence("No."), now=NOON),
            lambda *one: note_seen(*one, {}, now=NOON),
        ],
    )
    def test_come_to_nothing_if_the_source_is_deleted_meanwhile(
        self, session, note
    ) -> None:
        leased = add(session)
        session.expunge(leased)
        make_import(session, id="feed_1")
        delete_source(session, leased.retailer_id, leased.id)

        note(session, leased)

        session.flush()
        assert session.get(SourceImport, "feed_1") is None

    def test_show_what_came_of_them(self, session) -> None:
        source = add(session)

        note_failure(
            session, source, Sentence("The server answered {s}.", s=500), now=NOON
        )

        assert str(load_sentence(source.result)) == "The server answered 500."


class TestFiles:
    def test_like_the_one_before_go_in_by_themselves(self, session) -> None:
        source = add(session)
        entry = bring(session, source)

        judge(session, source)

        assert entry.state is ImportState.CONFIRMED
        assert source.halt is Halt.NONE

    def test_that_went_in_are_what_the_next_is_compared_with(self, session) -> None:
        source = add(session)
        entry = bring(session, source, rows=80)
        judge(session, source)
        end(session, entry, ImportState.IMPORTED)

        judge(session, source)

        assert source.rows == 80
        assert session.get_one(SourceImport, entry.id).standing is Standing.SETTLED

    def test_that_are_the_first_wait_for_a_person(self, session) -> None:
        source = add(session, fingerprint="", rows=0)
        entry = bring(session, source)

        judge(session, source)

        assert (entry.state, source.halt) == (ImportState.CHECKED, Halt.FIRST)
        assert not find_troubles(session, source.retailer_id, now=NOON)

    @pytest.mark.parametrize(
        ("facts", "reason"),
        [
            ({"fingerprint": "other"}, "Its columns are not those"),
            ({"rows": 49}, "It has 49 rows, and the file before had 100."),
            ({"bad": 11}, "11 of its 100 rows cannot be read."),
            (
                {"facts": {"known": 100, "stocked": 100, "emptied": 31}},
                "31 of the 100 offers that have stock would have none.",
            ),
            (
                {
                    "facts": {
                        "questions": [
                            {
                                "needed": True,
                                "answered": False,
                                "sentence": '["Which currency?", {}]',
                            }
                        ]
                    }
                },
                "Answer this first: Which currency?",
            ),
        ],
    )
    def test_that_are_in_doubt_halt_their_source(self, session, facts, reason) -> None:
        source = add(session)
        entry = bring(session, source, **facts)

        judge(session, source)

        assert (entry.state, source.halt) == (ImportState.CHECKED, Halt.DOUBT)
        assert str(load_sentence(source.halt_reason)).startswith(reason)

    @pytest.mark.parametrize(
        "facts",
        [
            {"rows": 50},
            {"bad": 10},
            {"facts": {"known": 100, "stocked": 100, "emptied": 30}},
        ],
    )
    def test_may_be_a_little_less(self, session, facts) -> None:
        source = add(session)
        entry = bring(session, source, **facts)

        judge(session, source)

        assert entry.state is ImportState.CONFIRMED

    @pytest.mark.parametrize("before", [{"fingerprint": "", "rows": 0}, {"rows": 900}])
    def test_that_a_person_lets_in_let_the_source_go_on(self, session, before) -> None:
        source = add(session, **before)
        entry = bring(session, source)
        judge(session, source)
        confirm_import(session, source.retailer_id, entry.id)
        end(session, entry, ImportState.IMPORTED)

        judge(session, source)

        assert (source.halt, source.rows, source.fingerprint) == (Halt.NONE, 100, "f")
        assert source.due_at == NOON

    def test_that_a_person_discards_leave_it_halted(self, session) -> None:
        source = add(session)
        entry = bring(session, source, rows=1)
        judge(session, source)
        discard_import(session, source.retailer_id, entry.id)

        judge(session, source)

        assert source.halt is Halt.DOUBT

    def test_that_are_dropped_are_discarded_and_it_goes_on(self, session) -> None:
        source = add(session, due_at=NOON + DAY)
        entry = bring(session, source, rows=1)
        judge(session, source)

        drop_doubted(session, source.retailer_id, source.id, now=NOON)
        judge(session, source)

        assert entry.state is ImportState.DISCARDED
        assert (source.halt, source.due_at) == (Halt.NONE, NOON)

    def test_that_come_while_it_is_halted_are_not_judged(self, session) -> None:
        source = add(session)
        bring(session, source, rows=1)
        judge(session, source)
        later = bring(session, source)

        judge(session, source)

        assert later.state is ImportState.CHECKED

    def test_wait_for_the_one_that_came_before(self, session) -> None:
        source = add(session)
        large = bring(session, source, id="feed_1", state=ImportState.UPLOADED)
        small = bring(session, source, id="feed_2")

        judge(session, source)
        assert small.state is ImportState.CHECKED

        for state in (ImportState.CHECKED, ImportState.IMPORTED):
            end(session, large, state)
            judge(session, source)
        judge(session, source)
        assert small.state is ImportState.CONFIRMED

    def test_that_were_undone_before_anybody_looked_hold_up_no_other(
        self, session
    ) -> None:
        source = add(session)
        bring(session, source, id="feed_1", state=ImportState.UNDONE)
        later = bring(session, source, id="feed_2")

        judge(session, source)
        judge(session, source)

        assert later.state is ImportState.CONFIRMED

    def test_in_doubt_are_what_a_person_is_led_to(self, session) -> None:
        source = add(session, fingerprint="", rows=0)
        first = bring(session, source, id="feed_1", sha256="a" * 64)
        later = bring(session, source, id="feed_2", sha256="b" * 64)

        judge(session, source)
        assert (source.import_id, source.sha256) == (first.id, "a" * 64)

        confirm_import(session, source.retailer_id, first.id)
        end(session, first, ImportState.IMPORTED)
        judge(session, source)
        judge(session, source)
        assert (source.halt, later.state) == (Halt.NONE, ImportState.CONFIRMED)

    def test_that_are_doubted_do_not_stand_before_others(self, session) -> None:
        for _ in range(60):
            judge(session, bring_doubted(session))
        source = add(session)
        entry = bring(session, source)

        judge(session, source)

        assert entry.state is ImportState.CONFIRMED

    def test_that_are_no_feeds_are_failures(self, session) -> None:
        source = add(session)
        refusal = '["This is a web page, not a feed.", {}]'
        bring(session, source, state=ImportState.REFUSED, refusal=refusal)

        judge(session, source)
        note_nothing_new(session, source, now=NOON + HOUR)

        assert (source.halt, source.failing_since) == (Halt.NONE, NOON)
        assert str(load_sentence(source.result)).startswith("This is a web page")

    def test_of_the_last_time_are_known(self, session) -> None:
        source = add(session)
        entry = bring(session, source, sha256="a" * 64)

        assert find_brought(session, source, "a" * 64) == entry
        assert find_brought(session, source, "b" * 64) is None

    def test_are_taken_anew_when_somebody_asks(self, session) -> None:
        source = add(session, etag="x", last_modified="y", due_at=NOON + DAY)
        bring(session, source, sha256="a" * 64)

        ask_now(session, source.retailer_id, source.id, now=NOON)

        assert (source.etag, source.last_modified, source.due_at) == ("", "", NOON)
        assert find_brought(session, source, "a" * 64) is None


def bring_doubted(session: Session) -> FeedSource:
    source = add(session)
    bring(session, source, rows=1)
    return source


class TestAlarms:
    def test_are_raised_once_over_a_doubt(self, session) -> None:
        source = add(session)
        bring(session, source, rows=1)
        judge(session, source)

        (raised,) = raise_alarms(session, now=NOON).values()

        assert [one.kind for one in raised.feeds] == [AlarmKind.FEED_PAUSED]
        assert raise_alarms(session, now=NOON + MINUTE) == {}

    def test_are_raised_after_a_day_of_failures(self, session) -> None:
        source = add(session)
        note_failure(session, source, Sentence("No."), now=NOON)

        assert raise_alarms(session, now=NOON + DAY - MINUTE) == {}
        (raised,) = raise_alarms(session, now=NOON + DAY).values()

        assert [one.kind for one in raised.feeds] == [AlarmKind.FEED_FAILING]

    def test_end_with_their_cause_and_come_again_with_another(self, session) -> None:
        source = add(session)
        bring(session, source, rows=1)
        judge(session, source)
        raise_alarms(session, now=NOON)
        resume_source(session, source.retailer_id, source.id, now=NOON)
        raise_alarms(session, now=NOON + MINUTE)
        bring(session, source, rows=1)
        judge(session, source)

        assert raise_alarms(session, now=NOON + HOUR)

    def test_are_not_of_who_was_paused_by_a_person(self, session) -> None:
        source = add(session, failing_since=NOON - 2 * DAY)
        pause_source(session, source.retailer_id, source.id, now=NOON)

        assert raise_alarms(session, now=NOON) == {}


class TestTokens:
    def test_are_known_by_their_hash_alone(self, session) -> None:
        home = north(session).id

        source, token = add_token(session, home, name="Till", currency="eur", now=NOON)

        assert find_by_token(session, home, token) == source
        assert token not in repr(source)
        assert token[-4:] == source.token_end
        assert token not in str(source.model_dump())

    def test_are_good_for_one_retailer(self, session) -> None:
        home, south = north(session).id, make_retailer(session, "south").id
        _, token = add_token(session, home, name="Till", currency="eur", now=NOON)

        assert find_by_token(session, south, token) is None
        assert find_by_token(session, home, "") is None

    def test_are_replaced(self, session) -> None:
        home = north(session).id
        source, old = add_token(session, home, name="Till", currency="eur", now=NOON)

        new = renew_token(session, home, source.id)

        assert find_by_token(session, home, old) is None
        assert find_by_token(session, home, new) == source

    def test_are_of_programs_alone(self, session) -> None:
        source = add(session)

        with pytest.raises(WrongState):
            renew_token(session, source.retailer_id, source.id)

    def test_bring_so_many_files_an_hour(self, session) -> None:
        source = add(session, kind=SourceKind.TOKEN)
        for _ in range(HOURLY):
            bring(session, source)

        with pytest.raises(TooManyAttempts):
            refuse_flood(session, source, now=NOON)
        refuse_flood(session, source, now=NOON + HOUR)


class TestPeople:
    def test_watch_a_folder_once(self, session) -> None:
        home = north(session).id

        first = watch_folder(session, home, currency="eur", now=NOON)

        assert watch_folder(session, home, currency="usd", now=NOON) == first

    def test_have_so_many_sources(self, session) -> None:
        for _ in range(MOST_SOURCES):
            add(session)

        with pytest.raises(InvalidField, match="20 sources"):
            add_address(session, north(session).id, SHOP, now=NOON)

    def test_delete_a_source_and_keep_what_it_brought(self, session) -> None:
        source = add(session)
        entry = bring(session, source)

        delete_source(session, source.retailer_id, source.id)
        session.commit()

        assert sources(session, north(session).id) == []
        assert session.get(FeedImport, entry.id) is not None

    @pytest.mark.parametrize(
        "change",
        [
            pause_source,
            resume_source,
            drop_doubted,
            ask_now,
            renew_token,
            delete_source,
        ],
    )
    def test_change_nothing_of_another_retailers(self, session, change) -> None:
        source, south = add(session), make_retailer(session, "south")
        when = {} if change in (renew_token, delete_source) else {"now": NOON}

        with pytest.raises(Missing):
            change(session, south.id, source.id, **when)
