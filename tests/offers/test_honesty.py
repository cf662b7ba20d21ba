"""
What a price before is, by each country's rule, and what nobody may say.
"""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, delete, update

from offers.catalog import Offer
from offers.deals import Deal, close_due, expected_reduction, open_due
from offers.errors import InvalidField, InvalidFields
from offers.honesty import LAWS, Rule, law_of, rule_of, rules_for
from offers.honesty_costs import compare_cost
from offers.honesty_prior import RECENT, Applied, Ground, Terms, find_prior
from offers.honesty_seasons import (
    Part,
    Season,
    legal_season,
    seasons,
    set_season,
    unset_season,
)
from offers.honesty_words import says_reduction, says_soldes, why_no_soldes
from offers.money import Money
from offers.moving import move_deal
from offers.planned import read_reductions
from offers.planning import DealPlan, check_plan, plan_deal
from offers.prices import (
    PricePoint,
    Reduction,
    find_reduction,
    log_price,
    reduction_of,
)
from offers.retailers import Retailer
from offers.templates import keep_template
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    SECOND,
    make_deal,
    make_offer,
    make_price,
    make_retailer,
    north,
)

PARIS = ZoneInfo("Europe/Paris")


def euros(amount: int) -> Money:
    return Money(amount, "eur")


def french(session: Session, **facts: object) -> Retailer:
    return make_retailer(
        session, "paris", country="FR", time_zone="Europe/Paris", **facts
    )


class TestRuleOf:
    @pytest.mark.parametrize(
        ("country", "rule"),
        [
            ("IE", Rule.LOWEST),
            ("ES", Rule.LOWEST),
            ("FR", Rule.FIRST_CUT),
            ("RE", Rule.FIRST_CUT),
            ("DE", Rule.FIRST_CUT),
            ("US", Rule.USUAL),
            ("JP", Rule.LOWEST),
        ],
    )
    def test_is_the_countrys_own(
        self, session: Session, country: str, rule: Rule
    ) -> None:
        assert rule_of(make_retailer(session, country=country)) is rule

    @pytest.mark.parametrize(
        ("country", "chosen", "rule"),
        [
            ("FR", "lowest", Rule.LOWEST),
            ("FR", "never", Rule.NEVER),
            ("FR", "usual", Rule.FIRST_CUT),
            ("IE", "first_cut", Rule.LOWEST),
            ("IE", "usual", Rule.LOWEST),
            ("JP", "usual", Rule.USUAL),
            ("IE", "nonsense", Rule.LOWEST),
        ],
    )
    def test_may_be_a_stricter_one(
        self, session: Session, country: str, chosen: str, rule: Rule
    ) -> None:
        retailer = make_retailer(session, country=country, price_rule=chosen)

        assert rule_of(retailer) is rule

    def test_of_every_country_is_one_it_may_choose(self) -> None:
        assert all(law_of(country).usual in rules_for(country) for country in LAWS)


def applied(
    *charged: tuple[timedelta, int], cuts: tuple[int, ...] = (), **facts: object
) -> list[Applied]:
    """What was charged, each from so long before NOON on."""
    ends = [*(NOON - ago for ago, _ in charged[1:]), None][: len(charged)]
    return [
        Applied(
            since=NOON - ago,
            until=until,
            price=euros(amount),
            cut=number in cuts,
            **facts,  # type: ignore[arg-type]
        )
        for number, ((ago, amount), until) in enumerate(zip(charged, ends, strict=True))
    ]


