"""
The sandbox is a Threads to Threads' own rules, as they are documented.
"""

from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import unused_port
from PIL import Image as Pillow

from outletbot.channels import Card, Poll
from outletbot.sandbox.threads_state import DELETIONS, POSTS
from tests.outletbot.channels.contract import LINK, make_draft
from tests.outletbot.threads_server import (
    FAN,
    OUTLET,
    TOKEN,
    ThreadsWorld,
    threads_world,
)

BACK = "https://outletbot.example/back"
TEXT = {"media_type": "TEXT", "text": "Parka"}


@pytest.fixture
async def world() -> AsyncIterator[ThreadsWorld]:
    async with threads_world(looks_until_finished=0) as world:
        yield world


async def ask(
    world: ThreadsWorld, method: str, path: str, *, token: str = TOKEN, **form: str
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with world.http.request(
        method, world.url + path, headers=headers, data=form or None
    ) as answer:
        is_json = answer.content_type == "application/json"
        return answer.status, await (answer.json() if is_json else answer.text())


async def make(world: ThreadsWorld, **form: str) -> str:
    """Make a container, look at it until it is finished, and return its id."""
    _, answer = await ask(world, "POST", "/v1.0/me/threads", **{**TEXT, **form})
    await ask(world, "GET", f"/v1.0/{answer['id']}?fields=status")
    return str(answer["id"])


async def publish(world: ThreadsWorld, container: str) -> tuple[int, Any]:
    path = "/v1.0/me/threads_publish"
    return await ask(world, "POST", path, creation_id=container)


class TestContainers:
    @pytest.mark.parametrize(
        ("form", "words"),
        [
            ({"media_type": "VIDEO"}, "media_type must be"),
            ({"text": ""}, "text is required"),
            ({"text": "x" * 501}, "500 characters"),
            ({"text": "👍" * 126}, "500 characters"),
            (
                {"text": " ".join(f"https://x.example/{n}" for n in range(6))},
                "THREADS_API__LINK_LIMIT_EXCEEDED",
            ),
            ({"alt_text": "x" * 1001}, "1000"),
            ({"poll_attachment": '{"option_a": "Yes"}'}, "two to four"),
            ({"poll_attachment": '{"option_b": "Yes", "option_a": "No"}'}, "two to"),
            ({"poll_attachment": '{"option_a": "Yes", "option_b": ""}'}, "1 to 25"),
            ({"poll_attachment": "no"}, "Invalid parameter"),
            ({"media_type": "IMAGE"}, "image_url is required"),
            ({"media_type": "CAROUSEL", "children": "1"}, "2 to 20"),
            ({"media_type": "CAROUSEL", "children": "1,2"}, "does not exist"),
            ({"media_type": "CAROUSEL", "link_attachment": LINK}, "text posts"),
            ({"reply_to_id": "1"}, "does not exist"),
        ],
    )
    async def test_what_breaks_the_rules_is_refused(
        self, world: ThreadsWorld, form: dict[str, str], words: str
    ) -> None:
        path = "/v1.0/me/threads"
        status, answer = await ask(world, "POST", path, **{**TEXT, **form})

        assert status == 400
        assert words in answer["error"]["message"]

    async def test_a_container_is_published_once(self, world: ThreadsWorld) -> None:
        container = await make(world)

        assert (await publish(world, container))[0] == 200
        status, answer = await publish(world, container)

        assert status == 400
        assert answer["error"]["error_subcode"] == 4279009
        _, looked = await ask(world, "GET", f"/v1.0/{container}?fields=status")
        assert looked == {"id": container, "status": "PUBLISHED"}

    async def test_a_container_that_is_not_finished_is_not_published(
        self, world: ThreadsWorld
    ) -> None:
        path = "/v1.0/me/threads"
        _, answer = await ask(world, "POST", path, **TEXT)

        assert (await publish(world, answer["id"]))[0] == 400
        assert (await publish(world, "1"))[0] == 400

    async def test_nobody_elses_picture_is_in_a_carousel(
        self, world: ThreadsWorld
    ) -> None:
        first, second = world.image(), world.image()
        children = [
            await make(world, media_type="IMAGE", text="", image_url=image.address)
            for image in (first, second)
        ]
        form = {"media_type": "CAROUSEL", "children": ",".join(children)}

        path = "/v1.0/me/threads"
        status, _ = await ask(world, "POST", path, token=FAN.access_token, **form)

        assert status == 400

    async def test_a_carousel_has_up_to_20(self, world: ThreadsWorld) -> None:
        form = {"media_type": "CAROUSEL", "children": ",".join("1" * 21)}

        path = "/v1.0/me/threads"
        _, answer = await ask(world, "POST", path, **form)

        assert "2 to 20" in answer["error"]["message"]

    async def test_pictures_are_fetched_from_this_machine_only(
        self, world: ThreadsWorld
    ) -> None:
        form = {"media_type": "IMAGE", "image_url": "https://example.com/a.jpg"}

        path = "/v1.0/me/threads"
        _, answer = await ask(world, "POST", path, **form)

        assert answer["error"]["error_subcode"] == 2207052


class TestLimits:
    async def test_the_quotas_are_told(self, world: ThreadsWorld) -> None:
        await publish(world, await make(world))
        fields = "quota_usage,config,reply_quota_usage,delete_quota_usage"

        path = f"/v1.0/me/threads_publishing_limit?fields={fields}"
        _, answer = await ask(world, "GET", path)

        assert answer["data"] == [
            {
                "quota_usage": 1,
                "config": {"quota_total": 250, "quota_duration": 86400},
                "reply_quota_usage": 0,
                "delete_quota_usage": 0,
            }
        ]

    async def test_251_posts_are_one_too_many(self, world: ThreadsWorld) -> None:
        await publish(world, await make(world))
        (post,) = world.posts()
        for number in range(POSTS - 1):
            world.sandbox.shelf.keep("post", f"other {number}", post)

        status, answer = await publish(world, await make(world))

        assert (status, answer["error"]["code"]) == (400, 9)

    async def test_101_deletions_are_one_too_many(self, world: ThreadsWorld) -> None:
        _, made = await publish(world, await make(world))
        gone = {**world.posts()[0], "gone": True, "gone_at": "2026-03-02T12:00:00"}
        for number in range(DELETIONS):
            world.sandbox.shelf.keep("post", f"other {number}", gone)

        status, answer = await ask(world, "DELETE", f"/v1.0/{made['id']}")

        assert (status, answer["error"]["code"]) == (400, 9)


class TestAccess:
    async def test_a_token_is_wanted(self, world: ThreadsWorld) -> None:
        status, answer = await ask(world, "GET", "/v1.0/me", token="")

        assert (status, answer["error"]["code"]) == (400, 2500)

    async def test_a_token_that_is_none_is_said(self, world: ThreadsWorld) -> None:
        status, answer = await ask(world, "GET", "/v1.0/me", token="x")

        assert (status, answer["error"]["code"]) == (401, 190)

    async def test_a_token_may_be_in_the_address(self, world: ThreadsWorld) -> None:
        path = f"/v1.0/me?fields=id,username&access_token={TOKEN}"
        _, answer = await ask(world, "GET", path, token="")

        assert answer == {"id": OUTLET.user_id, "username": "north.outlet"}

    async def test_a_profile_is_its_owners(self, world: ThreadsWorld) -> None:
        _, made = await publish(world, await make(world))
        path = f"/v1.0/{OUTLET.user_id}/threads"

        assert (await ask(world, "GET", path))[0] == 200
        assert (await ask(world, "GET", path, token=FAN.access_token))[0] == 400
        path = f"/v1.0/{made['id']}"
        assert (await ask(world, "DELETE", path, token=FAN.access_token))[0] == 400

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("GET", "/v1.0/1"),
            ("GET", "/v1.0/1/replies"),
            ("GET", "/v1.0/me/nothing"),
            ("POST", "/v1.0/1"),
            ("GET", "/access_token?grant_type=th_exchange_token&client_secret=x"),
            ("GET", "/access_token?grant_type=other&client_secret=x"),
            ("GET", "/access_token"),
            ("GET", "/refresh_access_token?grant_type=other"),
            ("POST", "/oauth/access_token"),
            ("GET", "/oauth/authorize"),
        ],
    )
    async def test_what_is_not_there_or_not_right_is_refused(
        self, world: ThreadsWorld, method: str, path: str
    ) -> None:
        assert (await ask(world, method, path))[0] == 400

    async def test_insights_have_their_names(self, world: ThreadsWorld) -> None:
        _, made = await publish(world, await make(world))

        path = f"/v1.0/{made['id']}/insights?metric=clicks"
        assert (await ask(world, "GET", path))[0] == 400

    async def test_what_people_ask_for_in_vain_is_not_there(
        self, world: ThreadsWorld
    ) -> None:
        for path in ("/@nobody", "/@north.outlet/post/1", "/pictures/1", "/shop/9"):
            assert (await ask(world, "GET", path))[0] == 404


