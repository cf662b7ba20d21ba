"""
A Bluesky server to practise on: its own rules, asked plainly and by another client.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData
from aiohttp.test_utils import unused_port
from atproto import AsyncClient, client_utils, models
from atproto.exceptions import AtProtocolError, BadRequestError, UnauthorizedError

from outletbot.sandbox.bluesky_rules import MAX_BLOB, count_clusters
from outletbot.sandbox.faults import Fault
from outletbot.sandbox.windows import Budget
from tests.outletbot.bluesky_server import (
    FAN,
    OUTLET,
    Server,
    bluesky_server,
)
from tests.outletbot.channels.contract import LINK, NOON, make_image

POST = "app.bsky.feed.post"
RKEY = "3mg37dswbp2mi"
PUT = "com.atproto.repo.putRecord"


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with bluesky_server() as server:
        yield server


@asynccontextmanager
async def another_client(server: Server, session: Any = OUTLET) -> Any:
    """Sign in with a client that did not grow up with this server."""
    client = AsyncClient(f"{server.url}/xrpc")
    await client.login(session.handle, session.app_password)
    yield client
    await client.request.close()


class TestAnotherClient:
    async def test_posts_answers_and_deletes(self, server: Server) -> None:
        text = (
            client_utils.TextBuilder().text("Parka: ").link("now", LINK).tag("#a", "a")
        )
        async with another_client(server) as client:
            sent = await client.send_post(text, langs=["en"])
            reference = models.create_strong_ref(sent)
            reply = models.AppBskyFeedPost.ReplyRef(parent=reference, root=reference)
            await client.send_post("Sold out", reply_to=reply)
            (view,) = (await client.get_posts([sent.uri])).posts
            deleted = await client.delete_post(sent.uri)

        assert view.record.facets[0].features[0].uri == LINK
        assert view.reply_count == 1
        assert deleted
        assert server.texts() == ["Sold out"]

    @pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
    async def test_sends_a_picture(self, server: Server) -> None:
        content = make_image().content
        async with another_client(server) as client:
            sent = await client.send_image("Parka", content, "A red parka")
            (view,) = (await client.get_posts([sent.uri])).posts
            cid = view.record.embed.images[0].image.ref.link
            blob = await client.com.atproto.sync.get_blob(
                {"did": OUTLET.id, "cid": cid}
            )

        assert view.record.embed.images[0].alt == "A red parka"
        assert blob == content

    async def test_pages_through_records(self, server: Server) -> None:
        async with another_client(server) as client:
            for number in range(5):
                await client.send_post(f"Post {number}")
                server.clock.advance(timedelta(seconds=1))
            params = {"repo": OUTLET.handle, "collection": POST, "limit": 3}
            records = client.com.atproto.repo.list_records
            first = await records(params)
            second = await records({**params, "cursor": first.cursor})
            third = await records({**params, "cursor": second.cursor})

        pages = [
            [one.value.text for one in page.records] for page in (first, second, third)
        ]
        assert pages == [["Post 4", "Post 3", "Post 2"], ["Post 1", "Post 0"], []]
        assert third.cursor is None

    async def test_refreshes_by_itself(self, server: Server) -> None:
        """It knows from the token when that is due, by its own clock: long ago."""
        async with another_client(server) as client:
            await client.send_post("Parka")

        assert "refreshSession" in server.recorder.names

    async def test_is_not_let_in_without_the_password(self, server: Server) -> None:
        client = AsyncClient(f"{server.url}/xrpc")
        with pytest.raises(UnauthorizedError):
            await client.login(OUTLET.handle, "wrong")
        with pytest.raises(AtProtocolError):
            await client.com.atproto.server.get_session()
        await client.request.close()

    async def test_is_told_what_is_wrong(self, server: Server) -> None:
        async with another_client(server) as client:
            with pytest.raises(BadRequestError) as caught:
                await client.send_post("x" * 301)

        answer = caught.value.response.content
        assert answer.error == "InvalidRequest"
        assert answer.message == (
            "Invalid app.bsky.feed.post record: grapheme too big (maximum 300, got 301)"
            " at $.record.text"
        )


class TestSessions:
    async def test_an_access_token_ends(self, server: Server) -> None:
        server.clock.advance(timedelta(hours=2) - timedelta(seconds=1))
        assert (await ask(server, "com.atproto.server.getSession"))[0] == 200

        server.clock.advance(timedelta(seconds=1))
        status, answer = await ask(server, "com.atproto.server.getSession")

        wanted = {"error": "ExpiredToken", "message": "Token has expired"}
        assert (status, answer) == (400, wanted)

    async def test_a_used_refresh_token_is_good_for_two_hours_more(
        self, server: Server
    ) -> None:
        once = await refresh(server)
        server.clock.advance(timedelta(minutes=119))
        again = await refresh(server)

        assert once[1]["refreshJwt"] == again[1]["refreshJwt"]
        assert once[1]["accessJwt"] != again[1]["accessJwt"]

        server.clock.advance(timedelta(minutes=1))
        wanted = {"error": "ExpiredToken", "message": "Token has been revoked"}
        assert await refresh(server) == (400, wanted)
        assert (await refresh(server, once[1]["refreshJwt"]))[0] == 200

    @pytest.mark.parametrize("body", ["{}", "x"])
    async def test_refreshing_takes_no_body(self, server: Server, body: str) -> None:
        status, answer = await refresh(server, data=body)

        assert status == 400
        assert answer["message"] == (
            "A request body was provided when none was expected"
        )

    @pytest.mark.parametrize("token", ["x", "a.b.c", "", "bnVsbA.e30.x"])
    async def test_what_is_no_token(self, server: Server, token: str) -> None:
        status, answer = await refresh(server, token or server.credentials.access_token)

        assert status == 400
        assert answer["message"] == "Token could not be verified"

    async def test_who_says_nothing(self, server: Server) -> None:
        path = f"{server.url}/xrpc/com.atproto.server.getSession"
        async with server.http.get(path) as answer:
            assert answer.status == 401
            assert (await answer.json())["error"] == "AuthMissing"


class TestRecords:
    async def test_the_same_again_is_no_change(self, server: Server) -> None:
        _, once = await put(server)
        _, again = await put(server)
        _, other = await put(server, text="Boots")

        assert again == {name: once[name] for name in once if name != "commit"}
        assert other["uri"] == once["uri"]
        assert other["cid"] != once["cid"]
        assert server.sandbox.commits == 2

    async def test_only_the_own_records_are_changed(self, server: Server) -> None:
        status, answer = await put(server, _repo=FAN.id)

        assert (status, answer["error"]) == (401, "AuthenticationRequired")

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"_rkey": "first"}, 'Invalid TID string (got "first")'),
            ({"_collection": "app.bsky.feed.like"}, "Unknown collection"),
            ({"_record": "Parka"}, "Expected object value type (got str)"),
            ({"text": None}, "Expected string value type at $.record.text"),
            ({"text": "👨‍👩‍👧‍👦" * 121}, "string too big (maximum 3000, got 3025)"),
            ({"$type": "app.bsky.feed.like"}, "Invalid $type"),
            ({"createdAt": "now"}, 'Invalid datetime (got "now")'),
            ({"langs": ["en"] * 4}, "array too big (maximum 3, got 4)"),
            ({"langs": ["e"]}, 'Invalid language (got "e") at $.record.langs[0]'),
            ({"langs": "en"}, "Expected array value type at $.record.langs"),
            ({"reply": {}}, 'Missing required key "root" at $.record.reply'),
            ({"reply": {"root": {}}}, 'Missing required key "uri"'),
            ({"facets": [{}]}, 'Missing required key "index" at $.record.facets[0]'),
            ({"embed": 7}, "Expected object value type at $.record.embed"),
            ({"embed": {"$type": "app.bsky.embed.video"}}, 'required key "$type"'),
            ({"embed": {"$type": "app.bsky.embed.images"}}, 'required key "images"'),
        ],
    )
    async def test_what_is_refused(
        self, server: Server, change: dict[str, Any], why: str
    ) -> None:
        status, answer = await put(server, **change)

        assert (status, answer["error"]) == (400, "InvalidRequest")
        assert why in answer["message"]
        assert server.texts() == []

    @pytest.mark.parametrize(
        ("start", "end", "feature", "why"),
        [
            (0, 9, {"uri": LINK}, None),
            (0, 10, {"uri": LINK}, "bytes 0 to 10 are not of the text"),
            (-1, 2, {"uri": LINK}, "bytes -1 to 2 are not of the text"),
            (3, 3, {"uri": LINK}, "bytes 3 to 3 are not of the text"),
            (1, 3, {"uri": LINK}, "bytes 1 to 3 cut a character"),
            (0, 4, {"uri": LINK}, "bytes 0 to 4 cut a character"),
            (0, 9, {"uri": "nowhere"}, 'Invalid uri (got "nowhere")'),
            (0, 9, {"tag": "x" * 64}, None),
            (0, 9, {"tag": "x" * 65}, "grapheme too big (maximum 64, got 65)"),
            (0, 9, {"tag": "x" + "\u0301" * 320}, "string too big (maximum 640"),
            (0, 9, {"word": "x"}, 'Missing required key "$type"'),
        ],
    )
    async def test_facets(
        self,
        server: Server,
        start: int,
        end: int,
        feature: dict[str, str],
        why: str | None,
    ) -> None:
        kind = {"uri": "link", "tag": "tag"}.get(*feature)
        feature = {"$type": f"app.bsky.richtext.facet#{kind}", **feature}
        index = {"byteStart": start, "byteEnd": end}
        facet = {"index": index, "features": [feature]}

        status, answer = await put(server, text="日本語", facets=[facet])

        assert status == (400 if why else 200)
        assert (why or "") in answer.get("message", "")

    @pytest.mark.parametrize(
        ("size", "mime", "image_fits", "thumb_fits"),
        [
            (1_000_000, "image/jpeg", True, True),
            (1_000_001, "image/jpeg", True, False),
            (2_000_001, "image/jpeg", False, False),
            (5, "text/plain", False, False),
        ],
    )
    async def test_the_size_and_kind_of_pictures(
        self,
        server: Server,
        size: int,
        mime: str,
        *,
        image_fits: bool,
        thumb_fits: bool,
    ) -> None:
        status, answer = await upload(server, b"x" * size, mime)
        assert status == 200

        one, _ = await put(server, embed=pictures(answer["blob"]))
        other, _ = await put(server, embed=box(thumb=answer["blob"]))

        assert (one == 200, other == 200) == (image_fits, thumb_fits)

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ({"alt": None}, "Expected string value type"),
            ({"image": {"$type": "x"}}, "Expected blob value type"),
            ({"aspectRatio": {"width": 0, "height": 1}}, "integer too small"),
        ],
    )
    async def test_pictures_that_are_refused(
        self, server: Server, change: dict[str, Any], why: str
    ) -> None:
        _, uploaded = await upload(server, b"x", "image/png")
        embed = pictures(uploaded["blob"])
        embed["images"][0] |= change

        status, answer = await put(server, embed=embed)

        assert status == 400
        assert why in answer["message"]

    async def test_a_picture_needs_an_alt_text(self, server: Server) -> None:
        _, uploaded = await upload(server, b"x", "image/png")
        embed = pictures(uploaded["blob"])
        del embed["images"][0]["alt"]

        status, answer = await put(server, embed=embed)

        assert status == 400
        assert 'Missing required key "alt" at $.record.embed.images[0]' in str(answer)

    async def test_a_picture_that_was_not_uploaded(self, server: Server) -> None:
        _, uploaded = await upload(server, b"x", "image/png")
        uploaded["blob"]["ref"]["$link"] = "bafkreielsewhere"

        status, answer = await put(server, embed=pictures(uploaded["blob"]))

        assert (status, answer["error"]) == (400, "BlobNotFound")

    async def test_an_upload_has_an_end(self, server: Server) -> None:
        status, answer = await upload(server, b"x" * (MAX_BLOB + 1), "image/png")
        assert (status, answer["error"]) == (413, "PayloadTooLarge")

    async def test_what_is_asked_wrongly(self, server: Server) -> None:
        for name, params in (
            ("com.atproto.repo.listRecords", {"repo": OUTLET.id, "limit": "101"}),
            ("com.atproto.repo.listRecords", {"repo": "did:plc:nobody"}),
            ("app.bsky.feed.getPosts", {}),
            ("com.atproto.sync.getBlob", {"did": OUTLET.id}),
            ("com.atproto.repo.getRecord", {"repo": OUTLET.id}),
        ):
            status, answer = await ask(server, name, params)
            assert (status, set(answer)) == (400, {"error", "message"})
        assert (await ask(server, "com.atproto.other"))[0] == 404

    @pytest.mark.parametrize("body", [FormData({"a": "b"}), None])
    async def test_what_is_no_json(self, server: Server, body: Any) -> None:
        status, _ = await tell(server, PUT, data=body)
        assert status == 400

    @pytest.mark.parametrize("body", ["{", "[]", '{"repo": "x"}'])
    async def test_what_is_no_wish(self, server: Server, body: str) -> None:
        headers = {"Content-Type": "application/json"}
        status, _ = await tell(server, PUT, data=body, headers=headers)
        assert status == 400


class TestRates:
    async def test_the_nearest_budget_is_told(self, server: Server) -> None:
        headers = await headers_of_put(server)
        assert headers["RateLimit-Policy"] == "3000;w=300"
        assert headers["RateLimit-Remaining"] == "2999"

        server.rates.points = (Budget(100, timedelta(hours=1)),)
        headers = await headers_of_put(server)
        assert headers["RateLimit-Limit"] == "100"
        assert headers["RateLimit-Remaining"] == "96"
        reset = int((NOON + timedelta(hours=1)).timestamp())
        assert headers["RateLimit-Reset"] == str(reset)

    async def test_each_change_costs_points(self, server: Server) -> None:
        server.rates.points = (Budget(6, timedelta(hours=1)),)
        wish = {"repo": OUTLET.id, "collection": POST}
        record = {"text": "x", "createdAt": "2026-03-02T12:00:00Z"}

        assert (await put(server))[0] == 200
        gone = await tell(
            server, "com.atproto.repo.deleteRecord", json={**wish, "rkey": RKEY}
        )
        made = await tell(
            server, "com.atproto.repo.createRecord", json={**wish, "record": record}
        )
        assert (gone[0], made[0]) == (200, 200)

        status, answer = await put(server)
        assert (status, answer["error"]) == (429, "RateLimitExceeded")

    async def test_uploads_are_counted(self, server: Server) -> None:
        server.rates.uploads = (Budget(1, timedelta(days=1)),)
        assert (await upload(server, b"x", "image/png"))[0] == 200
        assert (await upload(server, b"x", "image/png"))[0] == 429

    async def test_all_calls_are_counted(self, server: Server) -> None:
        server.rates.calls = (Budget(1, timedelta(minutes=5)),)
        assert (await ask(server, "com.atproto.server.getSession"))[0] == 200
        assert (await ask(server, "com.atproto.server.getSession"))[0] == 429
        async with server.http.get(f"{server.url}/@outlet.test") as page:
            assert page.status == 200


class TestPages:
    async def test_people_see_posts_pictures_and_answers(self, server: Server) -> None:
        picture = make_image().content
        _, uploaded = await upload(server, picture, "image/jpeg")
        _, made = await put(server, embed=pictures(uploaded["blob"]))
        reference = {name: made[name] for name in ("uri", "cid")}
        await put(
            server,
            _rkey=f"{RKEY[:-1]}z",
            text="Sold <b>out",
            reply={"root": reference, "parent": reference},
        )

        page = await read(server, "/@outlet.test")

        assert "Parka" in page
        assert "Sold &lt;b&gt;out" in page
        assert 'alt="A parka"' in page
        cid = uploaded["blob"]["ref"]["$link"]
        path = f"/xrpc/com.atproto.sync.getBlob?did={OUTLET.id}&cid={cid}"
        async with server.http.get(server.url + path) as blob:
            assert await blob.read() == picture

    async def test_a_post_has_its_own_page(self, server: Server) -> None:
        _, uploaded = await upload(server, make_image().content, "image/jpeg")
        await put(server, embed=box(thumb=uploaded["blob"]))

        page = await read(server, f"/profile/{OUTLET.id}/post/{RKEY}")

        assert "Parka" in page
        assert "A box" in page

    @pytest.mark.parametrize(
        "path", ["/@nobody", "/profile/outlet.test/post/x", "/profile/x/post/x", "/x"]
    )
    async def test_knows_what_is_not_there(self, server: Server, path: str) -> None:
        async with server.http.get(server.url + path) as answer:
            assert answer.status == 404


class TestRestart:
    async def test_goes_on_where_it_was(self, tmp_path: Path) -> None:
        file, port = tmp_path / "bluesky.db", unused_port()
        async with bluesky_server(state_path=file, port=port) as server:
            await put(server)
            credentials, before = (
                server.credentials,
                await read(server, "/@outlet.test"),
            )

        async with bluesky_server(state_path=file, port=port) as server:
            server.credentials = credentials
            assert await read(server, "/@outlet.test") == before
            _, again = await put(server)
            assert "commit" not in again
            assert (await refresh(server))[0] == 200


async def test_faults_speak_as_the_server_does(server: Server) -> None:
    call = "GET /xrpc/com.atproto.server.getSession"
    server.faults.next(call, Fault.TOO_MANY, Fault.ERROR_BEFORE, Fault.LOCKED)

    answers = [await ask(server, "com.atproto.server.getSession") for _ in range(3)]

    assert [(status, answer["error"]) for status, answer in answers] == [
        (429, "RateLimitExceeded"),
        (500, "InternalServerError"),
        (500, "InternalServerError"),
    ]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("été", 3),
        ("e\u0301te\u0301", 3),
        ("\r\n\n", 2),
        ("👩‍👩‍👧‍👦👍🏽❤️‍🔥", 3),
        ("🇫🇷🇩🇪🇫", 3),
        ("नि", 1),
        ("क्ष", 1),
        ("각", 1),
        ("1️⃣", 1),
    ],
)
def test_counts_as_readers_do(text: str, length: int) -> None:
    assert count_clusters(text) == length


def pictures(blob: dict[str, Any]) -> dict[str, Any]:
    image = {"alt": "A parka", "image": blob, "aspectRatio": {"width": 4, "height": 3}}
    return {"$type": "app.bsky.embed.images", "images": [image]}


def box(**more: Any) -> dict[str, Any]:
    external = {"uri": LINK, "title": "A box", "description": "", **more}
    return {"$type": "app.bsky.embed.external", "external": external}


async def put(
    server: Server,
    *,
    _rkey: str = RKEY,
    _repo: str = OUTLET.id,
    _collection: str = POST,
    _record: Any = None,
    **change: Any,
) -> tuple[int, Any]:
    """Put a post that is right but for *change*."""
    record = {
        "$type": POST,
        "text": "Parka",
        "createdAt": "2026-03-02T12:00:00Z",
        **change,
    }
    wish = {
        "repo": _repo,
        "collection": _collection,
        "rkey": _rkey,
        "record": _record or record,
    }
    return await tell(server, PUT, json=wish)


async def headers_of_put(server: Server) -> dict[str, str]:
    wish = {
        "repo": OUTLET.handle,
        "collection": POST,
        "rkey": RKEY,
        "record": {"text": "x", "createdAt": "2026-03-02T12:00:00Z"},
    }
    async with server.http.post(
        f"{server.url}/xrpc/{PUT}", json=wish, headers=authorized(server)
    ) as answer:
        return dict(answer.headers)


async def upload(server: Server, content: bytes, mime: str) -> tuple[int, Any]:
    headers = {"Content-Type": mime}
    name = "com.atproto.repo.uploadBlob"
    return await tell(server, name, data=BytesIO(content), headers=headers)


async def refresh(
    server: Server, token: str = "", data: str | None = None
) -> tuple[int, Any]:
    token = token or server.credentials.refresh_token
    headers = {"Authorization": f"Bearer {token}"}
    name = "com.atproto.server.refreshSession"
    return await tell(server, name, data=data, headers=headers)


async def ask(
    server: Server, name: str, params: dict[str, str] | None = None
) -> tuple[int, Any]:
    async with server.http.get(
        f"{server.url}/xrpc/{name}", params=params, headers=authorized(server)
    ) as answer:
        return answer.status, await answer.json()


async def tell(
    server: Server, name: str, headers: dict[str, str] | None = None, **request: Any
) -> tuple[int, Any]:
    headers = authorized(server) | (headers or {})
    async with server.http.post(
        f"{server.url}/xrpc/{name}", headers=headers, **request
    ) as answer:
        return answer.status, await answer.json()


async def read(server: Server, path: str) -> str:
    async with server.http.get(server.url + path) as answer:
        return await answer.text()


def authorized(server: Server) -> dict[str, str]:
    return {"Authorization": f"Bearer {server.credentials.access_token}"}
