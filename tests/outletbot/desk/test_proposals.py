"""
A merchant sees what to let go first, and why at that price; and makes rules for it.
"""

import re

import pytest
from sqlmodel import Session, select

from offers.proposed_prices import Terms
from offers.rules import MarkdownRule, RuleField, get_terms
from tests.factories import (
    DAY,
    NOON,
    make_account,
    make_offer,
    make_retailer,
    make_rule,
    north,
    outlet_account,
)
from tests.outletbot.desk.conftest import Client

RULE = {
    "field": "category",
    "value": "Jackets",
    "markdown": "50",
    "margin": "0",
    "most_units": "",
    "action": "keep",
}
POLICY = {
    "policy_markdown": "25",
    "policy_margin": "15",
    "cost_share": "40",
    "ending": "95",
}


async def look(desk: Client, path: str = "/proposals") -> str:
    answer = await desk.get(path)
    assert answer.status == 200
    return await answer.text()


async def send(desk: Client, path: str, form: object) -> tuple[int, str]:
    answer = await desk.post(path, data=form, allow_redirects=False)
    return answer.status, answer.headers.get("Location") or await answer.text()


def rules(session: Session) -> list[MarkdownRule]:
    session.rollback()
    statement = select(MarkdownRule).order_by(MarkdownRule.place)
    fresh = statement.execution_options(populate_existing=True)
    return list(session.exec(fresh))


class TestProposals:
    async def test_without_goods_say_what_to_do(self, desk: Client) -> None:
        assert "Send your stock list" in await look(desk)

    async def test_a_weeks_worth_of_them_is_ticked(self, desk, session) -> None:
        for number in range(9):
            make_offer(session, title=f"Parka {number}")

        html = await look(desk)

        assert html.count('name="offer"') == 9
        assert len(re.findall(r'name="offer"[^>]* checked', html)) == 7
        assert "Plan all 9" in html

    async def test_show_the_price_and_what_it_rests_on(self, desk, session) -> None:
        make_offer(session, title="Old parka", first_seen_at=NOON - 12 * DAY)
        make_offer(session, title="No cost", cost_amount=None)
        make_offer(session, title="Too dear", cost_amount=9_800)
        make_offer(session, title="Uncounted", quantity=None)

        html = await look(desk)

        assert re.search(r"€68\.90</strong><small>.30%", html)
        assert "12 days" in html
        assert "no cost told" in html
        assert "No past deals to go by." in html
        assert "No price fits between its floor and what your shop charges." in html
        assert "Uncounted" not in html
        assert "1 offer is left out, since nobody counts its stock." in html

    async def test_say_when_the_tax_is_not_known(self, desk, session) -> None:
        make_offer(session)
        assert "your rate of tax is not in the settings" in await look(desk)
        retailer = north(session)
        retailer.tax_points = 2_000
        session.add(retailer)
        session.commit()

        html = await look(desk)

        assert "your rate of tax is not in the settings" not in html
        assert "€33.00" in html  # 25.00, a tenth of margin, a fifth of tax

    async def test_are_narrowed_to_what_a_rule_catches(self, desk, session) -> None:
        make_offer(session, title="Caught", category="Jackets")
        make_offer(session, title="Free")
        rule = make_rule(session)

        caught = await look(desk, f"/proposals?rule={rule.id}")
        rest = await look(desk, "/proposals?rule=none")

        assert ("Caught" in caught, "Free" in caught) == (True, False)
        assert ("Caught" in rest, "Free" in rest) == (False, True)

    @pytest.mark.parametrize("query", ["page=0", "page=x", "page=99", "rule=x"])
    async def test_take_any_address(self, desk, session, query) -> None:
        make_offer(session)

        await look(desk, f"/proposals?{query}")


