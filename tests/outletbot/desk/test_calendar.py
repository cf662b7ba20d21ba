"""
The calendar shows days as long as they are, moves planned deals, and says who has to
agree and whether all is paused.
"""

import re
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import TestClient
from sqlmodel import Session, select
from structlog.testing import capture_logs

from offers.calendar import Entry, Pin
from offers.deals import Deal
from offers.merchants import Role
from offers.posts import Post, PostState
from offers.retailers import Retailer
from outletbot.web.desk.calendar import instant
from outletbot.web.desk.calendar_style import style_of
from outletbot.web.desk.calendar_view import Line, Span, arrange, midnight, read_span
from outletbot.web.static_files import FOLDER
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_merchant,
    make_offer,
    make_retailer,
    north,
    outlet_account,
    post_of,
)
from tests.outletbot.desk.conftest import Client, sign_in
from tests.outletbot.desk.test_planning import plan

PARIS = ZoneInfo("Europe/Paris")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


async def look(desk: Client, path: str = "/calendar") -> str:
    answer = await desk.get(path)
    assert answer.status == 200
    return await answer.text()


async def post(desk: TestClient[Any, Any], path: str, **fields: str) -> Any:
    return await desk.post(path, data=fields, allow_redirects=False)


async def move(desk: Client, deal: Deal, to: str = "2026-03-04T18:00", **more: str):
    fields = {"to": to, "seen": deal.opens_at.isoformat(), **more}
    return await post(desk, f"/calendar/deals/{deal.id}/move", **fields)


def tomorrow(session: Session, **facts: Any) -> Deal:
    """Make a deal for tomorrow at noon. Dublin's time is UTC in March."""
    return make_deal(session, opens_at=NOON + DAY, **facts)


def now_in(session: Session, deal: Deal) -> datetime:
    session.rollback()
    session.refresh(deal)
    return deal.opens_at


def drawn(day: date, *entries: Entry, view: str = "day") -> Any:
    span = Span(view, day, PARIS)
    lines = [Line(entry, (), None) for entry in entries]
    return arrange(lines, span, "en", now=NOON)


def entry(opens_at: datetime, hours: int = 2, title: str = "Parka") -> Entry:
    return Entry(
        deal_id="deal_1",
        offer_id="offer_1",
        title=title,
        opens_at=opens_at.astimezone(UTC),
        closes_at=opens_at.astimezone(UTC) + hours * HOUR,
    )


