"""
Every arrival at a link counts once, for its post: a person or a robot.
"""

import pytest
from aiohttp import web
from sqlmodel import Session, col, select

from offers.clicks import Click, Visitor
from outletbot.web.shop.keys import CLICKS
from tests.factories import NOON, make_account, make_deal, make_post, post_of
from tests.outletbot.shop.conftest import PHONE, Shop, Start

PEOPLE = [
    PHONE,
    (
        "Mozilla/5.0 (Linux; Android 14; CUBOT P80 Build/TP1A) AppleWebKit/537.36 "
        "(KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36"
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/470.0.0;FBBV/609]"
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Mobile/21F79 Instagram 340.0.3 (iPhone15,3; iOS 17_5)"
    ),
    "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Mobile Safari [LinkedInApp]",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
]
ROBOTS = [
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Twitterbot/1.0",
    "Mastodon/4.3.1 (http.rb/5.2.0; +https://mastodon.social/)",
    "Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://linkedin.com)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "WhatsApp/2.23.20.0 A",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "curl/8.5.0",
    "python-requests/2.32",
    "",
]


async def counted(shop: Shop, session: Session) -> dict[tuple[str, Visitor], int]:
    await shop.app[CLICKS].flush()
    session.rollback()
    clicks = session.exec(select(Click).order_by(col(Click.post_id)))
    return {(click.post_id, click.visitor): click.count for click in clicks}


@pytest.mark.parametrize("agent", PEOPLE)
async def test_browsers_are_people(shop: Shop, session: Session, agent: str) -> None:
    post = post_of(session, make_deal(session))

    await shop.get(f"/d/{post.code}", User_Agent=agent)

    assert await counted(shop, session) == {(post.id, Visitor.PERSON): 1}


@pytest.mark.parametrize("agent", ROBOTS)
async def test_who_draws_previews_is_a_robot(
    shop: Shop, session: Session, agent: str
) -> None:
    post = post_of(session, make_deal(session))

    await shop.get(f"/d/{post.code}", User_Agent=agent)

    assert await counted(shop, session) == {(post.id, Visitor.ROBOT): 1}


@pytest.mark.parametrize("header", ["Purpose", "Sec-Purpose", "X-Purpose"])
async def test_fetching_ahead_is_no_visit(
    shop: Shop, session: Session, header: str
) -> None:
    post = post_of(session, make_deal(session))

    await shop.get(f"/d/{post.code}", **{header: "prefetch;prerender"})

    assert await counted(shop, session) == {(post.id, Visitor.ROBOT): 1}


async def test_asking_for_the_head_is_no_visit(shop: Shop, session: Session) -> None:
    post = post_of(session, make_deal(session))

    answer = await shop.client.head(f"/d/{post.code}", headers={"User-Agent": PHONE})

    assert answer.status == 200
    assert await counted(shop, session) == {(post.id, Visitor.ROBOT): 1}


async def test_each_post_has_its_own_and_a_page_in_hand_counts_too(
    shop: Shop, session: Session
) -> None:
    deal = make_deal(session)
    wall = post_of(session, deal)
    toot = make_post(session, deal, make_account(session))
    first = await shop.get(f"/d/{wall.code}")

    again = await shop.get(f"/d/{wall.code}", If_None_Match=first.headers["ETag"])
    await shop.get(f"/d/{toot.code}")

    assert again.status == 304
    assert await counted(shop, session) == {
        (wall.id, Visitor.PERSON): 2,
        (toot.id, Visitor.PERSON): 1,
    }


async def test_what_a_page_asks_while_it_is_open_is_no_click(
    shop: Shop, session: Session
) -> None:
    post = post_of(session, make_deal(session))

    await shop.get(f"/d/{post.code}/state")
    await shop.get(f"/d/{post.code}/deal.ics")

    assert await counted(shop, session) == {}


async def test_batches_add_up_by_the_minute(shop: Shop, session: Session) -> None:
    post = post_of(session, make_deal(session))

    await shop.get(f"/d/{post.code}")
    await counted(shop, session)
    await shop.get(f"/d/{post.code}")

    assert await counted(shop, session) == {(post.id, Visitor.PERSON): 2}
    assert session.exec(select(Click.minute)).all() == [NOON]


async def test_the_last_second_is_written_when_the_process_ends(
    app: web.Application, aiohttp_client: Start, session: Session
) -> None:
    shop = Shop(app, await aiohttp_client(app))
    post = post_of(session, make_deal(session))
    await shop.get(f"/d/{post.code}")

    await shop.client.close()

    session.rollback()
    assert session.exec(select(Click.count)).all() == [1]
