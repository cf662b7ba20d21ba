"""
A merchant plans a deal, sees what it would be, and arms it: once, for their own offer,
in its own currency, in their own time.
"""

import re
from typing import Any

import pytest
from sqlmodel import Session, col, func, select

from offers.accounts import Show
from offers.catalog import Offer
from offers.deals import Deal
from offers.pictures import Picture, keep_picture
from offers.posts import Post, PostState
from offers.templates import keep_template
from outletbot.known_networks import NETWORKS
from outletbot.web.desk.post_preview import CODE, shown_address
from tests.factories import (
    DAY,
    HOUR,
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_offer,
    make_post,
    make_price,
    make_retailer,
    north,
    outlet_account,
)
from tests.outletbot.desk.conftest import Client


def plan(offer: Offer, **fields: str) -> dict[str, str]:
    """Fill the form in: valid unless told otherwise. Dublin's time is UTC in March."""
    return {
        "offer": offer.id,
        "price": "49.90",
        "units": "5",
        "limit_per_shopper": "2",
        "opens": "later",
        "opens_at": "2026-03-02T18:00",
        "closes_at": "2026-03-02T20:00",
        "hold_minutes": "15",
        "title": "Flash parka",
        "pitch": "The warm one.",
        "action": "arm",
        **fields,
    }


async def post(
    desk: Client, fields: dict[str, str], path: str = "/deals"
) -> tuple[int, str]:
    answer = await desk.post(path, data=fields, allow_redirects=False)
    return answer.status, answer.headers.get("Location") or await answer.text()


def count(session: Session, column: Any) -> int:
    session.rollback()
    return session.exec(select(func.count(col(column)))).one()


def article(html: str, network: str) -> str:
    """Return how the post is shown on a network; nothing if it is not."""
    _, _, rest = html.partition(f'<article class="post" data-network="{network}">')
    return rest.partition("</article>")[0]


def give_picture(session: Session, offer: Offer) -> Picture:
    picture = keep_picture(
        session, offer.retailer_id, b"jpeg", size=(640, 480), now=NOON
    )
    offer.picture_id = picture.id
    session.add(offer)
    session.commit()
    return picture


def the_deal(session: Session) -> Deal:
    session.rollback()
    return session.exec(select(Deal)).one()


class TestArming:
    async def test_makes_the_deal_as_it_was_typed(self, desk, session):
        offer = make_offer(session)

        status, address = await post(desk, plan(offer))

        deal = the_deal(session)
        assert (status, address) == (303, f"/deals/{deal.id}")
        assert (deal.price_amount, deal.currency, deal.allotment) == (4_990, "eur", 5)
        assert (deal.limit_per_shopper, deal.hold_minutes) == (2, 15)
        assert (deal.title, deal.pitch) == ("Flash parka", "The warm one.")
        assert deal.opens_at == NOON + 6 * HOUR
        assert deal.closes_at == NOON + 8 * HOUR

    async def test_posts_it_on_every_channel_that_is_not_paused(self, desk, session):
        offer = make_offer(session)
        outlet = outlet_account(session)
        social = make_account(session, handle="@north")
        make_account(session, handle="@tired", paused=True)

        await post(desk, plan(offer))

        deal = the_deal(session)
        posts = session.exec(select(Post).where(Post.deal_id == deal.id)).all()
        assert {p.account_id for p in posts} == {outlet.id, social.id}
        assert {(p.state, p.due_at) for p in posts} == {
            (PostState.SCHEDULED, deal.opens_at)
        }

    async def test_can_open_it_at_once(self, desk, session):
        offer = make_offer(session)

        status, _ = await post(desk, plan(offer, opens="now", opens_at="nonsense"))

        assert status == 303
        assert the_deal(session).opens_at == NOON

    @pytest.mark.parametrize("price", ["49,90", "49.90", " 49.9 "])
    async def test_reads_a_price_with_comma_or_point(self, desk, session, price):
        await post(desk, plan(make_offer(session), price=price))

        assert the_deal(session).price_amount == 4_990

    async def test_reads_times_in_the_retailers_own_zone(self, desk, session):
        offer = make_offer(session)
        in_summer = {"opens_at": "2026-04-01T18:00", "closes_at": "2026-04-01T20:00"}

        await post(desk, plan(offer, **in_summer))

        assert the_deal(session).opens_at.hour == 17

    async def test_makes_one_deal_however_often_it_is_pressed(self, desk, session):
        offer = make_offer(session, quantity=5)

        answers = [await post(desk, plan(offer)) for _ in range(3)]

        assert {status for status, _ in answers} == {303}
        assert len({address for _, address in answers}) == 1
        assert count(session, Deal.id) == 1

    async def test_takes_no_currency_from_the_form(self, desk, session):
        offer = make_offer(session, currency="eur")

        await post(desk, plan(offer, currency="jpy", price_amount="1", cost="0"))

        deal = the_deal(session)
        assert (deal.currency, deal.price_amount) == ("eur", 4_990)

    async def test_is_not_for_another_retailers_offer(self, desk, session):
        offer = make_offer(session, retailer_id=make_retailer(session).id)

        assert (await post(desk, plan(offer)))[0] == 404
        answer = await desk.get("/deals/new", params={"offer": offer.id})
        assert answer.status == 404
        assert count(session, Deal.id) == 0


