"""
A feed on its way in: leased, checked, confirmed, imported; and never half done.
"""

import json
from typing import Any

import pytest
from sqlmodel import Session, select

from offers.bad_rows import bad_rows, forget_bad_rows, keep_bad_rows
from offers.catalog import find_offer_by_sku
from offers.comparing import Change, Tally
from offers.deciding import confirm_import, discard_import, recheck_import
from offers.errors import Missing, WrongState
from offers.feed.facts import facts_of
from offers.feed.rows import RowError
from offers.finishing import finish_import, finish_local_import
from offers.imports import (
    LEASE,
    SHOWN_CHANGES,
    WAITING,
    FeedImport,
    ImportState,
    add_import,
    finish_check,
    finish_upload,
    forget_upload,
    import_batch,
    imports,
    lease_import,
    note_progress,
    refuse_import,
)
from offers.pieces import keep_piece, pieces
from offers.sentences import Sentence, dump_sentence, load_sentence
from offers.stock import StockMovement
from tests.factories import (
    MINUTE,
    NOON,
    SECOND,
    make_import,
    make_offer,
    make_retailer,
    make_row,
)

NO = Sentence("This is no feed.")


def with_file(session: Session, **facts: Any) -> FeedImport:
    feed = make_import(session, **facts)
    for number, content in enumerate([b"sku;title\n", b"", b"A;Parka\n"]):
        keep_piece(session, feed.retailer_id, feed.id, number, content)
    session.commit()
    return feed


def content(session: Session, feed: FeedImport) -> bytes:
    return b"".join(pieces(session, feed.id))


def check(session: Session, feed: FeedImport, changes: int = 0) -> None:
    made = [Change(f"SKU-{n}", "Parka", "title", "a", "b") for n in range(changes)]
    counts = {"rows": 3, "good": 2, "bad": 1}
    finish_check(session, feed.id, counts, facts={"delimiter": ";"}, changes=made)
    session.refresh(feed)


def test_a_file_is_kept_in_pieces_until_it_is_imported(session: Session) -> None:
    feed = with_file(session, state=ImportState.CONFIRMED)
    assert content(session, feed) == b"sku;title\nA;Parka\n"

    finish_import(session, feed.id, Tally(3, 2, 1), now=NOON)

    session.refresh(feed)
    assert (feed.state, feed.imported_at) == (ImportState.IMPORTED, NOON)
    assert (feed.new, feed.changed, feed.same, feed.progress) == (3, 2, 1, 100)
    assert content(session, feed) == b""


class TestUpload:
    def test_is_taken_once_it_is_whole(self, session: Session) -> None:
        feed = FeedImport(
            id="feed_1",
            retailer_id=make_retailer(session).id,
            file_name="overstock.csv",
            sha256="",
            size=0,
            currency="eur",
            leased_until=NOON + MINUTE,
            created_at=NOON,
        )
        add_import(session, feed)
        session.commit()
        assert lease_import(session, now=NOON) is None

        session.expunge(feed)
        feed.sha256, feed.size, feed.leased_until = "0" * 64, 12, None
        finish_upload(session, feed)
        session.commit()

        leased = lease_import(session, now=NOON)
        assert leased is not None
        assert (leased.id, leased.sha256, leased.size) == (feed.id, "0" * 64, 12)

    def test_is_forgotten_if_it_never_arrives_whole(self, session: Session) -> None:
        feed, other = with_file(session), with_file(session)
        kept = content(session, feed)

        forget_upload(session, feed.retailer_id, feed.id)

        left = [one.id for one in imports(session, feed.retailer_id)]
        assert left == [other.id]
        assert content(session, feed) == b""
        assert content(session, other) == kept

    def test_another_retailers_stays(self, session: Session) -> None:
        feed = make_import(session)

        forget_upload(session, make_retailer(session).id, feed.id)

        assert len(imports(session, feed.retailer_id)) == 1


def test_a_local_file_is_imported_once_it_is_through(session: Session) -> None:
    refusal = dump_sentence(NO)
    feed = make_import(session, state=ImportState.REFUSED, refusal=refusal)

    counts = {"rows": 3, "good": 2, "bad": 1}
    facts = {"delimiter": ";", "preview": ["Été"]}
    finish_local_import(session, feed.id, counts, facts=facts, now=NOON)

    session.refresh(feed)
    assert (feed.state, feed.refusal) == (ImportState.IMPORTED, "")
    assert (feed.rows, feed.good, feed.bad) == (3, 2, 1)
    assert (feed.progress, feed.imported_at) == (100, NOON)
    assert json.loads(feed.facts) == facts


