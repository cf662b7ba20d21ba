"""
The Bluesky channel, against a server that keeps Bluesky's rules and breaks at will.
"""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image as Pillow

from outletbot.channels import (
    Card,
    Disowned,
    Image,
    Limited,
    Numbers,
    Published,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.bluesky import PAGE, SKEW, Bluesky
from outletbot.channels.bluesky_entrance import UNTOLD, BlueskyEntrance
from outletbot.channels.bluesky_keys import record_key
from outletbot.channels.credentials import Credentials
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.windows import Budget
from tests.outletbot.bluesky_server import (
    ASLEEP,
    CALM,
    FAN,
    LONGER,
    OUTLET,
    Server,
    bluesky_server,
)
from tests.outletbot.channels.contract import (
    LINK,
    LOST,
    NOON,
    OTHER,
    ChannelContract,
    StandingClock,
    make_draft,
    make_image,
)

REPO = "com.atproto.repo"
UPLOAD = f"POST /xrpc/{REPO}.uploadBlob"
LIST = f"GET /xrpc/{REPO}.listRecords"
GET = f"GET /xrpc/{REPO}.getRecord"
DELETE = f"POST /xrpc/{REPO}.deleteRecord"
REFRESH = "POST /xrpc/com.atproto.server.refreshSession"
SIGN_IN = "POST /xrpc/com.atproto.server.createSession"
MEASURE = "GET /xrpc/app.bsky.feed.getPosts"
BROKEN = [Fault.ERROR_BEFORE, Fault.ERROR_AFTER]


def token_saying(payload: bytes) -> str:
    return f"a.{base64.urlsafe_b64encode(payload).decode()}.c"


@pytest.fixture
async def world() -> AsyncIterator[Server]:
    async with bluesky_server() as server:
        yield server
        assert not server.recorder.violations(), server.recorder.violations()


class TestContract(ChannelContract):
    @pytest.fixture
    async def world(self, world: Server) -> Server:
        """Let the client give up first: a look is repeated if the server hangs up."""
        world.faults.hold_for = LONGER
        return world


class TestPublish:
    async def test_returns_where_the_post_is(self, world: Server) -> None:
        published = await world.channel().publish(make_draft(), key="post_1")

        (post,) = world.sandbox.posts
        rkey = record_key(NOON, "post_1")
        uri = f"at://{OUTLET.id}/app.bsky.feed.post/{rkey}"
        url = f"{world.url}/profile/{OUTLET.id}/post/{rkey}"
        assert published == Published(uri, url)
        assert post["uri"] == uri
        assert post["value"] == {
            "$type": "app.bsky.feed.post",
            "text": f"Parka, half price\n{LINK}",
            "createdAt": "2026-03-02T12:00:00.000Z",
            "langs": ["en"],
            "facets": [
                {
                    "index": {"byteStart": 18, "byteEnd": 18 + len(LINK)},
                    "features": [
                        {"$type": "app.bsky.richtext.facet#link", "uri": LINK}
                    ],
                }
            ],
        }

    async def test_people_see_it_on_bluesky_unless_told_otherwise(
        self, world: Server
    ) -> None:
        channel = Bluesky(world.http, world.url, world.credentials, clock=world.clock)

        published = await channel.publish(make_draft(), key="post_1")

        assert published.url.startswith(f"https://bsky.app/profile/{OUTLET.id}/post/")

    async def test_posts_once_for_the_same_key_however_late(
        self, world: Server
    ) -> None:
        draft = make_draft(images=[make_image()])

        once = await world.channel().publish(draft, key="post_1")
        world.clock.advance(timedelta(minutes=110))
        again = await world.channel().publish(draft, key="post_1")

        assert once == again
        assert len(world.texts()) == 1
        assert world.sandbox.commits == 1

    @pytest.mark.parametrize(
        "fault",
        [Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER, Fault.CUT_BODY, Fault.ERROR_BEFORE],
    )
    async def test_may_be_repeated_whatever_became_of_it(
        self, world: Server, fault: Fault
    ) -> None:
        channel = world.channel()
        world.faults.next(world.publish_call, fault)
        with pytest.raises(Unconfirmed):
            await channel.publish(make_draft(), key="post_1")

        await channel.publish(make_draft(), key="post_1")

        assert world.sandbox.commits == 1

    async def test_another_key_is_another_post(self, world: Server) -> None:
        await world.channel().publish(make_draft(), key="post_1")
        await world.channel().publish(make_draft(), key="post_2")

        assert len(world.texts()) == 2

    async def test_a_changed_draft_replaces_the_one_before(self, world: Server) -> None:
        await world.channel().publish(make_draft("Parka"), key="post_1")
        await world.channel().publish(make_draft("Boots"), key="post_1")

        assert world.texts() == [f"Boots\n{LINK}"]

    async def test_brings_the_pictures_and_what_they_show(self, world: Server) -> None:
        images = [make_image("A red parka"), make_image("Its lining", (300, 900))]

        await world.channel().publish(make_draft(images=images), key="post_1")

        embed = world.sandbox.posts[0]["value"]["embed"]
        assert [one["alt"] for one in embed["images"]] == ["A red parka", "Its lining"]
        assert [one["aspectRatio"] for one in embed["images"]] == [
            {"width": 640, "height": 480},
            {"width": 300, "height": 900},
        ]

    async def test_makes_a_picture_fit(self, world: Server) -> None:
        buffer = BytesIO()
        Pillow.effect_noise((2600, 1300), 100).convert("RGB").save(
            buffer, "JPEG", quality=95
        )
        image = Image(buffer.getvalue(), "image/jpeg", "x" * 3000)
        assert len(image.content) > 2_000_000

        await world.channel().publish(make_draft(images=[image]), key="post_1")

        (shown,) = world.sandbox.posts[0]["value"]["embed"]["images"]
        assert shown["image"]["size"] <= 1_000_000
        assert max(shown["aspectRatio"].values()) <= 2000
        assert len(shown["alt"]) == 2000

    async def test_four_pictures_and_no_more(self, world: Server) -> None:
        channel, images = world.channel(), [make_image(str(n)) for n in range(5)]
        assert channel.capabilities.images.most == 4

        await channel.publish(make_draft(images=images[:4]), key="post_1")
        with pytest.raises(Rejected, match="maximum 4, got 5"):
            await channel.publish(make_draft(images=images), key="post_2")
        world.recorder.calls.pop()  # five are against the lexicon, as intended

        assert len(world.texts()) == 1

    async def test_a_card_is_a_box_with_the_link(self, world: Server) -> None:
        card = Card("Parka", "Half price until noon", make_image())

        await world.channel().publish(make_draft(card=card), key="post_1")

        embed = world.sandbox.posts[0]["value"]["embed"]
        assert embed["$type"] == "app.bsky.embed.external"
        box = embed["external"]
        assert (box["uri"], box["title"]) == (LINK, "Parka")
        assert box["description"] == "Half price until noon"
        assert box["thumb"]["mimeType"] == "image/jpeg"

    async def test_a_card_may_have_no_picture(self, world: Server) -> None:
        await world.channel().publish(make_draft(card=Card("Parka")), key="post_1")

        assert "thumb" not in world.sandbox.posts[0]["value"]["embed"]["external"]

    async def test_pictures_go_before_a_card(self, world: Server) -> None:
        draft = make_draft(images=[make_image()], card=Card("Parka"))

        await world.channel().publish(draft, key="post_1")

        embed = world.sandbox.posts[0]["value"]["embed"]
        assert embed["$type"] == "app.bsky.embed.images"

    @pytest.mark.parametrize("fault", [*LOST, *BROKEN])
    async def test_a_lost_picture_is_given_again(
        self, world: Server, fault: Fault
    ) -> None:
        world.faults.next(UPLOAD, fault)
        channel, draft = world.channel(), make_draft(images=[make_image()])

        with pytest.raises(TryLater):
            await channel.publish(draft, key="post_1")
        assert world.texts() == []

        await channel.publish(draft, key="post_1")
        assert world.sandbox.commits == 1

    async def test_sends_the_pictures_ahead_and_waits_for_the_word(
        self, world: Server
    ) -> None:
        sent: list[str] = []

        async def go() -> None:
            sent.extend(world.recorder.names)

        draft = make_draft(images=[make_image(), make_image("Its lining")])
        await world.channel().publish(draft, key="post_1", go=go)

        assert sent == ["uploadBlob"] * 2
        assert world.recorder.names == [*sent, "putRecord"]

    async def test_says_the_language_if_there_is_one(self, world: Server) -> None:
        await world.channel().publish(make_draft(language="fr-CA"), key="post_1")
        await world.channel().publish(make_draft(language=""), key="post_2")

        one, other = world.sandbox.posts
        assert one["value"]["langs"] == ["fr-CA"]
        assert "langs" not in other["value"]

    async def test_needs_no_sign_in(self, world: Server) -> None:
        channel = world.channel()
        for number in range(3):
            await channel.publish(make_draft(), key=f"post_{number}")

        assert world.recorder.names == ["putRecord"] * 3

    async def test_asks_who_it_is_if_nobody_said(self, world: Server) -> None:
        bare = Credentials(f" {world.credentials.access_token}\n")
        channel = world.channel(credentials=bare)

        await channel.publish(make_draft(), key="post_1")
        await channel.publish(make_draft(), key="post_2")

        assert world.recorder.names == ["getSession", "putRecord", "putRecord"]

    async def test_too_many_bytes_are_too_long(self, world: Server) -> None:
        channel = world.channel()
        draft = replace(make_draft(), text="👨‍👩‍👧‍👦" * 121)
        assert channel.length(draft.text) > 300

        with pytest.raises(Rejected, match="string too big"):
            await channel.publish(draft, key="post_1")
        world.recorder.calls.clear()

    async def test_a_full_post_is_taken(self, world: Server) -> None:
        channel = world.channel()
        text = f"{'é' * (300 - len(LINK) - 1)} {LINK}"
        assert channel.length(text) == channel.capabilities.max_length == 300

        await channel.publish(replace(make_draft(), text=text), key="post_1")

        assert world.texts() == [text]


class TestAnswers:
    async def test_names_parent_and_root(self, world: Server) -> None:
        channel = world.channel()
        first = await channel.publish(make_draft(), key="post_1")
        second = await channel.publish(
            make_draft("Few left", answers=first.remote_id), key="post_2"
        )
        await channel.publish(
            make_draft("Sold out", answers=second.remote_id), key="post_3"
        )

        one, two, three = world.sandbox.posts
        first_ref = {"uri": one["uri"], "cid": one["cid"]}
        second_ref = {"uri": two["uri"], "cid": two["cid"]}
        assert two["value"]["reply"] == {"root": first_ref, "parent": first_ref}
        assert three["value"]["reply"] == {"root": first_ref, "parent": second_ref}

    async def test_cannot_answer_what_is_gone(self, world: Server) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        await channel.delete(published.remote_id)

        with pytest.raises(Rejected, match="The post is gone"):
            await channel.publish(
                make_draft("Sold out", answers=published.remote_id), key="post_2"
            )

        assert world.texts() == []

    async def test_cannot_answer_what_is_no_post(self, world: Server) -> None:
        with pytest.raises(Rejected, match="1234 is no post on Bluesky"):
            await world.channel().publish(make_draft(answers="1234"), key="post_1")

    @pytest.mark.parametrize("fault", [*LOST, *BROKEN])
    async def test_an_unanswered_look_is_made_later(
        self, world: Server, fault: Fault
    ) -> None:
        world.faults.hold_for = LONGER
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        world.faults.next(GET, fault)

        with pytest.raises(TryLater):
            await channel.publish(
                make_draft("Sold out", answers=published.remote_id), key="post_2"
            )

        assert len(world.texts()) == 1


class TestFind:
    async def test_finds_what_was_published_unconfirmed(self, world: Server) -> None:
        world.faults.next(world.publish_call, Fault.TIMEOUT_AFTER)
        channel = world.channel()
        with pytest.raises(Unconfirmed):
            await channel.publish(make_draft(), key="post_1")

        found = await channel.find(make_draft())

        assert found
        assert found.remote_id == world.sandbox.posts[0]["uri"]

    async def test_pages_down_to_the_draft_and_no_further(self, world: Server) -> None:
        channel = world.channel()
        wanted = await channel.publish(make_draft(link=OTHER), key="wanted")
        for number in range(2 * PAGE):
            since = NOON + timedelta(minutes=number)
            post_by_hand(world, since, f"post_{number}", f"{LINK}_{number}")
        world.recorder.calls.clear()

        assert await channel.find(make_draft(link=OTHER)) == wanted
        assert world.recorder.names == ["listRecords"] * 3
        newest = world.recorder.calls[0].answer
        assert world.recorder.calls[1].query["cursor"] == newest["cursor"]

        world.recorder.calls.clear()
        later = NOON + timedelta(minutes=2 * PAGE - 1)
        assert await channel.find(make_draft(link=OTHER, since=later)) is None
        assert world.recorder.names == ["listRecords"]

    async def test_does_not_take_an_older_post_for_it(self, world: Server) -> None:
        channel = world.channel()
        await channel.publish(make_draft(), key="post_1")

        just = make_draft(since=NOON + SKEW)
        assert await channel.find(just) is not None
        later = make_draft(since=NOON + SKEW + timedelta(seconds=2))
        assert await channel.find(later) is None

    async def test_the_whole_link_counts(self, world: Server) -> None:
        channel = world.channel()
        await channel.publish(make_draft(link=f"{LINK}_1"), key="post_1")

        assert await channel.find(make_draft()) is None

    async def test_the_link_of_a_card_counts(self, world: Server) -> None:
        channel = world.channel()
        draft = replace(make_draft(card=Card("Parka")), text="Parka")
        published = await channel.publish(draft, key="post_1")

        assert await channel.find(draft) == published

    async def test_an_answer_is_no_post_and_a_post_no_answer(
        self, world: Server
    ) -> None:
        channel = world.channel()
        first = await channel.publish(make_draft(link=OTHER), key="post_1")
        answer = make_draft("Sold out", answers=first.remote_id)
        await channel.publish(answer, key="post_2")

        assert await channel.find(make_draft()) is None
        assert await channel.find(make_draft(link=OTHER, answers="at://x")) is None

    @pytest.mark.parametrize("fault", BROKEN)
    async def test_a_failure_of_theirs_is_no_answer(
        self, world: Server, fault: Fault
    ) -> None:
        world.faults.next(LIST, fault)

        with pytest.raises(TryLater):
            await world.channel().find(make_draft())


class TestDeleteAndEdit:
    async def test_deletes_no_post_of_others(self, world: Server) -> None:
        uri = f"at://{FAN.id}/app.bsky.feed.post/{record_key(NOON, 'x')}"

        with pytest.raises(Rejected, match="posted by another account"):
            await world.channel().delete(uri)

    @pytest.mark.parametrize("remote_id", ["", "17", "at://did:plc:x/app.other/1"])
    async def test_deletes_nothing_else(self, world: Server, remote_id: str) -> None:
        with pytest.raises(Rejected, match="is no post on Bluesky"):
            await world.channel().delete(remote_id)

    @pytest.mark.parametrize(
        ("fault", "meaning"),
        [
            *((fault, Unconfirmed) for fault in LOST),
            *((fault, TryLater) for fault in BROKEN),
            (Fault.TOO_MANY, Limited),
        ],
    )
    async def test_an_unanswered_deletion(
        self, world: Server, fault: Fault, meaning: type[Exception]
    ) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        world.faults.next(DELETE, fault)

        with pytest.raises(meaning):
            await channel.delete(published.remote_id)
        await channel.delete(published.remote_id)

        assert world.texts() == []

    async def test_edits_nothing_and_says_what_to_do(self, world: Server) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")

        with pytest.raises(Rejected, match=r"cannot be edited\. Answer the post"):
            await channel.edit(published.remote_id, make_draft("SOLD OUT"))

        assert world.texts() == [make_draft().text]


class TestMeasure:
    async def test_tells_what_readers_did(self, world: Server) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        await channel.publish(
            make_draft("Sold out", answers=published.remote_id), key="post_2"
        )
        world.sandbox.react(published.remote_id, likes=3, reposts=2)
        gone = published.remote_id[:-1] + "z"

        numbers = await channel.measure([published.remote_id, gone])

        assert numbers == {published.remote_id: Numbers(likes=3, reposts=2, replies=1)}

    async def test_asks_for_twenty_five_at_once(self, world: Server) -> None:
        uris = [
            post_by_hand(world, NOON, f"post_{number}", LINK) for number in range(51)
        ]

        numbers = await world.channel().measure(uris)

        assert list(numbers) == uris
        assert world.recorder.names == ["getPosts"] * 3

    async def test_asks_nothing_for_nothing(self, world: Server) -> None:
        assert await world.channel().measure([]) == {}
        assert world.recorder.names == []

    @pytest.mark.parametrize("fault", BROKEN)
    async def test_a_failure_of_theirs_is_for_later(
        self, world: Server, fault: Fault
    ) -> None:
        world.faults.next(MEASURE, fault)

        with pytest.raises(TryLater):
            await world.channel().measure([f"at://{OUTLET.id}/app.bsky.feed.post/3"])


class TestRefusals:
    async def test_a_token_that_has_ended_says_to_connect_again(
        self, world: Server
    ) -> None:
        world.clock.advance(timedelta(hours=2))

        with pytest.raises(Disowned, match=r"Token has expired.*Connect the account"):
            await world.channel().publish(make_draft(), key="post_1")

    async def test_an_account_that_is_not_active(self, world: Server) -> None:
        tokens = world.sandbox.tokens(ASLEEP.handle)
        credentials = Credentials(tokens.access, account_id=ASLEEP.id)
        channel = world.channel(credentials=credentials)

        with pytest.raises(Disowned, match="Activate the account on Bluesky"):
            await channel.check()
        with pytest.raises(Disowned, match="Activate the account on Bluesky"):
            await channel.publish(make_draft(), key="post_1")

    async def test_points_that_are_spent_come_back_with_the_hour(
        self, world: Server
    ) -> None:
        world.clock.advance(timedelta(minutes=48))
        world.rates.points = (Budget(5, timedelta(hours=1)),)
        channel = world.channel()
        await channel.publish(make_draft(), key="post_1")
        await channel.publish(make_draft(), key="post_2")

        with pytest.raises(Limited) as caught:
            await channel.publish(make_draft(), key="post_3")
        assert caught.value.after == timedelta(minutes=12)

        world.clock.advance(caught.value.after)
        await channel.publish(make_draft(), key="post_3")
        assert len(world.texts()) == 3


class TestEntrance:
    async def test_a_password_becomes_credentials(self, world: Server) -> None:
        candidate = await world.entrance.sign_in(OUTLET.handle, OUTLET.app_password)

        credentials = candidate.credentials
        assert candidate.handle == "@outlet.test"
        assert credentials.account_id == OUTLET.id
        assert credentials.expires_at == NOON + timedelta(hours=2)
        assert credentials.refresh_expires_at == NOON + timedelta(days=90)
        assert await world.channel(credentials=credentials).check() == "@outlet.test"

    @pytest.mark.parametrize(
        "handle", ["@outlet.test", " Outlet.test\n", "\u202a@outlet.test\u202c"]
    )
    async def test_a_handle_as_people_copy_it(self, world: Server, handle: str) -> None:
        candidate = await world.entrance.sign_in(handle, f" {OUTLET.app_password} ")

        assert candidate.credentials.account_id == OUTLET.id

    @pytest.mark.parametrize("handle", ["outlet.test", "nobody.test"])
    async def test_a_wrong_password(self, world: Server, handle: str) -> None:
        with pytest.raises(Rejected, match="use an app password: on") as caught:
            await world.entrance.sign_in(handle, "my-secret")

        assert not isinstance(caught.value, Disowned)
        assert "my-secret" not in str(caught.value)

    async def test_the_accounts_own_password_is_not_taken(self, world: Server) -> None:
        with pytest.raises(Rejected, match="the account's own password"):
            await world.entrance.sign_in(OUTLET.handle, OUTLET.password)

    async def test_an_account_that_is_not_active(self, world: Server) -> None:
        with pytest.raises(Rejected, match=r"@asleep\.test is not active"):
            await world.entrance.sign_in(ASLEEP.handle, ASLEEP.app_password)

    @pytest.mark.parametrize("fault", [*LOST, *BROKEN])
    async def test_an_unanswered_sign_in_is_made_again(
        self, world: Server, fault: Fault
    ) -> None:
        world.faults.next(SIGN_IN, fault)

        with pytest.raises(TryLater):
            await world.entrance.sign_in(OUTLET.handle, OUTLET.app_password)

    async def test_too_many_sign_ins_are_limited(self, world: Server) -> None:
        world.rates.sign_ins = (Budget(1, timedelta(minutes=5)),)
        await world.entrance.sign_in(OUTLET.handle, OUTLET.app_password)

        with pytest.raises(Limited) as caught:
            await world.entrance.sign_in(OUTLET.handle, OUTLET.app_password)

        assert caught.value.after == timedelta(minutes=5)

    async def test_refreshes_for_ever(self, world: Server) -> None:
        credentials = world.credentials
        for _ in range(3):
            world.clock.advance(timedelta(days=60))
            fresh = await world.entrance.refresh(credentials)
            credentials = credentials.renewed(fresh)

            assert credentials.expires_at == world.clock.now + timedelta(hours=2)
            channel = world.channel(credentials=credentials)
            assert await channel.check() == "@outlet.test"

    @pytest.mark.parametrize("fault", [*LOST, *BROKEN])
    async def test_a_refresh_whose_answer_is_lost_is_made_again(
        self, world: Server, fault: Fault
    ) -> None:
        world.faults.next(REFRESH, fault)

        with pytest.raises(TryLater):
            await world.entrance.refresh(world.credentials)
        fresh = await world.entrance.refresh(world.credentials)

        assert fresh.account_id == OUTLET.id

    async def test_a_refresh_token_that_has_ended(self, world: Server) -> None:
        world.clock.advance(timedelta(days=91))

        with pytest.raises(Disowned, match="Connect the account again") as caught:
            await world.entrance.refresh(world.credentials)

        assert world.credentials.refresh_token not in str(caught.value)


class TestOtherServers:
    """Answers that no server of this protocol gives, and some that others do."""

    @pytest.mark.parametrize(
        "answer", [{}, [], {"uri": 7}, {"uri": "at://did:plc:x/other/1"}, None]
    )
    async def test_a_senseless_answer_proves_nothing(self, answer: Any) -> None:
        async with answering(answer) as channel:
            with pytest.raises(Unconfirmed):
                await channel.publish(make_draft(), key="post_1")

    @pytest.mark.parametrize(
        "answer",
        [
            {},
            [],
            {"records": 7},
            {"records": [{}]},
            {"records": [{"uri": "x", "value": {}}]},
            {"posts": 7},
            {"blob": "x"},
            {"uri": "x"},
        ],
    )
    async def test_a_senseless_answer_is_for_later(self, answer: Any) -> None:
        parent = f"at://{OUTLET.id}/app.bsky.feed.post/3"
        async with answering(answer) as channel:
            for senseless in (
                channel.check(),
                channel.find(make_draft()),
                channel.measure([parent]),
                channel.publish(make_draft(images=[make_image()]), key="post_1"),
                channel.publish(make_draft(answers=parent), key="post_1"),
            ):
                with pytest.raises(TryLater, match="makes no sense"):
                    await senseless

    async def test_a_record_may_be_anything(self) -> None:
        uri = f"at://{OUTLET.id}/app.bsky.feed.post/zzzzzzzzzzzzz"
        facets = [7, {}, {"features": 7}, {"features": [7, {"uri": 7}]}]
        values = (None, {}, {"facets": 7}, {"facets": facets}, {"reply": 7})
        records = [{"uri": uri, "value": value} for value in values]
        pages = [{"records": records}, {"records": []}]

        async with answering(*pages) as channel:
            assert await channel.find(make_draft()) is None

    @pytest.mark.parametrize("cursor", [None, 7, "always the same"])
    async def test_a_server_may_not_page(self, cursor: Any) -> None:
        async with answering({"records": [], "cursor": cursor}) as channel:
            assert await channel.find(make_draft()) is None

    async def test_a_post_may_have_no_numbers(self) -> None:
        uri = f"at://{OUTLET.id}/app.bsky.feed.post/3"
        posts = [{"uri": uri, "likeCount": "many"}, {"uri": "another"}, 7]

        async with answering({"posts": posts}) as channel:
            assert await channel.measure([uri]) == {uri: Numbers()}

    @pytest.mark.parametrize(
        ("status", "answer", "meaning", "words"),
        [
            (400, {"error": "ExpiredToken"}, Disowned, "Connect the account again"),
            (401, {"error": "AccountTakedown", "message": "x"}, Disowned, "support"),
            (403, {"error": "AccountNotFound", "message": "x"}, Disowned, "Connect"),
            (400, {"error": "AccountDeactivated"}, Disowned, "Activate the account"),
            (400, {"error": "BlobNotFound", "message": "x"}, TryLater, "x"),
            (401, "<html>", Disowned, "Connect the account again"),
            (403, {}, Rejected, "Connect the account again"),
            (404, "<html>", Rejected, "address is wrong"),
            (413, {"error": "PayloadTooLarge"}, Rejected, "Take a smaller picture"),
            (302, "", Rejected, "has moved to"),
            (502, {"error": "UpstreamFailure", "message": "x"}, TryLater, "x"),
            (503, {"error": "ExpiredToken"}, TryLater, "ExpiredToken"),
            (429, {}, Limited, "429"),
        ],
    )
    async def test_what_refusals_mean(
        self, status: int, answer: Any, meaning: type[Exception], words: str
    ) -> None:
        async with answering(answer, status=status) as channel:
            with pytest.raises(meaning, match=words) as caught:
                await channel.check()

            assert type(caught.value) is meaning or status == 404

    @pytest.mark.parametrize(
        ("headers", "after"),
        [
            ({"RateLimit-Reset": "1772453100"}, timedelta(minutes=5)),
            ({"RateLimit-Reset": "1772452000"}, timedelta(seconds=1)),
            ({"RateLimit-Reset": "1" * 30}, None),
            ({"RateLimit-Reset": "soon"}, None),
            ({"RateLimit-Reset": "1772453100", "Retry-After": "7"}, 7),
        ],
    )
    async def test_when_to_come_back(
        self, headers: dict[str, str], after: timedelta | int | None
    ) -> None:
        async with answering({}, status=429, headers=headers) as channel:
            with pytest.raises(Limited) as caught:
                await channel.check()

        wanted = timedelta(seconds=after) if isinstance(after, int) else after
        assert caught.value.after == wanted

    @pytest.mark.parametrize(
        ("token", "ends"),
        [
            ("opaque", NOON + UNTOLD),
            ("a.b.c", NOON + UNTOLD),
            (token_saying(b"7"), NOON + UNTOLD),
            (token_saying(b"{}"), NOON + UNTOLD),
            (token_saying(b'{"exp": 1772460000}'), NOON + timedelta(hours=2)),
        ],
    )
    async def test_tokens_of_other_kinds(self, token: str, ends: datetime) -> None:
        session = {"accessJwt": token, "refreshJwt": "r", "did": "d", "handle": "h"}
        async with serving(session) as (http, url):
            entrance = BlueskyEntrance(http, url, clock=StandingClock(), patience=CALM)
            candidate = await entrance.sign_in("h", "p")

        assert candidate.credentials == Credentials(token, "r", "d", ends)
        assert "accessJwt" not in repr(candidate)

    @pytest.mark.parametrize("session", [{}, [], {"handle": "h", "accessJwt": "a"}])
    async def test_a_senseless_session(self, session: Any) -> None:
        async with serving(session) as (http, url):
            entrance = BlueskyEntrance(http, url, clock=StandingClock(), patience=CALM)
            with pytest.raises(TryLater, match="makes no sense"):
                await entrance.sign_in("h", "p")
            with pytest.raises(TryLater, match="makes no sense"):
                await entrance.refresh(Credentials("a", "r"))


def post_by_hand(world: Server, since: datetime, key: str, link: str) -> str:
    """Put a post there without a call."""
    feature = {"$type": "app.bsky.richtext.facet#link", "uri": link}
    index = {"byteStart": 0, "byteEnd": len(link)}
    record = {
        "$type": "app.bsky.feed.post",
        "text": link,
        "createdAt": since.isoformat(),
        "facets": [{"index": index, "features": [feature]}],
    }
    post, _ = world.sandbox.put(OUTLET.id, record_key(since, key), record)
    return str(post["uri"])


@asynccontextmanager
async def serving(
    *answers: Any, status: int = 200, headers: dict[str, str] | None = None
) -> AsyncIterator[Any]:
    """Run a server that gives the answers one by one, and the last for ever."""
    waiting = list(answers)

    async def answer(_request: web.Request) -> web.Response:
        content = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        text = content if isinstance(content, str) else json.dumps(content)
        return web.Response(text=text, status=status, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        yield http, str(server.make_url("/"))


@asynccontextmanager
async def answering(
    *answers: Any, status: int = 200, headers: dict[str, str] | None = None
) -> AsyncIterator[Bluesky]:
    async with serving(*answers, status=status, headers=headers) as (http, url):
        yield Bluesky(
            http,
            url,
            Credentials("token", account_id=OUTLET.id),
            clock=StandingClock(),
            patience=CALM,
        )