class TestPages:
    async def test_people_see_the_posts(self, world: ThreadsWorld) -> None:
        channel = world.channel()
        png = BytesIO()
        Pillow.new("RGB", (20, 10), "red").save(png, "PNG")
        pictures = (world.image("A red parka"), world.image("Blue", png.getvalue()))
        first = await channel.publish(make_draft(images=pictures), key="post_1")
        poll = Poll("", ("Yes", "No"), timedelta(days=1))
        await channel.publish(make_draft("Vote", poll=poll), key="post_2")
        await channel.publish(make_draft("Look", card=Card("Boots")), key="post_3")
        await channel.publish(make_draft(images=pictures[:1]), key="post_4")
        answer = make_draft("Sold out", answers=first.remote_id)
        await channel.publish(answer, key="post_5")

        _, page = await ask(world, "GET", "/@north.outlet")
        _, alone = await ask(world, "GET", first.url.removeprefix(world.url))

        for words in ("@north.outlet", "A red parka", "Yes", LINK, "Sold out"):
            assert words in page
        assert "Sold out" in alone
        for number in world.posts()[0]["children"]:
            address = f"{world.url}/pictures/{number}"
            async with world.http.get(address) as picture:
                assert picture.content_type in {"image/jpeg", "image/png"}

    async def test_a_person_is_asked_and_comes_back(self, world: ThreadsWorld) -> None:
        address = world.entrance().authorization_url(
            redirect_uri=BACK, state="a&b", challenge=""
        )

        _, page = await ask(world, "GET", address.removeprefix(world.url))

        assert "@north.outlet" in page
        assert f'<form action="{BACK}">' in page
        assert 'name="state" value="a&amp;b"' in page
        code = page.partition('name="code" value="')[2].partition('"')[0]
        (found,) = await world.entrance().exchange(code, redirect_uri=BACK, verifier="")
        assert found.handle == "@north.outlet"


class TestRestart:
    async def test_goes_on_where_it_was(self, tmp_path: Path) -> None:
        port, path = unused_port(), tmp_path / "threads.db"
        draft = make_draft()
        async with threads_world(port=port, state_path=path) as world:
            published = await world.channel().publish(draft, key="post_1")

        async with threads_world(port=port, state_path=path) as world:
            assert await world.channel().find(draft) == published
            again = await world.channel().publish(make_draft("Boots"), key="post_2")

        assert again.remote_id != published.remote_id