class TestLease:
    @pytest.mark.parametrize("state", list(ImportState))
    def test_takes_what_waits_for_us(
        self, session: Session, state: ImportState
    ) -> None:
        make_import(session, state=state)

        waits = state in WAITING
        assert (lease_import(session, now=NOON) is not None) == waits

    def test_changes_one_retailers_offers_one_after_the_other(
        self, session: Session
    ) -> None:
        make_import(session, state=ImportState.UNDOING)
        next_one = make_import(session, state=ImportState.CONFIRMED)
        looked_at = make_import(session, state=ImportState.UPLOADED)
        other = make_retailer(session, slug="south")
        elsewhere = make_import(
            session, retailer_id=other.id, state=ImportState.CONFIRMED
        )
        session.commit()

        leased = [lease_import(session, now=NOON) for _ in range(4)]
        states = {feed.state for feed in leased if feed}

        assert [feed is None for feed in leased] == [False, False, False, True]
        assert states == {
            ImportState.UNDOING,
            ImportState.UPLOADED,
            ImportState.CONFIRMED,
        }
        ids = {feed.id for feed in leased if feed}
        assert {looked_at.id, elsewhere.id} <= ids
        late = lease_import(session, now=NOON + LEASE)
        assert late is not None
        assert next_one.id not in ids

    def test_takes_the_longest_waiting_once(self, session: Session) -> None:
        second = make_import(session, created_at=NOON - MINUTE)
        first = make_import(session, created_at=NOON - 2 * MINUTE)

        leased = [lease_import(session, now=NOON) for _ in range(3)]

        assert [feed and feed.id for feed in leased] == [first.id, second.id, None]

    def test_lasts_as_long_as_there_is_progress(self, session: Session) -> None:
        feed = make_import(session)
        lease_import(session, now=NOON)

        note_progress(session, feed.id, 40, now=NOON + MINUTE)

        assert lease_import(session, now=NOON + MINUTE + LEASE - SECOND) is None
        again = lease_import(session, now=NOON + MINUTE + LEASE)
        assert again is not None
        assert again.progress == 40


class TestFinishCheck:
    def test_waits_for_a_person(self, session: Session) -> None:
        feed = with_file(session)

        check(session, feed, changes=SHOWN_CHANGES + 1)

        assert (feed.state, feed.leased_until) == (ImportState.CHECKED, None)
        assert (feed.rows, feed.good, feed.bad) == (3, 2, 1)
        assert json.loads(feed.facts) == {"delimiter": ";"}
        shown = json.loads(feed.changes)
        assert len(shown) == SHOWN_CHANGES
        assert shown[0] == ["SKU-0", "Parka", "title", "a", "b"]
        assert lease_import(session, now=NOON) is None

    @pytest.mark.parametrize(
        "state",
        [ImportState.DISCARDED, ImportState.CONFIRMED, ImportState.IMPORTED],
    )
    def test_does_not_bring_back_what_went_on(
        self, session: Session, state: ImportState
    ) -> None:
        feed = make_import(session, state=state)

        check(session, feed)
        assert feed.state is state
        if state is not ImportState.CONFIRMED:
            refuse_import(session, feed.id, NO)
            finish_import(session, feed.id, Tally(), now=NOON)
            session.refresh(feed)
            assert feed.state is state