class TestRefusals:
    @pytest.mark.parametrize(
        ("field", "value", "problem"),
        [
            ("price", "", "Fill this in."),
            ("price", "cheap", "Enter an amount such as 12.50."),
            ("price", "-5", "Enter an amount such as 12.50."),
            ("price", "1e3", "Enter an amount such as 12.50."),
            ("price", "10.005", "Enter an amount such as 12.50."),
            ("price", "1,000.50", "Enter an amount such as 12.50."),
            ("price", "0", "Enter a price above zero."),
            ("price", "0.49", "Card payments begin at €0.50."),
            ("price", "99", "A deal is cheaper than the shop"),
            ("units", "0", "Choose between 1 and"),
            ("units", "11", "Choose between 1 and 10 units."),
            ("units", "2.5", "Enter a whole number."),
            ("units", "9" * 19, "Choose between 1 and"),
            ("limit_per_shopper", "6", "no more than the units"),
            ("hold_minutes", "61", "Choose between 2 and 60."),
            ("opens_at", "tomorrow", "Enter a day and a time"),
            ("opens_at", "2026-03-29T01:30", "The clocks go forward then"),
            ("opens_at", "2026-03-01T18:00", "This opening is in the past."),
            ("closes_at", "2026-03-02T17:59", "The end must come after the opening."),
            ("closes_at", "2026-05-02T17:59", "A deal runs for 30 days at most."),
            ("title", "x" * 151, "Use 150 characters at most."),
            ("pitch", "x" * 301, "Use 300 characters at most."),
        ],
    )
    async def test_say_what_is_wrong_and_keep_what_was_typed(
        self, desk, session, field, value, problem
    ):
        offer = make_offer(session, quantity=10, price_amount=9_900)

        status, html = await post(desk, plan(offer, **{field: value}))

        assert status == 422
        assert problem in html
        assert value in html
        assert html.count('class="error"') == 1
        assert count(session, Deal.id) == 0

    @pytest.mark.parametrize(
        ("zone", "moment"),
        [
            ("America/New_York", "9999-12-31T23:59"),
            ("Asia/Tokyo", "0001-01-01T00:00"),
        ],
    )
    async def test_come_for_times_beyond_all_calendars(
        self, desk, session, zone, moment
    ):
        retailer = north(session)
        retailer.time_zone = zone
        session.add(retailer)
        session.commit()

        fields = plan(make_offer(session), closes_at=moment)
        status, html = await post(desk, fields)

        assert status == 422
        assert "Enter a day and a time" in html

    async def test_name_every_wrong_field_at_once(self, desk, session):
        offer = make_offer(session)
        wrong = {"price": "x", "units": "y", "closes_at": "z", "hold_minutes": "0"}

        status, html = await post(desk, plan(offer, **wrong))

        assert status == 422
        assert html.count('class="error"') == 4
        assert html.count('aria-invalid="true"') == 4

    async def test_come_for_stock_that_is_in_a_deal_already(self, desk, session):
        offer = make_offer(session, quantity=5)
        make_deal(session, offer, allotment=5)

        status, html = await post(desk, plan(offer, units="1"))

        assert status == 422
        assert "There is no stock left that is not in a deal already." in html