class TestDays:
    @pytest.mark.parametrize(
        ("day", "hours", "ticks"),
        [
            (SPRING, 23, ["00:00", "03:00", "06:00", "09:00"]),
            (AUTUMN, 25, ["00:00", "03:00", "06:00", "09:00"]),
            (date(2026, 6, 1), 24, ["00:00", "03:00", "06:00", "09:00"]),
        ],
    )
    def test_are_as_long_as_they_are(self, day, hours, ticks):
        [found] = drawn(day).days

        assert found.hours == hours
        assert [time for _, time in found.ticks][:4] == ticks
        assert len(found.ticks) == 8
        assert found.start == midnight(day, PARIS)

    @pytest.mark.parametrize(("day", "before"), [(SPRING, 17), (AUTUMN, 19)])
    def test_have_a_bar_where_the_clock_says(self, day, before):
        """At 18:00 as many hours have passed as the day had until then."""
        opens_at = datetime(day.year, day.month, day.day, 18, tzinfo=PARIS)

        [found] = drawn(day, entry(opens_at)).days

        [block] = found.blocks
        hours = found.hours
        assert block.left == pytest.approx(before / hours * 100)
        assert block.bar == pytest.approx((0, 2 / hours * 100 / block.width * 100))

    def test_of_a_week_touch(self):
        days = drawn(date(2026, 3, 23), view="week").days

        assert [day.hours for day in days] == [24] * 6 + [23]
        assert all(a.end == b.start for a, b in pairwise(days))

    def test_draw_a_deal_on_each_and_list_it_once(self):
        opens_at = datetime(2026, 3, 24, 22, tzinfo=PARIS)

        days = drawn(date(2026, 3, 23), entry(opens_at, 30), view="week").days

        assert [len(day.blocks) for day in days] == [0, 1, 1, 1, 0, 0, 0]
        assert [len(day.lines) for day in days] == [0, 1, 0, 0, 0, 0, 0]
        assert days[2].blocks[0].bar == pytest.approx((0, 100))

    def test_list_what_began_before_on_the_first(self):
        opens_at = datetime(2026, 3, 20, 22, tzinfo=PARIS)

        days = drawn(date(2026, 3, 23), entry(opens_at, 24 * 5), view="week").days

        assert [len(day.lines) for day in days] == [1, 0, 0, 0, 0, 0, 0]

    def test_keep_what_would_cover_each_other_apart(self):
        at = datetime(2026, 6, 1, 18, tzinfo=PARIS)

        [day] = drawn(
            date(2026, 6, 1), entry(at), entry(at), entry(at - 15 * HOUR)
        ).days

        assert sorted(block.lane for block in day.blocks) == [0, 0, 1]
        assert day.lanes == 2

    def test_keep_everything_within(self):
        at = datetime(2026, 6, 1, 23, 50, tzinfo=PARIS)

        [day] = drawn(date(2026, 6, 1), entry(at, title="x" * 150)).days

        [block] = day.blocks
        assert block.left + block.width == pytest.approx(100)

    def test_show_a_post_whose_deal_was_over_the_day_before(self):
        at = datetime(2026, 6, 1, 22, tzinfo=PARIS)
        pin = Pin(account_id="a", channel="x", at=at.astimezone(UTC) + 3 * HOUR)
        deal = entry(at, 1)
        late = Entry(
            deal_id=deal.deal_id,
            offer_id=deal.offer_id,
            title=deal.title,
            opens_at=deal.opens_at,
            closes_at=deal.closes_at,
            pins=(pin,),
        )

        calendar = drawn(date(2026, 6, 2), late)

        [block] = calendar.days[0].blocks
        assert block.bar is None
        assert len(block.marks) == 1
        assert len(calendar.days[0].lines) == 1
        assert ".m0{" in style_of(calendar)


class TestSpan:
    @pytest.mark.parametrize(
        ("query", "view", "first"),
        [
            ({}, "week", "2026-03-02"),
            ({"day": "2026-03-08"}, "week", "2026-03-02"),
            ({"day": "2026-03-29", "view": "day"}, "day", "2026-03-29"),
            ({"day": "nonsense", "view": "year"}, "week", "2026-03-02"),
            ({"day": "0001-01-01"}, "week", "2026-03-02"),
            ({"day": "9999-12-31", "view": "day"}, "day", "2026-03-02"),
        ],
    )
    def test_is_what_is_asked_for_or_this_week(self, query, view, first):
        span = read_span(query, PARIS, now=NOON)

        assert (span.view, str(span.first)) == (view, first)
        assert (span.after - span.first) == (span.first - span.before)

    def test_begins_today_in_the_retailers_zone(self):
        late = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)

        assert read_span({"view": "day"}, PARIS, now=late).first == date(2026, 3, 3)


