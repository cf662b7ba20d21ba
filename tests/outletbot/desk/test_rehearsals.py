"""
Rehearsals at the desk: an owner asks for one, everybody follows it and reads of it.
"""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from offers.deals import Deal
from offers.merchants import Role
from offers.rehearsals import (
    MOST_SHOPPERS,
    Progress,
    Rehearsal,
    RehearsalState,
    Stage,
    dump_progress,
)
from offers.reports import More, Report
from outletbot.web.desk.rehearsal_chart import (
    SHORTEST,
    SLIM,
    WIDE,
    at_times,
    draw_units,
)
from tests.factories import MINUTE, NOON, make_deal, make_merchant
from tests.outletbot.desk.conftest import sign_in
from tests.outletbot.desk.test_summary import texts

SELLING = Progress(
    stage=Stage.SELLING,
    seconds=12.4,
    units=10,
    held=4,
    sold=3,
    shoppers=100,
    gone=20,
)
REPORT = Report(
    units=10,
    sold=10,
    oversold=0,
    payments=12,
    orders=10,
    refunds=2,
    payments_unaccounted=0,
    seconds_to_sold_out=84.2,
    seconds_to_settled=97.5,
    posts_retired_ms=640.4,
    ledger_difference=0,
    more=More(
        shoppers=1_000,
        holds=17,
        holds_per_second_peak=9,
        page_p50_ms=12.2,
        page_p99_ms=140.2,
        claim_p99_ms=320.0,
        payment_page_last_seconds=8.0,
        mishaps={"workers_killed": 1},
        series=[
            [-5.9, 0, 0, 10],
            [0.6, 6, 0, 4],
            [2.0, 7, 3, 0],
            [84.2, 0, 10, 0],
        ],
    ),
)


@pytest.fixture
def deal(session) -> Deal:
    return make_deal(session, title="Parka", allotment=10)


def here(deal: Deal) -> str:
    return f"/deals/{deal.id}/rehearsals"


def keep(session: Session, deal: Deal, **facts: Any) -> Rehearsal:
    rehearsal = Rehearsal(
        id=facts.pop("id", "rehearsal_1"),
        retailer_id=deal.retailer_id,
        deal_id=deal.id,
        shoppers=1_000,
        asked_at=NOON - MINUTE,
        due_at=NOON,
        **facts,
    )
    session.add(rehearsal)
    session.commit()
    return rehearsal


def done(session: Session, deal: Deal, report: Report, **facts: Any) -> Rehearsal:
    state = RehearsalState.DONE
    return keep(session, deal, state=state, report=report.as_json(), **facts)


def kept(session: Session) -> list[Rehearsal]:
    session.rollback()
    session.expire_all()
    found = list(session.exec(select(Rehearsal)))
    session.rollback()
    return found


async def look(desk, path: str, status: int = 200) -> str:
    answer = await desk.get(path)
    assert answer.status == status
    return await answer.text()


async def ask(desk, deal: Deal, **typed: str):
    return await desk.post(here(deal), data=typed, allow_redirects=False)


class TestForm:
    async def test_proposes_ten_shoppers_for_each_unit_and_faults(self, desk, deal):
        html = await look(desk, here(deal))

        shoppers, faults = fields(html)
        assert 'value="100"' in shoppers
        assert f'max="{MOST_SHOPPERS}"' in shoppers
        assert "checked" in faults
        assert "No rehearsal yet" in html

    async def test_proposes_no_more_than_can_be_played(self, desk, session):
        vast = make_deal(session, allotment=MOST_SHOPPERS)

        shoppers, _ = fields(await look(desk, here(vast)))

        assert f'value="{MOST_SHOPPERS}"' in shoppers

    @pytest.mark.parametrize("typed", [{"faults": "1"}, {}])
    async def test_asks_for_what_was_typed(self, desk, session, deal, ana, typed):
        answer = await ask(desk, deal, shoppers="40", **typed)

        (asked,) = kept(session)
        assert answer.status == 303
        assert answer.headers["Location"] == f"{here(deal)}/{asked.id}"
        assert asked.state is RehearsalState.WAITING
        assert (asked.deal_id, asked.asked_by) == (deal.id, ana.id)
        assert (asked.shoppers, asked.faults) == (40, bool(typed))
        assert (asked.asked_at, asked.due_at) == (NOON, NOON)

    async def test_twice_leads_to_the_one_under_way(self, desk, session, deal):
        both = [await ask(desk, deal, shoppers="40") for _ in range(2)]

        assert len({answer.headers["Location"] for answer in both}) == 1
        assert len(kept(session)) == 1

    @pytest.mark.parametrize("typed", ["", "many", "0", "-3", "20001"])
    async def test_names_the_field_and_keeps_what_was_typed(
        self, desk, session, deal, typed
    ):
        answer = await ask(desk, deal, shoppers=typed)

        assert answer.status == 422
        shoppers, faults = fields(await answer.text())
        assert 'aria-invalid="true"' in shoppers
        assert f'value="{typed}"' in shoppers
        assert "checked" not in faults
        assert kept(session) == []

    @pytest.mark.parametrize("role", [one for one in Role if one is not Role.OWNER])
    async def test_is_for_owners_alone(self, browser, database, session, deal, role):
        bob = make_merchant(session, "bob@north.example", name="Bob", role=role)
        await sign_in(browser, database, bob)

        page = await browser.get(here(deal))
        answer = await ask(browser, deal, shoppers="40")

        assert 'name="shoppers"' not in await page.text()
        assert answer.status >= 400
        assert kept(session) == []