class TestPreview:
    async def test_makes_nothing(self, desk, session):
        status, _ = await post(desk, plan(make_offer(session), action="preview"))

        assert status == 200
        assert count(session, Deal.id) == 0
        assert count(session, Post.id) == 0

    async def test_shows_margin_and_discount(self, desk, session):
        offer = make_offer(session, price_amount=9_980, cost_amount=2_495)

        _, html = await post(desk, plan(offer, action="preview"))

        assert "<strong>€24.95</strong> · 50%" in html
        assert "<dd>50% <small>for your eyes" in html
        assert "This is under your cost" not in html

    async def test_says_so_if_nobody_knows_the_cost(self, desk, session):
        offer = make_offer(session, cost_amount=None)

        _, html = await post(desk, plan(offer, action="preview"))

        assert "unknown: the feed tells no cost" in html

    async def test_asks_whether_a_price_is_to_be_under_cost(self, desk, session):
        offer = make_offer(session, cost_amount=6_000)

        status, html = await post(desk, plan(offer, action="preview"))

        assert status == 422
        assert "This is under your cost. The price of €49.90 was compared" in html
        assert 'name="under_cost" value="yes"' in html

    async def test_warns_of_a_price_under_cost(self, desk, session):
        offer = make_offer(session, cost_amount=6_000)

        fields = plan(offer, action="preview", under_cost="yes")
        _, html = await post(desk, fields)

        assert "This is under your cost: each unit loses €10.10." in html

    async def test_keeps_who_wanted_a_price_under_cost(self, desk, session):
        offer = make_offer(session, cost_amount=6_000)

        status, _ = await post(desk, plan(offer, under_cost="yes"))

        assert status == 303
        deal = the_deal(session)
        assert deal.under_cost_by.startswith("merchant_")
        assert deal.under_cost_at is not None

    async def test_keeps_nobody_if_it_is_not(self, desk, session):
        status, _ = await post(desk, plan(make_offer(session), under_cost="yes"))

        assert status == 303
        assert (the_deal(session).under_cost_by, the_deal(session).under_cost_at) == (
            "",
            None,
        )

    @pytest.mark.parametrize(
        ("field", "text"),
        [
            ("title", "Parka -50%"),
            ("pitch", "Was €99, never again"),
            ("pitch", "50 % de réduction"),
        ],
    )
    async def test_takes_no_reduction_in_own_words(self, desk, session, field, text):
        status, html = await post(desk, plan(make_offer(session), **{field: text}))

        assert status == 422
        assert "outletbot adds what your price log proves" in html

    async def test_shows_each_post_with_its_length(self, desk, session):
        offer = make_offer(session)
        outlet_account(session)
        make_account(session, handle="@north", base_url="https://social.example")

        _, html = await post(desk, plan(offer, action="preview"))

        assert "Your outlet page" in html
        mastodon = article(html, "mastodon")
        assert "<strong>Mastodon</strong>" in mastodon
        assert "@north" in mastodon
        assert re.search(r"\d+ of 500 graphemes · \d+ left", mastodon)
        assert "The warm one." in mastodon
        assert "€49.90" in mastodon
        assert re.search(r"\d+ of 5,000 characters", article(html, "outlet"))

    async def test_says_if_it_would_be_posted_nowhere(self, desk, session):
        make_account(session, paused=True)

        _, html = await post(desk, plan(make_offer(session), action="preview"))

        assert "All your channels are paused" in html

    async def test_announces_no_reduction_without_evidence(self, desk, session):
        offer = make_offer(session, list_price_amount=20_000)
        make_price(session, offer, 9_900, NOON - 29 * DAY)
        outlet_account(session)

        _, html = await post(desk, plan(offer, action="preview"))

        assert "there is no log of your prices for the 30 days" in html
        assert "lowest price of the last 30 days" not in html

    async def test_announces_what_the_log_proves(self, desk, session):
        offer = make_offer(session)
        make_price(session, offer, 9_980, NOON - 31 * DAY)
        outlet_account(session)

        _, html = await post(desk, plan(offer, action="preview"))

        assert "\N{MINUS SIGN}50%" in html
        assert "lowest price of the last 30 days: €99.80" in html

    async def test_says_if_it_was_as_cheap_lately(self, desk, session):
        offer = make_offer(session)
        make_price(session, offer, 9_900, NOON - 31 * DAY)
        make_price(session, offer, 4_900, NOON - 5 * DAY)
        make_price(session, offer, 9_900, NOON - 4 * DAY)

        _, html = await post(desk, plan(offer, action="preview"))

        assert "it cost €49.00 or less" in html