class TestRules:
    async def test_without_any_the_page_says_what_they_are_for(self, desk) -> None:
        assert "There is none yet: everything is treated alike." in await look(
            desk, "/proposals/rules"
        )

    async def test_one_is_made_and_shows_what_it_catches(self, desk, session) -> None:
        make_offer(session, category="Jackets", quantity=4, cost_amount=2_500)

        status, where = await send(desk, "/proposals/rules", RULE)

        assert (status, where) == (303, "/proposals/rules")
        html = await look(desk, where)
        assert "1. Jackets" in html
        assert "1 offer</a><small>€100.00" in html

    async def test_one_is_tried_before_it_is_kept(self, desk, session) -> None:
        make_offer(session, title="Parka", category="Jackets")

        status, html = await send(
            desk, "/proposals/rules", {**RULE, "action": "preview"}
        )

        assert status == 200
        assert "It would catch 1 offer if it came first." in html
        assert "Parka" in html
        assert 'value="50"' in html
        assert rules(session) == []

    async def test_one_is_for_some_channels(self, desk, session) -> None:
        outlet_account(session)
        toots = make_account(session)
        form = [*RULE.items(), ("channel", toots.id), ("excludes", "yes")]

        await send(desk, "/proposals/rules", form)

        [rule] = rules(session)
        assert rule.channel_ids == [toots.id]
        assert rule.excludes
        html = await look(desk, "/proposals/rules")
        assert "posted on Mastodon north" in html

    async def test_one_is_changed(self, desk, session) -> None:
        rule = make_rule(session, most_units=7)
        html = await look(desk, f"/proposals/rules?edit={rule.id}")
        assert f'name="rule" value="{rule.id}"' in html
        assert 'value="7"' in html

        form = {**RULE, "rule": rule.id, "field": "tag", "value": "winter"}
        await send(desk, "/proposals/rules", form)

        [changed] = rules(session)
        assert (changed.id, changed.field, changed.value) == (
            rule.id,
            RuleField.TAG,
            "winter",
        )

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"value": " "}, "Fill this in."),
            ({"markdown": "0"}, "Choose between 1 and 95."),
            ({"margin": "-1"}, "Enter a whole number."),
            ({"most_units": "0"}, "Choose between 1 and 100000."),
            ({"field": "colour"}, "Choose one of these."),
            ({"value": "shoes"}, "There is a rule for this already."),
        ],
        ids=str,
    )
    async def test_a_wrong_field_is_told_beside_it(
        self, desk, session, wrong, words
    ) -> None:
        make_rule(session, "Shoes")

        status, html = await send(desk, "/proposals/rules", {**RULE, **wrong})

        assert status == 422
        assert words in html
        assert len(rules(session)) == 1

    async def test_they_change_places_and_go(self, desk, session) -> None:
        make_rule(session, "Jackets", place=1)
        second = make_rule(session, "Shoes", place=2)

        await send(desk, f"/proposals/rules/{second.id}/up", {})
        assert [rule.value for rule in rules(session)] == ["Shoes", "Jackets"]

        await send(desk, f"/proposals/rules/{second.id}/remove", {})
        assert [rule.value for rule in rules(session)] == ["Jackets"]

    async def test_another_retailers_are_none_of_ours(self, desk, session) -> None:
        theirs = make_rule(session, retailer_id=make_retailer(session).id)

        status, _ = await send(desk, "/proposals/rules", {**RULE, "rule": theirs.id})

        assert status == 404
        answer = await desk.get(f"/proposals/rules?edit={theirs.id}")
        assert answer.status == 404


class TestPolicy:
    async def test_is_kept(self, desk, session) -> None:
        status, where = await send(desk, "/proposals/policy", POLICY)

        assert (status, where) == (303, "/proposals/rules")
        assert get_terms(session, north(session).id) == Terms(
            markdown_percent=25, margin_percent=15, cost_share_percent=40, ending="95"
        )

    @pytest.mark.parametrize(
        "wrong",
        [{"policy_markdown": ""}, {"ending": "33"}, {"cost_share": "101"}],
        ids=str,
    )
    async def test_a_wrong_field_changes_nothing(self, desk, session, wrong) -> None:
        status, html = await send(desk, "/proposals/policy", {**POLICY, **wrong})

        assert status == 422
        assert "Nothing was changed." in html
        assert get_terms(session, north(session).id) == Terms()
