"""
A merchant plans how a deal's price falls, sees it as a curve, and arms it.
"""

import re
from datetime import UTC
from typing import Any

import pytest
from sqlmodel import Session

from offers.curves import Course, Demand, if_nothing_sells, simulate
from offers.deals import Deal
from offers.markdowns import Markdown, Step, find_markdown
from offers.money import Money
from outletbot.web.desk.markdowns_chart import LEFT, Subject, draw
from tests.factories import (
    DAY,
    HOUR,
    NOON,
    make_deal,
    make_retailer,
)
from tests.offers.test_markdowns import make_markdown, running
from tests.offers.test_sell_through import past
from tests.outletbot.desk.test_proposals import look, send
from tests.outletbot.desk.test_proposals_week import fields

PLAN = {
    "floor": "30.00",
    "at-0": "2026-03-02T13:00",
    "price-0": "44.90",
    "below-0": "",
    "at-1": "2026-03-02T15:00",
    "price-1": "39,90",
    "below-1": "50",
    "at-2": "",
    "price-2": "",
    "below-2": "",
    "per_hour": "",
    "response": "0",
}


def here(deal: Deal) -> str:
    return f"/deals/{deal.id}/markdown"


def kept(session: Session, deal: Deal) -> Markdown | None:
    session.rollback()
    session.expire_all()
    return find_markdown(session, deal.retailer_id, deal.id)


class TestForm:
    async def test_proposes_steps_down_to_the_floor(self, desk, session) -> None:
        deal = running(session)

        form = fields(await look(desk, here(deal)))

        assert form["floor"] == "27.50"
        assert [form[f"price-{n}"] for n in range(3)] == ["41.90", "34.90", "27.50"]
        assert [form[f"at-{n}"] for n in range(3)] == [
            "2026-03-02T13:15",
            "2026-03-02T14:30",
            "2026-03-02T15:45",
        ]
        assert form["price-3"] == ""
        assert kept(session, deal) is None

    async def test_proposes_as_many_as_are_asked_for(self, desk, session) -> None:
        deal = running(session)
        asked = {**PLAN, "count": "2", "floor": "20.00", "action": "propose"}

        status, html = await send(desk, here(deal), asked)

        form = fields(html)
        assert status == 200
        assert (form["price-0"], form["price-1"]) == ("34.90", "20.00")
        assert form["price-2"] == ""

    async def test_says_when_there_is_no_room(self, desk, session) -> None:
        deal = running(session, price_amount=2_760)

        assert "There is too little room" in await look(desk, here(deal))

    async def test_shows_what_is_planned(self, desk, session) -> None:
        deal = running(session)
        make_markdown(session, deal, [(120, 4_490), (240, 3_990, 50)], floor=3_100)

        form = fields(await look(desk, here(deal)))

        assert form["floor"] == "31.00"
        assert (form["at-1"], form["price-1"], form["below-1"]) == (
            "2026-03-02T15:00",
            "39.90",
            "50",
        )


class TestKeeping:
    @pytest.mark.parametrize(("action", "armed"), [("arm", True), ("keep", False)])
    async def test_it_is_kept_armed_or_not(self, desk, session, action, armed) -> None:
        deal = running(session)

        status, where = await send(desk, here(deal), {**PLAN, "action": action})

        assert (status, where) == (303, here(deal))
        found = kept(session, deal)
        assert found is not None
        assert found.is_armed is armed
        assert [
            (s.after_minutes, s.price_amount, s.sold_below) for s in found.steps
        ] == [
            (120, 4_490, None),
            (240, 3_990, 50),
        ]
        html = await look(desk, where)
        assert ("Armed." in html, "Not armed" in html) == (armed, not armed)

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"floor": "24.99"}, "A price that falls by itself stays above your cost."),
            ({"floor": "cheap"}, "Enter an amount such as 12.50."),
            ({"price-0": "29.99"}, "This is under the floor of €30.00."),
            ({"price-1": "44.90"}, "Each step is cheaper than the one before it."),
            ({"price-1": ""}, "Fill this in."),
            ({"at-0": "2026-03-02T11:00"}, "Choose a time between the opening and the"),
            ({"at-1": "2026-03-02T12:30"}, "Each step comes after the one before it."),
            ({"at-0": "9999-12-31T23:59"}, "Choose a time between the opening and the"),
            ({"at-0": "0001-01-01T00:00"}, "Choose a time between the opening and the"),
            ({"at-1": "soon"}, "Enter a day and a time"),
            ({"below-1": "0"}, "Choose between 1 and 100."),
            ({"per_hour": "many"}, "Enter a number such as 2.5"),
            ({"per_hour": "1e9"}, "Enter a number such as 2.5"),
            ({"response": "-1"}, "Enter a whole number."),
        ],
        ids=str,
    )
    async def test_what_cannot_be_is_told_beside_it(
        self, desk, session, wrong, words
    ) -> None:
        deal = running(session)

        status, html = await send(desk, here(deal), {**PLAN, **wrong, "action": "arm"})

        assert status == 422
        assert words in html
        assert 'aria-invalid="true"' in html
        assert kept(session, deal) is None

    async def test_a_problem_is_told_by_its_own_row(self, desk, session) -> None:
        """A row that was left empty before it counts."""
        deal = running(session)
        moved = {
            **PLAN,
            "at-0": "",
            "price-0": "",
            "price-1": "29.00",
            "action": "preview",
        }

        _, html = await send(desk, here(deal), moved)

        assert re.search(r'id="price-1"[^>]*aria-invalid', html)
        assert not re.search(r'id="price-0"[^>]*aria-invalid', html)

    async def test_it_is_disarmed(self, desk, session) -> None:
        deal = running(session)
        make_markdown(session, deal, [(120, 4_490)])

        status, _ = await send(desk, f"{here(deal)}/disarm", {})

        found = kept(session, deal)
        assert status == 303
        assert found is not None
        assert not found.is_armed

    async def test_the_next_step_is_left_out_once(self, desk, session) -> None:
        deal = running(session)
        make_markdown(session, deal, [(120, 4_490), (240, 3_990)])
        html = await look(desk, here(deal))
        assert "it falls to €44.90" in html
        step = {"step": fields(html)["step"]}

        for _ in range(2):
            await send(desk, f"{here(deal)}/skip", step)

        html = await look(desk, here(deal))
        assert "left out by you" in html
        assert "it falls to €39.90" in html

    async def test_a_deal_that_is_over_keeps_its_price(self, desk, session) -> None:
        deal = make_deal(session, opens_at=NOON - DAY, closes_at=NOON - HOUR)

        html = await look(desk, here(deal))
        status, _ = await send(desk, here(deal), {**PLAN, "action": "arm"})

        assert "This deal is over" in html
        assert 'value="arm"' not in html
        assert status in {409, 422}

    async def test_another_retailers_deals_are_none_of_ours(
        self, desk, session
    ) -> None:
        deal = running(session, retailer_id=make_retailer(session).id)

        answer = await desk.get(here(deal))
        status, _ = await send(desk, here(deal), {**PLAN, "action": "arm"})

        assert (answer.status, status) == (404, 404)


