"""
What a retailer says of the time before our log: by whom, of which days, kept for good.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, delete, select, update

from offers.catalog import Offer
from offers.deals import Deal, expected_reduction, open_due
from offers.declarations import (
    DeclaredPrice,
    PriceDeclaration,
    Scope,
    declarations,
    declared_prices,
)
from offers.declaring import declare_file, declare_offer, revoke_declaration
from offers.errors import InvalidField, Missing, WrongState
from offers.evidence import find_evidence, find_offer_evidence
from offers.honesty_prior import Ground
from offers.imports import ImportState
from offers.merchants import Merchant
from offers.money import Money
from offers.prices import find_reduction
from tests.conftest import Connect
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_deal,
    make_import,
    make_merchant,
    make_offer,
    make_price,
    make_retailer,
)

TODAY = NOON.date()
BASIS = "We charged it in our shop, see the till."


@pytest.fixture
def ana(session: Session) -> Merchant:
    return make_merchant(session)


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def declare(
    session: Session,
    merchant: Merchant,
    offer: Offer,
    amount: int = 9_900,
    *,
    first: int = 60,
    last: int = 1,
    basis: str = BASIS,
) -> PriceDeclaration:
    return declare_offer(
        session,
        merchant,
        offer.id,
        Money(amount, "eur"),
        from_on=days_ago(first),
        to_on=days_ago(last),
        basis=basis,
        now=NOON,
    )


def prior(session: Session, offer: Offer, *, at=NOON) -> int | None:
    price = Money(4_900, "eur")
    found = find_reduction(session, offer.retailer_id, offer.id, price, at=at)
    return found and found.prior.amount


class TestOfAnOffer:
    def test_proves_what_our_log_cannot(self, session: Session, ana: Merchant) -> None:
        offer = make_offer(session)
        make_price(session, offer, 9_900, NOON - DAY)
        before = prior(session, offer)

        declare(session, ana, offer)

        assert (before, prior(session, offer)) == (None, 9_900)

    def test_says_who_when_and_on_what_basis(
        self, session: Session, ana: Merchant
    ) -> None:
        offer = make_offer(session)

        made = declare(session, ana, offer, first=60, last=2)

        assert (made.declared_by, made.name, made.declared_at) == (ana.id, "Ana", NOON)
        assert (made.from_on, made.to_on) == (days_ago(60), days_ago(2))
        assert (made.basis, made.scope, made.subject_id) == (
            BASIS,
            Scope.OFFER,
            offer.id,
        )

    def test_is_marked_where_it_counts(self, session: Session, ana: Merchant) -> None:
        offer = make_offer(session)
        make_price(session, offer, 9_900, NOON - DAY)
        made = declare(session, ana, offer)

        found = find_offer_evidence(session, offer, at=NOON)

        assert found.declared
        assert [one.key for one in found.charged if one.declared] == [made.id]

    def test_counts_no_more_once_the_log_is_long_enough(
        self, session: Session, ana: Merchant
    ) -> None:
        offer = make_offer(session)
        make_price(session, offer, 8_900, NOON - DAY)
        declare(session, ana, offer, 5_900)

        later = find_offer_evidence(session, offer, at=NOON + 29 * DAY)

        assert prior(session, offer) == 5_900
        assert prior(session, offer, at=NOON + 28 * DAY) == 5_900
        assert prior(session, offer, at=NOON + 29 * DAY) == 8_900
        assert not later.declared

    def test_does_not_close_a_gap(self, session: Session, ana: Merchant) -> None:
        offer = make_offer(session)
        make_price(session, offer, 9_900, NOON - DAY)

        declare(session, ana, offer, last=5)

        assert prior(session, offer) is None

    def test_may_be_several(self, session: Session, ana: Merchant) -> None:
        offer = make_offer(session)
        make_price(session, offer, 9_900, NOON - DAY)

        declare(session, ana, offer, 9_900, first=60, last=11)
        declare(session, ana, offer, 7_900, first=10, last=1)

        assert prior(session, offer) == 7_900

    @pytest.mark.parametrize(
        ("facts", "field"),
        [
            ({"first": 1, "last": 2}, "to_on"),
            ({"last": -1}, "to_on"),
            ({"first": 2_000}, "from_on"),
            ({"amount": 0}, "price"),
            ({"basis": "so"}, "basis"),
            ({"basis": "x" * 1_001}, "basis"),
            # Of the last ten days there is a log.
            ({"first": 10}, "from_on"),
        ],
    )
    def test_must_make_sense(
        self, session: Session, ana: Merchant, facts: dict, field: str
    ) -> None:
        offer = make_offer(session)
        make_price(session, offer, 9_900, NOON - 10 * DAY - 13 * HOUR)

        with pytest.raises(InvalidField) as refused:
            declare(session, ana, offer, **facts)

        assert refused.value.field == field

    def test_is_one_however_often_it_is_sent(
        self, session: Session, ana: Merchant
    ) -> None:
        offer = make_offer(session)
        first, again = declare(session, ana, offer), declare(session, ana, offer)
        other = declare(session, ana, offer, 8_900)
        why = "That was another jacket."
        revoke_declaration(session, ana, first.id, why, now=NOON)

        anew = declare(session, ana, offer)

        assert first.id == again.id
        assert len({first.id, other.id, anew.id}) == 3

    def test_is_not_for_anothers_offer(self, session: Session, ana: Merchant) -> None:
        offer = make_offer(session, retailer_id=make_retailer(session).id)

        with pytest.raises(Missing):
            declare(session, ana, offer)


class TestOfAFile:
    @pytest.fixture
    def entry(self, session: Session):
        return make_import(session, state=ImportState.IMPORTED)

    def test_speaks_of_every_offer_it_was_first_to_bring(
        self, session: Session, ana: Merchant, entry
    ) -> None:
        first, second, old, other = (make_offer(session) for _ in range(4))
        make_price(session, old, 8_000, NOON - 5 * DAY)
        for offer, amount in ((first, 9_900), (second, 5_000), (old, 7_000)):
            make_price(session, offer, amount, NOON - HOUR, source=entry.id)
        make_price(session, other, 9_900, NOON - HOUR)

        made = declare_file(
            session,
            ana,
            entry.id,
            from_on=days_ago(40),
            to_on=TODAY,
            basis=BASIS,
            now=NOON,
        )

        offers = [one.id for one in (first, second, old, other)]
        found = declared_prices(session, ana.retailer_id, offers)
        said = {key: row.price_amount for key, [(_, row)] in found.items()}
        assert said == {first.id: 9_900, second.id: 5_000}
        assert (made.scope, prior(session, first)) == (Scope.FILE, 9_900)

    def test_needs_30_days(self, session: Session, ana: Merchant, entry) -> None:
        with pytest.raises(InvalidField):
            declare_file(
                session,
                ana,
                entry.id,
                from_on=days_ago(29),
                to_on=days_ago(1),
                basis=BASIS,
                now=NOON,
            )

    def test_needs_a_file_that_brought_something(
        self, session: Session, ana: Merchant, entry
    ) -> None:
        with pytest.raises(WrongState):
            declare_file(
                session,
                ana,
                entry.id,
                from_on=days_ago(40),
                to_on=TODAY,
                basis=BASIS,
                now=NOON,
            )


class TestRevoking:
    def test_ends_what_was_declared(self, session: Session, ana: Merchant) -> None:
        offer = make_offer(session)
        make_price(session, offer, 9_900, NOON - DAY)
        made = declare(session, ana, offer)

        why = "That was another jacket."
        later = NOON + HOUR
        revoked = revoke_declaration(session, ana, made.id, why, now=later)

        assert prior(session, offer) is None
        assert (revoked.revokes_id, revoked.basis) == (made.id, why)
        kept = declarations(session, ana.retailer_id, subjects=[offer.id])
        assert [one.id for one in kept] == [revoked.id, made.id]

    def test_happens_once(self, session: Session, ana: Merchant) -> None:
        made = declare(session, ana, make_offer(session))
        why = "That was another jacket."
        revoked = revoke_declaration(session, ana, made.id, why, now=NOON)

        for key in (made.id, revoked.id):
            with pytest.raises(WrongState):
                revoke_declaration(session, ana, key, why, now=NOON)

    def test_wants_a_reason(self, session: Session, ana: Merchant) -> None:
        made = declare(session, ana, make_offer(session))

        with pytest.raises(InvalidField):
            revoke_declaration(session, ana, made.id, " ", now=NOON)

    def test_is_not_for_another_retailer(self, session: Session, ana: Merchant) -> None:
        made = declare(session, ana, make_offer(session))
        south = make_retailer(session)
        eve = make_merchant(session, "eve@south.example", retailer_id=south.id)

        with pytest.raises(Missing):
            revoke_declaration(session, eve, made.id, "A good reason.", now=NOON)

    def test_takes_it_from_deals_that_run(
        self, session: Session, ana: Merchant
    ) -> None:
        offer = make_offer(session)
        make_price(session, offer, 9_900, NOON - DAY)
        made = declare(session, ana, offer)
        deal = make_deal(session, offer, opens_at=NOON, opened_at=None)
        open_due(session, now=NOON)
        before = deal.prior_amount

        why = "That was another jacket."
        revoke_declaration(session, ana, made.id, why, now=NOON + HOUR / 2)

        assert (before, deal.prior_amount) == (9_900, None)
        assert expected_reduction(session, deal) is None
        assert find_evidence(session, deal).ground is Ground.LOG_TOO_SHORT


def test_a_deal_that_opens_meanwhile_does_not_rest_on_what_is_taken_back(
    connect: Connect, session: Session, ana: Merchant
) -> None:
    offer = make_offer(session)
    make_price(session, offer, 9_900, NOON - DAY)
    made = declare(session, ana, offer)
    deal = make_deal(session, offer, opens_at=NOON, opened_at=None)
    opened, other = threading.Event(), connect()

    def open_slowly(opening: Session) -> None:
        open_due(opening, now=NOON)
        opened.set()
        time.sleep(0.3)

    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(other.transact_here, open_slowly)
        assert opened.wait(10)
        other.transact_here(
            revoke_declaration, ana, made.id, "Another jacket.", now=NOON
        )
        running.result()

    session.rollback()
    session.refresh(deal)
    assert (deal.opened_at, deal.prior_amount) == (NOON, None)


@pytest.mark.parametrize("model", [PriceDeclaration, DeclaredPrice])
class TestRows:
    def test_are_never_changed(self, session, ana: Merchant, model) -> None:
        declare(session, ana, make_offer(session))

        with pytest.raises(DatabaseError, match="only ever added to"):
            session.exec(update(model).values(retailer_id="x"))

    def test_are_never_deleted(self, session, ana: Merchant, model) -> None:
        declare(session, ana, make_offer(session))

        with pytest.raises(DatabaseError, match="only ever added to"):
            session.exec(delete(model))


def test_nothing_is_left_of_what_was_refused(session: Session, ana: Merchant) -> None:
    with pytest.raises(InvalidField):
        declare(session, ana, make_offer(session), basis="")

    assert session.exec(select(PriceDeclaration)).all() == []
    assert session.exec(select(Deal)).all() == []