class TestPage:
    async def test_says_what_is_planned_in_words(self, desk, session):
        deal = tomorrow(session, title="Warm parka")

        html = await look(desk)

        line = html.partition(f'<li id="on-{deal.id}">')[2]
        assert "Warm parka" in line
        assert "Tue 3 Mar, 12:00" in line
        assert "Outlet page" in line
        assert "Scheduled" in line
        assert f'id="move-{deal.id}"' in line
        assert f'data-opens="{instant(deal.opens_at)}"' in html

    async def test_is_empty_in_words(self, desk):
        html = await look(desk)

        assert "Nothing on these days" in html
        assert 'href="/offers"' in html

    async def test_leads_on_and_back_and_to_today(self, desk):
        html = await look(desk, "/calendar?view=week&day=2026-03-29")

        assert "view=week&amp;day=2026-03-16" in html
        assert "view=week&amp;day=2026-03-30" in html
        assert "view=week&amp;day=2026-03-02" in html
        assert 'href="/calendar" aria-current="page"' in html

    @pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25)])
    async def test_says_if_the_clocks_change(self, desk, session, day, hours):
        north(session).time_zone = "Europe/Paris"
        session.commit()
        opens_at = datetime(day.year, day.month, day.day, 18, tzinfo=PARIS)
        make_deal(session, opens_at=opens_at.astimezone(UTC))

        html = await look(desk, f"/calendar?view=day&day={day}")

        assert f"This day has {hours} hours" in html
        start, end = re.findall(r'data-day="(\d+)" data-end="(\d+)"', html)[0]
        assert int(end) - int(start) == hours * 3_600_000
        assert "18:00" in html

    async def test_places_nothing_by_the_markup(self, desk, session):
        tomorrow(session)

        html = await look(desk)

        assert 'style="' not in html
        assert re.search(r'<style nonce="[^"]+">', html)

    async def test_warns_of_clashes(self, desk, session):
        offer = make_offer(session, quantity=20)
        first = make_deal(session, offer, opens_at=NOON + 36 * HOUR, allotment=5)
        make_deal(session, offer, opens_at=NOON + 36 * HOUR + 5 * MINUTE, allotment=5)

        html = await look(desk)

        line = html.partition(f'<li id="on-{first.id}">')[2].partition("<li id=")[0]
        assert "when most people sleep" in line
        assert "at the same time" in line
        assert "Within 10 minutes" in line

    async def test_has_nothing_of_others(self, desk, session):
        other = make_retailer(session).id
        make_deal(session, retailer_id=other, opens_at=NOON + DAY, title="Secret")

        assert "Secret" not in await look(desk)

    async def test_speaks_french(self, desk, session, ana):
        ana.language = "fr"
        session.commit()
        tomorrow(session)

        assert "mar. 3 mars" in await look(desk)

    async def test_offers_what_is_left_of_an_ended_deal_again(self, desk, session):
        deal = make_deal(session, opens_at=NOON - 5 * HOUR, closes_at=NOON - HOUR)

        html = await look(desk)

        address = f"/deals/new?offer={deal.offer_id}&amp;from={deal.id}"
        assert f'href="{address}">Repeat with the 10 left</a>' in html
        assert f'id="move-{deal.id}"' not in html

    async def test_needs_a_sign_in(self, browser):
        answer = await browser.get("/calendar", allow_redirects=False)

        assert answer.status in {302, 303}


