"""
The page of a deal: what each post earned, how it went, and what its price rests on.
"""

import re
from datetime import timedelta
from xml.etree import ElementTree as ET  # what is read is our own

import pytest

from offers.catalog import Offer
from offers.deals import expected_reduction
from offers.money import Money
from offers.posts import PostState
from outletbot.web.desk.deal_summary import find_course, read_report
from outletbot.web.desk.evidence import Ground, find_evidence
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
    post_of,
)
from tests.outletbot.desk.test_summary import click, texts

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
