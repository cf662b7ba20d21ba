"""
The catalog is what the last feed said: importing twice equals importing once.
"""

from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from offers.catalog import Offer, find_offer_by_sku, offers
from offers.comparing import Change, Recount, Tally, compare_rows
from offers.feed.rows import FeedRow
from offers.money import Money
from offers.prices import PricePoint, price_log
from offers.shelving import import_rows
from tests.conftest import Passing
from tests.factories import (
    HOUR,
    NOON,
    make_offer,
    make_retailer,
    make_row,
    north,
)

LATER = NOON + HOUR


def bring(
    session: Session, *rows: FeedRow, now: datetime = NOON
) -> tuple[Tally, list[Recount]]:
    return import_rows(session, north(session).id, rows, source="feed_1", now=now)


def offer_of(session: Session, sku: str = "PARKA-M") -> Offer:
    session.expire_all()
    found = find_offer_by_sku(session, north(session).id, sku)
    assert found is not None
    return found


def prices_of(session: Session, offer: Offer) -> list[tuple[int, datetime]]:
    log = price_log(session, offer.retailer_id, offer.id)
    return [(point.price_amount, point.applied_at) for point in log]


class TestImportRows:
    def test_makes_an_offer_of_a_row(self, session: Session) -> None:
        row = make_row(
            title="Parka",
            brand="Norr",
            list_price=Money(12_900, "eur"),
            cost=Money(3_100, "eur"),
            options=(("Colour", "Blue"), ("Size", "42")),
        )

        tally, _ = bring(session, row)

        offer = offer_of(session)
        assert tally == Tally(new=1)
        assert (offer.title, offer.brand) == ("Parka", "Norr")
        assert offer.price == Money(9_900, "eur")
        assert offer.list_price_amount == 12_900
        assert offer.cost == Money(3_100, "eur")
        assert offer.variant == "Blue / 42"
        assert (offer.quantity, offer.counted_at) == (10, NOON)

    def test_twice_is_once(self, session: Session) -> None:
        rows = [make_row("A", quantity=3), make_row("B", brand="Norr")]
        bring(session, *rows)
        before = {offer.sku: offer.model_dump() for offer in catalog(session)}

        tally, recounts = bring(session, *rows, now=LATER)

        assert tally == Tally(same=2)
        assert recounts == []
        after = {offer.sku: offer.model_dump() for offer in catalog(session)}
        assert after == before
        assert len(session.exec(select(PricePoint)).all()) == 2

    def test_does_not_try_for_ever_what_cannot_be_entered(
        self, session: Session
    ) -> None:
        with pytest.raises(RuntimeError, match="cannot be entered"):
            bring(session, make_row(), make_row(title="Another of the same sku"))

    def test_leaves_what_a_row_does_not_say(self, session: Session) -> None:
        said = {
            "parent_key": "PARKA",
            "description": "Warm",
            "brand": "Norr",
            "category": "Coats",
            "list_price": Money(12_900, "eur"),
            "cost": Money(3_100, "eur"),
            "quantity": 7,
            "gtin": "4006381333931",
            "condition": "new",
            "image_url": "https://shop.example/parka.jpg",
            "options": (("Size", "M"),),
            "tax": "included",
        }
        bring(session, make_row(**said))
        before = offer_of(session).model_dump()
        unsaid = dict.fromkeys(said) | {"options": (), "tax": "unknown"}

        tally, _ = bring(session, make_row(**unsaid), now=LATER)

        assert tally == Tally(same=1)
        assert offer_of(session).model_dump() == before

    def test_leaves_the_rest_when_one_thing_changes(self, session: Session) -> None:
        bring(session, make_row(brand="Norr", quantity=7))

        row = make_row(title="Parka, blue", quantity=None)
        tally, recounts = bring(session, row, now=LATER)

        offer = offer_of(session)
        assert (tally, recounts) == (Tally(changed=1), [])
        assert (offer.title, offer.brand, offer.quantity) == ("Parka, blue", "Norr", 7)
        assert (offer.counted_at, offer.imported_at) == (NOON, LATER)

    def test_leaves_an_offer_that_the_feed_does_not_mention(
        self, session: Session
    ) -> None:
        bring(session, make_row("A"), make_row("B"))

        bring(session, make_row("A", title="Changed"), now=LATER)

        assert offer_of(session, "B").title == "Last season's parka"

    def test_leaves_another_retailers_offer_of_the_same_sku(
        self, session: Session
    ) -> None:
        south = make_retailer(session, "south")
        theirs = make_offer(session, retailer_id=south.id, sku="PARKA-M", title="Coat")

        tally, _ = bring(session, make_row())

        session.refresh(theirs)
        assert tally == Tally(new=1)
        assert theirs.title == "Coat"

    def test_empties_nothing_by_zero(self, session: Session) -> None:
        bring(session, make_row(quantity=7))

        _, recounts = bring(session, make_row(quantity=0), now=LATER)

        offer = offer_of(session)
        assert (offer.quantity, offer.counted_at) == (0, LATER)
        assert recounts == [Recount(offer.id, 7, 0)]

    def test_tells_what_was_counted_anew_of_what_was_known(
        self, session: Session
    ) -> None:
        make_offer(session, sku="OLD", quantity=None, price_amount=9_900)

        _, recounts = bring(session, make_row("OLD"), make_row("NEW"))

        assert recounts == [Recount(offer_of(session, "OLD").id, 0, 10)]

    def test_logs_the_first_price_and_every_other(self, session: Session) -> None:
        bring(session, make_row())
        bring(session, make_row(title="Parka"), now=NOON + HOUR)
        bring(session, make_row(price_amount=7_900), now=NOON + 2 * HOUR)

        offer = offer_of(session)
        assert prices_of(session, offer) == [
            (9_900, NOON),
            (7_900, NOON + 2 * HOUR),
        ]

    def test_logs_a_change_of_currency(self, session: Session) -> None:
        bring(session, make_row())

        bring(session, make_row(currency="gbp"), now=LATER)

        log = price_log(session, north(session).id, offer_of(session).id)
        assert [point.price for point in log] == [
            Money(9_900, "eur"),
            Money(9_900, "gbp"),
        ]

    def test_keeps_the_log_to_the_source(self, session: Session) -> None:
        bring(session, make_row())

        (point,) = price_log(session, north(session).id, offer_of(session).id)
        assert point.source == "feed_1"