class TestList:
    async def test_tells_what_came_of_each(self, desk, session, deal):
        done(session, deal, REPORT)
        keep(session, deal, id="rehearsal_2", state=RehearsalState.FAILED)
        keep(session, deal, id="rehearsal_3")

        html = await look(desk, here(deal))

        waiting, failed, passed = (texts(row) for row in table_rows(html))
        assert "Waiting 1,000" in waiting
        assert "Not played 1,000" in failed
        assert "Passed 1,000 10 of 10 84 s 0" in passed

    async def test_is_of_one_deal(self, desk, session, deal):
        keep(session, make_deal(session))

        assert "No rehearsal yet" in await look(desk, here(deal))


class TestProgress:
    @pytest.mark.parametrize(
        ("stage", "words"),
        [
            ("", "It begins in a moment"),
            ("rubbish", "It begins in a moment"),
            (dump_progress(Progress(stage=Stage.COPYING)), "Copying what the deal"),
            (dump_progress(Progress(stage=Stage.OPENING)), "the deal opens"),
            (dump_progress(Progress(stage=Stage.AUDITING)), "Counting every unit"),
        ],
    )
    async def test_says_what_is_being_done(self, desk, session, deal, stage, words):
        playing = keep(session, deal, state=RehearsalState.PLAYING, stage=stage)

        assert words in texts(await look(desk, f"{here(deal)}/{playing.id}"))

    async def test_says_where_the_units_are(self, desk, session, deal, ana):
        playing = keep(
            session,
            deal,
            state=RehearsalState.PLAYING,
            stage=dump_progress(SELLING),
            asked_by=ana.id,
        )

        text = texts(await look(desk, f"{here(deal)}/{playing.id}"))

        assert "The deal is on" in text
        assert "3 sold, 4 held, 3 free of 10 units" in text
        assert "20 of 100 shoppers have left" in text
        assert "12 s after the opening" in text
        assert "Being played" in text
        assert "Ana \N{MIDDLE DOT} 1,000 shoppers" in text

    async def test_is_shown_without_a_script(self, desk, session, deal):
        path = f"{here(deal)}/{keep(session, deal).id}"

        html = await look(desk, path)

        assert 'http-equiv="refresh"' in html
        assert f'data-live="{path}/live"' in html

    async def test_is_sent_until_it_is_over(self, desk, session, deal):
        playing = keep(
            session, deal, state=RehearsalState.PLAYING, stage=dump_progress(SELLING)
        )

        async with desk.get(f"{here(deal)}/{playing.id}/live") as answer:
            first = await answer.content.readuntil(b"\n\n")
            playing.state, playing.report = RehearsalState.DONE, REPORT.as_json()
            session.add(playing)
            session.commit()
            rest = await answer.content.read()

        assert answer.content_type == "text/event-stream"
        assert b"event: parts" in first
        assert b"The deal is on" in first
        assert rest.endswith(b"event: done\ndata: done\n\n")


