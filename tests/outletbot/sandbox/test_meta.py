"""
The Meta sandbox itself, asked by plain HTTP: what it refuses, shows and remembers.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from outletbot.channels.credentials import Credentials
from outletbot.channels.facebook import Facebook
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.meta import WINDOWS, build_meta_sandbox
from tests.outletbot.channels.contract import (
    LINK,
    StandingClock,
    make_draft,
    make_image,
)
from tests.outletbot.meta_server import (
    APP,
    INSTAGRAM,
    NODE,
    OUTLET,
    PAGE,
    TOKEN,
    Meta,
    meta_server,
)

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
async def meta() -> AsyncIterator[Meta]:
    async with meta_server(ours=False) as meta:
        yield meta


async def call(
    meta: Meta, method: str, path: str, *, token: str = TOKEN, **more: Any
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    url = f"{meta.url}/v26.0/{path}"
    async with meta.http.request(method, url, headers=headers, **more) as answer:
        return answer.status, await answer.json()


async def refused(meta: Meta, method: str, path: str, **more: Any) -> tuple[int, int]:
    """Return the code and the subcode of a refusal."""
    status, content = await call(meta, method, path, **more)
    assert status >= 400, content
    error = content["error"]
    assert error["fbtrace_id"]
    return error["code"], error.get("error_subcode", 0)


async def posted(meta: Meta, message: str = "Parka", **form: str) -> str:
    form = {"message": message, **form}
    status, content = await call(meta, "POST", f"{PAGE}/feed", data=form)
    assert status == 200, content
    return content["id"]


def photo(content: bytes, **fields: str) -> aiohttp.FormData:
    form = aiohttp.FormData({"published": "false", **fields})
    form.add_field(
        "source", BytesIO(content), filename="x.jpeg", content_type="image/jpeg"
    )
    return form


class TestRefuses:
    async def test_calls_without_a_token(self, meta: Meta) -> None:
        assert await refused(meta, "GET", "me", token="") == (2500, 0)
        assert await refused(meta, "GET", "me", token="another") == (190, 0)

    async def test_paths_that_are_none(self, meta: Meta) -> None:
        assert await refused(meta, "GET", f"{PAGE}/nothing") == (2500, 0)
        assert await refused(meta, "DELETE", f"{PAGE}/feed") == (100, 33)
        assert await refused(meta, "GET", "12345") == (100, 33)
        async with meta.http.get(f"{meta.url}/nothing") as answer:
            assert answer.status == 404

    async def test_what_belongs_to_another_page(self) -> None:
        other = replace(OUTLET, page_id="2", page_token="other", instagram_id="3")
        async with meta_server(Facebook, OUTLET, other) as meta:
            post = await posted(meta)
            for path in (post, f"{PAGE}/published_posts", f"{INSTAGRAM}/media"):
                assert await refused(meta, "GET", path, token="other") == (100, 33)

    async def test_fields_limits_and_cursors_that_are_none(self, meta: Meta) -> None:
        path = f"{PAGE}/published_posts"
        await posted(meta)
        for query in ("fields=colour", "limit=101", "limit=x", "after=x", "after=eA=="):
            assert await refused(meta, "GET", f"{path}?{query}") == (100, 0)

    @pytest.mark.parametrize(
        ("form", "code"),
        [
            ({}, 100),
            ({"message": "x" * 63_207}, 100),
            ({"message": "👍" * 31_604}, 100),
            ({"message": "x", "link": "shop"}, 1500),
            ({"message": "x", "attached_media[0]": "7"}, 100),
            ({"message": "x", "attached_media[0]": '{"media_fbid": "7"}'}, 100),
        ],
    )
    async def test_posts_that_are_none(
        self, meta: Meta, form: dict[str, str], code: int
    ) -> None:
        assert (await refused(meta, "POST", f"{PAGE}/feed", data=form))[0] == code
        assert meta.texts() == []

    async def test_photos_that_are_none(self, meta: Meta) -> None:
        path, good = f"{PAGE}/photos", make_image().content
        assert await refused(meta, "POST", path, data={"url": "x"}) == (100, 0)
        ppm = b"P6 1 1 255 " + bytes(3)
        for bad in (b"no picture", ppm, good + bytes(4 * 1024 * 1024)):
            form = photo(bad)
            assert await refused(meta, "POST", path, data=form) == (324, 1366046)
        form = photo(good, published="true")
        assert (await refused(meta, "POST", path, data=form))[0] == 100

    async def test_photos_twice_or_too_many_or_with_a_link(self, meta: Meta) -> None:
        async def upload() -> str:
            form = photo(make_image().content)
            return (await call(meta, "POST", f"{PAGE}/photos", data=form))[1]["id"]

        one = json.dumps({"media_fbid": await upload()})
        many = {
            f"attached_media[{number}]": json.dumps({"media_fbid": await upload()})
            for number in range(11)
        }
        path = f"{PAGE}/feed"

        linked = {"attached_media[0]": one, "link": LINK}
        assert (await refused(meta, "POST", path, data=linked))[0] == 100
        assert (await refused(meta, "POST", path, data=many))[0] == 100
        await posted(meta, **{"attached_media[0]": one})
        again = {"message": "Again", "attached_media[0]": one}
        assert (await refused(meta, "POST", path, data=again))[0] == 100

    async def test_pictures_from_elsewhere_or_of_another_kind(self, meta: Meta) -> None:
        path = f"{INSTAGRAM}/media"
        meta.show("noise.jpeg", b"noise")
        for address, told in {
            f"{meta.shop}/gone.jpeg": (9004, 2207052),
            "http://example.com/parka.jpeg": (9004, 2207052),
            "http://[": (9004, 2207052),
            f"{meta.shop}/noise.jpeg": (36001, 2207005),
        }.items():
            form = {"image_url": address}
            assert await refused(meta, "POST", path, data=form) == told

    async def test_words_that_are_none(self, meta: Meta) -> None:
        post = await posted(meta)
        long = {"message": "x" * 8_001}
        assert (await refused(meta, "POST", f"{post}/comments", data=long))[0] == 100
        assert (await refused(meta, "POST", post, data={"message": ""}))[0] == 100
        insights = f"{post}/insights?metric=post_impressions"
        assert (await refused(meta, "GET", insights))[0] == 100

    async def test_words_on_instagram_that_are_none(self, meta: Meta) -> None:
        media = meta.books.add("media", PAGE, caption="Parka", pictures=[])
        assert (await refused(meta, "POST", f"{media}/comments", data={}))[0] == 100
        edit = {"caption": "SOLD OUT"}
        assert (await refused(meta, "POST", media, data=edit))[0] == 100
        insights = f"{media}/insights?metric=impressions"
        assert (await refused(meta, "GET", insights))[0] == 100

    async def test_containers_that_are_none(self, meta: Meta) -> None:
        path = f"{INSTAGRAM}/media"
        item = meta.books.add("container", PAGE, item=True, status="FINISHED")
        other = meta.books.add("container", PAGE, item=False, status="FINISHED")
        carousel = {"media_type": "CAROUSEL"}
        assert (await refused(meta, "POST", path, data={}))[0] == 100
        long = {"image_url": f"{meta.shop}/x", "alt_text": "x" * 1001}
        assert (await refused(meta, "POST", path, data=long))[0] == 100
        lonely = {**carousel, "children": item}
        assert await refused(meta, "POST", path, data=lonely) == (100, 2207028)
        mixed = {**carousel, "children": f"{item},{other}"}
        assert (await refused(meta, "POST", path, data=mixed))[0] == 100

    async def test_a_container_twice(self, meta: Meta) -> None:
        meta.show()
        form = {"image_url": f"{meta.shop}/parka.jpeg", "caption": "Parka"}
        made = (await call(meta, "POST", f"{INSTAGRAM}/media", data=form))[1]["id"]
        path, form = f"{INSTAGRAM}/media_publish", {"creation_id": made}
        assert await refused(meta, "POST", path, data=form) == (9007, 2207027)
        for _ in range(2):
            looked = await call(meta, "GET", f"{made}?fields=status_code,status")
        assert looked[1]["status_code"] == "FINISHED"

        assert (await call(meta, "POST", path, data=form))[0] == 200

        assert await refused(meta, "POST", path, data=form) == (24, 2207006)
        looked = await call(meta, "GET", f"{made}?fields=status_code")
        assert looked[1]["status_code"] == "PUBLISHED"

    async def test_a_person_where_a_page_is_wanted(self, meta: Meta) -> None:
        token = meta.books.new_token("", OUTLET.scopes, lasts=None)
        path = f"{PAGE}/feed"
        assert (await refused(meta, "POST", path, token=token, data={}))[0] == 210


class TestLogin:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"client_id": "another"},
            {"redirect_uri": "shop"},
            {"scope": "pages_show_list,publish_actions"},
        ],
    )
    async def test_asks_nobody_for_what_is_wrong(
        self, meta: Meta, wrong: dict[str, str]
    ) -> None:
        query = {
            "client_id": APP.client_id,
            "redirect_uri": "https://shop.example",
            **wrong,
        }
        url = f"{meta.url}/v26.0/dialog/oauth"
        async with meta.http.get(url, params=query) as answer:
            assert answer.status == 400
        async with meta.http.post(url, data=query) as answer:
            assert answer.status == 400

    async def test_the_page_escapes_what_it_is_given(self, meta: Meta) -> None:
        query = {
            "client_id": APP.client_id,
            "redirect_uri": "https://shop.example",
            "state": '"><script>',
        }
        url = f"{meta.url}/v26.0/dialog/oauth"
        async with meta.http.get(url, params=query) as answer:
            assert "<script>" not in await answer.text()


class TestShows:
    async def test_posts_with_pictures_and_answers(self, meta: Meta) -> None:
        form = photo(make_image().content, alt_text_custom="A red parka")
        made = (await call(meta, "POST", f"{PAGE}/photos", data=form))[1]["id"]
        attached = json.dumps({"media_fbid": made})
        post = await posted(meta, **{"attached_media[0]": attached})
        answer = {"message": "Sold out"}
        await call(meta, "POST", f"{post}/comments", data=answer)
        await posted(meta, "Boots", link=LINK)

        async with meta.http.get(f"{meta.url}/@outlet") as page:
            text = await page.text()

        assert text.index("Boots") < text.index("Parka") < text.index("Sold out")
        assert f'href="{LINK}"' in text
        assert f'<img src="{meta.url}/pictures/{made}" alt="A red parka">' in text
        async with meta.http.get(f"{meta.url}/pictures/{made}") as picture:
            assert await picture.read() == make_image().content

    async def test_media_with_comments(self, meta: Meta) -> None:
        container = meta.books.add("container", PAGE, content=b"\x89PNG", alt="A parka")
        media = meta.books.add("media", PAGE, caption="Parka", pictures=[container])
        await call(meta, "POST", f"{media}/comments", data={"message": "Sold out"})

        async with meta.http.get(f"{meta.url}/@outlet") as page:
            text = await page.text()

        assert "A parka" in text
        assert "Sold out" in text
        async with meta.http.get(f"{meta.url}/pictures/{container}") as picture:
            assert picture.content_type == "image/png"

    @pytest.mark.parametrize("path", ["@nobody", "pictures/7"])
    async def test_nothing_of_what_is_not_there(self, meta: Meta, path: str) -> None:
        async with meta.http.get(f"{meta.url}/{path}") as answer:
            assert answer.status == 404


class TestAnswers:
    async def test_pages_with_a_cursor_and_an_address_as_meta_does(
        self, meta: Meta
    ) -> None:
        for number in range(3):
            await posted(meta, f"Parka {number}")

        path = f"{PAGE}/published_posts?fields=message&limit=2"
        _, page = await call(meta, "GET", path)

        assert [post["message"] for post in page["data"]] == ["Parka 2", "Parka 1"]
        assert f"access_token={TOKEN}" in page["paging"]["next"]
        after = page["paging"]["cursors"]["after"]
        _, page = await call(meta, "GET", f"{path}&after={after}")
        assert [post["message"] for post in page["data"]] == ["Parka 0"]
        assert "next" not in page["paging"]
        after = page["paging"]["cursors"]["after"]
        assert (await call(meta, "GET", f"{path}&after={after}"))[1] == {"data": []}

    async def test_comments_oldest_first_unless_asked_otherwise(
        self, meta: Meta
    ) -> None:
        post = await posted(meta)
        for number in "12":
            await call(meta, "POST", f"{post}/comments", data={"message": number})

        _, page = await call(meta, "GET", f"{post}/comments?fields=message")

        assert [one["message"] for one in page["data"]] == ["1", "2"]

    async def test_takes_the_token_as_metas_own_client_sends_it(
        self, meta: Meta
    ) -> None:
        token = {"access_token": TOKEN}
        assert (await call(meta, "GET", f"{PAGE}/", token="", params=token))[0] == 200
        form = {"message": "Parka", **token}
        path = f"{PAGE}/feed"
        assert (await call(meta, "POST", path, token="", data=form))[0] == 200

    async def test_how_many_calls_are_left(self, meta: Meta) -> None:
        url = f"{meta.url}/v26.0/me"
        async with meta.http.get(url, headers=BEARER) as answer:
            usage = json.loads(answer.headers["X-Business-Use-Case-Usage"])

        ((use,),) = usage.values()
        assert use["call_count"] == 0
        assert meta.app[WINDOWS]

    async def test_deleting_takes_the_answers_along(self, meta: Meta) -> None:
        post = await posted(meta)
        await call(meta, "POST", f"{post}/comments", data={"message": "Sold out"})
        media = meta.books.add("media", PAGE, caption="Parka", pictures=[])
        _, note = await call(meta, "POST", f"{media}/comments", data={"message": "Yes"})
        await call(meta, "POST", f"{media}/comments", data={"message": "No"})

        assert (await call(meta, "DELETE", post))[1] == {"success": True}
        await call(meta, "DELETE", note["id"])
        await call(meta, "DELETE", media)

        assert meta.texts() == []

    async def test_a_comment_can_be_deleted_alone(self, meta: Meta) -> None:
        post = await posted(meta)
        _, made = await call(meta, "POST", f"{post}/comments", data={"message": "Yes"})

        await call(meta, "DELETE", made["id"])

        assert meta.texts() == ["Parka"]

    async def test_faults_in_metas_own_words(self, meta: Meta) -> None:
        kinds = [Fault.TOO_MANY, Fault.ERROR_BEFORE, Fault.LOCKED]
        meta.faults.next(f"GET {NODE}", *kinds)

        codes = [(await refused(meta, "GET", "me"))[0] for _ in kinds]

        assert codes == [80001, 2, 368]


async def test_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "meta.db"
    async with meta_server(state_path=path) as meta:
        post = await posted(meta)
        token = meta.books.new_token(PAGE, OUTLET.scopes, lasts=timedelta(days=60))

    async with meta_server(state_path=path) as meta:
        assert (await call(meta, "GET", post, token=token))[0] == 200
        assert meta.texts() == ["Parka"]


async def test_lives_below_another_address() -> None:
    port = unused_port()
    place = f"http://127.0.0.1:{port}/facebook"
    below = build_meta_sandbox(
        clock=StandingClock(), public_url=place, accounts=[OUTLET]
    )
    app = web.Application()
    app.add_subapp("/facebook", below)
    async with TestServer(app, port=port), aiohttp.ClientSession() as http:
        channel = Facebook(
            http, f"{place}/v26.0", Credentials(TOKEN), clock=StandingClock()
        )

        published = await channel.publish(make_draft(), key="post_1")

        assert await channel.find(make_draft()) == published
        async with http.get(published.url) as page:
            assert "Parka, half price" in await page.text()
        async with http.get(f"{place}/v26.0/1/nothing", headers=BEARER) as answer:
            assert (await answer.json())["error"]["code"] == 2500


async def test_starts_with_little() -> None:
    app = build_meta_sandbox(
        clock=StandingClock(), public_url="http://127.0.0.1:1/", accounts=[OUTLET]
    )

    async with (
        TestServer(app) as server,
        aiohttp.ClientSession() as http,
        http.get(server.make_url("/v25.0/me"), headers=BEARER) as answer,
    ):
        assert await answer.json() == {"id": PAGE}

    assert TOKEN not in repr(OUTLET)