class TestMoving:
    async def test_by_the_form(self, desk, session):
        deal = tomorrow(session)

        with capture_logs() as logs:
            answer = await move(desk, deal, view="week", day="2026-03-02")

        assert answer.status == 303
        there = datetime(2026, 3, 4, 18, tzinfo=UTC)
        assert now_in(session, deal) == there
        assert post_of(session, deal).first_due_at == there
        assert [log["event"] for log in logs if "deal" in log] == ["deal_moved"]
        html = await look(desk, answer.headers["Location"])
        assert "opens Wed 4 Mar, 18:00 now" in html

    async def test_can_be_undone(self, desk, session):
        deal = tomorrow(session)
        before = deal.opens_at
        answer = await move(desk, deal)
        html = await look(desk, answer.headers["Location"])
        form = html.partition('<div class="notice" role="status">')[2]
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)[:4])

        again = await post(desk, f"/calendar/deals/{deal.id}/move", **fields)

        assert again.status == 303
        assert now_in(session, deal) == before

    async def test_by_the_script_to_an_instant(self, desk, session):
        """The hour that there is twice is told apart."""
        north(session).time_zone = "Europe/Paris"
        session.commit()
        deal = tomorrow(session)
        twice = datetime(2026, 10, 25, 2, 30, tzinfo=PARIS, fold=1).astimezone(UTC)

        answer = await move(desk, deal, at=str(instant(twice)), sure="yes")

        assert answer.status == 303
        assert now_in(session, deal) == twice

    async def test_asks_once_more_if_something_new_clashes(self, desk, session):
        deal = tomorrow(session)
        before = deal.opens_at

        answer = await move(desk, deal, "2026-03-04T03:00", view="week")

        html = await answer.text()
        assert answer.status == 200
        assert "when most people sleep" in html
        assert now_in(session, deal) == before
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', html))
        again = await post(desk, f"/calendar/deals/{deal.id}/move", **fields)
        assert again.status == 303
        assert now_in(session, deal) == datetime(2026, 3, 4, 3, tzinfo=UTC)

    async def test_does_not_ask_of_what_clashed_before(self, desk, session):
        offer = make_offer(session, quantity=20)
        make_deal(session, offer, opens_at=NOON + 9 * DAY, allotment=5)
        deal = tomorrow(session, offer=offer, allotment=5)

        assert (await move(desk, deal)).status == 303

    @pytest.mark.parametrize(
        ("fields", "status", "problem"),
        [
            ({"to": ""}, 422, "Enter a day and a time"),
            ({"to": "soon"}, 422, "Enter a day and a time"),
            ({"to": "2026-03-29T01:30"}, 422, "The clocks go forward then"),
            ({"to": "2026-03-02T11:59"}, 422, "This opening is in the past."),
            ({"to": "2036-03-02T11:59"}, 422, "within two years"),
            ({"at": "nonsense"}, 422, "Enter a day and a time"),
            ({"at": "9" * 18}, 422, "Enter a day and a time"),
            ({"seen": ""}, 422, "Enter a day and a time"),
            ({"seen": "2026-03-03T12:00"}, 422, "Enter a day and a time"),
            ({"seen": "2026-03-03T12:01+00:00"}, 409, "Somebody has moved this"),
        ],
    )
    async def test_is_refused_in_words(self, desk, session, fields, status, problem):
        deal = tomorrow(session)
        before = deal.opens_at

        answer = await move(desk, deal, **fields)

        assert answer.status == status
        assert problem in await answer.text()
        assert now_in(session, deal) == before

    async def test_is_refused_once_it_has_opened(self, desk, session):
        deal = make_deal(session)

        answer = await move(desk, deal)

        assert answer.status == 409
        assert "it stays where it is" in await answer.text()

    async def test_is_for_a_retailers_own(self, desk, session):
        deal = tomorrow(session, retailer_id=make_retailer(session).id)

        for more in ({}, {"sure": "yes"}):
            assert (await move(desk, deal, **more)).status == 404

    async def test_tells_of_no_other_retailers_deal(self, desk, session):
        deal = tomorrow(session, retailer_id=make_retailer(session).id, title="Hush")

        html = await look(desk, f"/calendar?moved={deal.id}&from=0")

        assert "Hush" not in html

    async def test_tells_of_nothing_that_was_made_up(self, desk, session):
        deal = tomorrow(session)

        for made_up in (
            "deal_1&from=0",
            f"{deal.id}&from=x",
            f"{deal.id}&from={9**40}",
        ):
            html = await look(desk, f"/calendar?moved={made_up}")
            assert "Undo" not in html

    async def test_offers_no_way_back_into_the_past(self, desk, session):
        deal = tomorrow(session)

        html = await look(desk, f"/calendar?moved={deal.id}&from=0")

        assert "opens Tue 3 Mar, 12:00 now" in html
        assert "Undo" not in html


