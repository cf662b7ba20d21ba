"""
The LinkedIn channel, against a server that keeps LinkedIn's rules and breaks at will.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from aiohttp import web
from pytest_aiohttp.plugin import AiohttpServer

from outletbot.channels import (
    Card,
    Disowned,
    Limited,
    Numbers,
    Poll,
    Published,
    Rejected,
    TryLater,
    Unconfirmed,
)
from outletbot.channels.linkedin import LinkedIn
from outletbot.channels.linkedin_api import PAGE
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.linkedin_grants import ADMIN, READ
from outletbot.sandbox.linkedin_state import POSTS
from tests.outletbot.channels.contract import (
    LINK,
    NOON,
    ChannelContract,
    make_draft,
    make_image,
)
from tests.outletbot.linkedin_server import OUTLET, LinkedInWorld, linkedin_world

Saying: TypeAlias = Callable[..., Awaitable[LinkedIn]]

POLL = Poll("Which one?", ("Parka", "Boots"), timedelta(days=2))
ANSWER = "POST /rest/socialActions/{urn}/comments"
STATISTICS = "GET /rest/organizationalEntityShareStatistics"


@pytest.fixture
async def world() -> AsyncIterator[LinkedInWorld]:
    async with linkedin_world() as world:
        yield world


@pytest.fixture
async def saying(
    world: LinkedInWorld, aiohttp_server: AiohttpServer
) -> Callable[..., Awaitable[LinkedIn]]:
    """Make a channel to a server that says what it is told to, by method."""

    async def make(**answers: Any) -> LinkedIn:
        async def answer(request: web.Request) -> web.StreamResponse:
            said = answers[request.method]
            said = said(request) if callable(said) else said
            return said if isinstance(said, web.Response) else web.json_response(said)

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        server = await aiohttp_server(app)
        return world.channel(base_url=str(server.make_url("/")))

    return make


def upload_here(request: web.Request) -> Any:
    address = str(request.url.with_path("/up"))
    return {"value": {"uploadUrl": address, "image": "urn:li:image:1"}}


class TestContract(ChannelContract):
    pass


class TestPublish:
    async def test_returns_where_the_post_is(self, world: LinkedInWorld) -> None:
        published = await world.channel().publish(make_draft(), key="post_1")

        (post,) = world.posts()
        assert published == Published(
            post["id"], f"{world.url}/feed/update/{post['id']}"
        )
        assert post["author"] == OUTLET.urn
        assert post["visibility"] == "PUBLIC"
        assert post["lifecycleState"] == "PUBLISHED"

    async def test_leaves_when_it_may(self, world: LinkedInWorld) -> None:
        async def not_now() -> None:
            msg = "The deal is over."
            raise Rejected(msg)

        channel, draft = world.channel(), make_draft(images=(make_image(),))
        with pytest.raises(Rejected, match="is over"):
            await channel.publish(draft, key="post_1", go=not_now)

        assert world.texts() == []
        assert any(path.startswith("PUT") for path in world.paths)
        published = await channel.publish(draft, key="post_1")
        answer = make_draft("Sold out", answers=published.remote_id)
        with pytest.raises(Rejected, match="is over"):
            await channel.publish(answer, key="post_2", go=not_now)
        assert len(world.texts()) == 1

    async def test_every_mark_reaches_the_readers(self, world: LinkedInWorld) -> None:
        text = r"50% off (today) [only] {1} @shop <3 a_b * ~ | \ #Parka #1"

        await world.channel().publish(make_draft(text), key="post_1")

        assert world.texts() == [f"{text}\n{LINK}"]
        assert r"{hashtag|\#|Parka}" in world.posts()[0]["commentary"]

    async def test_one_picture_is_a_picture(self, world: LinkedInWorld) -> None:
        draft = make_draft(images=(make_image("A red parka"),))

        await world.channel().publish(draft, key="post_1")

        media = world.posts()[0]["content"]["media"]
        assert media["altText"] == "A red parka"
        assert world.sandbox.shelf.content("image", media["id"])

    async def test_several_pictures_are_shown_together(
        self, world: LinkedInWorld
    ) -> None:
        draft = make_draft(images=(make_image("A red parka"), make_image("")))

        await world.channel().publish(draft, key="post_1")

        images = world.posts()[0]["content"]["multiImage"]["images"]
        assert [image.get("altText") for image in images] == ["A red parka", None]

    async def test_a_card_is_said_in_full(self, world: LinkedInWorld) -> None:
        card = Card("Parka (red)", "Half price", make_image())

        await world.channel().publish(make_draft(card=card), key="post_1")

        article = world.posts()[0]["content"]["article"]
        assert article["source"] == LINK
        assert article["title"] == "Parka (red)"
        assert article["description"] == "Half price"
        assert article["thumbnail"].startswith("urn:li:image:")

    async def test_a_card_needs_no_more_than_a_title(
        self, world: LinkedInWorld
    ) -> None:
        await world.channel().publish(make_draft(card=Card("Parka")), key="post_1")

        assert world.posts()[0]["content"] == {
            "article": {"source": LINK, "title": "Parka"}
        }

    @pytest.mark.parametrize(
        ("days", "duration"),
        [(1, "ONE_DAY"), (2, "THREE_DAYS"), (7, "SEVEN_DAYS"), (30, "FOURTEEN_DAYS")],
    )
    async def test_a_poll_lasts_no_shorter_than_was_asked(
        self, world: LinkedInWorld, days: int, duration: str
    ) -> None:
        poll = replace(POLL, duration=timedelta(days=days))

        await world.channel().publish(make_draft(poll=poll), key="post_1")

        content = world.posts()[0]["content"]["poll"]
        assert content["settings"] == {"duration": duration}
        assert content["options"] == [{"text": "Parka"}, {"text": "Boots"}]

    async def test_a_question_that_is_too_long_is_refused(
        self, world: LinkedInWorld
    ) -> None:
        draft = make_draft(poll=replace(POLL, question="?" * 141))

        with pytest.raises(Rejected, match="140"):
            await world.channel().publish(draft, key="post_1")

    async def test_names_are_encoded_in_addresses(self, world: LinkedInWorld) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")

        await channel.delete(published.remote_id)

        urn = published.remote_id.replace(":", "%3A")
        assert world.paths[-1] == f"DELETE /rest/posts/{urn}"

    async def test_a_picture_that_is_never_ready_is_tried_later(self) -> None:
        async with linkedin_world(looks_until_ready=1_000_000) as world:
            draft = make_draft(images=(make_image(),))

            with pytest.raises(TryLater, match="still working on the picture"):
                await world.channel().publish(draft, key="post_1")

            assert world.texts() == []

    @pytest.mark.parametrize(
        "call",
        [
            "POST /rest/images",
            "PUT /dms-uploads/{id}/uploaded-image/0",
            "GET /rest/images/{urn}",
        ],
    )
    @pytest.mark.parametrize("fault", [Fault.TIMEOUT_BEFORE, Fault.ERROR_AFTER])
    async def test_nothing_is_lost_with_a_picture(
        self, world: LinkedInWorld, call: str, fault: Fault
    ) -> None:
        world.faults.next(call, fault)
        draft = make_draft(images=(make_image(),))

        with pytest.raises(TryLater):
            await world.channel().publish(draft, key="post_1")

        assert world.texts() == []

    async def test_a_picture_that_it_cannot_use_is_named(self, saying: Saying) -> None:
        channel = await saying(
            POST=upload_here, PUT=None, GET={"status": "PROCESSING_FAILED"}
        )

        with pytest.raises(Rejected, match="upload another one"):
            await channel.publish(make_draft(images=(make_image(),)), key="post_1")

    @pytest.mark.parametrize(
        "answers", [{"POST": {}}, {"POST": upload_here, "PUT": None, "GET": []}]
    )
    async def test_an_upload_that_makes_no_sense_is_tried_later(
        self, saying: Saying, answers: dict[str, Any]
    ) -> None:
        channel = await saying(**answers)

        with pytest.raises(TryLater, match="makes no sense"):
            await channel.publish(make_draft(images=(make_image(),)), key="post_1")

    async def test_the_token_goes_to_linkedin_alone(
        self, saying: Saying, aiohttp_server: AiohttpServer
    ) -> None:
        asked = []

        async def take(request: web.Request) -> web.Response:
            asked.append(request.headers)
            return web.Response(status=201)

        app = web.Application()
        app.router.add_put("/up", take)
        elsewhere = await aiohttp_server(app, host="127.0.0.2")
        place = {
            "uploadUrl": str(elsewhere.make_url("/up")),
            "image": "urn:li:image:1",
        }
        channel = await saying(POST={"value": place}, GET={"status": "AVAILABLE"})

        with pytest.raises(Unconfirmed):
            await channel.publish(make_draft(images=(make_image(),)), key="post_1")

        assert len(asked) == 1
        assert "Authorization" not in asked[0]

    async def test_a_text_that_is_there_already_is_unconfirmed(
        self, world: LinkedInWorld
    ) -> None:
        channel, draft = world.channel(), make_draft()
        published = await channel.publish(draft, key="post_1")

        with pytest.raises(Unconfirmed, match="duplicate"):
            await channel.publish(draft, key="post_1")

        assert await channel.find(draft) == published

    async def test_a_day_has_150_posts_and_ends_at_midnight(
        self, world: LinkedInWorld
    ) -> None:
        now = world.clock()
        world.sandbox.windows.spend(OUTLET.urn, POSTS, now=now, calls=150)

        with pytest.raises(Limited) as caught:
            await world.channel().publish(make_draft(), key="post_1")

        assert caught.value.after == timedelta(hours=12)
        world.clock.advance(timedelta(hours=12))
        await world.channel().publish(make_draft(), key="post_1")

    async def test_a_post_that_is_nowhere_is_unconfirmed(self, saying: Saying) -> None:
        channel = await saying(POST={})

        with pytest.raises(Unconfirmed, match="did not say where"):
            await channel.publish(make_draft(), key="post_1")

    async def test_an_id_may_come_encoded(self, saying: Saying) -> None:
        def answer(_request: web.Request) -> web.Response:
            headers = {"x-restli-id": "urn%3Ali%3Ashare%3A1"}
            return web.Response(status=201, headers=headers)

        channel = await saying(POST=answer)

        published = await channel.publish(make_draft(), key="post_1")

        assert published.remote_id == "urn:li:share:1"

    async def test_without_a_page_nothing_is_posted(self, world: LinkedInWorld) -> None:
        with pytest.raises(Disowned, match="which LinkedIn page"):
            await world.channel(account_id="").publish(make_draft(), key="post_1")

    async def test_a_version_that_has_ended_calls_for_an_update(
        self, world: LinkedInWorld
    ) -> None:
        with pytest.raises(Rejected, match="must be updated"):
            await world.channel(version="202401").publish(make_draft(), key="post_1")

    async def test_what_is_not_allowed_is_said(self) -> None:
        account = replace(OUTLET, scopes=(ADMIN, READ))
        async with linkedin_world(account=account) as world:
            with pytest.raises(Rejected, match=r"has to be its administrator"):
                await world.channel().publish(make_draft(), key="post_1")

    async def test_an_expired_token_is_disowned(self) -> None:
        account = replace(OUTLET, expires_at=NOON)
        async with linkedin_world(account=account) as world:
            with pytest.raises(Disowned, match="has expired"):
                await world.channel().publish(make_draft(), key="post_1")

    async def test_a_page_of_a_proxy_is_no_mystery(
        self, world: LinkedInWorld, aiohttp_server: AiohttpServer
    ) -> None:
        async def answer(_request: web.Request) -> web.Response:
            return web.Response(status=403, text="<html>")

        app = web.Application()
        app.router.add_post("/rest/posts", answer)
        server = await aiohttp_server(app)
        channel = world.channel(base_url=str(server.make_url("/")))

        with pytest.raises(Rejected, match="403 Forbidden"):
            await channel.publish(make_draft(), key="post_1")


class TestFind:
    async def test_looks_back_page_by_page(self, world: LinkedInWorld) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        for number in range(PAGE):
            urn = f"urn:li:share:{number}"
            post = {**world.posts()[0], "commentary": f"Another {number}", "id": urn}
            world.sandbox.shelf.keep("post", urn, post)

        assert await channel.find(make_draft()) == published
        assert sum("q=author" in path for path in world.paths) == 2

    async def test_does_not_look_before_the_post_was_due(
        self, world: LinkedInWorld
    ) -> None:
        channel = world.channel()
        await channel.publish(make_draft(), key="post_1")
        world.clock.advance(timedelta(hours=1))

        due = world.clock() + timedelta(minutes=4)
        assert await channel.find(make_draft(since=due)) is None
        assert await channel.find(make_draft(since=NOON + timedelta(minutes=5)))

    async def test_knows_a_post_by_its_card(self, world: LinkedInWorld) -> None:
        channel = world.channel()
        draft = replace(make_draft(card=Card("Parka")), text="Half price")

        published = await channel.publish(draft, key="post_1")

        assert await channel.find(draft) == published

    async def test_is_not_misled_by_a_longer_link(self, world: LinkedInWorld) -> None:
        channel = world.channel()
        longer = f"{LINK}_2"
        await channel.publish(make_draft(link=longer), key="post_1")

        assert await channel.find(make_draft()) is None
        assert await channel.find(make_draft(link=longer))

    async def test_reads_a_link_with_reserved_marks(self, world: LinkedInWorld) -> None:
        channel, link = world.channel(), "https://outlet.example.com/d/a_b~c"
        await channel.publish(make_draft(link=link), key="post_1")

        assert await channel.find(make_draft(link=link))

    async def test_takes_no_others_answer_for_ours(self, world: LinkedInWorld) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        answer = make_draft("Sold out", answers=published.remote_id)
        answered = await channel.publish(answer, key="post_2")
        ((number, comment),) = world.sandbox.shelf.all("comment")
        others = {**comment, "actor": "urn:li:person:abc"}
        world.sandbox.shelf.keep("comment", "7", {**others, "id": "7"})
        odd = {**comment, "id": "8", "message": {}}
        world.sandbox.shelf.keep("comment", "8", odd)

        assert await channel.find(answer) == answered
        assert number in answered.remote_id

    async def test_an_answer_to_what_is_gone_is_not_there(
        self, world: LinkedInWorld
    ) -> None:
        answer = make_draft("Sold out", answers="urn:li:share:1")

        assert await world.channel().find(answer) is None

    @pytest.mark.parametrize(
        "page", [{}, [], {"elements": [{}]}, {"elements": [{"createdAt": "now"}]}]
    )
    async def test_a_list_that_makes_no_sense_is_tried_later(
        self, saying: Saying, page: Any
    ) -> None:
        channel = await saying(GET=page)

        with pytest.raises(TryLater, match=r"/rest/posts makes no sense"):
            await channel.find(make_draft())


class TestAnswer:
    async def test_is_a_comment_in_plain_text(self, world: LinkedInWorld) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        answer = make_draft("Sold out (sorry) #1", answers=published.remote_id)

        answered = await channel.publish(answer, key="post_2")

        assert world.texts()[-1] == f"Sold out (sorry) #1\n{LINK}"
        assert answered.remote_id.startswith("urn:li:comment:(urn:li:activity:")
        assert answered.url.startswith(
            f"{published.url}?commentUrn=urn%3Ali%3Acomment%3A%28activity%3A"
        )

    async def test_can_be_edited_and_taken_back(self, world: LinkedInWorld) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        answer = make_draft("Sold out", answers=published.remote_id)
        answered = await channel.publish(answer, key="post_2")

        await channel.edit(answered.remote_id, replace(answer, text="Here again"))
        assert world.texts()[-1] == "Here again"
        assert await channel.measure([answered.remote_id]) == {
            answered.remote_id: Numbers(likes=0, replies=0)
        }

        await channel.delete(answered.remote_id)
        await channel.delete(answered.remote_id)
        assert len(world.texts()) == 1
        assert await channel.measure([answered.remote_id]) == {}

    async def test_may_not_be_longer_than_a_comment(self, world: LinkedInWorld) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        answer = make_draft("x" * 1250, answers=published.remote_id)

        with pytest.raises(Rejected, match="1250"):
            await channel.publish(answer, key="post_2")

    @pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER, Fault.ERROR_AFTER])
    async def test_does_not_claim_to_know_what_became_of_it(
        self, world: LinkedInWorld, fault: Fault
    ) -> None:
        channel = world.channel()
        published = await channel.publish(make_draft(), key="post_1")
        answer = make_draft("Sold out", answers=published.remote_id)
        world.faults.next(ANSWER, fault)

        with pytest.raises(Unconfirmed):
            await channel.publish(answer, key="post_2")

        assert await channel.find(answer)

    async def test_an_id_without_a_name_will_do(self, saying: Saying) -> None:
        channel = await saying(POST={"id": "8", "object": "urn:li:activity:7"})

        answered = await channel.publish(
            make_draft(answers="urn:li:share:7"), key="post_2"
        )

        assert answered.remote_id == "urn:li:comment:(urn:li:activity:7,8)"

    async def test_an_answer_that_is_nowhere_is_unconfirmed(
        self, saying: Saying
    ) -> None:
        channel = await saying(POST=[])

        with pytest.raises(Unconfirmed, match="did not say where"):
            await channel.publish(make_draft(answers="urn:li:share:7"), key="post_2")


class TestEdit:
    async def test_keeps_the_pictures(self, world: LinkedInWorld) -> None:
        channel, draft = world.channel(), make_draft(images=(make_image(),))
        published = await channel.publish(draft, key="post_1")

        await channel.edit(published.remote_id, replace(draft, text="SOLD OUT (all)"))

        (post,) = world.posts()
        assert post["commentary"] == r"SOLD OUT \(all\)"
        assert "media" in post["content"]

    async def test_of_what_is_gone_is_refused(self, world: LinkedInWorld) -> None:
        with pytest.raises(Rejected, match="is gone"):
            await world.channel().edit("urn:li:share:1", make_draft())


class TestMeasure:
    async def test_tells_who_saw_and_liked_it(self, world: LinkedInWorld) -> None:
        channel = world.channel()
        first = (await channel.publish(make_draft(), key="post_1")).remote_id
        second = (await channel.publish(make_draft("Boots"), key="post_2")).remote_id
        seen = {"impressionCount": 40, "shareCount": 1}
        world.sandbox.react(first, LIKE=3, PRAISE=2, **seen)

        numbers = await channel.measure([first, "urn:li:share:1", second])

        assert numbers == {
            first: Numbers(likes=5, reposts=1, replies=0, views=40),
            second: Numbers(likes=0, replies=0),
        }

    async def test_does_without_what_only_administrators_see(
        self, world: LinkedInWorld
    ) -> None:
        published = await world.channel().publish(make_draft(), key="post_1")
        world.faults.next(STATISTICS, Fault.ERROR_BEFORE)
        urn = published.remote_id

        with pytest.raises(TryLater):
            await world.channel().measure([urn])

        scopes = tuple(scope for scope in OUTLET.scopes if scope != ADMIN)
        world.sandbox.accounts[OUTLET.urn] = replace(OUTLET, scopes=scopes)
        assert await world.channel().measure([urn]) == {urn: Numbers(0, None, 0)}

    async def test_nothing_is_asked_of_nothing(self, world: LinkedInWorld) -> None:
        assert await world.channel().measure([]) == {}
        assert world.paths == []

    async def test_asks_for_twenty_at_once(self, world: LinkedInWorld) -> None:
        await world.channel().measure([f"urn:li:share:{n}" for n in range(21)])

        assert len(world.paths) == 2

    @pytest.mark.parametrize(
        ("metadata", "numbers"),
        [
            ({}, Numbers()),
            ({"commentSummary": {"count": 2}}, Numbers(replies=2)),
            ({"reactionSummaries": {"LIKE": {"count": 1}}}, Numbers(likes=1)),
            ({"reactionSummaries": {"LIKE": None}, "commentSummary": 1}, Numbers(0)),
        ],
    )
    async def test_says_no_more_than_it_was_told(
        self, saying: Saying, metadata: Any, numbers: Numbers
    ) -> None:
        odd = [None, {"totalShareStatistics": {}, "share": "urn:li:share:9"}]
        answer = {"results": {"urn:li:share:1": metadata}, "elements": odd}
        channel = await saying(GET=answer)

        assert await channel.measure(["urn:li:share:1"]) == {"urn:li:share:1": numbers}

    @pytest.mark.parametrize("answer", [[], {"results": {"urn:li:share:1": {}}}])
    async def test_an_answer_that_makes_no_sense_is_tried_later(
        self, saying: Saying, answer: Any
    ) -> None:
        channel = await saying(GET=answer)

        with pytest.raises(TryLater, match="makes no sense"):
            await channel.measure(["urn:li:share:1"])

    async def test_who_is_not_known_is_told_so(self, saying: Saying) -> None:
        metadata = {"results": {"urn:li:share:1": {}}}

        def answer(request: web.Request) -> Any:
            if "Statistics" in request.path:
                raise web.HTTPUnauthorized
            return metadata

        channel = await saying(GET=answer)

        with pytest.raises(Disowned):
            await channel.measure(["urn:li:share:1"])


class TestCheck:
    async def test_tells_the_last_word_of_the_address(
        self, world: LinkedInWorld
    ) -> None:
        assert await world.channel().check() == "north-outlet"

    async def test_a_page_without_an_address_has_a_name(self, saying: Saying) -> None:
        channel = await saying(GET={"localizedName": "North Outlet"})

        assert await channel.check() == "North Outlet"

    async def test_an_answer_that_makes_no_sense_is_tried_later(
        self, saying: Saying
    ) -> None:
        channel = await saying(GET={})

        with pytest.raises(TryLater, match="makes no sense"):
            await channel.check()
