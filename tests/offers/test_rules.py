"""
The first rule that catches an offer counts; where none does, the policy.
"""

import json
from typing import Any

import pytest
from sqlmodel import Session

from offers.catalog import Offer
from offers.errors import InvalidField, Missing, WrongState
from offers.proposed_prices import Terms
from offers.rules import (
    MOST_RULES,
    MarkdownRule,
    RuleFacts,
    RuleField,
    drop_rule,
    get_terms,
    keep_rule,
    keep_terms,
    raise_rule,
    rule_by_offer,
    rules,
    terms_under,
)
from tests.factories import MINUTE, NOON, make_offer, make_retailer, north

CATEGORY, TAG = RuleField.CATEGORY, RuleField.TAG


def rule(session: Session, value: str, field: RuleField = CATEGORY, **facts: Any):
    told = {"excludes": False, "markdown_percent": 40, "margin_percent": 5, **facts}
    said = RuleFacts(field=field, value=value, **told)
    kept = keep_rule(session, north(session).id, said, now=NOON)
    session.commit()
    return kept


def which(session: Session, offer: Offer) -> str | None:
    found = rule_by_offer(session, offer.retailer_id, [offer.id])
    return found[offer.id].value if offer.id in found else None


class TestPolicy:
    def test_is_ours_until_the_retailer_has_one(self, session) -> None:
        assert get_terms(session, north(session).id) == Terms()

    def test_is_kept_and_changed(self, session) -> None:
        mine = north(session).id
        for margin in (5, 25):
            wanted = Terms(margin_percent=margin, ending="")
            keep_terms(session, mine, wanted, now=NOON)
            session.commit()

            assert get_terms(session, mine) == wanted

        assert get_terms(session, make_retailer(session).id) == Terms()


class TestCatching:
    @pytest.mark.parametrize(
        ("value", "category", "caught"),
        [
            ("Jackets", "Jackets", True),
            ("jackets", "Jackets", True),
            ("Jackets", "JACKETS > Down", True),
            ("Jackets", "Jackets/Down", True),
            ("Jackets", "Jackets | Down", True),
            ("Jackets", "Jackets and coats", False),
            ("Jackets", "Clothing > Jackets > Down", True),
            ("Clothing/Jackets", "Clothing > Jackets", True),
            ("Jackets", "Clothing > Jackets and coats", False),
            ("100%_cotton", "100%_cotton > Shirts", True),
            ("100%_cotton", "100x-cotton > Shirts", False),
            ("Jackets", None, False),
            ("Vêtements", "Vêtements", True),
            ("été", "Mode > Été", True),
            ("ÉTÉ", "Mode > été > 2026", True),
        ],
    )
    def test_a_category_with_what_is_under_it(
        self, session, value, category, caught
    ) -> None:
        offer = make_offer(session, category=category)
        rule(session, value)

        assert which(session, offer) == (value if caught else None)

    @pytest.mark.parametrize(
        ("value", "tags", "caught"),
        [
            ("winter", ["winter"], True),
            ("winter", ["sale", "Winter"], True),
            ("winter", ["winter 2025"], False),
            ("inter", ["winter"], False),
            ('3" wide', ['3" wide'], True),
            ("été", ["été"], True),
            ("été", ["Été"], True),
            ("Été", ["ÉTÉ"], True),
            ("50%", ["500"], False),
            ("winter", [], False),
        ],
    )
    def test_a_whole_tag(self, session, value, tags, caught) -> None:
        offer = make_offer(session, tags=json.dumps(tags, ensure_ascii=False))
        rule(session, value, TAG)

        assert which(session, offer) == (value if caught else None)

    def test_the_first_that_catches_counts(self, session) -> None:
        offer = make_offer(session, category="Jackets", tags='["winter"]')
        rule(session, "Shoes")
        rule(session, "winter", TAG)
        later = rule(session, "Jackets")
        assert which(session, offer) == "winter"

        raise_rule(session, later.retailer_id, later.id)

        assert which(session, offer) == "Jackets"
        assert [one.value for one in rules(session, later.retailer_id)] == [
            "Shoes",
            "Jackets",
            "winter",
        ]

    def test_another_retailers_rules_are_no_matter(self, session) -> None:
        rule(session, "Jackets")
        theirs = make_offer(
            session, retailer_id=make_retailer(session).id, category="Jackets"
        )

        assert which(session, theirs) is None


class TestKeeping:
    def test_a_rule_is_changed_where_it_stands(self, session) -> None:
        first = rule(session, "Jackets")
        rule(session, "Shoes")
        changed = RuleFacts(
            field=TAG,
            value="winter",
            excludes=True,
            markdown_percent=50,
            margin_percent=0,
            most_units=20,
            channels=("account_1", "account_2"),
        )

        keep_rule(
            session, first.retailer_id, changed, rule_id=first.id, now=NOON + MINUTE
        )
        session.commit()

        kept = rules(session, first.retailer_id)[0]
        assert (kept.id, kept.field, kept.value) == (first.id, TAG, "winter")
        assert (kept.excludes, kept.most_units) == (True, 20)
        assert kept.channel_ids == ["account_1", "account_2"]
        assert kept.changed_at == NOON + MINUTE

    def test_two_for_the_same_goods_are_refused(self, session) -> None:
        rule(session, "Jackets")

        with pytest.raises(InvalidField) as refused:
            rule(session, "jackets")

        assert refused.value.field == "value"

    def test_there_is_an_end_to_them(self, session) -> None:
        for number in range(MOST_RULES):
            rule(session, f"Category {number}")

        with pytest.raises(WrongState):
            rule(session, "One more")

    def test_one_is_forgotten_once_or_twice(self, session) -> None:
        kept = rule(session, "Jackets")

        for _ in range(2):
            drop_rule(session, kept.retailer_id, kept.id)
            session.commit()

        assert rules(session, kept.retailer_id) == []

    def test_only_ones_own(self, session) -> None:
        kept = rule(session, "Jackets")
        other = make_retailer(session).id

        drop_rule(session, other, kept.id)
        with pytest.raises(Missing):
            raise_rule(session, other, kept.id)

        assert rules(session, kept.retailer_id) == [kept]

    def test_a_rule_goes_before_the_policy_where_it_says_something(self) -> None:
        terms = Terms(markdown_percent=10, margin_percent=1, ending="95")
        kept = MarkdownRule(
            id="rule_1",
            retailer_id="retailer_1",
            place=1,
            field=TAG,
            value="winter",
            markdown_percent=40,
            margin_percent=5,
            changed_at=NOON,
        )

        under = terms_under(terms, kept)

        assert (under.markdown_percent, under.margin_percent) == (40, 5)
        assert under.ending == "95"
        assert terms_under(terms, None) is terms