class TestLowest:
    @pytest.mark.parametrize(
        ("charged", "prior"),
        [
            ([(40, 9_900)], 9_900),
            ([(30, 9_900)], 9_900),
            ([(29, 9_900)], None),
            ([(60, 5_000), (30, 9_900)], 9_900),
            ([(60, 5_000), (29, 9_900)], 5_000),
            ([(60, 9_900), (20, 5_000), (19, 9_900)], 5_000),
            ([(60, 9_900), (20, 12_900)], 9_900),
            ([], None),
        ],
    )
    def test_is_of_the_30_days_before(
        self, charged: list[tuple[int, int]], prior: int | None
    ) -> None:
        history = applied(*((days * DAY, amount) for days, amount in charged))

        found = find_prior(history, None, at=NOON, terms=Terms())

        assert found.price == (None if prior is None else euros(prior))

    def test_knows_nothing_of_days_in_a_gap(self) -> None:
        first = Applied(
            since=NOON - 50 * DAY, until=NOON - 20 * DAY, price=euros(9_900)
        )
        gap = [first, *applied((20 * DAY - SECOND, 9_900))]
        none = [first, *applied((20 * DAY, 9_900))]

        assert find_prior(gap, None, at=NOON, terms=Terms()).price is None
        assert find_prior(none, None, at=NOON, terms=Terms()).price == euros(9_900)

    @pytest.mark.parametrize(
        ("taxes", "with_tax", "ground"),
        [
            (("included", "included"), True, Ground.PROVEN),
            (("unknown", "included"), True, Ground.PROVEN),
            (("excluded", "included"), False, Ground.TAX_CHANGED),
            (("excluded", "excluded"), True, Ground.WITHOUT_TAX),
            (("excluded", "excluded"), False, Ground.PROVEN),
        ],
    )
    def test_compares_prices_of_one_kind(
        self, taxes: tuple[str, str], with_tax: Any, ground: Ground
    ) -> None:
        history = [
            Applied(
                since=NOON - 50 * DAY,
                until=NOON - 9 * DAY,
                price=euros(99),
                tax=taxes[0],
            ),
            Applied(since=NOON - 9 * DAY, until=None, price=euros(98), tax=taxes[1]),
        ]

        found = find_prior(history, None, at=NOON, terms=Terms(with_tax=with_tax))

        assert found.ground is ground


class TestFirstCut:
    TERMS = Terms(Rule.FIRST_CUT)

    @pytest.mark.parametrize(
        ("charged", "cuts", "prior"),
        [
            # No cut goes on: the lowest of the 30 days.
            ([(90, 9_900)], (), 9_900),
            ([(90, 9_900), (20, 7_900)], (), 7_900),
            # Two and three cuts without a break: what was charged before the first.
            ([(90, 9_900), (5, 7_900)], (1,), 9_900),
            ([(90, 9_900), (5, 7_900), (2, 6_900)], (1, 2), 9_900),
            # However long ago the first was.
            ([(90, 9_900), (45, 7_900), (40, 6_900)], (1, 2), 9_900),
            # The lowest of the 30 days before the first, not the last of them.
            ([(90, 9_900), (30, 8_500), (20, 9_900), (5, 7_900)], (3,), 8_500),
            # A price that rose between ends the run.
            ([(90, 9_900), (9, 6_900), (5, 7_900)], (1, 2), 6_900),
            ([(90, 9_900), (9, 6_900), (8, 9_900), (5, 7_900)], (1, 3), 6_900),
            # A lower price that nobody announced is no cut.
            ([(90, 9_900), (20, 8_900), (5, 7_900)], (2,), 8_900),
            # Too little is known of the time before the first.
            ([(20, 9_900), (5, 7_900)], (1,), None),
        ],
    )
    def test_is_what_was_charged_before_it(
        self,
        charged: list[tuple[int, int]],
        cuts: tuple[int, ...],
        prior: int | None,
    ) -> None:
        history = applied(*((days * DAY, it) for days, it in charged), cuts=cuts)

        found = find_prior(history, euros(4_900), at=NOON, terms=self.TERMS)

        assert found.price == (None if prior is None else euros(prior))

    def test_is_not_asked_for_a_price_above_the_last_cut(self) -> None:
        history = applied((90 * DAY, 9_900), (5 * DAY, 5_900), cuts=(1,))

        higher = find_prior(history, euros(6_900), at=NOON, terms=self.TERMS)

        assert higher.price == euros(5_900)

    def test_ends_with_its_season(self) -> None:
        cut = Applied(
            since=NOON - 5 * DAY,
            until=None,
            price=euros(7_900),
            cut=True,
            cut_until=NOON + DAY,
        )
        history = [
            Applied(since=NOON - 90 * DAY, until=cut.since, price=euros(9_900)),
            cut,
        ]

        within = find_prior(history, euros(4_900), at=NOON, terms=self.TERMS)
        after = find_prior(history, euros(4_900), at=NOON + DAY, terms=self.TERMS)

        assert (within.price, after.price) == (euros(9_900), euros(7_900))