class TestReport:
    async def test_has_the_figures(self, desk, session, deal):
        path = f"{here(deal)}/{done(session, deal, REPORT).id}"

        html = await look(desk, path)

        text = texts(html)
        assert "Passed" in text
        assert "Nothing was oversold." in text
        assert "Sold out 84 s after the opening." in text
        for figure in (
            "84 s",
            "10 of 10 units sold",
            "10 orders, 2 refunds",
            "140 ms for 99 of 100",
            "the last one 8 s",
            "Made to go wrong: workers_killed 1",
        ):
            assert figure in text
        assert 'http-equiv="refresh"' not in html

    async def test_has_the_chart_for_both_widths_and_as_a_table(
        self, desk, session, deal
    ):
        html = await look(desk, f"{here(deal)}/{done(session, deal, REPORT).id}")

        charts = re.findall(r'<svg class="chart (\w+)".*?</svg>', html, re.DOTALL)
        assert charts == ["wide", "slim"]
        for name in charts:
            assert html.count(f'id="{name}-title"') == 1
        assert len(re.findall(r'<path class="sold" d="M[\d.]+ [\d.HV ]+"/>', html)) == 2
        assert "10 of 10 units were sold in the end." in html
        assert "After Held Sold Free" in texts(html)

    async def test_says_first_what_must_never_happen(self, desk, session, deal):
        bad = Report(**{**plain(REPORT), "oversold": 2, "seconds_to_sold_out": None})

        text = texts(await look(desk, f"{here(deal)}/{done(session, deal, bad).id}"))

        assert "Not passed" in text
        assert "2 units too many were promised." in text

    async def test_of_nothing_at_all_is_shown(self, desk, session, deal):
        facts = {**plain(REPORT), "more": More(), "seconds_to_sold_out": None}
        empty = Report(**{**facts, "seconds_to_settled": None, "sold": 0})

        text = texts(await look(desk, f"{here(deal)}/{done(session, deal, empty).id}"))

        assert "Not sold out: 0 shoppers bought 0 of 10 units." in text

    async def test_of_a_failed_one_is_its_reason(self, desk, session, deal):
        failed = keep(
            session,
            deal,
            state=RehearsalState.FAILED,
            failure="No <room> on the disk.",
        )

        html = await look(desk, f"{here(deal)}/{failed.id}")

        assert "It could not be played to its end." in html
        assert "<pre>No &lt;room&gt; on the disk.</pre>" in html
        assert "<svg" not in html.partition("<main")[2]

    async def test_of_none_is_not_found(self, desk, deal):
        await look(desk, f"{here(deal)}/rehearsal_none", status=404)


class TestChart:
    def test_held_units_are_between_what_is_sold_and_what_is_taken(self):
        picture = draw_units(REPORT, *WIDE, "en")

        assert (picture.sold.total, picture.taken.total) == (10, 10)
        assert picture.sold.line != picture.taken.line

    @pytest.mark.parametrize("size", [WIDE, SLIM])
    def test_counts_time_from_the_opening(self, size):
        times = draw_units(REPORT, *size, "en").sold.times

        places = [mark.place for mark in times]
        assert places == sorted(places)
        assert len(times) >= 2
        assert not any(":" in mark.label for mark in times)

    def test_of_nothing_has_a_width(self):
        nothing = Report(
            **{**plain(REPORT), "seconds_to_settled": None, "more": More()}
        )

        assert draw_units(nothing, *SLIM, "fr").sold.total == 0
        assert timedelta() < SHORTEST
        assert at_times(nothing) == []

    def test_is_a_table_too_that_ends_where_the_rehearsal_did(self):
        series = [[float(n), 0, n, 100 - n] for n in range(100)]
        long = Report(**{**plain(REPORT), "more": More(series=series)})

        rows = at_times(long)

        assert len(rows) <= 15
        assert rows[0] == (timedelta(), 0, 0, 100)
        assert rows[-1] == (timedelta(seconds=99), 0, 99, 1)
        assert at_times(REPORT)[-1] == (timedelta(seconds=84), 0, 10, 0)


def fields(html: str) -> tuple[str, str]:
    """Return the two inputs of the form: how many shoppers, and whether faults."""
    found = [
        re.search(rf'<input[^>]*name="{name}"[^>]*>', html)
        for name in ("shoppers", "faults")
    ]
    shoppers, faults = (one[0] for one in found if one is not None)
    return shoppers, faults


def table_rows(html: str) -> list[str]:
    return re.findall(r"<tr>\s*<th scope=\"row\">.*?</tr>", html, re.DOTALL)


def plain(report: Report) -> dict[str, Any]:
    names = Report.__dataclass_fields__
    return {name: getattr(report, name) for name in names}
