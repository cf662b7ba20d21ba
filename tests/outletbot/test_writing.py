"""
New offers go in many at a time, exactly as they were read; if one is known after all,
the others of its batch do not suffer.
"""

from datetime import timedelta

import pytest
from sqlmodel import Session, col, select

from offers.catalog import Offer, find_offer_by_sku
from offers.comparing import Tally
from offers.feed import Block, FeedRow
from offers.feed.facts import FactRows, facts_of
from offers.ids import MOST_AT_ONCE, new_ids
from offers.newcomers import add_newcomers
from offers.packing import Origin, pack_newcomers
from offers.prices import PricePoint
from outletbot.db import Database
from outletbot.importing import writing
from outletbot.importing.writing import Writer
from tests.factories import NOON, make_offer, make_row, north

BOTH_DATABASES = True

SOURCE = "feed_1's"

ODD = (
    "back\\slash",
    "\\N",
    "tab\there",
    "line\nbreak",
    "return\rhere",
    "it's 'quoted'",
    'say "so"',
    "\\.",
    "Élan ☕",
    "null",
)


def write(database: Database, retailer_id: str, *rows: FeedRow) -> Tally:
    with Writer(database, retailer_id, SOURCE, NOON) as writer:
        for row in rows:
            writer.write(Block(facts=FactRows([facts_of(row)])))
        return writer.finish()


@pytest.fixture(params=[1, 3, 100])
def together(request, monkeypatch) -> int:
    monkeypatch.setattr(writing, "TOGETHER", request.param)
    return request.param


@pytest.mark.usefixtures("together")
def test_every_text_goes_in_as_it_is(database: Database, session: Session) -> None:
    retailer = north(session)
    rows = [make_row(f"S{n}", title=text, brand=text) for n, text in enumerate(ODD)]

    tally = write(database, retailer.id, *rows)

    session.rollback()
    found = session.exec(select(Offer).order_by(col(Offer.sku))).all()
    assert tally == Tally(new=len(ODD))
    assert [(o.title, o.brand) for o in found] == [(t, t) for t in ODD]
    assert {o.retailer_id for o in found} == {retailer.id}
    assert {o.source for o in found} == {SOURCE}


def test_what_is_not_said_is_kept_as_unsaid(
    database: Database, session: Session
) -> None:
    retailer = north(session)
    said = make_row("SAID", quantity=4)
    unsaid = make_row("UNSAID", quantity=None, description=None, tax="unknown")

    write(database, retailer.id, said, unsaid)

    session.rollback()
    counted = find_offer_by_sku(session, retailer.id, "SAID")
    other = find_offer_by_sku(session, retailer.id, "UNSAID")
    assert counted is not None
    assert (counted.quantity, counted.counted_at) == (4, NOON)
    assert other is not None
    assert (other.quantity, other.counted_at) == (None, None)
    assert (other.description, other.tax, other.tags) == ("", "unknown", "[]")


@pytest.mark.usefixtures("together")
def test_the_first_price_of_each_is_logged(
    database: Database, session: Session
) -> None:
    retailer = north(session)

    write(database, retailer.id, *(make_row(f"S{n}") for n in range(7)))

    session.rollback()
    offers = {offer.id: offer for offer in session.exec(select(Offer))}
    points = session.exec(select(PricePoint)).all()
    assert {point.offer_id for point in points} == offers.keys()
    assert len(points) == 7
    for point in points:
        offer = offers[point.offer_id]
        assert (point.price, point.applied_at) == (offer.price, NOON)
        assert (point.source, point.tax) == (SOURCE, offer.tax)


@pytest.mark.usefixtures("together")
def test_one_that_is_known_is_changed_and_the_others_go_in(
    database: Database, session: Session
) -> None:
    known = make_offer(session, sku="KNOWN", title="Old")
    rows = [make_row(sku, title="New") for sku in ("A", "B", "KNOWN", "C", "D")]

    tally = write(database, known.retailer_id, *rows)

    session.rollback()
    titles = session.exec(select(Offer.title)).all()
    assert tally == Tally(new=4, changed=1)
    assert titles == ["New"] * 5


def test_of_what_is_known_nothing_is_entered(session: Session) -> None:
    known = make_offer(session, sku="KNOWN", title="Old")
    rows = FactRows(facts_of(make_row(sku)) for sku in ("A", "KNOWN"))

    kind = session.get_bind().dialect.name
    origin = Origin(kind, known.retailer_id, SOURCE, NOON)
    packed = pack_newcomers(rows, origin, minted_at=NOON)

    assert packed is not None
    added = add_newcomers(session, packed)

    assert not added
    assert session.exec(select(Offer.sku)).all() == ["KNOWN"]


class TestNewIds:
    def test_follow_each_other(self) -> None:
        ids = new_ids("offer", NOON, 2_000)
        later = new_ids("offer", NOON + timedelta(milliseconds=1), 2)

        assert [*ids, *later] == sorted({*ids, *later})
        assert ids[0].startswith("offer_")
        assert {len(each) for each in ids} == {len("offer_") + 26}

    def test_are_others_the_next_time(self) -> None:
        assert not {*new_ids("offer", NOON, 50)} & {*new_ids("offer", NOON, 50)}

    def test_are_only_so_many(self) -> None:
        assert len(new_ids("offer", NOON, MOST_AT_ONCE)) == MOST_AT_ONCE
        with pytest.raises(ValueError, match="at once"):
            new_ids("offer", NOON, MOST_AT_ONCE + 1)