class TestUsual:
    TERMS = Terms(Rule.USUAL, usual_for=28 * DAY)

    @pytest.mark.parametrize(
        ("charged", "cuts", "prior"),
        [
            ([(28, 9_900)], (), 9_900),
            ([(27, 9_900)], (), None),
            # What it cost before does not matter, what it costs last does.
            ([(90, 5_000), (40, 9_900)], (), 9_900),
            ([(90, 9_900), (3, 8_900)], (), None),
            # A deal of ours between does not make it less usual, nor more.
            ([(40, 9_900), (20, 4_900), (19, 9_900)], (1,), 9_900),
            ([(40, 9_900), (30, 4_900), (10, 9_900)], (1,), None),
            # Long ago is not recent.
            ([(300, 9_900), (91, 5_000), (10, 9_900)], (), None),
        ],
    )
    def test_is_what_the_shop_charged_for_long_enough(
        self,
        charged: list[tuple[int, int]],
        cuts: tuple[int, ...],
        prior: int | None,
    ) -> None:
        history = applied(*((days * DAY, it) for days, it in charged), cuts=cuts)

        found = find_prior(history, euros(4_900), at=NOON, terms=self.TERMS)

        assert found.price == (None if prior is None else euros(prior))


def test_never_is_never() -> None:
    history = applied((90 * DAY, 9_900))

    found = find_prior(history, euros(4_900), at=NOON, terms=Terms(Rule.NEVER))

    assert (found.price, found.ground) == (None, Ground.NEVER)
    assert len(found.applied) == 1


@given(
    st.lists(
        st.tuples(st.integers(1, 120 * 24), st.integers(100, 9_999), st.booleans()),
        unique_by=lambda one: one[0],
        min_size=1,
    ),
    st.integers(1, 9_999),
    st.sampled_from(Rule),
)
def test_a_percentage_never_exceeds_the_truth(
    charged: list[tuple[int, int, bool]], amount: int, rule: Rule
) -> None:
    """Whatever the rule: the price before was charged, and the share is not less."""
    ordered = sorted(charged, reverse=True)
    cuts = tuple(n for n, (_, _, cut) in enumerate(ordered) if cut)
    history = applied(*((hours * HOUR, it) for hours, it, _ in ordered), cuts=cuts)

    prior = find_prior(history, euros(amount), at=NOON, terms=Terms(rule))
    found = reduction_of(prior, euros(amount))

    if found is None:
        return
    assert found.prior.amount in {it for _, it, _ in charged}
    assert found.price < found.prior
    assert found.percent * found.prior.amount <= 100 * (found.prior.amount - amount)
    assert 0 <= found.percent < 100
    lowest = find_prior(history, euros(amount), at=NOON, terms=Terms())
    if rule is Rule.FIRST_CUT and not any(one.cut for one in history):
        assert found.prior == lowest.price
    if rule is Rule.USUAL:
        first = NOON - RECENT
        assert any(one.since < NOON and not one.ended_by(first) for one in history)


@given(
    st.lists(
        st.tuples(st.integers(1, 120 * 24), st.integers(100, 9_999), st.booleans()),
        unique_by=lambda one: one[0],
        min_size=1,
    ),
    st.integers(1, 9_999),
)
def test_the_lowest_of_30_days_claims_no_more_than_the_first_cut(
    charged: list[tuple[int, int, bool]], amount: int
) -> None:
    """So whoever does not know a country's rule is right to take the lowest.

    Only what was cheaper before these 30 days can be in those before the first cut.
    """
    ordered = sorted(charged, reverse=True)
    cuts = tuple(n for n, (_, _, cut) in enumerate(ordered) if cut)
    history = applied(*((hours * HOUR, it) for hours, it, _ in ordered), cuts=cuts)

    first = find_prior(history, euros(amount), at=NOON, terms=Terms(Rule.FIRST_CUT))
    lowest = find_prior(history, euros(amount), at=NOON, terms=Terms())

    if first.price is None or lowest.price is None:
        return
    forgotten = [one for one in history if one.ended_by(lowest.since)]
    assert lowest.price <= first.price or first.price in {it.price for it in forgotten}


