"""
The page of a deal: what each post earned, how it went, and what its price rests on.
"""

import re
from datetime import timedelta
from typing import Any
from xml.etree import ElementTree as ET  # what is read is our own

import pytest

from offers.accounts import ChannelAccount, Show
from offers.beats import begin_beating
from offers.catalog import Offer
from offers.deals import expected_reduction
from offers.evidence import find_evidence
from offers.honesty_prior import Ground
from offers.money import Money
from offers.posts import Post, PostKind, PostState
from outletbot.web.desk.deal_summary import find_course, read_report
from outletbot.web.desk.live import LIVE
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_offer,
    make_order,
    make_post,
    make_price,
    make_retailer,
    outlet_account,
    post_of,
)
from tests.outletbot.desk.test_summary import click, follow, texts

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def sold(session):
    """Four units of ten, three of them by way of Mastodon, one given back."""
    deal = make_deal(session, price_amount=2_000, allotment=10)
    social = make_post(session, deal, make_account(session, handle="@north@s.example"))
    make_order(session, deal, quantity=2, post_id=social.id, paid_at=NOON - 50 * MINUTE)
    make_order(
        session,
        deal,
        post_id=social.id,
        paid_at=NOON - 40 * MINUTE,
        refunded_amount=2_000,
    )
    make_order(session, deal, paid_at=NOON - 30 * MINUTE)
    click(session, social, 30, robots=4)
    click(session, post_of(session, deal), 8)
    return deal


class TestPage:
    async def test_says_what_the_deal_brought_in(self, desk, sold):
        text = texts(await (await desk.get(f"/deals/{sold.id}")).text())

        assert "€60.00 €80.00 gross, €20.00 refunded" in text
        assert "4 of 10 offered" in text
        assert "6 left, 0 held; ends Mon 2 Mar, 13:00" in text

    async def test_says_what_each_post_earned_the_best_first(self, desk, sold):
        text = texts(await (await desk.get(f"/deals/{sold.id}")).text())

        # clicks, robots, holds, orders, units, net
        social = text.index("30 4 2 2 3 €40.00")
        outlet = text.index("8 0 1 1 1 €20.00")
        assert social < outlet
        assert "Mastodon @north@s.example" in text

    async def test_follows_shoppers_from_click_to_order(self, desk, sold):
        text = texts(await (await desk.get(f"/deals/{sold.id}")).text())

        assert (
            "Clicks 38 Holds 8% of the step before 3 "
            "Orders 100% of the step before 3" in text
        )

    async def test_names_a_failed_posts_trouble_and_a_way_out(self, desk, session):
        deal = make_deal(session)
        post = make_post(
            session,
            deal,
            make_account(session),
            state=PostState.FAILED,
            failure="Mastodon refused the token.",
            published_at=None,
            url=None,
        )

        html = await (await desk.get(f"/deals/{deal.id}")).text()

        assert "Mastodon refused the token." in html
        assert f'action="/posts/{post.id}/again"' in html

    async def test_ends_a_deal_only_while_there_is_something_to_end(
        self, desk, session
    ):
        open_now = make_deal(session)
        over = make_deal(session, opens_at=NOON - 3 * HOUR, closes_at=NOON - HOUR)

        for deal, offered in ((open_now, True), (over, False)):
            html = await (await desk.get(f"/deals/{deal.id}")).text()
            assert (f'action="/deals/{deal.id}/end"' in html) is offered

    async def test_writes_what_people_typed_as_text(self, desk, session):
        deal = make_deal(session, title="<b>&</b>")
        make_post(session, deal, make_account(session, handle="<i>"), failure="<u>")

        html = await (await desk.get(f"/deals/{deal.id}")).text()

        assert not {"<b>&", "<i></", "<u>"} & set(re.findall(r"<[biu]>&?", html))
        assert "&lt;u&gt;" in html

    async def test_is_missing_for_no_such_deal(self, desk):
        assert (await desk.get("/deals/deal_none")).status == 404


