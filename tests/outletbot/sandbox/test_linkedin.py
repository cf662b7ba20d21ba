"""
The sandbox is a LinkedIn to LinkedIn's own rules, as they are documented.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import unused_port
from PIL import Image as Pillow

from outletbot.channels import Card, Poll
from outletbot.sandbox.linkedin_rules import read_little
from tests.outletbot.channels.contract import LINK, make_draft, make_image
from tests.outletbot.linkedin_server import OUTLET, TOKEN, LinkedInWorld, linkedin_world

HEADERS = {
    "Authorization": f"Bearer {TOKEN}",
    "LinkedIn-Version": "202608",
    "X-Restli-Protocol-Version": "2.0.0",
}
POST = {
    "author": OUTLET.urn,
    "commentary": "Parka",
    "visibility": "PUBLIC",
    "distribution": {"feedDistribution": "MAIN_FEED"},
    "lifecycleState": "PUBLISHED",
}


@pytest.fixture
async def world() -> AsyncIterator[LinkedInWorld]:
    async with linkedin_world() as world:
        yield world


async def ask(
    world: LinkedInWorld,
    method: str,
    path: str,
    *,
    headers: dict[str, str] | None = None,
    **body: Any,
) -> tuple[int, Any]:
    headers = HEADERS if headers is None else headers
    async with world.http.request(
        method, world.url + path, headers=headers, **body
    ) as answer:
        is_json = answer.content_type == "application/json"
        return answer.status, await (answer.json() if is_json else answer.text())


async def post(world: LinkedInWorld, **facts: Any) -> tuple[int, Any]:
    return await ask(world, "POST", "/rest/posts", json={**POST, **facts})


class TestProtocol:
    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"LinkedIn-Version": ""}, 400, "VERSION_MISSING"),
            ({"LinkedIn-Version": "202405"}, 426, "NONEXISTENT_VERSION"),
            ({"X-Restli-Protocol-Version": "1.0.0"}, 400, "ILLEGAL_ARGUMENT"),
            ({"Authorization": ""}, 401, "EMPTY_ACCESS_TOKEN"),
            ({"Authorization": "Bearer x"}, 401, "INVALID_ACCESS_TOKEN"),
        ],
    )
    async def test_wants_its_headers(
        self, world: LinkedInWorld, change: dict[str, str], status: int, code: str
    ) -> None:
        answer = await ask(
            world, "POST", "/rest/posts", headers={**HEADERS, **change}, json=POST
        )

        assert answer[0] == status
        assert answer[1]["code"] == code

    async def test_wants_names_encoded(self, world: LinkedInWorld) -> None:
        path = "/rest/posts?q=author&author=urn:li:organization:1"

        assert (await ask(world, "GET", path))[0] == 400

    async def test_knows_one_way_to_look_for_posts(self, world: LinkedInWorld) -> None:
        assert (await ask(world, "GET", "/rest/posts"))[0] == 400
        assert (await ask(world, "POST", "/rest/images"))[0] == 400

    async def test_what_is_no_json_is_no_post(self, world: LinkedInWorld) -> None:
        assert (await ask(world, "POST", "/rest/posts", data=b"{"))[0] == 400

    async def test_what_it_does_not_have_is_not_there(
        self, world: LinkedInWorld
    ) -> None:
        for path in ("/rest/ads", "/rest/images/1", "/@nobody", "/feed/update/1"):
            assert (await ask(world, "GET", path))[0] == 404
        assert (await ask(world, "GET", "/pictures/1"))[0] == 404
        path = "/dms-uploads/1/uploaded-image/0"
        assert (await ask(world, "PUT", path, data=b""))[0] == 404

    async def test_a_page_is_its_administrators(self, world: LinkedInWorld) -> None:
        status, answer = await post(world, author="urn:li:organization:99")

        assert status == 403
        assert answer["serviceErrorCode"] == 100


class TestLittleText:
    @pytest.mark.parametrize(
        ("little", "shown"),
        [
            ("50% (today)", "50% "),
            ("a_b", "a"),
            (r"a\_b", "a_b"),
            (r"a\b", "a"),
            ("#Parka today", "#Parka today"),
            ("Hello @[Devtestco](urn:li:organization:2414183)!", "Hello Devtestco!"),
            (r"{hashtag|\#|a\_b}", "#a_b"),
        ],
    )
    def test_is_cut_at_the_first_mark_that_is_none(
        self, little: str, shown: str
    ) -> None:
        assert read_little(little) == shown


class TestPosts:
    @pytest.mark.parametrize(
        "facts",
        [
            {"commentary": "x" * 3001},
            {"content": {"media": {"id": "urn:li:image:1"}, "poll": {}}},
            {"content": {"media": {"id": "urn:li:image:1"}}},
            {"content": {"multiImage": {"images": [{"id": "1"}]}}},
            {"content": {"multiImage": {"images": [{"id": "1"}] * 21}}},
            {"content": {"article": {"source": LINK}}},
        ],
    )
    async def test_refuses_what_breaks_its_rules(
        self, world: LinkedInWorld, facts: dict[str, Any]
    ) -> None:
        status, answer = await post(world, **facts)

        assert (status, world.posts()) == (422, [])
        assert answer["message"].startswith("ERROR :: /")

    async def test_every_field_is_wanted(self, world: LinkedInWorld) -> None:
        status, answer = await ask(world, "POST", "/rest/posts", json={"author": "x"})

        assert status == 422
        assert "field is required" in answer["message"]

    @pytest.mark.parametrize(
        ("question", "options", "duration"),
        [
            ("?" * 141, ["a", "b"], "ONE_DAY"),
            ("?", ["a"], "ONE_DAY"),
            ("?", ["a"] * 5, "ONE_DAY"),
            ("?", ["a", "b" * 31], "ONE_DAY"),
            ("?", ["a", "b"], "TWO_DAYS"),
        ],
    )
    async def test_refuses_polls_that_break_its_rules(
        self, world: LinkedInWorld, question: str, options: list[str], duration: str
    ) -> None:
        poll = {
            "question": question,
            "options": [{"text": option} for option in options],
            "settings": {"duration": duration},
        }

        assert (await post(world, content={"poll": poll}))[0] == 422

    async def test_says_what_a_duplicate_is_of(self, world: LinkedInWorld) -> None:
        await post(world)

        status, answer = await post(world)

        (first,) = world.posts()
        assert status == 422
        assert answer["message"] == f"Content is a duplicate of {first['id']}"
        (error,) = answer["errorDetails"]["inputErrors"]
        assert error["code"] == "DUPLICATE_POST"

    async def test_an_answer_may_be_no_longer_than_a_comment(
        self, world: LinkedInWorld
    ) -> None:
        await post(world)
        urn = world.posts()[0]["id"]
        comment = {"actor": OUTLET.urn, "object": urn, "message": {"text": "x" * 1251}}
        member = world.sandbox.grants.member(TOKEN)

        with pytest.raises(Exception, match="1250"):
            world.sandbox.create_comment(member, urn, comment)


class TestPictures:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF"])
    async def test_takes_what_it_can_show(
        self, world: LinkedInWorld, kind: str
    ) -> None:
        buffer = BytesIO()
        Pillow.new("RGB", (20, 10), "red").save(buffer, kind)

        status, _ = await self._show(world, buffer.getvalue())

        assert status == 201

    @pytest.mark.parametrize(
        "content", [b"nothing", make_image().content + b"\0" * 5_000_000]
    )
    async def test_cannot_use_what_is_none_or_too_heavy(
        self, world: LinkedInWorld, content: bytes
    ) -> None:
        status, answer = await self._show(world, content)

        assert status == 422
        assert "not ready" in answer["message"]

    async def test_an_alt_text_has_an_end(self, world: LinkedInWorld) -> None:
        status, answer = await self._show(world, make_image().content, alt="x" * 4087)

        assert status == 422
        assert "altText" in answer["message"]

    async def _show(
        self, world: LinkedInWorld, content: bytes, alt: str = ""
    ) -> tuple[int, Any]:
        member = world.sandbox.grants.member(TOKEN)
        urn = world.sandbox.begin_upload(member, OUTLET.urn)
        world.sandbox.take_upload(urn, content)
        for _ in range(2):
            world.sandbox.look_at_image(urn)
        return await post(world, content={"media": {"id": urn, "altText": alt}})


class TestPages:
    async def test_people_see_the_posts(self, world: LinkedInWorld) -> None:
        channel = world.channel()
        poll = Poll("Which one?", ("Parka", "Boots"), timedelta(days=1))
        png = BytesIO()
        Pillow.new("RGB", (20, 10), "red").save(png, "PNG")
        pictures = (
            make_image("A red parka"),
            replace(make_image(), content=png.getvalue()),
        )
        first = await channel.publish(
            make_draft("50% (today)", images=pictures), key="post_1"
        )
        await channel.publish(make_draft("Vote", poll=poll), key="post_2")
        await channel.publish(make_draft("Look", card=Card("Boots")), key="post_3")
        await channel.publish(
            make_draft("Sold out", answers=first.remote_id), key="post_4"
        )
        world.clock.advance(timedelta(minutes=1))
        await channel.edit(first.remote_id, make_draft("60% (now)"))

        _, page = await ask(world, "GET", "/@north-outlet")
        alone = await ask(world, "GET", first.url.removeprefix(world.url))

        assert "North Outlet" in page
        for words in ("60% (now)", "A red parka", "Which one?", "Boots", "Sold out"):
            assert words in page
        assert alone[0] == 200
        assert "edited" in alone[1]
        for image in world.posts()[0]["content"]["multiImage"]["images"]:
            async with world.http.get(f"{world.url}/pictures/{image['id']}") as answer:
                assert answer.content_type in {"image/jpeg", "image/png"}

    async def test_a_merchant_is_asked_and_comes_back(
        self, world: LinkedInWorld
    ) -> None:
        back = f"{world.url}/back"
        address = world.entrance().authorization_url(
            redirect_uri=back, state="a&b", challenge=""
        )

        _, page = await ask(world, "GET", address.removeprefix(world.url))

        assert "north-outlet, south-outlet" in page
        assert f'<form action="{back}">' in page
        assert 'name="state" value="a&amp;b"' in page
        code = page.partition('name="code" value="')[2].partition('"')[0]
        found = await world.entrance().exchange(code, redirect_uri=back, verifier="")
        assert len(found) == 2

    async def test_the_question_wants_its_parameters(
        self, world: LinkedInWorld
    ) -> None:
        assert (await ask(world, "GET", "/oauth/v2/authorization"))[0] == 400

    async def test_a_grant_has_a_kind(self, world: LinkedInWorld) -> None:
        form = {"client_id": "a", "client_secret": "b", "grant_type": "password"}

        status, answer = await ask(world, "POST", "/oauth/v2/accessToken", data=form)

        assert (status, answer["error"]) == (400, "unsupported_grant_type")


class TestRestart:
    async def test_goes_on_where_it_was(self, tmp_path: Path) -> None:
        port, path = unused_port(), tmp_path / "linkedin.db"
        async with linkedin_world(port=port, state_path=path) as world:
            draft = make_draft(images=(make_image(),))
            published = await world.channel().publish(draft, key="post_1")

        async with linkedin_world(port=port, state_path=path) as world:
            assert await world.channel().find(draft) == published
            again = await world.channel().publish(make_draft("Boots"), key="post_2")

        assert again.remote_id != published.remote_id