class TestOurOwnDeals:
    def play(self, session: Session, retailer: Retailer, *, days: int) -> Offer:
        """A deal at 59.00 that ran for a day and ended *days* before NOON."""
        offer = make_offer(session, retailer_id=retailer.id, price_amount=9_900)
        make_price(session, offer, 9_900, NOON - 90 * DAY)
        opens_at = NOON - (days + 1) * DAY
        make_deal(
            session,
            offer,
            price_amount=5_900,
            opens_at=opens_at,
            closes_at=opens_at + DAY,
            opened_at=None,
            closed_at=None,
        )
        open_due(session, now=opens_at)
        close_due(session, now=opens_at + DAY)
        session.commit()
        return offer

    @pytest.mark.parametrize(("days", "prior"), [(10, 5_900), (29, 5_900), (30, 9_900)])
    @pytest.mark.parametrize("country", ["IE", "FR"])
    def test_are_prices_that_were_charged(
        self, session: Session, country: str, days: int, prior: int
    ) -> None:
        retailer = make_retailer(session, country=country)
        offer = self.play(session, retailer, days=days)

        found = find_reduction(session, retailer.id, offer.id, euros(4_900), at=NOON)

        assert found is not None
        assert found.prior == euros(prior)

    @pytest.mark.parametrize(
        ("country", "prior"), [("FR", 9_900), ("DE", 9_900), ("IE", 5_900)]
    )
    def test_may_be_cut_again_while_they_run(
        self, session: Session, country: str, prior: int
    ) -> None:
        retailer = make_retailer(session, country=country)
        offer = make_offer(session, retailer_id=retailer.id, price_amount=9_900)
        make_price(session, offer, 9_900, NOON - 90 * DAY)
        deal = make_deal(
            session, offer, price_amount=5_900, opens_at=NOON, opened_at=None
        )
        open_due(session, now=NOON)

        later = NOON + HOUR / 2
        found = find_reduction(session, retailer.id, offer.id, euros(4_900), at=later)

        assert found == Reduction(euros(prior), euros(4_900), rule_of(retailer))
        assert deal.reduction == Reduction(euros(9_900), euros(5_900), Rule.LOWEST)

    def test_are_told_alike_for_one_and_for_many(self, session: Session) -> None:
        retailer = french(session)
        offer = self.play(session, retailer, days=10)
        deals = [
            make_deal(session, offer, price_amount=amount, opens_at=NOON + n * DAY)
            for n, amount in enumerate((4_900, 5_900, 3_900), start=1)
        ]

        many = read_reductions(session, deals)

        assert many == {deal.id: expected_reduction(session, deal) for deal in deals}
        assert any(many.values())


def test_the_shops_own_cuts_count_within_a_season(session: Session) -> None:
    """In the "soldes" one markdown follows the other, and the shop makes them."""
    winter = legal_season(2026, Part.WINTER)
    retailer = french(session)
    offer = make_offer(session, retailer_id=retailer.id)
    opens_at = winter.opens_at(PARIS)
    make_price(session, offer, 9_900, opens_at - 90 * DAY)
    make_price(session, offer, 7_900, opens_at + HOUR)
    make_price(session, offer, 6_900, opens_at + 10 * DAY)

    def prior(at: datetime) -> Money | None:
        found = find_reduction(session, retailer.id, offer.id, euros(4_900), at=at)
        return found and found.prior

    assert prior(opens_at + 20 * DAY) == euros(9_900)
    assert prior(winter.closes_at(PARIS)) == euros(6_900)