class TestApproval:
    @pytest.fixture
    async def ben(self, session):
        return make_merchant(session, "ben@north.example", name="Ben")

    async def arm(self, desk: Client, session: Session) -> Deal:
        retailer = session.get_one(Retailer, north(session).id)
        retailer.approval = True
        session.commit()
        make_account(session)
        outlet_account(session)
        await post(desk, "/deals", **plan(make_offer(session)))
        session.rollback()
        return session.exec(select(Deal)).one()

    def states(self, session: Session) -> set[PostState]:
        session.rollback()
        session.expire_all()
        return set(session.exec(select(Post.state)).all())

    async def test_is_waited_for_and_not_the_planners(self, desk, session, ben):
        deal = await self.arm(desk, session)

        for path in (f"/deals/{deal.id}", "/calendar"):
            html = await look(desk, path)
            assert "Waits for approval" in html
            assert "planned by Ana" in html
            assert "Somebody else has to approve what you planned." in html
            assert "Approve the posts" not in html
        refused = await post(desk, f"/calendar/deals/{deal.id}/approve")
        assert refused.status == 409
        assert self.states(session) == {PostState.UNAPPROVED}

    async def test_is_given_by_somebody_else(self, desk, database, session, ben):
        deal = await self.arm(desk, session)
        await sign_in(desk, database, ben)
        assert "Approve the posts" in await look(desk, f"/deals/{deal.id}")

        with capture_logs() as logs:
            answer = await post(desk, f"/calendar/deals/{deal.id}/approve")

        assert answer.headers["Location"] == f"/deals/{deal.id}"
        assert self.states(session) == {PostState.SCHEDULED}
        assert {p.approved_by for p in session.exec(select(Post))} == {ben.id}
        [said] = [log for log in logs if log["event"] == "posts_approved"]
        assert (said["by"], said["posts"]) == (ben.id, 2)
        assert "Waits for approval" not in await look(desk, f"/deals/{deal.id}")

    async def test_can_be_refused_with_a_note(self, desk, database, session, ana, ben):
        deal = await self.arm(desk, session)
        await sign_in(desk, database, ben)
        here = f"/calendar/deals/{deal.id}"

        answer = await post(desk, f"{here}/send-back", note="Too dear.", view="week")

        assert answer.headers["Location"] == "/calendar?view=week"
        await sign_in(desk, database, ana)
        assert "Ben: Too dear." in await look(desk)
        assert (await post(desk, f"{here}/ask-again")).status == 303
        html = await look(desk)
        assert "Too dear." not in html
        assert "Waits for approval" in html
        assert self.states(session) == {PostState.UNAPPROVED}

    async def test_is_not_refused_without_a_word(self, desk, database, session, ben):
        deal = await self.arm(desk, session)
        await sign_in(desk, database, ben)

        answer = await post(desk, f"/calendar/deals/{deal.id}/send-back", note=" ")

        assert answer.status == 422

    async def test_says_so_if_it_came_too_late(self, desk, session):
        deal = make_deal(session, opens_at=NOON - 5 * HOUR, closes_at=NOON - HOUR)
        post_of(session, deal).state = PostState.UNAPPROVED
        session.commit()

        html = await look(desk)

        assert "Was not approved in time" in html
        assert "Waits for approval" not in html

    async def test_is_told_of_before_arming(self, desk, session, ben):
        north(session).approval = True
        session.commit()

        html = await look(desk, f"/deals/new?offer={make_offer(session).id}")

        assert "Somebody else has to approve its posts" in html


class TestChoosingApproval:
    async def test_needs_two_people(self, desk, session):
        answer = await post(desk, "/settings/approval", approval="yes")

        assert answer.status == 422
        assert "Approval needs two people: invite somebody first." in (
            await answer.text()
        )
        assert not north(session).approval

    async def test_is_kept_and_taken_back(self, desk, session):
        make_merchant(session, "ben@north.example", name="Ben")
        retailer = north(session)

        for chosen, kept in (("yes", True), ("no", False)):
            answer = await post(desk, "/settings/approval", approval=chosen)
            assert answer.status == 303
            session.rollback()
            session.refresh(retailer)
            assert retailer.approval is kept

    async def test_is_an_owners(self, browser, database, session):
        ben = make_merchant(session, "ben@north.example", role=Role.MERCHANT)
        make_merchant(session)
        await sign_in(browser, database, ben)

        answer = await post(browser, "/settings/approval", approval="yes")

        assert answer.status == 409
        assert not north(session).approval
        assert "An owner can change this." in await look(browser, "/settings")


class TestPausing:
    @pytest.mark.parametrize(
        ("fields", "page"), [({}, "/calendar"), ({"page": "channels"}, "/channels")]
    )
    async def test_is_one_button_and_told_everywhere(self, desk, session, fields, page):
        assert "Pause all posts" in await look(desk, page)

        answer = await post(desk, "/calendar/pause", **fields)

        assert answer.headers["Location"] == page
        for path in ("/summary", "/deals", "/calendar", "/channels", "/settings"):
            html = await look(desk, path)
            assert "All posts are paused." in html
            assert 'action="/calendar/pause"' not in html
        again = await post(desk, "/calendar/resume", **fields)
        assert again.headers["Location"] == page
        assert "All posts are paused." not in await look(desk, page)

    async def test_is_logged_with_who_did_it(self, desk, ana):
        with capture_logs() as logs:
            await post(desk, "/calendar/pause")
            await post(desk, "/calendar/resume")

        said = [(log["event"], log["by"]) for log in logs if "by" in log]
        assert said == [("posts_paused", ana.id), ("posts_resumed", ana.id)]

    async def test_is_one_retailers(self, desk, session):
        other = make_retailer(session)

        await post(desk, "/calendar/pause")

        session.rollback()
        session.refresh(other)
        assert not other.posts_paused

    async def test_is_not_told_on_other_peoples_pages(self, browser, session):
        north(session).posts_paused = True
        session.commit()

        assert "All posts are paused." not in await look(browser, "/sign-in")


