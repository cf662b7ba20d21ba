"""
The sandbox is a Mastodon to Mastodon's own rules, and to a client that is not ours.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from io import BytesIO
from typing import Any, TypeVar

import mastodon
import pytest
from PIL import Image as Pillow

from outletbot.sandbox.windows import Budget
from tests.outletbot.mastodon_server import (
    FAN,
    LINK,
    NOON,
    READER,
    TOKEN,
    Server,
    make_image,
    mastodon_server,
)

T = TypeVar("T")


class Client:
    """Mastodon.py, each call in a thread, since it knows no other way."""

    def __init__(self, url: str, token: str) -> None:
        self.api = mastodon.Mastodon(
            access_token=token, api_base_url=url, ratelimit_method="throw"
        )

    async def ask(self, call: Callable[..., T], *args: object, **options: object) -> T:
        return await asyncio.to_thread(call, *args, **options)

    async def upload(self, description: str = "A red parka") -> Any:
        return await self.ask(
            self.api.media_post,
            BytesIO(make_image().content),
            mime_type="image/jpeg",
            description=description,
            synchronous=True,
        )


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with mastodon_server() as server:
        # Mastodon.py waits a second between its looks at a picture.
        server.sandbox.looks_until_ready = 0
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    client = Client(server.url, TOKEN)
    yield client
    client.api.session.close()


async def post(server: Server, token: str = TOKEN, **fields: object) -> tuple[int, Any]:
    return await call(server, "POST", "/api/v1/statuses", token=token, json=fields)


async def call(
    server: Server,
    method: str,
    path: str,
    *,
    token: str = TOKEN,
    **request: Any,
) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with server.http.request(
        method, server.url + path, headers=headers, **request
    ) as response:
        return response.status, await response.json()


class TestToAnotherClient:
    async def test_says_who_and_what_it_is(self, client: Client) -> None:
        account = await client.ask(client.api.account_verify_credentials)
        instance = await client.ask(client.api.instance_v2)

        assert account.acct == "outlet"
        assert account.display_name == "North Outlet"
        assert instance.configuration.statuses.max_characters == 500

    async def test_keeps_a_post_and_its_picture(
        self, client: Client, server: Server
    ) -> None:
        media = await client.upload()

        made = await client.ask(
            client.api.status_post,
            f"Parka & more <3\n\nnow {LINK} #sale",
            media_ids=[media],
            language="en",
        )

        seen = await client.ask(client.api.status, made.id)
        assert seen.url == f"{server.url}/@outlet/{made.id}"
        assert seen.created_at == NOON
        assert seen.content.startswith("<p>Parka &amp; more &lt;3</p><p>now <a href=")
        assert f'href="{LINK}"' in seen.content
        assert [tag.name for tag in seen.tags] == ["sale"]
        assert [one.description for one in seen.media_attachments] == ["A red parka"]
        assert seen.edited_at is None

    async def test_remembers_what_was_edited(
        self, client: Client, server: Server
    ) -> None:
        made = await client.ask(client.api.status_post, "Parka")
        server.clock.advance(timedelta(minutes=3))

        await client.ask(client.api.status_update, made.id, "SOLD OUT")

        history = await client.ask(client.api.status_history, made.id)
        assert [version.content for version in history] == [
            "<p>Parka</p>",
            "<p>SOLD OUT</p>",
        ]
        source = await client.ask(client.api.status_source, made.id)
        assert source.text == "SOLD OUT"
        seen = await client.ask(client.api.status, made.id)
        assert seen.edited_at == NOON + timedelta(minutes=3)

    async def test_makes_one_post_for_a_key_within_an_hour(
        self, client: Client, server: Server
    ) -> None:
        made = []
        for wait in (timedelta(), timedelta(minutes=59), timedelta(minutes=1)):
            server.clock.advance(wait)
            made.append(
                await client.ask(
                    client.api.status_post, "Parka", idempotency_key="post_1"
                )
            )

        assert made[0].id == made[1].id != made[2].id

    async def test_turns_pages(self, client: Client, server: Server) -> None:
        for number in range(5):
            await client.ask(client.api.status_post, f"No. {number}")

        page = await client.ask(client.api.account_statuses, 1, limit=2)
        older = await client.ask(client.api.fetch_next, page)

        assert [one.content for one in page] == ["<p>No. 4</p>", "<p>No. 3</p>"]
        assert [one.content for one in older][:2] == ["<p>No. 2</p>", "<p>No. 1</p>"]

    async def test_shows_answers_in_context(self, client: Client) -> None:
        made = await client.ask(client.api.status_post, "Parka")
        reply = await client.ask(
            client.api.status_post, "Sold out", in_reply_to_id=made.id
        )

        below = await client.ask(client.api.status_context, made.id)
        above = await client.ask(client.api.status_context, reply.id)

        assert [one.id for one in below.descendants] == [reply.id]
        assert [one.id for one in above.ancestors] == [made.id]

    async def test_takes_a_post_back(self, client: Client) -> None:
        made = await client.ask(client.api.status_post, "Parka")

        await client.ask(client.api.status_delete, made.id)

        with pytest.raises(mastodon.MastodonNotFoundError):
            await client.ask(client.api.status, made.id)

    async def test_tells_it_to_slow_down(self, client: Client, server: Server) -> None:
        server.rate_limits.budgets["api"] = Budget(1, timedelta(minutes=5))
        await client.ask(client.api.account_verify_credentials)

        with pytest.raises(mastodon.MastodonRatelimitError):
            await client.ask(client.api.account_verify_credentials)

    async def test_refuses_a_bad_token(self, server: Server) -> None:
        client = Client(server.url, "revoked")

        with pytest.raises(mastodon.MastodonUnauthorizedError):
            await client.ask(client.api.account_verify_credentials)

        client.api.session.close()


class TestRules:
    @pytest.mark.parametrize(
        ("text", "answered"),
        [
            ("x" * 500, 200),
            ("x" * 501, 422),
            ("👩‍👩‍👧‍👦" * 500, 200),
            (f"{'x' * 476} https://outlet.example.com/{'d' * 300}", 200),
            (f"{'x' * 477} https://outlet.example.com/{'d' * 300}", 422),
            (f"{'x' * 492} @outlet@a.very.long.server.example", 200),
            (" ", 422),
        ],
    )
    async def test_limits_the_text(
        self, server: Server, text: str, answered: int
    ) -> None:
        status, answer = await post(server, status=text)

        assert status == answered, answer

    async def test_takes_four_pictures_and_no_more(
        self, client: Client, server: Server
    ) -> None:
        media = [(await client.upload()).id for _ in range(5)]

        refused = await post(server, status="x", media_ids=[str(one) for one in media])
        taken = await post(
            server, status="x", media_ids=[str(one) for one in media[:4]]
        )

        assert refused == (
            422,
            {"error": "Validation failed: Cannot attach more than 4 files"},
        )
        assert len(taken[1]["media_attachments"]) == 4

    async def test_a_picture_belongs_to_one_post(
        self, client: Client, server: Server
    ) -> None:
        media = str((await client.upload()).id)
        await post(server, status="x", media_ids=[media])

        status, answer = await post(server, status="y", media_ids=[media])

        assert status == 422
        assert "already attached to another post" in answer["error"]

    async def test_a_picture_is_not_anothers_to_use(
        self, client: Client, server: Server
    ) -> None:
        media = str((await client.upload()).id)

        status, _ = await post(server, FAN.token, status="y", media_ids=[media])

        assert status == 422

    async def test_an_edit_without_its_pictures_drops_them(
        self, client: Client, server: Server
    ) -> None:
        media = str((await client.upload()).id)
        _, made = await post(server, status="x", media_ids=[media])
        path = f"/api/v1/statuses/{made['id']}"

        kept = await call(
            server, "PUT", path, json={"status": "y", "media_ids": [media]}
        )
        dropped = await call(server, "PUT", path, json={"status": "z"})

        assert len(kept[1]["media_attachments"]) == 1
        assert dropped[1]["media_attachments"] == []

    async def test_an_edit_that_changes_nothing_is_none(self, server: Server) -> None:
        _, made = await post(server, status="x")
        path = f"/api/v1/statuses/{made['id']}"

        _, edited = await call(server, "PUT", path, json={"status": "x"})

        assert edited["edited_at"] is None

    async def test_a_picture_takes_its_time(
        self, client: Client, server: Server
    ) -> None:
        server.sandbox.looks_until_ready = 1
        upload = await client.ask(
            client.api.media_post,
            BytesIO(make_image().content),
            mime_type="image/jpeg",
        )
        path = f"/api/v1/media/{upload.id}"

        early = await post(server, status="x", media_ids=[str(upload.id)])
        looks = [await call(server, "GET", path) for _ in range(2)]

        assert "have not finished processing" in early[1]["error"]
        assert [status for status, _ in looks] == [206, 200]
        assert [answer["url"] is None for _, answer in looks] == [True, False]

    @pytest.mark.parametrize(
        ("content", "description", "why"),
        [
            (b"not a picture", "", "content type is invalid"),
            (make_image().content, "x" * 1501, "Description is too long"),
            (b"\xff" * (16 * 1024 * 1024 + 1), "", "less than 16 MB"),
        ],
    )
    async def test_refuses_what_is_no_fit_picture(
        self, server: Server, content: bytes, description: str, why: str
    ) -> None:
        form = {"file": BytesIO(content), "description": description}

        status, answer = await call(server, "POST", "/api/v2/media", data=form)

        assert status == 422
        assert why in answer["error"]

    async def test_refuses_a_picture_of_too_many_pixels(self, server: Server) -> None:
        buffer = BytesIO()
        Pillow.new("1", (8000, 5000)).save(buffer, "PNG")
        buffer.seek(0)

        status, answer = await call(
            server, "POST", "/api/v2/media", data={"file": buffer}
        )

        assert (status, answer["error"]) == (
            422,
            "Validation failed: 8000x5000 images are not supported",
        )

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/api/v1/statuses"),
            ("POST", "/api/v2/media"),
            ("PUT", "/api/v1/statuses/1"),
            ("DELETE", "/api/v1/statuses/1"),
        ],
    )
    async def test_who_may_only_read_changes_nothing(
        self, server: Server, method: str, path: str
    ) -> None:
        kind = {"data": {"description": "x"}} if "media" in path else {"json": {}}
        body = {} if method == "DELETE" else kind

        status, answer = await call(server, method, path, token=READER.token, **body)

        assert status == 403
        assert answer == {"error": "This action is outside the authorized scopes"}

    async def test_another_ones_post_cannot_be_touched(self, server: Server) -> None:
        _, made = await post(server, FAN.token, status="mine")
        path = f"/api/v1/statuses/{made['id']}"

        edited, _ = await call(server, "PUT", path, json={"status": "x"})
        deleted, _ = await call(server, "DELETE", path)

        assert (edited, deleted) == (404, 404)
        assert server.texts == ["mine"]

    async def test_answers_of_others_can_be_left_out(self, server: Server) -> None:
        _, theirs = await post(server, FAN.token, status="how much?")
        await post(server, status="ours")
        await post(server, status="ten", in_reply_to_id=theirs["id"])

        _, listed = await call(
            server, "GET", "/api/v1/accounts/1/statuses?exclude_replies=true"
        )

        assert [status["content"] for status in listed] == ["<p>ours</p>"]

    @pytest.mark.parametrize("visibility", ["everyone", ""])
    async def test_knows_its_visibilities(
        self, server: Server, visibility: str
    ) -> None:
        status, _ = await call(
            server,
            "POST",
            "/api/v1/statuses",
            data={"status": "x", "visibility": visibility},
        )

        assert status == (422 if visibility else 200)


class TestRateLimits:
    async def test_tells_what_is_left(self, server: Server) -> None:
        server.clock.advance(timedelta(minutes=2))
        async with server.http.get(f"{server.url}/api/v2/instance") as response:
            headers = response.headers

        assert headers["X-RateLimit-Limit"] == "300"
        assert headers["X-RateLimit-Remaining"] == "299"
        assert headers["X-RateLimit-Reset"] == "2026-03-02T12:05:00.000000+00:00"

    async def test_deletes_have_a_budget_of_their_own(self, server: Server) -> None:
        answers = [
            (await call(server, "DELETE", f"/api/v1/statuses/{number}"))[0]
            for number in range(31)
        ]
        server.clock.advance(timedelta(minutes=30))
        later, _ = await call(server, "DELETE", "/api/v1/statuses/1")

        assert answers == [404] * 30 + [429]
        assert later == 404

    async def test_one_account_does_not_spend_anothers(self, server: Server) -> None:
        server.rate_limits.budgets["api"] = Budget(1, timedelta(minutes=5))

        answers = [
            (await post(server, token, status="x"))[0]
            for token in (TOKEN, TOKEN, FAN.token)
        ]

        assert answers == [200, 429, 200]


class TestPage:
    async def test_shows_posts_with_picture_words_and_edits(
        self, client: Client, server: Server
    ) -> None:
        media = str((await client.upload('A "red" parka')).id)
        _, made = await post(server, status=f"Parka <b> {LINK}", media_ids=[media])
        await post(server, status="for friends", visibility="private")
        server.clock.advance(timedelta(minutes=3))
        change = {"status": f"SOLD OUT <b> {LINK}", "media_ids": [media]}
        await call(server, "PUT", f"/api/v1/statuses/{made['id']}", json=change)

        async with server.http.get(f"{server.url}/@outlet") as response:
            page = await response.text()
        async with server.http.get(f"{server.url}/media/{media}") as response:
            picture = await response.read()

        assert "SOLD OUT &lt;b&gt;" in page
        assert f'href="{LINK}"' in page
        assert 'alt="A &#34;red&#34; parka"' in page
        assert "2 Mar 2026, 12:03 UTC" in page
        assert ">edited<" in page
        assert "for friends" not in page
        assert Pillow.open(BytesIO(picture)).size == (640, 480)

    async def test_shows_one_post_at_its_address(self, server: Server) -> None:
        _, made = await post(server, status="Parka")
        await post(server, status="Boots")

        async with server.http.get(made["url"]) as response:
            page = await response.text()

        assert "Parka" in page
        assert "Boots" not in page

    @pytest.mark.parametrize("path", ["/@nobody", "/@outlet/7", "/media/7", "/other"])
    async def test_knows_what_is_not_there(self, server: Server, path: str) -> None:
        async with server.http.get(server.url + path) as response:
            assert response.status == 404

    async def test_an_empty_page_says_so(self, server: Server) -> None:
        async with server.http.get(f"{server.url}/@outlet") as response:
            assert "Nothing posted yet." in await response.text()