class TestPostsAsTheyWillBeSeen:
    async def test_say_what_the_retailer_words(self, desk, session):
        offer = make_offer(session)
        make_account(session)
        keep_template(
            session,
            offer.retailer_id,
            language="en",
            kind="announcement",
            body="Hush: {title}, {price}\n{link}",
            now=NOON,
        )
        session.commit()

        _, html = await post(desk, plan(offer, action="preview"))

        assert "Hush: Flash parka, €49.90" in article(html, "mastodon")

    async def test_have_their_picture_as_the_network_takes_it(self, desk, session):
        offer = make_offer(session)
        make_account(session)
        picture = give_picture(session, offer)

        _, html = await post(desk, plan(offer, action="preview"))

        there = article(html, "mastodon")
        address = f"/pictures/{picture.id}/mastodon.jpg"
        assert f'<img src="{address}" alt="Flash parka"' in there
        assert "for those who cannot see it: Flash parka" in there
        assert "Without a picture" not in there

    async def test_have_a_card_where_that_is_wanted(self, desk, session):
        offer = make_offer(session)
        make_account(session, show=Show.CARD)
        picture = give_picture(session, offer)

        _, html = await post(desk, plan(offer, action="preview"))

        there = article(html, "mastodon")
        assert '<div class="linked">' in there
        assert f'<img src="/pictures/{picture.id}/mastodon.jpg" alt=""' in there
        assert "<small>outlet.example</small><br><strong>Flash parka</strong>" in there

    async def test_have_neither_where_that_is_wanted(self, desk, session):
        offer = make_offer(session)
        make_account(session, show=Show.NOTHING)
        give_picture(session, offer)

        _, html = await post(desk, plan(offer, action="preview"))

        assert "<img" not in article(html, "mastodon")
        assert "linked" not in article(html, "mastodon")

    async def test_show_the_networks_a_retailer_is_not_on(self, desk, session):
        offer = make_offer(session)
        outlet_account(session)
        give_picture(session, offer)

        status, html = await post(
            desk, plan(offer, action="preview"), "/deals?networks=all"
        )

        assert status == 200
        assert "Where you have no account" in html
        for network in ("outlet", *NETWORKS):
            assert "Flash parka" in article(html, network)
        assert "posted on 1 channel" in html
        assert html.count('data-network="outlet"') == 1

    async def test_show_only_a_retailers_own_unless_asked(self, desk, session):
        outlet_account(session)

        _, html = await post(desk, plan(make_offer(session), action="preview"))

        assert 'formaction="/deals?networks=all#posts"' in html
        assert 'data-network="mastodon"' not in html

    async def test_say_what_a_network_would_refuse(self, desk, session):
        offer = make_offer(session)
        make_account(session, "instagram")

        _, html = await post(desk, plan(offer, action="preview"))

        assert "Instagram needs a picture: add one to the offer." in article(
            html, "instagram"
        )

    async def test_say_what_a_network_charges(self, desk, session):
        make_account(session, "x")

        _, html = await post(desk, plan(make_offer(session), action="preview"))

        assert re.search(
            r"\d+ of 280 weighted characters · \d+ left · costs about US\$0.20",
            article(html, "x"),
        )

    async def test_are_not_those_of_a_channel_that_was_disconnected(
        self, desk, session
    ):
        make_account(session, disconnected_at=NOON)

        _, html = await post(desk, plan(make_offer(session), action="preview"))

        assert article(html, "mastodon") == ""

    @pytest.mark.parametrize(
        ("network", "shown"),
        [
            ("x", "outlet.example"),
            ("bluesky", "outlet.example/d/0123456789..."),
            ("mastodon", "outlet.example/d/0123456789abc…"),
            ("threads", "outlet.example/d/0123456789abc…"),
            ("facebook", f"http://outlet.example/d/{CODE}"),
        ],
    )
    def test_shorten_a_link_as_the_network_does(self, network, shown):
        assert shown_address(network, f"http://outlet.example/d/{CODE}") == shown

    @pytest.mark.parametrize("network", ["bluesky", "mastodon"])
    def test_leave_a_short_link_whole(self, network):
        assert shown_address(network, "https://outlet.example/o/n?a=1") == (
            "outlet.example/o/n?a=1"
        )