class TestSeasons:
    @pytest.mark.parametrize(
        ("year", "winter", "summer"),
        [
            # As they were announced in those years; two summers were moved later on.
            (2020, date(2020, 1, 8), date(2020, 6, 24)),
            (2022, date(2022, 1, 12), date(2022, 6, 22)),
            (2023, date(2023, 1, 11), date(2023, 6, 28)),
            (2024, date(2024, 1, 10), date(2024, 6, 26)),
            (2025, date(2025, 1, 8), date(2025, 6, 25)),
            (2026, date(2026, 1, 7), date(2026, 6, 24)),
        ],
    )
    def test_begin_on_the_day_of_the_law(
        self, year: int, winter: date, summer: date
    ) -> None:
        found = [legal_season(year, part) for part in Part]

        assert [season.begins_on for season in found] == [winter, summer]
        assert {season.ends_on - season.begins_on for season in found} == {27 * DAY}

    @given(st.integers(2020, 2100))
    def test_begin_on_a_wednesday_that_is_not_too_late(self, year: int) -> None:
        winter, summer = (legal_season(year, part) for part in Part)

        assert {winter.begins_on.weekday(), summer.begins_on.weekday()} == {2}
        assert date(year, 1, 6) <= winter.begins_on <= date(year, 1, 12)
        assert date(year, 6, 22) <= summer.begins_on <= date(year, 6, 28)

    def test_are_from_eight_in_the_morning_to_midnight(self) -> None:
        winter = legal_season(2026, Part.WINTER)

        assert winter.opens_at(PARIS).isoformat() == "2026-01-07T07:00:00+00:00"
        assert winter.closes_at(PARIS).isoformat() == "2026-02-03T23:00:00+00:00"

    def test_are_france_alone(self, session: Session) -> None:
        assert seasons(session, north(session), around=date(2026, 3, 2)) == []
        assert len(seasons(session, french(session), around=date(2026, 3, 2))) == 8

    def test_may_be_set(self, session: Session) -> None:
        retailer = french(session)
        east = Season(2027, Part.WINTER, date(2027, 1, 2), date(2027, 1, 29))

        set_season(session, retailer, east, set_by="merchant_1", now=NOON)
        set_season(session, retailer, east, set_by="merchant_1", now=NOON)
        found = seasons(session, retailer, around=date(2026, 12, 1))
        unset_season(session, retailer, 2027, Part.WINTER)
        after = seasons(session, retailer, around=date(2026, 12, 1))

        assert date(2027, 1, 2) in {season.begins_on for season in found}
        assert date(2027, 1, 6) not in {season.begins_on for season in found}
        assert date(2027, 1, 6) in {season.begins_on for season in after}

    @pytest.mark.parametrize(
        ("begins_on", "ends_on"),
        [
            (date(2027, 1, 2), date(2027, 1, 21)),
            (date(2027, 1, 2), date(2027, 2, 13)),
            (date(2026, 12, 30), date(2027, 1, 27)),
            (date(2027, 1, 20), date(2027, 1, 2)),
        ],
    )
    def test_have_the_length_of_the_law(
        self, session: Session, begins_on: date, ends_on: date
    ) -> None:
        season = Season(2027, Part.WINTER, begins_on, ends_on)

        with pytest.raises(InvalidField) as refused:
            set_season(session, french(session), season, set_by="m", now=NOON)

        assert refused.value.field == "winter_2027"


