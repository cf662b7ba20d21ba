"""
The last import taken back: what is still as it made it, and nothing else.
"""

from typing import Any

import pytest
from sqlmodel import Session, select

from offers.befores import OfferBefore
from offers.catalog import Offer, find_offer_by_sku
from offers.errors import Missing, WrongState
from offers.feed.facts import facts_of
from offers.imports import FeedImport, ImportState, import_batch
from offers.money import Money
from offers.prices import PricePoint, log_price, price_log
from offers.stock import movements
from offers.undoing import (
    Undone,
    begin_undo,
    find_undoable,
    finish_undo,
    remove_some,
    restore_some,
)
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_deal,
    make_import,
    make_merchant,
    make_offer,
    make_retailer,
    make_row,
)

LATER = NOON + HOUR


def imported(session: Session, *rows: Any, **more: Any) -> FeedImport:
    more = {"imported_at": NOON, "new": len(rows), **more}
    feed = make_import(session, state=ImportState.IMPORTED, **more)
    facts = [facts_of(row) for row in rows]
    import_batch(session, feed.retailer_id, feed.id, facts, now=NOON)
    session.commit()
    return feed


def undo(session: Session, feed: FeedImport, limit: int = 2) -> Undone:
    begin_undo(session, feed.retailer_id, feed.id, by=None, now=LATER)
    session.refresh(feed)
    for some in (restore_some, remove_some):
        while some(session, feed, limit=limit, now=LATER):
            session.commit()
    finish_undo(session, feed.id)
    session.commit()
    session.refresh(feed)
    return Undone.load(feed.undone)


def find(session: Session, sku: str, feed: FeedImport) -> Offer:
    session.expire_all()
    offer = find_offer_by_sku(session, feed.retailer_id, sku)
    assert offer is not None
    return offer


class TestWhatWasChanged:
    def test_is_as_it_was_before(self, session: Session) -> None:
        make_offer(session, sku="A", title="Ant", price_amount=900, quantity=7)
        row = make_row("A", title="Aunt", price=Money(500, "eur"), quantity=2)
        feed = imported(session, row)
        assert find(session, "A", feed).title == "Aunt"

        done = undo(session, feed)

        offer = find(session, "A", feed)
        assert (offer.title, offer.price_amount, offer.quantity) == ("Ant", 900, 7)
        assert done == Undone(restored=1)
        assert feed.state is ImportState.UNDONE
        assert session.exec(select(OfferBefore)).all() == []

    def test_is_logged_as_another_price_and_another_count(
        self, session: Session
    ) -> None:
        offer = make_offer(session, sku="A", price_amount=900, quantity=7)
        log_price(
            session,
            offer.retailer_id,
            offer.id,
            offer.price,
            source="",
            now=NOON - HOUR,
        )
        feed = imported(session, make_row("A", price=Money(500, "eur"), quantity=2))

        undo(session, feed)

        log = price_log(session, feed.retailer_id, offer.id)
        assert [point.price_amount for point in log] == [900, 500, 900]
        moved = movements(session, feed.retailer_id, offer.id, limit=9)
        assert [(one.change, one.quantity) for one in moved] == [(5, 7), (-5, 2)]

    def test_is_logged_with_its_tax(self, session: Session) -> None:
        offer = make_offer(session, sku="A", price_amount=900, tax="excluded")
        row = make_row("A", price=Money(900, "eur"), tax="included")
        feed = imported(session, row)

        undo(session, feed)

        log = price_log(session, feed.retailer_id, offer.id)
        taxes = [(point.price_amount, point.tax) for point in log]
        assert taxes == [(900, "included"), (900, "excluded")]

    def test_stays_where_somebody_changed_it_again(self, session: Session) -> None:
        make_offer(session, sku="A", title="Ant", quantity=7)
        feed = imported(session, make_row("A", title="Aunt", quantity=2))
        offer = find(session, "A", feed)
        offer.quantity = 1  # one was sold
        session.add(offer)
        session.commit()

        done = undo(session, feed)

        offer = find(session, "A", feed)
        assert (offer.title, offer.quantity) == ("Ant", 1)
        assert (done.restored, done.kept, done.left) == (0, 1, ("A",))