class TestADecision:
    def test_to_confirm_lets_it_be_imported(self, session: Session) -> None:
        feed = with_file(session, state=ImportState.CHECKED, progress=100)

        confirm_import(session, feed.retailer_id, feed.id)
        confirm_import(session, feed.retailer_id, feed.id)

        leased = lease_import(session, now=NOON)
        assert leased is not None
        assert (leased.state, leased.progress) == (ImportState.CONFIRMED, 0)

    @pytest.mark.parametrize(
        "state", [ImportState.UPLOADED, ImportState.REFUSED, ImportState.DISCARDED]
    )
    def test_to_confirm_needs_a_check(
        self, session: Session, state: ImportState
    ) -> None:
        feed = make_import(session, state=state)

        with pytest.raises(WrongState):
            confirm_import(session, feed.retailer_id, feed.id)

    @pytest.mark.parametrize("state", [ImportState.UPLOADED, ImportState.CHECKED])
    def test_to_discard_forgets_the_file(
        self, session: Session, state: ImportState
    ) -> None:
        feed = with_file(session, state=state)

        discard_import(session, feed.retailer_id, feed.id)

        session.refresh(feed)
        assert feed.state is ImportState.DISCARDED
        assert content(session, feed) == b""

    @pytest.mark.parametrize("state", [ImportState.CONFIRMED, ImportState.IMPORTED])
    def test_to_discard_comes_too_late(
        self, session: Session, state: ImportState
    ) -> None:
        feed = with_file(session, state=state)

        with pytest.raises(WrongState):
            discard_import(session, feed.retailer_id, feed.id)

        assert content(session, feed) != b""

    def test_to_read_it_otherwise_checks_it_again(self, session: Session) -> None:
        feed = with_file(session, state=ImportState.CHECKED)

        recheck_import(session, feed.retailer_id, feed.id, {"delimiter": "|"})

        leased = lease_import(session, now=NOON)
        assert leased is not None
        assert leased.state is ImportState.UPLOADED
        assert json.loads(leased.overrides) == {"delimiter": "|"}

    def test_to_read_it_otherwise_needs_the_file(self, session: Session) -> None:
        feed = make_import(session, state=ImportState.IMPORTED)

        with pytest.raises(WrongState):
            recheck_import(session, feed.retailer_id, feed.id, {})

    def test_is_not_another_retailers(self, session: Session) -> None:
        feed = make_import(session, state=ImportState.CHECKED)
        south = make_retailer(session).id

        with pytest.raises(Missing):
            confirm_import(session, south, feed.id)
        with pytest.raises(Missing):
            discard_import(session, south, feed.id)
        with pytest.raises(Missing):
            recheck_import(session, south, feed.id, {})


def test_a_refused_file_says_why_and_is_forgotten(session: Session) -> None:
    feed = with_file(session)

    refuse_import(session, feed.id, NO)

    session.refresh(feed)
    assert feed.state is ImportState.REFUSED
    assert load_sentence(feed.refusal) == NO
    assert content(session, feed) == b""


def test_bad_rows_are_kept_in_the_order_of_the_file(session: Session) -> None:
    feed = make_import(session)
    remedy = Sentence("Write {example}.", example="12.50")
    errors = [
        RowError(line, "price", "x", NO, remedy, ("A", "é")) for line in (3, 4, 9)
    ]

    keep_bad_rows(session, feed, errors[:2], first=0, now=NOON)
    keep_bad_rows(session, feed, errors[2:], first=2, now=NOON)

    def lines(retailer_id: str = feed.retailer_id, **options: int) -> list[int]:
        options = {"limit": 10, **options}
        found = bad_rows(session, retailer_id, feed.id, **options)
        return [row.line for row in found]

    assert lines() == [3, 4, 9]
    assert lines(limit=2) == [3, 4]
    assert lines(after=1) == [9]
    assert lines(make_retailer(session).id) == []
    (first, *_) = bad_rows(session, feed.retailer_id, feed.id, limit=1)
    assert load_sentence(first.remedy) == remedy
    assert json.loads(first.cells) == ["A", "é"]
    forget_bad_rows(session, feed.id)
    assert lines() == []


def test_a_sentence_survives_being_kept() -> None:
    kept = load_sentence(dump_sentence(Sentence("Only {left} left.", left=3)))

    assert str(kept) == "Only 3 left."


def test_a_batch_logs_what_of_the_known_was_counted_anew(session: Session) -> None:
    feed = make_import(session)
    empty = make_offer(session, sku="EMPTY", quantity=0)
    unknown = make_offer(session, sku="UNKNOWN", quantity=None)
    make_offer(session, sku="SAME", quantity=5)
    skus = ("EMPTY", "UNKNOWN", "SAME", "NEW")
    facts = [facts_of(make_row(sku, quantity=5)) for sku in skus]

    tally = import_batch(session, feed.retailer_id, feed.id, facts, now=NOON)

    logged = session.exec(select(StockMovement.offer_id)).all()
    assert (tally.new, set(logged)) == (1, {empty.id, unknown.id})
    assert find_offer_by_sku(session, feed.retailer_id, "NEW") is not None


def test_imports_are_shown_to_their_retailer_the_newest_first(
    session: Session,
) -> None:
    older = make_import(session, created_at=NOON - MINUTE)
    newer = make_import(session, created_at=NOON)
    make_import(session, retailer_id=make_retailer(session).id)

    found = [feed.id for feed in imports(session, older.retailer_id)]

    assert found == [newer.id, older.id]