class TestWords:
    @pytest.mark.parametrize(
        "text",
        [
            "Soldes",
            "SOLDE",
            "Parka soldé",
            "Bottes soldées",
            "on solde tout",
            "à solder",
            "Soldé, tout est soldé",
            "#Soldes",
            "#SoldesHiver",
            "#soldesdhiver",
            "#PromoSoldes",
            "#promo_soldes",
            "les sol\u00addes",
            "les so\u200bldes",
            "\uff33\uff2f\uff2c\uff24\uff25\uff33",
            "solde\u0301",
            "SOLDERIE",
            "SoLdEs",
            "sOLDES d'hiver",
        ],
    )
    def test_of_the_law_are_known_in_all_their_forms(self, text: str) -> None:
        assert says_soldes(text)

    @pytest.mark.parametrize(
        "text",
        ["Sold out", "Half sold", "Isolde", "soldat", "soldier", "#outlet", "", "sol"],
    )
    def test_that_only_look_like_it_are_not(self, text: str) -> None:
        assert not says_soldes(text)

    @pytest.mark.parametrize(
        "text",
        [
            "-50%",
            "\u221250 %",
            "jusqu'à - 70 %",
            "50% off",
            "50 % de réduction",
            "30 pour cent de remise",
            "Save 20%",
            "was €99",
            "au lieu de 99,00 €",
            "avant : 99 €",
            "9\u03369\u0336 €",
            "instead of 99.00 EUR",
            "20%-off",
            "20 per cent off",
            "20 % Rabatt",
            "20 % g\u00fcnstiger",
            "reduziert um 20 %",
            "statt 99 \u20ac",
            "Minus 20 %",
            "Half price",
            "\u00e0 moiti\u00e9 prix",
            "zum halben Preis",
            "20 % de descuento",
            "sconto del 20%",
        ],
    )
    def test_that_say_a_reduction_are_known(self, text: str) -> None:
        assert says_reduction(text)

    @pytest.mark.parametrize(
        "text",
        [
            "100% cotton",
            "99 % laine",
            "5-10% elastane",
            "-20 °C",
            "was made in 1999",
            "avant 18 h",
            "SKU-50",
            "70% recycled",
            "au moins 20 % de laine",
            "mindestens 20 Prozent Wolle",
        ],
    )
    def test_that_say_something_else_are_not(self, text: str) -> None:
        assert not says_reduction(text)

    @pytest.mark.parametrize(
        ("at", "fine"),
        [
            (datetime(2026, 1, 7, 7, 59, 59, tzinfo=PARIS), False),
            (datetime(2026, 1, 7, 8, tzinfo=PARIS), True),
            (datetime(2026, 2, 3, 23, 59, 59, tzinfo=PARIS), True),
            (datetime(2026, 2, 4, 0, 0, 1, tzinfo=PARIS), False),
            (datetime(2026, 3, 2, 12, tzinfo=PARIS), False),
            (datetime(2026, 6, 24, 8, tzinfo=PARIS), True),
            (datetime(2026, 7, 21, 23, tzinfo=PARIS), True),
            (datetime(2026, 7, 22, 0, 0, 1, tzinfo=PARIS), False),
            (datetime(2026, 12, 31, 23, tzinfo=PARIS), False),
        ],
    )
    def test_of_the_law_have_their_time(
        self, session: Session, at: datetime, fine: Any
    ) -> None:
        found = why_no_soldes(session, french(session), "Soldes", start=at, end=at)

        assert (found is None) is fine

    def test_of_the_law_are_free_elsewhere(self, session: Session) -> None:
        retailer = north(session)

        assert not why_no_soldes(session, retailer, "Soldes", start=NOON, end=NOON)

    def test_say_when_they_may_be_used(self, session: Session) -> None:
        found = why_no_soldes(session, french(session), "Soldes", start=NOON, end=NOON)

        assert "from 2026-06-24, 08:00, to 2026-07-21." in str(found)