class TestCompareRows:
    def test_foretells_what_an_import_does_and_does_nothing(
        self, session: Session
    ) -> None:
        bring(session, make_row("A"), make_row("B"))
        rows = [make_row("A"), make_row("B", title="Coat"), make_row("C")]

        tally, changes = compare_rows(session, north(session).id, rows)

        assert tally == Tally(new=1, changed=1, same=1)
        assert changes == [Change("B", "Coat", "title", "Last season's parka", "Coat")]
        assert [offer.sku for offer in catalog(session)] == ["A", "B"]
        assert bring(session, *rows, now=LATER)[0] == tally


class TestOffers:
    def test_shows_what_is_in_stock_first(self, session: Session) -> None:
        make_offer(session, title="None", quantity=0)
        make_offer(session, title="Owed", quantity=-1)
        make_offer(session, title="Unknown", quantity=None)
        make_offer(session, title="Some", quantity=1)
        make_offer(session, title="Many", quantity=99)

        titles = [offer.title for offer in offers(session, north(session).id)]

        assert titles == ["Many", "Some", "None", "Owed", "Unknown"]

    @pytest.mark.parametrize("search", ["PARKA", "parka", "ark", "sku-7"])
    def test_searches_title_and_sku(self, session: Session, search: str) -> None:
        make_offer(session, title="A parka", sku="SKU-7")
        make_offer(session, title="A coat", sku="COAT")

        found = offers(session, north(session).id, search=search)

        assert [offer.title for offer in found] == ["A parka"]

    @pytest.mark.parametrize("search", ["%", "_", "10%"])
    def test_searches_for_signs_as_they_are(
        self, session: Session, search: str
    ) -> None:
        make_offer(session, title="100 parkas")
        make_offer(session, title="A parka, 10% wool, size_M")

        found = offers(session, north(session).id, search=search)

        assert [offer.title for offer in found] == ["A parka, 10% wool, size_M"]

    def test_shows_each_offer_on_one_page(self, session: Session) -> None:
        rows = [make_row(f"SKU-{number}") for number in range(75)]
        bring(session, *rows)

        first = offers(session, north(session).id)
        second = offers(session, north(session).id, page=2)

        assert (len(first), len(second)) == (50, 25)
        assert len({offer.sku for offer in [*first, *second]}) == 75

    def test_shows_nothing_of_another_retailer(self, session: Session) -> None:
        make_offer(session, retailer_id=make_retailer(session, "south").id)

        assert offers(session, north(session).id) == []


def catalog(session: Session) -> Sequence[Offer]:
    session.expire_all()
    return session.exec(select(Offer).order_by(Offer.sku)).all()


amounts = st.integers(1, 5)
maybe = st.none() | st.sampled_from(["x", "y"])
feed_rows = st.builds(
    make_row,
    st.sampled_from("ABCDE"),
    title=st.sampled_from(["Parka", "Coat"]),
    brand=maybe,
    quantity=st.none() | st.integers(0, 3),
    price_amount=amounts,
    cost=st.none() | amounts.map(lambda amount: Money(amount, "eur")),
    tax=st.sampled_from(["included", "unknown"]),
    options=st.sampled_from([(), (("Size", "M"),)]),
)
feeds = st.lists(feed_rows, max_size=5, unique_by=lambda row: row.sku)


@given(before=feeds, feed=feeds)
def test_importing_any_feed_twice_is_importing_it_once(
    passing: Passing, before: list[FeedRow], feed: list[FeedRow]
) -> None:
    with passing() as session:
        bring(session, *before)
        foretold, _ = compare_rows(session, north(session).id, feed)
        first, _ = bring(session, *feed)
        once = _seen(session)

        second, recounts = bring(session, *feed, now=LATER)

        assert first == foretold
        assert second == Tally(same=len(feed))
        assert recounts == []
        assert _seen(session) == once


def _seen(session: Session) -> list[object]:
    offers = catalog(session)
    prices = [prices_of(session, offer) for offer in offers]
    return [[offer.model_dump() for offer in offers], prices]