class TestTheForm:
    async def test_proposes_what_is_free_and_names_the_zone(self, desk, session):
        offer = make_offer(session, quantity=9, title="Parka")
        make_deal(session, offer, allotment=5)

        html = await (await desk.get(f"/deals/new?offer={offer.id}")).text()

        assert 'name="units" type="number" value="4"' in html
        assert 'value="2026-03-02T12:15"' in html
        assert 'value="2026-03-02T15:15"' in html
        assert "Europe/Dublin" in html
        assert 'value="Parka"' in html

    async def test_sends_who_has_no_offer_to_the_offers(self, desk):
        answer = await desk.get("/deals/new", allow_redirects=False)

        assert (answer.status, answer.headers["Location"]) == (303, "/offers")

    async def test_repeats_a_deal_with_what_is_left_of_it(self, desk, session):
        offer = make_offer(session, quantity=9)
        deal = make_deal(
            session,
            offer,
            allotment=6,
            sold=4,
            price_amount=3_950,
            title="Flash parka",
            pitch="The warm one.",
            hold_minutes=7,
            opens_at=NOON - 3 * HOUR,
            closes_at=NOON - HOUR,
        )

        html = await (
            await desk.get(f"/deals/new?offer={offer.id}&from={deal.id}")
        ).text()

        for value in ("39.50", "2", "Flash parka", "7"):
            assert f'value="{value}"' in html
        assert "The warm one." in html


class TestAllDeals:
    async def test_are_shown_by_what_they_are_doing(self, desk, session):
        over = {"opens_at": NOON - 3 * HOUR, "closes_at": NOON - HOUR}
        later = {"opens_at": NOON + DAY, "closes_at": NOON + DAY + HOUR}
        make_deal(session, title="Gone parka", **over)
        make_deal(session, title="Present parka")
        make_deal(session, title="Coming parka", **later)

        html = await (await desk.get("/deals")).text()

        order = ["Open now", "Present", "Planned", "Coming", "Over", "Gone"]
        assert [html.index(word) for word in order] == sorted(
            html.index(word) for word in order
        )
        assert "3 March 2026" in html
        assert "Repeat with the 10 left" in html

    async def test_of_others_are_not_shown(self, desk, session):
        make_deal(session, retailer_id=make_retailer(session).id, title="Not ours")

        html = await (await desk.get("/deals")).text()

        assert "Not ours" not in html
        assert "No deals yet" in html