class TestCurve:
    async def test_without_past_deals_only_the_prices_are_shown(
        self, desk, session
    ) -> None:
        deal = running(session)

        _, html = await send(desk, here(deal), {**PLAN, "action": "preview"})

        assert "There are no past deals to go by" in html
        assert 'class="worst"' in html
        assert 'class="sold"' not in html
        assert "Takings by then" not in html
        assert "€250.00 stay tied up" in html

    async def test_what_is_assumed_is_reckoned_and_told_as_a_table(
        self, desk, session
    ) -> None:
        deal = running(session)
        asked = {**PLAN, "per_hour": "1,0", "action": "preview"}

        status, html = await send(desk, here(deal), asked)

        # From noon to five, one an hour: one of them at 49.99, two at 44.90.
        assert status == 200
        assert 'class="sold"' in html
        row = re.search(r"15:00</th>.*?</tr>", html, re.DOTALL)
        assert row is not None
        assert ">3<" in row[0]
        assert "€139.79" in row[0]
        assert "5 sold in the end, if that is so" in html
        assert kept(session, deal) is None

    async def test_past_deals_are_told_and_taken(self, desk, session) -> None:
        past(session, category="Jackets", sold=8, hours=2)
        past(session, category="Jackets", sold=4, hours=4)
        deal = past(session, category="Jackets", closes_at=NOON + 4 * HOUR)

        html = await look(desk, here(deal))

        assert (
            "2 past deals in this category sold 60% of their units, 2 an hour" in html
        )
        assert "That is too few to say more." in html
        assert fields(html)["per_hour"] == "2.0"


class TestPicture:
    def subject(self, per_hour: float | None = 2.0, **facts: Any) -> Subject:
        course = Course(
            price=Money(5_000, "eur"), units=20, sold=0, since=0 * HOUR, end=4 * HOUR
        )
        steps = [
            Step(after=1 * HOUR, price=Money(4_000, "eur")),
            Step(after=3 * HOUR, price=Money(2_500, "eur")),
        ]
        expected = simulate(course, steps, Demand(per_hour)) if per_hour else None
        told = {
            "expected": expected,
            "worst": if_nothing_sells(course, steps),
            "floor": Money(2_500, "eur"),
            "units": 20,
            "opens_at": NOON,
        }
        return Subject(**{**told, **facts})

    def drawn(self, **facts: Any) -> Any:
        size = {"width": 504.0, "height": 254.0, "zone": UTC, "language": "en"}
        return draw(self.subject(**facts), **size)

    def test_prices_are_steps_between_their_instants(self) -> None:
        chart = self.drawn()

        # 400 wide and 200 high inside: an hour is 100, ten euros are 40.
        assert chart.worst == "M64 24H164V64H364V124H464"
        assert chart.price == chart.worst
        assert chart.least == 124

    def test_units_grow_from_the_corner(self) -> None:
        chart = self.drawn()

        assert chart.sold.startswith("M64 224L")
        assert chart.sold.endswith("L464 144")  # 8 of 20

    def test_nothing_assumed_is_nothing_drawn(self) -> None:
        chart = self.drawn(per_hour=None)

        assert (chart.price, chart.sold) == ("", "")

    def test_the_axes_are_in_round_numbers(self) -> None:
        chart = self.drawn()

        assert [tick.price.amount for tick in chart.prices] == [
            0,
            1_000,
            2_000,
            3_000,
            4_000,
            5_000,
        ]
        assert [number for _, number in chart.units] == [0, 5, 10, 15, 20]
        assert chart.times[0].place == LEFT
