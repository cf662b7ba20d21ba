"""
The bulk of a file becomes a week of deals: a table that can be changed, and one press.
"""

import asyncio
import re
from typing import Any

import pytest
from sqlmodel import Session, col, func, select

from offers.catalog import Offer
from offers.deals import Deal
from offers.posts import Post
from offers.weeks import Week
from tests.factories import (
    HOUR,
    NOON,
    make_deal,
    make_offer,
    make_retailer,
    make_week_of,
    outlet_account,
)
from tests.outletbot.desk.conftest import Client
from tests.outletbot.desk.test_proposals import look, send

WEEK = "/proposals/week"
PATTERN = {"number": "2", "first": "10:00", "last": "18:00", "hours": "3"}


def lie(session: Session, number: int, **facts: Any) -> list[Offer]:
    return [
        make_offer(session, title=f"No. {n}", quantity=10 + n, **facts)
        for n in range(number)
    ]


def fields(html: str) -> dict[str, str]:
    """Return what a browser would send of the table as it stands."""
    found = {}
    for tag in re.findall(r"<input [^>]*>", html):
        named = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        is_box = named.get("type") == "checkbox"
        if "name" in named and (not is_box or " checked" in tag):
            found[named["name"]] = named.get("value", "")
    return found


def count(session: Session, table: Any) -> int:
    session.rollback()
    return session.exec(select(func.count(col(table.id)))).one()


async def planned(desk: Client, offers: list[Offer]) -> dict[str, str]:
    """Plan *offers* and return the form that comes back."""
    form = [("offer", offer.id) for offer in offers]
    status, html = await send(desk, WEEK, [*form, ("scope", "ticked")])
    assert status == 200
    return fields(html)


class TestPlanning:
    async def test_ticked_offers_get_a_row_each(self, desk, session) -> None:
        offers = lie(session, 3)

        form = await planned(desk, offers[:2])

        assert form["rows"] == "2"
        assert {form["offer-0"], form["offer-1"]} == {o.id for o in offers[:2]}
        assert (form["price-0"], form["units-0"], form["limit-0"]) == (
            "68.90",
            "11",
            "2",
        )
        assert form["opens-0"] == "2026-03-03T10:00"
        assert form["closes-0"] == "2026-03-03T13:00"
        assert count(session, Deal) == 0

    async def test_all_that_a_rule_catches_are_planned_at_once(
        self, desk, session
    ) -> None:
        lie(session, 60)

        _, html = await send(desk, WEEK, {"scope": "all", "rule": ""})

        form = fields(html)
        assert form["rows"] == "60"
        assert form["number"] == "9"  # 60 in 7 days
        opens = [form[f"opens-{n}"] for n in range(60)]
        assert len(set(opens)) == 60

    async def test_they_are_spread_as_is_asked(self, desk, session) -> None:
        form = await planned(desk, lie(session, 3))

        asked = [
            *((k, v) for k, v in form.items() if k != "day"),
            ("day", "2026-03-05"),
            ("action", "spread"),
        ]
        changed = {**dict(asked), **PATTERN}
        _, html = await send(desk, WEEK, changed)

        assert fields(html)["opens-1"] == "2026-03-05T18:00"
        assert "1 offer found no free time:" in html

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"number": "99"}, "Choose between 1 and 24."),
            ({"first": "soon"}, "Enter a time such as 18:00."),
            ({"first": "19:00"}, "Leave 15 minutes between one opening and the next."),
            ({"day": "2020-01-01"}, "Choose one day at least."),
            ({"hours": "0"}, "Choose between 1 and 720."),
        ],
        ids=str,
    )
    async def test_a_wrong_pattern_keeps_the_table(
        self, desk, session, wrong, words
    ) -> None:
        form = await planned(desk, lie(session, 2))

        changed = {**form, **PATTERN, **wrong, "action": "spread"}
        status, html = await send(desk, WEEK, changed)

        assert status == 422
        assert words in html
        assert fields(html)["price-1"] == "68.90"

    async def test_clashes_are_told_and_refuse_nothing(self, desk, session) -> None:
        offers = lie(session, 2)
        outlet_account(session)
        form = await planned(desk, offers)
        form["opens-1"] = form["opens-0"].replace(":00", ":05")
        form["closes-1"] = form["closes-0"]

        status, html = await send(desk, WEEK, {**form, "action": "check"})

        assert status == 200
        assert html.count("Within 10 minutes of the post of") == 2

    async def test_without_offers_the_page_says_what_to_do(self, desk) -> None:
        status, html = await send(desk, WEEK, {"scope": "ticked"})

        assert status == 200
        assert "Tick some proposals first" in html

    async def test_another_retailers_offers_are_none_of_ours(
        self, desk, session
    ) -> None:
        theirs = make_offer(session, retailer_id=make_retailer(session).id)
        form = {"rows": "1", "offer-0": theirs.id, "keep-0": "yes", "action": "make"}

        status, _ = await send(desk, WEEK, {**form, "key": "k"})

        assert status == 404
        assert count(session, Deal) == 0


