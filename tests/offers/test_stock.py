"""
Stock is what the retailer says, as of when they said it, less what was sold since.
"""

from datetime import datetime

import pytest
from sqlmodel import Session, col, select

from offers import stock
from offers.catalog import Offer
from offers.comparing import Recount
from offers.orders import units_sold_since
from offers.stock import Cause, StockMovement, count_stock, log_recounts, move_stock
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    SECOND,
    make_deal,
    make_offer,
    make_order,
    make_retailer,
)


def count(
    session: Session,
    offer: Offer,
    quantity: int,
    *,
    at: datetime = NOON,
    sold_since: int = 0,
) -> bool:
    return count_stock(
        session,
        offer,
        quantity,
        counted_at=at,
        sold_since=sold_since,
        cause=Cause.MESSAGE,
        source_id="arrival_1",
        now=NOON,
    )


def movements(session: Session) -> list[tuple[int, int, Cause]]:
    rows = session.exec(select(StockMovement).order_by(col(StockMovement.id)))
    return [(row.change, row.quantity, row.cause) for row in rows]


class TestCountStock:
    def test_takes_the_count_over(self, session: Session) -> None:
        offer = make_offer(session, quantity=10)

        assert count(session, offer, 4)

        assert (offer.quantity, offer.counted_at) == (4, NOON)
        assert movements(session) == [(-6, 4, Cause.MESSAGE)]

    def test_takes_the_first_count_of_all(self, session: Session) -> None:
        offer = make_offer(session, quantity=None)

        assert count(session, offer, 4)

        assert movements(session) == [(4, 4, Cause.MESSAGE)]

    def test_drops_one_that_is_older_than_what_is_known(self, session: Session) -> None:
        offer = make_offer(session, quantity=10, counted_at=NOON)

        assert not count(session, offer, 4, at=NOON - SECOND)

        assert offer.quantity == 10
        assert movements(session) == []

    def test_takes_one_of_the_same_second(self, session: Session) -> None:
        offer = make_offer(session, quantity=10, counted_at=NOON)

        assert count(session, offer, 4, at=NOON)

        assert offer.quantity == 4

    def test_takes_off_what_was_sold_since(self, session: Session) -> None:
        offer = make_offer(session, quantity=10)

        count(session, offer, 9, sold_since=2)

        assert offer.quantity == 7

    def test_never_goes_below_none(self, session: Session) -> None:
        offer = make_offer(session, quantity=10)

        count(session, offer, 1, sold_since=2)

        assert offer.quantity == 0


class TestUnitsSoldSince:
    def test_counts_orders_after_that_moment_only(self, session: Session) -> None:
        deal = make_deal(session)
        make_order(session, deal, quantity=1, paid_at=NOON - MINUTE)
        make_order(session, deal, quantity=2, paid_at=NOON)
        make_order(session, deal, quantity=4, paid_at=NOON + MINUTE)
        make_order(session, make_deal(session), quantity=8, paid_at=NOON + MINUTE)

        def sold(since: datetime) -> int:
            return units_sold_since(session, deal.retailer_id, deal.offer_id, since)

        assert sold(NOON - HOUR) == 7
        assert sold(NOON) == 4
        assert sold(NOON + HOUR) == 0


class TestMoveStock:
    @pytest.mark.parametrize(("change", "after"), [(-3, 7), (2, 12)])
    def test_adds_the_change(self, session: Session, change: int, after: int) -> None:
        offer = make_offer(session, quantity=10)

        move_stock(session, offer, change, cause=Cause.ORDER, source_id="o", now=NOON)

        session.flush()
        assert offer.quantity == after
        assert movements(session) == [(change, after, Cause.ORDER)]

    def test_leaves_the_unknown_unknown(self, session: Session) -> None:
        offer = make_offer(session, quantity=None)

        move_stock(session, offer, -3, cause=Cause.ORDER, source_id="o", now=NOON)

        assert offer.quantity is None
        assert movements(session) == []

    def test_leaves_the_moment_of_the_count(self, session: Session) -> None:
        offer = make_offer(session, quantity=10, counted_at=NOON - HOUR)

        move_stock(session, offer, -3, cause=Cause.ORDER, source_id="o", now=NOON)

        assert offer.counted_at == NOON - HOUR


def test_recounts_of_a_feed_are_entered_into_the_ledger(session: Session) -> None:
    offer = make_offer(session)

    log_recounts(
        session,
        offer.retailer_id,
        [Recount(offer.id, 10, 4)],
        source_id="feed_1",
        now=NOON,
    )

    assert movements(session) == [(-6, 4, Cause.FEED)]


def test_movements_are_shown_the_latest_first(session: Session) -> None:
    offer, other = make_offer(session), make_offer(session)
    for change, at in ((-1, NOON), (-2, NOON + HOUR), (-3, NOON + MINUTE)):
        move_stock(session, offer, change, cause=Cause.ORDER, source_id="o", now=at)
    move_stock(session, other, -4, cause=Cause.ORDER, source_id="o", now=NOON + HOUR)

    found = stock.movements(session, offer.retailer_id, offer.id, limit=2)

    assert [movement.change for movement in found] == [-2, -3]
    south = make_retailer(session).id
    assert stock.movements(session, south, offer.id, limit=2) == []
