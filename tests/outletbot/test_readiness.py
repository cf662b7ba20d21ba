"""
Each planned post shows a light that knows its network's terms without asking it.
"""

from collections.abc import AsyncIterator
from datetime import datetime

import aiohttp
import pytest
from sqlmodel import Session

from offers.accounts import ChannelAccount
from offers.beats import begin_beating
from offers.deals import Deal
from offers.pictures import Picture, keep_picture
from offers.posts import Post, PostKind
from offers.readiness import Light
from outletbot.db import Database
from outletbot.networks import Networks
from outletbot.readiness import Readiness, read_lights
from outletbot.sealing import Seal
from tests.factories import (
    HOUR,
    MINUTE,
    NOON,
    make_account,
    make_deal,
    make_offer,
    make_post,
    north,
)

BOTH_DATABASES = True
DUE = NOON + HOUR
PUBLIC_URL = "http://outlet.example"


@pytest.fixture
async def networks(seal: Seal) -> AsyncIterator[Networks]:
    async with aiohttp.ClientSession() as http:
        yield Networks(http, seal, public_url=PUBLIC_URL, clock=lambda: NOON)


@pytest.fixture
def picture(session: Session) -> Picture:
    begin_beating(session, now=NOON)
    retailer_id = north(session).id
    kept = keep_picture(session, retailer_id, b"jpeg", size=(800, 800), now=NOON)
    session.commit()
    return kept


def make_planned(
    session: Session, seal: Seal, kind: str, picture_id: str | None, **facts: datetime
) -> Post:
    """Make a post on a network of a deal that opens in an hour."""
    offer = make_offer(session, picture_id=picture_id)
    deal = make_deal(session, offer, opens_at=DUE, opened_at=None)
    account = make_account(
        session,
        kind,
        handle=f"north{deal.id}",
        base_url="https://s.example" if kind == "mastodon" else "",
        sealed_token=seal.close("token"),
    )
    return make_post(session, deal, account, **facts)


async def look(
    database: Database,
    session: Session,
    networks: Networks,
    deal_id: str = "",
    *,
    public_url: str = PUBLIC_URL,
) -> dict[str, Readiness]:
    session.commit()
    return await read_lights(
        database,
        networks,
        north(session).id,
        public_url=public_url,
        deal_id=deal_id,
        now=NOON,
    )


def reasons(light: Readiness) -> list[str]:
    return [str(finding.sentence) for finding in light.findings]


async def test_a_post_with_all_it_needs_is_ready(
    database, session, networks, seal, picture
):
    post = make_planned(session, seal, "mastodon", picture.id)

    lights = await look(database, session, networks)

    assert lights[post.id] == Readiness(Light.READY)
    assert len(lights) == 2  # the retailer's own wall has one too


async def test_a_network_that_is_gone_from_here_takes_none(
    database, session, networks, seal, picture
):
    post = make_planned(session, seal, "orkut", picture.id)

    lights = await look(database, session, networks)

    assert lights[post.id].light is Light.STUCK
    assert "Orkut" in reasons(lights[post.id])[0]


async def test_a_network_of_pictures_wants_one(
    database, session, networks, seal, picture
):
    bare = make_planned(session, seal, "instagram", None)
    pictured = make_planned(session, seal, "instagram", picture.id)

    lights = await look(database, session, networks)

    assert lights[pictured.id].light is Light.READY
    assert reasons(lights[bare.id]) == [
        "Instagram needs a picture: add one to the offer."
    ]


async def test_a_text_that_has_no_room_is_told(
    database, session, networks, seal, picture
):
    post = make_planned(session, seal, "telegram", picture.id)
    long = f"{PUBLIC_URL}/{'x' * 1_024}"

    light = (await look(database, session, networks, public_url=long))[post.id]

    assert light.light is Light.STUCK
    assert "takes a text of 1024 at most" in reasons(light)[0]


async def test_a_word_of_the_law_is_told_in_time(
    database, session, networks, seal, picture
):
    retailer = north(session)
    retailer.country = "FR"
    session.add(retailer)
    post = make_planned(session, seal, "mastodon", picture.id)
    deal = session.get_one(Deal, post.deal_id)
    deal.title = "Soldes : parka"
    session.add(deal)

    lights = await look(database, session, networks)

    assert lights[post.id].light is Light.STUCK
    assert "The law keeps the word “soldes”" in reasons(lights[post.id])[0]


async def test_a_token_of_another_key_is_told(database, session, networks, picture):
    other = Seal("c291dGgtc291dGgtc291dGgtc291dGgtc291dGgtMSE=")
    post = make_planned(session, other, "mastodon", picture.id)

    light = (await look(database, session, networks))[post.id]

    assert light.light is Light.STUCK
    assert "cannot be opened with this installation's key" in reasons(light)[0]


async def test_a_disconnected_channel_is_told_as_just_that(
    database, session, networks, seal, picture
):
    post = make_planned(session, seal, "mastodon", picture.id)
    account = session.get_one(ChannelAccount, post.account_id)
    account.sealed_token, account.paused, account.disconnected_at = "", True, NOON

    light = (await look(database, session, networks))[post.id]

    assert reasons(light) == ["This channel is disconnected. Connect it again."]


async def test_what_a_post_costs_is_held_against_the_budget(
    database, session, networks, seal, picture
):
    post = make_planned(session, seal, "x", picture.id)
    account = session.get_one(ChannelAccount, post.account_id)
    account.budget_cents = 0

    light = (await look(database, session, networks))[post.id]

    assert reasons(light) == [
        "The budget of this channel for 30 days does not allow it."
    ]


async def test_a_follow_up_answers_and_needs_no_picture(
    database, session, networks, seal
):
    begin_beating(session, now=NOON)
    deal = make_deal(session, allotment=10, sold=6, closes_at=NOON + HOUR)
    account = make_account(session, "instagram", sealed_token=seal.close("token"))
    first = make_post(session, deal, account)
    second = make_post(
        session,
        deal,
        account,
        kind=PostKind.LAST_UNITS,
        answers_id=first.id,
        state="scheduled",
        published_at=None,
        first_due_at=NOON - MINUTE,
    )

    light = (await look(database, session, networks))[second.id]

    assert light.light is Light.LOOK
    assert "There is no picture: add one to the offer." in reasons(light)


async def test_without_a_worker_nothing_is_ready(database, session, networks):
    make_deal(session, opens_at=DUE, opened_at=None)

    [light] = (await look(database, session, networks)).values()

    assert light.light is Light.STUCK
    assert "No worker is running" in reasons(light)[0]


async def test_only_one_deals_posts_are_looked_at_if_asked(
    database, session, networks, seal, picture
):
    post = make_planned(session, seal, "mastodon", picture.id)
    make_planned(session, seal, "mastodon", picture.id)
    session.refresh(post)

    lights = await look(database, session, networks, post.deal_id)

    assert post.id in lights
    assert len(lights) == 2