class TestPosts:
    def planned(self, session, **facts: Any) -> Post:
        deal = make_deal(session, opens_at=NOON + HOUR, opened_at=None)
        account = make_account(session, sealed_token="", base_url="https://s.example")
        return make_post(session, deal, account, **facts)

    async def read(self, desk, post) -> str:
        return await (await desk.get(f"/deals/{post.deal_id}")).text()

    async def test_that_are_planned_show_a_light_in_words(self, desk, session):
        begin_beating(session, now=NOON)
        post = self.planned(session)

        text = texts(await self.read(desk, post))

        assert "Scheduled due Mon 2 Mar, 13:00 Look There is no picture" in text

    async def test_that_will_not_go_out_say_why(self, desk, session):
        post = self.planned(session, state=PostState.UNAPPROVED)

        text = texts(await self.read(desk, post))

        assert "To be approved due Mon 2 Mar, 13:00 Will not go out" in text
        assert "A second person has to approve it first." in text
        assert "No worker is running, so nothing goes out: start one." in text

    async def test_that_are_ready_say_so(self, desk, session):
        begin_beating(session, now=NOON)
        post = self.planned(session)
        session.get_one(ChannelAccount, post.account_id).show = Show.NOTHING
        outlet_account(session, post.retailer_id).show = Show.NOTHING
        session.commit()

        html = await self.read(desk, post)

        assert html.count('<span class="badge good">Ready</span>') == 2

    async def test_that_are_out_show_no_light(self, desk, session):
        html = await self.read(desk, post_of(session, make_deal(session)))

        assert 'class="lights"' not in html

    async def test_say_how_they_do_as_far_as_is_told(self, desk, session):
        deal = make_deal(session)
        make_post(session, deal, make_account(session), likes=0, views=1_200)

        text = texts(await (await desk.get(f"/deals/{deal.id}")).text())

        assert "0 likes · 1,200 views" in text
        assert "replies" not in text

    async def test_say_what_kind_they_are(self, desk, session):
        deal = make_deal(session)
        make_post(session, deal, kind=PostKind.LAST_UNITS)

        text = texts(await (await desk.get(f"/deals/{deal.id}")).text())

        assert "Last units" in text

    async def test_that_nobody_could_look_for_can_be_sent_again(self, desk, session):
        post = self.planned(session, state=PostState.UNCONFIRMED, failure="No answer.")

        html = await self.read(desk, post)
        answer = await desk.post(f"/posts/{post.id}/again", allow_redirects=False)

        session.refresh(post)
        assert "No answer." in html
        assert answer.headers["Location"] == f"/deals/{post.deal_id}"
        assert post.state is PostState.SCHEDULED

    @pytest.mark.parametrize("url", ["https://social.example/7", ""])
    async def test_that_nobody_could_look_for_can_be_there(self, desk, session, url):
        post = self.planned(session, state=PostState.UNCONFIRMED)

        html = await self.read(desk, post)
        answer = await desk.post(
            f"/posts/{post.id}/there", data={"url": url}, allow_redirects=False
        )

        session.refresh(post)
        assert f'action="/posts/{post.id}/there"' in html
        assert answer.status == 303
        assert (post.state, post.url or "") == (PostState.PUBLISHED, url)

    async def test_are_not_at_an_address_that_is_none(self, desk, session):
        post = self.planned(session, state=PostState.UNCONFIRMED)

        answer = await desk.post(
            f"/posts/{post.id}/there", data={"url": "javascript:alert(1)"}
        )

        session.refresh(post)
        assert answer.status == 422
        assert post.state is PostState.UNCONFIRMED

    async def test_of_another_retailer_are_not_ours_to_find(self, desk, session):
        south = make_retailer(session)
        deal = make_deal(session, retailer_id=south.id)
        theirs = make_post(
            session,
            deal,
            make_account(session, retailer_id=south.id),
            state=PostState.UNCONFIRMED,
        )

        for way in ("there", "again"):
            assert (await desk.post(f"/posts/{theirs.id}/{way}")).status == 404
        session.refresh(theirs)
        assert theirs.state is PostState.UNCONFIRMED

    async def test_follow_what_becomes_of_them(self, app, desk, session):
        app[LIVE].every = 0.02
        post = self.planned(session)
        stream = await follow(desk, f"/deals/{post.deal_id}/live")
        assert "No worker is running" in await stream.next()

        begin_beating(session, now=NOON)
        session.commit()

        assert "No worker is running" not in await stream.next()