class TestMaking:
    async def test_one_press_makes_them_all(self, desk, session) -> None:
        outlet_account(session)
        form = await planned(desk, lie(session, 3))
        form["price-0"], form["units-0"] = "59,50", "4"
        form["title-0"] = "Flash parka"

        status, where = await send(desk, WEEK, {**form, "action": "make"})

        assert status == 303
        assert where.startswith("/proposals/weeks/week_")
        assert (count(session, Deal), count(session, Post)) == (3, 3)
        chosen = session.exec(select(Deal).where(Deal.title == "Flash parka")).one()
        assert (chosen.price_amount, chosen.allotment) == (5_950, 4)
        assert chosen.opens_at == NOON + 22 * HOUR
        assert "They are planned" in await look(desk, where)

    async def test_a_row_that_is_not_ticked_is_left_out(self, desk, session) -> None:
        form = await planned(desk, lie(session, 2))
        form.pop("keep-1")
        form["price-1"] = "nonsense"

        status, _ = await send(desk, WEEK, {**form, "action": "make"})

        assert (status, count(session, Deal)) == (303, 1)

    async def test_pressed_twice_it_makes_one_set(self, desk, session) -> None:
        form = await planned(desk, lie(session, 2))
        pressed = {**form, "action": "make"}

        answers = await asyncio.gather(*(send(desk, WEEK, pressed) for _ in range(3)))

        assert len(set(answers)) == 1
        assert (count(session, Deal), count(session, Week)) == (2, 1)

    @pytest.mark.parametrize(
        ("cell", "value", "words"),
        [
            ("price", "cheap", "Enter an amount such as 12.50."),
            ("price", "0.10", "0.50"),  # less than cards can pay
            ("price", "99.00", "A deal is cheaper than the shop"),
            ("price", "12.00", "This is under your cost."),
            ("units", "9999", "Choose between 1 and 11 units."),
            ("units", "", "Enter a whole number."),
            ("limit", "11", "Choose between 1 and 10."),
            ("opens", "tomorrow", "Enter a day and a time"),
            ("opens", "2026-03-01T10:00", "in the past"),
            ("opens", "9999-12-31T23:59", "Choose a time within two years."),
            ("closes", "2026-03-03T09:00", "The end must come after the opening."),
            ("closes", "0001-01-01T00:00", "Choose a time within two years."),
            ("title", "x" * 151, "Use 150 characters at most."),
        ],
    )
    async def test_what_cannot_be_is_told_by_its_row_and_none_is_made(
        self, desk, session, cell, value, words
    ) -> None:
        form = await planned(desk, lie(session, 2))

        status, html = await send(
            desk, WEEK, {**form, f"{cell}-0": value, "action": "make"}
        )

        assert status == 422
        assert words in html
        assert value[:20] in html
        assert (count(session, Deal), count(session, Week)) == (0, 0)

    async def test_what_somebody_else_took_meanwhile_is_told(
        self, desk, session
    ) -> None:
        offers = lie(session, 2)
        form = await planned(desk, offers)
        make_deal(session, offers[0], allotment=10)

        status, html = await send(desk, WEEK, {**form, "action": "make"})

        assert status == 422
        assert "There is no stock left that is not in a deal already." in html
        assert count(session, Deal) == 1

    @pytest.mark.parametrize(
        "odd", [{"rows": "0"}, {"key": ""}, {"offer-0": "a\0"}, {"keep-0": "\0"}]
    )
    async def test_odd_forms_break_nothing(self, desk, session, odd) -> None:
        form = await planned(desk, lie(session, 1))

        answer = await desk.post(
            WEEK, data={**form, **odd, "action": "make"}, allow_redirects=False
        )

        assert answer.status < 500
        assert count(session, Deal) == 0


class TestCallingOff:
    async def test_as_long_as_none_has_opened(self, desk, session) -> None:
        form = await planned(desk, lie(session, 2))
        _, where = await send(desk, WEEK, {**form, "action": "make"})
        assert "Call all of them off" in await look(desk, where)

        status, back = await send(desk, f"{where}/cancel", {})

        assert (status, back) == (303, where)
        html = await look(desk, where)
        assert "They were all called off" in html
        assert f'action="{where}/cancel"' not in html
        assert "called off" in await look(desk)

    async def test_not_once_one_is_open(self, desk, session) -> None:
        week = make_week_of(session, make_deal(session))

        html = await look(desk, f"/proposals/weeks/{week.id}")
        status, _ = await send(desk, f"/proposals/weeks/{week.id}/cancel", {})

        assert "One of them has opened" in html
        assert status == 409