class TestEnding:
    async def test_ends_a_deal_before_its_time_and_once(self, desk, session):
        deal = make_deal(session)

        for _ in range(2):
            answer = await desk.post(f"/deals/{deal.id}/end", allow_redirects=False)
            assert answer.status == 303

        session.refresh(deal)
        assert deal.ended_early
        assert deal.closes_at == NOON

    async def test_cannot_end_what_is_over(self, desk, session):
        deal = make_deal(session, opens_at=NOON - DAY, closes_at=NOON - HOUR)

        assert (await desk.post(f"/deals/{deal.id}/end")).status == 409

    async def test_cannot_end_another_retailers(self, desk, session):
        deal = make_deal(session, retailer_id=make_retailer(session).id)

        assert (await desk.post(f"/deals/{deal.id}/end")).status == 404
        session.refresh(deal)
        assert not deal.ended_early


class TestPostingAgain:
    async def test_lets_a_failed_post_go_out_once_more(self, desk, session):
        deal = make_deal(session)
        failed = make_post(
            session,
            deal,
            make_account(session),
            state=PostState.FAILED,
            due_at=NOON - MINUTE,
            failure="Token expired.",
        )

        answer = await desk.post(f"/posts/{failed.id}/again", allow_redirects=False)

        session.refresh(failed)
        assert answer.headers["Location"] == f"/deals/{deal.id}"
        assert (failed.state, failed.due_at) == (PostState.SCHEDULED, NOON)

    async def test_does_not_touch_another_retailers(self, desk, session):
        south = make_retailer(session)
        deal = make_deal(session, retailer_id=south.id)
        account = make_account(session, retailer_id=south.id)
        failed = make_post(session, deal, account, state=PostState.FAILED)

        assert (await desk.post(f"/posts/{failed.id}/again")).status == 404

        session.refresh(failed)
        assert failed.state is PostState.FAILED


class TestPaying:
    async def test_is_online_unless_told_otherwise(self, desk, session):
        await post(desk, plan(make_offer(session)))

        deal = the_deal(session)
        assert (deal.pay_online, deal.reserve_until) == (True, None)

    @pytest.mark.parametrize(("paying", "online"), [("both", True), ("store", False)])
    async def test_may_be_in_the_store(self, desk, session, paying, online):
        fields = {"paying": paying, "reserve_until": "2026-03-04T18:00"}

        await post(desk, plan(make_offer(session), **fields))

        deal = the_deal(session)
        assert deal.pay_online is online
        assert deal.reserve_until == NOON + 2 * DAY + 6 * HOUR

    @pytest.mark.parametrize(
        ("until", "words"),
        [
            ("2026-03-02T18:00", "kept until after the opening"),
            ("2026-03-16T20:01", "14 days after the end at most"),
            ("", "Enter a day and a time"),
            ("soon", "Enter a day and a time"),
        ],
    )
    async def test_in_the_store_needs_a_last_moment(self, desk, session, until, words):
        fields = {"paying": "store", "reserve_until": until}

        status, html = await post(desk, plan(make_offer(session), **fields))

        assert status == 422
        assert words in html
        assert count(session, Deal.id) == 0

    async def test_in_the_store_may_be_less_than_a_card_payment(self, desk, session):
        fields = {"paying": "store", "reserve_until": "2026-03-04T18:00"}

        offer = make_offer(session, cost_amount=10)
        status, _ = await post(desk, plan(offer, price="0.20", **fields))

        assert status == 303

    async def test_again_is_proposed_as_it_was(self, desk, session):
        deal = make_deal(session, reserve_until=NOON + DAY, pay_online=False)

        html = await (
            await desk.get(f"/deals/new?offer={deal.offer_id}&from={deal.id}")
        ).text()

        assert 'value="store" checked' in html