class TestPlans:
    def plan(self, offer: Offer, **facts: object) -> DealPlan:
        return DealPlan(
            offer_id=offer.id,
            price=euros(4_999),
            units=1,
            limit_per_shopper=1,
            **{"opens_at": NOON + HOUR, "closes_at": NOON + 2 * HOUR, **facts},  # type: ignore[arg-type]
        )

    def fields(self, session: Session, offer: Offer, **facts: object) -> list[str]:
        plan = self.plan(offer, **facts)
        return [p.field for p in check_plan(session, offer, plan, now=NOON)]

    def offer(self, session: Session, **facts: object) -> Offer:
        retailer = session.get(Retailer, facts.pop("retailer_id", "")) or french(
            session
        )
        return make_offer(session, retailer_id=retailer.id, **facts)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("facts", "fields"),
        [
            ({}, []),
            ({"title": "Soldes : parka"}, ["title"]),
            ({"pitch": "Tout est soldé."}, ["pitch"]),
            ({"title": "Parka \u221250 %", "pitch": "soldes"}, ["title", "pitch"]),
        ],
    )
    def test_say_nothing_forbidden(
        self, session: Session, facts: dict[str, object], fields: list[str]
    ) -> None:
        assert self.fields(session, self.offer(session), **facts) == fields

    def test_take_no_title_from_a_feed_that_is_forbidden(
        self, session: Session
    ) -> None:
        offer = self.offer(session, title="Parka (soldes)")

        assert self.fields(session, offer) == ["title"]

    def test_may_say_soldes_all_through_a_season(self, session: Session) -> None:
        summer = legal_season(2026, Part.SUMMER)
        opens_at, closes_at = summer.opens_at(PARIS), summer.closes_at(PARIS)
        offer = self.offer(session)

        def fields(start: datetime, end: datetime) -> list[str]:
            times = {"opens_at": start, "closes_at": end}
            return self.fields(session, offer, title="Soldes", **times)

        assert fields(opens_at, closes_at) == []
        assert fields(opens_at - SECOND, closes_at) == ["title"]
        assert fields(opens_at, closes_at + SECOND) == ["title"]

    def test_are_not_moved_out_of_their_season(self, session: Session) -> None:
        summer = legal_season(2026, Part.SUMMER)
        offer = self.offer(session)
        opens_at = summer.opens_at(PARIS)
        plan = self.plan(
            offer, title="Soldes", opens_at=opens_at, closes_at=opens_at + HOUR
        )
        deal = plan_deal(session, offer.retailer_id, plan, now=NOON)

        within, without = opens_at + DAY, opens_at - DAY
        moved = move_deal(
            session, deal.retailer_id, deal.id, within, seen=opens_at, now=NOON
        )
        with pytest.raises(InvalidField):
            move_deal(
                session, deal.retailer_id, deal.id, without, seen=within, now=NOON
            )

        assert moved.opens_at == within

    def test_are_not_under_cost_unless_somebody_says_so(self, session: Session) -> None:
        offer = self.offer(session, cost_amount=5_000)

        assert self.fields(session, offer) == ["under_cost"]
        assert self.fields(session, offer, under_cost_by="merchant_1") == []

    def test_keep_who_said_so_and_when(self, session: Session) -> None:
        offer = self.offer(session, cost_amount=5_000)
        plan = self.plan(offer, under_cost_by="merchant_1")

        deal = plan_deal(session, offer.retailer_id, plan, now=NOON)

        assert (deal.under_cost_by, deal.under_cost_at) == ("merchant_1", NOON)

    @pytest.mark.parametrize(
        ("country", "opens_at", "forbidden"),
        [
            ("FR", NOON, True),
            ("FR", legal_season(2026, Part.SUMMER).opens_at(PARIS), False),
            ("IE", NOON, False),
        ],
    )
    def test_say_where_a_loss_is_forbidden(
        self, session: Session, country: str, opens_at: datetime, forbidden: Any
    ) -> None:
        retailer = make_retailer(session, country=country, time_zone="Europe/Paris")
        offer = make_offer(session, retailer_id=retailer.id, cost_amount=5_000)
        plan = self.plan(offer, opens_at=opens_at, closes_at=opens_at + HOUR)

        with pytest.raises(InvalidFields) as refused:
            plan_deal(session, retailer.id, plan, now=opens_at)

        [problem] = refused.value.problems
        assert ("resale at a loss is forbidden" in str(problem)) is forbidden


