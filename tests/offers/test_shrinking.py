"""
What a file would take out of stock, and when that needs a second yes.
"""

import pytest
from sqlmodel import Session

from offers.emptying import empty_missing, measure_shrinkage
from offers.seen import Seen
from offers.shrinking import Shrinkage, TooMuchWouldGo, refuse_shrinking
from offers.stock import movements
from tests.factories import NOON, make_import, make_offer, make_retailer

QUIET = Shrinkage(known=100, stocked=100, emptied=30, missing=50, missing_stocked=0)


def seen(*skus: str) -> Seen:
    found = Seen()
    for sku in skus:
        found.add(sku)
    return found


class TestSeen:
    def test_knows_what_was_added_and_nothing_else(self) -> None:
        found = seen(*(f"SKU-{n}" for n in range(5_000)))

        assert all(f"SKU-{n}" in found for n in range(5_000))
        assert not any(f"sku-{n}" in found for n in range(5_000))
        assert len(found) == 5_000

    def test_may_be_added_to_after_it_was_asked(self) -> None:
        found = seen("B")
        assert "A" not in found

        found.add("A")

        assert "A" in found
        assert "B" in found


class TestDoubt:
    @pytest.mark.parametrize(
        ("shrinkage", "complete", "doubtful"),
        [
            (QUIET, True, False),
            (Shrinkage(100, 100, 0, 51, 0), True, True),
            (Shrinkage(100, 100, 0, 51, 51), False, False),
            (Shrinkage(100, 100, 31, 0, 0), False, True),
            (Shrinkage(100, 100, 20, 11, 11), True, True),
            (Shrinkage(100, 100, 20, 11, 11), False, False),
            (Shrinkage(), True, False),
        ],
    )
    def test_is_half_missing_or_a_third_emptied(
        self, *, shrinkage: Shrinkage, complete: bool, doubtful: bool
    ) -> None:
        assert shrinkage.is_doubtful(complete=complete) is doubtful

    def test_passes_with_the_very_number_only(self) -> None:
        shrinkage = Shrinkage(10, 8, 1, 6, 5)

        for agreed in (None, 0, 5, 7):
            with pytest.raises(TooMuchWouldGo) as refused:
                refuse_shrinking(shrinkage, complete=True, agreed=agreed)
            assert "6 of your 10 offers" in str(refused.value)
            assert refused.value.losing == 6

        refuse_shrinking(shrinkage, complete=True, agreed=6)


class TestWhatIsMissing:
    def test_is_measured_among_what_files_like_it_brought(
        self, session: Session
    ) -> None:
        feed = make_import(session, fingerprint="shoes")
        other = make_import(session, fingerprint="coats")
        make_offer(session, sku="A", quantity=3, source=feed.id)
        make_offer(session, sku="B", quantity=0, source=feed.id)
        make_offer(session, sku="C", quantity=5, source="")
        make_offer(session, sku="D", quantity=9, source=other.id)
        make_offer(session, sku="E", retailer_id=make_retailer(session).id)

        found = measure_shrinkage(session, feed, seen("A"), emptied=1)

        assert found == Shrinkage(3, 2, 1, 2, 1)

    def test_is_emptied_page_by_page_and_logged(self, session: Session) -> None:
        feed = make_import(session, fingerprint="shoes")
        offers = [
            make_offer(session, sku=f"S{n}", quantity=n, source=feed.id)
            for n in range(5)
        ]
        found, emptied, after = seen("S1"), [], ""

        for _ in range(4):
            after, skus = empty_missing(
                session, feed, found, after=after, now=NOON, limit=2
            )
            emptied += skus
            if not after:
                break

        for offer in offers:
            session.refresh(offer)
        assert sorted(emptied) == ["S2", "S3", "S4"]
        assert [offer.quantity for offer in offers] == [0, 1, 0, 0, 0]
        (moved,) = movements(session, feed.retailer_id, offers[4].id, limit=9)
        assert (moved.change, moved.quantity, moved.source_id) == (-4, 0, feed.id)