class TestPlanning:
    async def test_warns_of_clashes(self, desk, session):
        offer = make_offer(session, quantity=20)
        make_deal(session, offer, opens_at=NOON + DAY, allotment=5, title="Parka I")
        fields = plan(offer, action="preview", opens_at="2026-03-02T23:30")
        fields["closes_at"] = "2026-03-03T00:30"

        html = await (await desk.post("/deals", data=fields)).text()

        assert "when most people sleep" in html
        assert "Parka I" in html
        assert "within 30 days" in html

    async def test_warns_of_posts_too_near(self, desk, session):
        make_deal(session, opens_at=NOON + 6 * HOUR + 5 * MINUTE, title="Boots")
        fields = plan(make_offer(session), action="preview")

        html = await (await desk.post("/deals", data=fields)).text()

        assert "Within 10 minutes of the post of “Boots”" in html

    async def test_arms_it_all_the_same(self, desk, session):
        make_deal(session, opens_at=NOON + 6 * HOUR)

        answer = await post(desk, "/deals", **plan(make_offer(session)))

        assert answer.status == 303

    async def test_notes_who_planned_the_posts(self, desk, session, ana):
        outlet_account(session)

        await post(desk, "/deals", **plan(make_offer(session)))

        session.rollback()
        [found] = session.exec(select(Post)).all()
        assert (found.planned_by, found.state) == (ana.id, PostState.SCHEDULED)


class TestRepeating:
    def value(self, html: str, name: str) -> str:
        found = re.search(rf'<input id="{name}" [^>]*?value="([^"]*)"', html)
        assert found is not None
        return found.group(1)

    async def sheet(self, desk: Client, deal: Deal) -> str:
        return await look(desk, f"/deals/new?offer={deal.offer_id}&from={deal.id}")

    async def test_is_next_week_at_the_same_time_with_what_is_left(self, desk, session):
        opens_at = NOON - 3 * DAY
        deal = make_deal(
            session, opens_at=opens_at, closes_at=opens_at + 2 * HOUR, sold=4
        )

        html = await self.sheet(desk, deal)

        assert self.value(html, "opens_at") == "2026-03-06T12:00"
        assert self.value(html, "closes_at") == "2026-03-06T14:00"
        assert self.value(html, "units") == "6"
        assert self.value(html, "price") == "49.99"
        assert 'value="later" checked' in html

    async def test_promises_no_more_than_is_free(self, desk, session):
        offer = make_offer(session, quantity=3)
        opens_at = NOON - DAY
        deal = make_deal(session, offer, opens_at=opens_at, closes_at=NOON - HOUR)

        assert self.value(await self.sheet(desk, deal), "units") == "3"

    async def test_of_one_that_was_ended_early_runs_for_the_usual_time(
        self, desk, session
    ):
        opens_at = NOON - DAY
        deal = make_deal(
            session, opens_at=opens_at, closes_at=opens_at + MINUTE, ended_early=True
        )

        html = await self.sheet(desk, deal)

        assert self.value(html, "opens_at") == "2026-03-08T12:00"
        assert self.value(html, "closes_at") == "2026-03-08T15:00"

    async def test_keeps_reserved_units_as_long_as_before(self, desk, session):
        opens_at = NOON - DAY
        until = opens_at + 2 * DAY
        closes_at = opens_at + HOUR
        deal = make_deal(
            session, opens_at=opens_at, closes_at=closes_at, reserve_until=until
        )

        html = await self.sheet(desk, deal)

        assert self.value(html, "reserve_until") == "2026-03-10T12:00"

    async def test_of_one_that_is_planned_still_proposes_the_next_hours(
        self, desk, session
    ):
        html = await self.sheet(desk, tomorrow(session))

        assert self.value(html, "opens_at") == "2026-03-02T12:15"
        assert 'value="now" checked' in html

    async def test_is_on_the_page_of_the_deal(self, desk, session):
        deal = make_deal(session, opens_at=NOON - 5 * HOUR, closes_at=NOON - HOUR)

        assert "Repeat with the 10 left" in await look(desk, f"/deals/{deal.id}")


def test_the_script_keeps_to_its_budget():
    assert len((FOLDER / "calendar.js").read_bytes()) <= 1_500
