"""
What each post relied on when it went out is kept, and a post says nothing unproven.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, delete, select, update

from offers.allowances import Departure, Verdict
from offers.deals import Deal, open_due
from offers.declaring import declare_offer, revoke_declaration
from offers.departures import depart
from offers.evidence import (
    PostEvidence,
    basis_of,
    evidence_between,
    evidence_of_deal,
    find_evidence,
)
from offers.honesty import Rule
from offers.honesty_prior import Ground
from offers.money import Money
from offers.posting import lease_due_posts
from offers.posts import Post, PostState
from offers.prices import Reduction, find_reduction
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    SECOND,
    make_deal,
    make_merchant,
    make_offer,
    make_price,
    make_retailer,
    post_of,
)

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def deal(session: Session) -> Deal:
    """A deal at 49.99 of what cost 99.00 for long, about to open."""
    offer = make_offer(session, sku="P-1")
    make_price(session, offer, 9_900, NOON - 90 * DAY)
    return make_deal(session, offer, opens_at=NOON, opened_at=None)


def leased(session: Session, now: datetime = NOON) -> Post:
    [post] = lease_due_posts(session, now=now, ahead=SECOND)
    session.commit()
    return post


def leave(
    session: Session, post: Post, text: str, now: datetime = NOON, **facts: Any
) -> Verdict:
    deal = session.get_one(Deal, post.deal_id)
    departure = Departure(post.model_copy(), deal.model_copy(), text, **facts)
    verdict = depart(session, [departure], now=now)[post.id]
    session.commit()
    return verdict


def reduction(prior: int) -> Reduction:
    return Reduction(Money(prior, "eur"), Money(4_999, "eur"))


class TestPostsThatGoOut:
    def test_leave_their_evidence(self, session: Session, deal: Deal) -> None:
        post = leased(session)

        verdict = leave(session, post, "Parka -49%", reduction=reduction(9_900))

        [kept] = evidence_of_deal(session, deal.retailer_id, deal.id)
        assert verdict is Verdict.GO
        assert (kept.post_id, kept.sku, kept.text) == (post.id, "P-1", "Parka -49%")
        assert (kept.price, kept.prior) == (Money(4_999, "eur"), Money(9_900, "eur"))
        assert (kept.percent, kept.rule, kept.ground) == (
            49,
            Rule.LOWEST,
            Ground.PROVEN,
        )
        assert (kept.since, kept.until, kept.country) == (NOON - 30 * DAY, NOON, "IE")
        [point] = basis_of(kept)
        assert (point["price"], point["kind"]) == ("99.00", "price")
        assert str(point["id"]).startswith("price_")

    def test_say_why_there_is_none(self, session: Session) -> None:
        deal = make_deal(session, opens_at=NOON, opened_at=None)

        leave(session, leased(session), "Parka")

        [kept] = evidence_of_deal(session, deal.retailer_id, deal.id)
        assert (kept.prior, kept.percent) == (None, None)
        assert (kept.ground, basis_of(kept)) == (Ground.LOG_TOO_SHORT, [])

    def test_name_the_declaration_they_rest_on(self, session: Session) -> None:
        offer = make_offer(session)
        make_price(session, offer, 9_900, NOON - DAY)
        deal = make_deal(session, offer, opens_at=NOON, opened_at=None)
        ana = make_merchant(session)
        day = NOON.date()
        made = declare_offer(
            session,
            ana,
            offer.id,
            Money(8_900, "eur"),
            from_on=day - 60 * DAY,
            to_on=day,
            basis="The till's records.",
            now=NOON - HOUR,
        )

        leave(session, leased(session), "Parka", reduction=reduction(8_900))
        revoke_declaration(session, ana, made.id, "It was not so.", now=NOON)

        [kept] = evidence_of_deal(session, deal.retailer_id, deal.id)
        first, *_ = basis_of(kept)
        assert (first["kind"], first["id"]) == ("declaration", made.id)

    def test_are_told_by_the_rule_of_the_country(self, session: Session) -> None:
        retailer = make_retailer(session, country="US")
        offer = make_offer(session, retailer_id=retailer.id)
        make_price(session, offer, 9_900, NOON - 90 * DAY)
        deal = make_deal(session, offer, opens_at=NOON, opened_at=None)

        leave(session, leased(session), "Parka")

        [kept] = evidence_of_deal(session, retailer.id, deal.id)
        assert (kept.rule, kept.country) == (Rule.USUAL, "US")

    def test_are_told_after_the_opening_as_before(
        self, session: Session, deal: Deal
    ) -> None:
        post = leased(session)
        open_due(session, now=NOON)
        session.commit()

        verdict = leave(session, post, "Parka", reduction=reduction(9_900))

        [kept] = evidence_of_deal(session, deal.retailer_id, deal.id)
        assert (verdict, kept.prior_amount, len(basis_of(kept))) == (
            Verdict.GO,
            9_900,
            1,
        )

    @pytest.mark.parametrize(
        ("country", "rule", "prior"),
        [("FR", Rule.FIRST_CUT, 9_900), ("IE", Rule.LOWEST, 4_999)],
    )
    def test_are_told_of_a_further_cut(
        self, session: Session, country: str, rule: Rule, prior: int
    ) -> None:
        retailer = make_retailer(session, country=country)
        offer = make_offer(session, retailer_id=retailer.id)
        make_price(session, offer, 9_900, NOON - 90 * DAY)
        deal = make_deal(session, offer, opens_at=NOON, opened_at=None)
        open_due(session, now=NOON)
        later = NOON + HOUR / 2
        deal.price_amount = 3_999
        found = find_reduction(session, retailer.id, offer.id, deal.price, at=later)
        assert found is not None
        deal.prior_amount, deal.prior_rule = found.prior.amount, found.rule
        make_price(session, offer, 3_999, later, source=f"{deal.id} marked down")

        evidence = find_evidence(session, deal)

        assert (evidence.rule, evidence.lowest) == (rule, Money(prior, "eur"))
        assert evidence.reduction == found
        assert found.prior == Money(prior, "eur")

    def test_are_found_by_their_days(self, session: Session, deal: Deal) -> None:
        leave(session, leased(session), "Parka")

        def found(start: datetime, end: datetime) -> int:
            return len(evidence_between(session, deal.retailer_id, start, end))

        assert found(NOON, NOON + SECOND) == 1
        assert found(NOON - DAY, NOON) == 0
        assert found(NOON + SECOND, NOON + DAY) == 0


class TestPostsThatDoNot:
    def test_claim_more_than_is_proven_any_longer(
        self, session: Session, deal: Deal
    ) -> None:
        post = leased(session)
        offer_id = deal.offer_id
        make_price(
            session,
            session.get_one(type(make_offer(session)), offer_id),
            6_900,
            NOON - HOUR,
        )

        verdict = leave(session, post, "Parka -49%", reduction=reduction(9_900))

        assert verdict is Verdict.CHANGED
        assert session.exec(select(PostEvidence)).all() == []
        again = leave(session, leased(session), "Parka", reduction=reduction(6_900))
        assert again is Verdict.GO

    @pytest.mark.parametrize("text", ["Soldes ! Parka", "#soldes", "Tout est soldé"])
    def test_say_soldes_out_of_season(self, session: Session, text: str) -> None:
        retailer = make_retailer(session, country="FR", time_zone="Europe/Paris")
        deal = make_deal(
            session, retailer_id=retailer.id, opens_at=NOON, opened_at=None
        )

        verdict = leave(session, leased(session), text)

        post = post_of(session, deal)
        session.refresh(post)
        assert verdict is Verdict.FORBIDDEN
        assert (post.state, "soldes" in post.failure) == (PostState.FAILED, True)
        assert session.exec(select(PostEvidence)).all() == []

    @pytest.mark.parametrize(
        ("at", "verdict"),
        [
            (datetime(2026, 1, 7, 8, tzinfo=PARIS), Verdict.GO),
            (datetime(2026, 1, 7, 7, 59, 59, tzinfo=PARIS), Verdict.FORBIDDEN),
            (datetime(2026, 2, 4, 0, 0, 1, tzinfo=PARIS), Verdict.FORBIDDEN),
        ],
    )
    def test_are_judged_at_the_moment_they_go_out(
        self, session: Session, at: datetime, verdict: Verdict
    ) -> None:
        retailer = make_retailer(session, country="FR", time_zone="Europe/Paris")
        make_deal(
            session,
            retailer_id=retailer.id,
            opens_at=at,
            closes_at=at + HOUR,
            opened_at=None,
            closed_at=None,
        )

        assert leave(session, leased(session, at), "Soldes", at) is verdict

    def test_are_free_to_say_it_elsewhere(self, session: Session, deal: Deal) -> None:
        assert leave(session, leased(session), "Soldes") is Verdict.GO

    def test_are_not_taken_at_the_letters_of_their_code(self, session: Session) -> None:
        retailer = make_retailer(session, country="FR", time_zone="Europe/Paris")
        deal = make_deal(
            session, retailer_id=retailer.id, opens_at=NOON, opened_at=None
        )
        post = post_of(session, deal)
        post.code = "soldes-1"
        session.add(post)
        session.commit()

        text = "Parka https://outlet.example/d/soldes-1"

        assert leave(session, leased(session), text) is Verdict.GO


class TestKeptEvidence:
    def test_is_never_changed(self, session: Session, deal: Deal) -> None:
        leave(session, leased(session), "Parka")

        with pytest.raises(DatabaseError, match="only ever added to"):
            session.exec(update(PostEvidence).values(percent=90))

    def test_is_never_deleted(self, session: Session, deal: Deal) -> None:
        leave(session, leased(session), "Parka")

        with pytest.raises(DatabaseError, match="only ever added to"):
            session.exec(delete(PostEvidence))