class TestWhatWasNew:
    def test_is_gone_but_for_the_log_of_its_prices(self, session: Session) -> None:
        feed = imported(session, *(make_row(f"S{n}", quantity=1) for n in range(5)))

        done = undo(session, feed)

        assert session.exec(select(Offer)).all() == []
        assert len(session.exec(select(PricePoint)).all()) == 5
        assert done.removed == 5

    def test_stays_without_stock_if_it_is_in_a_deal(self, session: Session) -> None:
        feed = imported(session, make_row("A", quantity=9), make_row("B", quantity=9))
        make_deal(session, offer=find(session, "A", feed), allotment=5)

        done = undo(session, feed, limit=1)

        assert find(session, "A", feed).quantity == 0
        assert (done.removed, done.emptied, done.left) == (1, 1, ("A",))

    def test_of_earlier_imports_stays(self, session: Session) -> None:
        first = imported(session, make_row("A"), imported_at=NOON - HOUR)
        second = imported(session, make_row("A"), make_row("B"))

        undo(session, second)

        assert find(session, "A", first).source == first.id


class TestOnlyTheLast:
    def test_can_be_undone_and_then_the_one_before(self, session: Session) -> None:
        first = imported(session, make_row("A"), imported_at=NOON - HOUR)
        second = imported(session, make_row("B"))

        with pytest.raises(WrongState):
            begin_undo(session, first.retailer_id, first.id, by=None, now=LATER)
        session.rollback()
        undo(session, second)

        assert undo(session, first).removed == 1

    def test_may_be_before_one_that_did_nothing(self, session: Session) -> None:
        feed = imported(session, make_row("A"))
        imported(session, imported_at=NOON + MINUTE)

        assert undo(session, feed).removed == 1

    def test_not_while_another_file_goes_in(self, session: Session) -> None:
        feed = imported(session, make_row("A"))
        other = make_import(session, state=ImportState.CONFIRMED)
        session.commit()

        with pytest.raises(WrongState, match="Another file is going in"):
            begin_undo(session, feed.retailer_id, feed.id, by=None, now=LATER)

        other.state = ImportState.DISCARDED
        session.commit()
        assert begin_undo(session, feed.retailer_id, feed.id, by=None, now=LATER)

    def test_once_by_somebody_at_a_moment(self, session: Session) -> None:
        feed = imported(session, make_row("A"))
        ana = make_merchant(session)

        began = [
            begin_undo(session, feed.retailer_id, feed.id, by=ana.id, now=at)
            for at in (LATER, LATER + MINUTE)
        ]

        session.refresh(feed)
        assert began == [True, False]
        assert (feed.undone_by, feed.undone_at) == (ana.id, LATER)
        assert feed.state is ImportState.UNDOING

    def test_a_second_press_after_it_is_done_does_nothing(
        self, session: Session
    ) -> None:
        feed = imported(session, make_row("A"))
        undo(session, feed)

        again = begin_undo(session, feed.retailer_id, feed.id, by=None, now=LATER)

        session.refresh(feed)
        assert again is False
        assert feed.state is ImportState.UNDONE

    def test_not_another_retailers(self, session: Session) -> None:
        feed = imported(session, make_row("A"))

        with pytest.raises(Missing):
            begin_undo(session, make_retailer(session).id, feed.id, by=None, now=LATER)

    def test_not_what_nothing_is_kept_of(self, session: Session) -> None:
        feed = imported(session)

        assert find_undoable(session, feed.retailer_id) is None
        with pytest.raises(WrongState):
            begin_undo(session, feed.retailer_id, feed.id, by=None, now=LATER)