class TestCosts:
    @pytest.mark.parametrize(
        ("country", "tax", "points", "price", "under", "net"),
        [
            # No rate is known: as they stand.
            ("FR", "included", None, 5_000, False, False),
            ("FR", "included", None, 4_999, True, False),
            # 20 %: 60.00 with tax is 50.00 without.
            ("FR", "included", 2_000, 6_000, False, True),
            ("FR", "included", 2_000, 5_999, True, True),
            ("FR", "unknown", 2_000, 5_999, True, True),
            # A rate of nothing is a rate.
            ("FR", "included", 0, 5_000, False, True),
            ("FR", "included", 0, 4_999, True, True),
            # Prices without tax are of the cost's kind already.
            ("FR", "excluded", 2_000, 5_000, False, True),
            ("US", "unknown", None, 5_000, False, True),
            ("US", "excluded", 800, 4_999, True, True),
        ],
    )
    def test_are_compared_on_the_same_basis(
        self,
        session: Session,
        country: str,
        tax: str,
        points: int | None,
        price: int,
        under: Any,
        net: Any,
    ) -> None:
        retailer = make_retailer(session, country=country, tax_points=points)
        offer = make_offer(session, retailer_id=retailer.id, cost_amount=5_000, tax=tax)

        check = compare_cost(retailer, offer, euros(price))

        assert check is not None
        assert (check.under, check.net) == (under, net)

    def test_that_nobody_knows_are_not(self, session: Session) -> None:
        offer = make_offer(session, cost_amount=None)

        assert compare_cost(north(session), offer, euros(1)) is None


class TestTemplates:
    def keep(self, session: Session, retailer: Retailer, body: str, now: datetime):
        return keep_template(
            session,
            retailer.id,
            language="fr",
            kind="announcement",
            body=f"{body} {{title}} {{price}}\n{{link}}",
            now=now,
        )

    @pytest.mark.parametrize("body", ["Soldes !", "#soldes", "Tout est soldé"])
    def test_do_not_say_soldes_out_of_season(self, session: Session, body: str) -> None:
        with pytest.raises(InvalidField):
            self.keep(session, french(session), body, NOON)

    def test_may_in_a_season(self, session: Session) -> None:
        at = legal_season(2026, Part.SUMMER).opens_at(PARIS)

        assert self.keep(session, french(session), "Soldes !", at)

    @pytest.mark.parametrize("body", ["-50 %", "50% off", "au lieu de 99 €"])
    def test_say_no_figures_of_their_own(self, session: Session, body: str) -> None:
        with pytest.raises(InvalidField):
            self.keep(session, north(session), body, NOON)

    def test_may_say_proven_ones(self, session: Session) -> None:
        assert self.keep(session, north(session), "-{percent} %, {prior}", NOON)


class TestLog:
    """The database itself lets nobody rewrite what was charged."""

    @pytest.fixture
    def point(self, session: Session) -> PricePoint:
        return make_price(session, make_offer(session), 9_900, NOON)

    def test_is_never_changed(self, session: Session, point: PricePoint) -> None:
        with pytest.raises(DatabaseError, match="only ever added to"):
            session.exec(update(PricePoint).values(price_amount=1))

    def test_is_never_deleted(self, session: Session, point: PricePoint) -> None:
        with pytest.raises(DatabaseError, match="only ever added to"):
            session.exec(delete(PricePoint))

    @pytest.mark.parametrize(
        ("source", "kind"),
        [
            ("feed_01j", "feed"),
            ("deal_01j opened", "deal"),
            ("arrival_01j", "message"),
            ("test", "other"),
        ],
    )
    def test_says_who_told(self, session: Session, source: str, kind: str) -> None:
        offer = make_offer(session)

        log_price(
            session, offer.retailer_id, offer.id, euros(1), source=source, now=NOON
        )

        [point] = session.exec(PricePoint.__table__.select()).all()  # type: ignore[attr-defined]
        assert point.kind == kind


def test_a_deal_says_by_which_rule(session: Session) -> None:
    retailer = make_retailer(session, country="US")
    offer = make_offer(session, retailer_id=retailer.id)
    make_price(session, offer, 9_900, NOON - 29 * DAY)
    make_deal(session, offer, opens_at=NOON, opened_at=None)

    [deal] = open_due(session, now=NOON)

    assert isinstance(deal, Deal)
    assert deal.reduction == Reduction(euros(9_900), euros(4_999), Rule.USUAL)