class TestChart:
    async def test_is_a_picture_with_words_for_who_cannot_see_it(self, desk, sold):
        html = await (await desk.get(f"/deals/{sold.id}")).text()

        pictures = re.findall(r'<svg class="chart.*?</svg>', html, re.DOTALL)
        assert len(pictures) == 2
        for text in pictures:
            svg = ET.fromstring(  # noqa: S314  (our own page)
                text.replace("<svg", f'<svg xmlns="{SVG[1:-1]}"', 1)
            )
            named = {part.get("id") for part in svg if part.tag != f"{SVG}line"}
            assert set(svg.get("aria-labelledby", "").split()) <= named
            assert "4 of 10 units were sold" in svg.findtext(f"{SVG}desc", "")

    async def test_marks_the_posts(self, desk, sold):
        html = await (await desk.get(f"/deals/{sold.id}")).text()

        assert html.count('class="pin"') == 2
        assert re.search(r'class="strong"[^>]*>Mastodon, Outlet page<', html) or (
            re.search(r'class="strong"[^>]*>Outlet page, Mastodon<', html)
        )

    def test_grows_until_now(self, session, sold):
        report = read_report(session, sold.retailer_id, sold.id, now=NOON)

        course = find_course(report, "en", now=NOON)

        assert course.start == NOON - HOUR
        assert NOON <= course.end < NOON + 5 * MINUTE

    def test_ends_where_the_deal_was_sold_out(self, session):
        deal = make_deal(session, allotment=1, sold_out_at=NOON - 50 * MINUTE)
        make_order(session, deal, paid_at=NOON - 50 * MINUTE)
        report = read_report(session, deal.retailer_id, deal.id, now=NOON)

        course = find_course(report, "en", now=NOON)

        assert NOON - 50 * MINUTE < course.end < NOON - 49 * MINUTE

    def test_reaches_to_money_that_came_after_the_end(self, session):
        deal = make_deal(session, opens_at=NOON - 3 * HOUR, closes_at=NOON - 2 * HOUR)
        make_order(session, deal, paid_at=NOON - HOUR)
        report = read_report(session, deal.retailer_id, deal.id, now=NOON)

        assert find_course(report, "en", now=NOON).end >= NOON - HOUR

    def test_is_there_before_the_deal_has_opened(self, session):
        deal = make_deal(session, opens_at=NOON + HOUR, closes_at=NOON + 2 * HOUR)
        report = read_report(session, deal.retailer_id, deal.id, now=NOON)

        course = find_course(report, "en", now=NOON)

        assert course.start == NOON + HOUR < course.end


class TestEvidence:
    @pytest.fixture
    def deal(self, session):
        offer = make_offer(session, price_amount=9_900)
        return make_deal(
            session,
            offer,
            price_amount=5_000,
            opens_at=NOON + HOUR,
            closes_at=NOON + 2 * HOUR,
        )

    def log(self, session, deal, *prices: tuple[int, timedelta], currency=""):
        offer = session.get_one(Offer, deal.offer_id)
        for amount, ago in prices:
            make_price(session, offer, amount, NOON - ago, currency=currency)

    def test_is_the_lowest_price_of_the_30_days_before(self, session, deal):
        self.log(
            session,
            deal,
            (4_000, 90 * DAY),
            (9_900, 40 * DAY),
            (8_000, 10 * DAY),
            (9_000, 5 * DAY),
        )

        evidence = find_evidence(session, deal)

        assert evidence.ground is Ground.PROVEN
        assert evidence.lowest == Money(8_000, "eur")
        assert evidence.reduction == expected_reduction(session, deal)
        charged = [charged.price.amount for charged in evidence.charged]
        assert charged == [9_900, 8_000, 9_000]

    def test_is_missing_when_the_log_is_too_short(self, session, deal):
        self.log(session, deal, (9_900, 29 * DAY))

        assert find_evidence(session, deal).ground is Ground.LOG_TOO_SHORT

    def test_is_missing_when_the_shop_was_as_cheap(self, session, deal):
        self.log(session, deal, (9_900, 40 * DAY), (5_000, 20 * DAY))

        assert find_evidence(session, deal).ground is Ground.NOT_LOWER

    def test_is_missing_when_the_currency_changed(self, session, deal):
        self.log(session, deal, (9_900, 40 * DAY), currency="usd")
        self.log(session, deal, (9_900, 20 * DAY))

        assert find_evidence(session, deal).ground is Ground.CURRENCY_CHANGED

    @pytest.mark.parametrize(
        ("prices", "sentence"),
        [
            ([(9_900, 40 * DAY)], "was €99.00 , so -49% may be announced"),
            ([(9_900, 2 * DAY)], "does not reach back 30 days"),
            ([(5_000, 40 * DAY)], "it was €50.00 already"),
        ],
    )
    async def test_is_laid_open_on_the_page(
        self, desk, session, deal, prices, sentence
    ):
        self.log(session, deal, *prices)

        text = texts(await (await desk.get(f"/deals/{deal.id}")).text())

        assert sentence in text
