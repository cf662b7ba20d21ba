"""
The X sandbox itself: its rules, its words, and tweepy, a client that we did not write.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import tweepy
import tweepy.asynchronous
from aiohttp.test_utils import unused_port
from PIL import Image as Pillow

from outletbot.sandbox.faults import Fault
from outletbot.sandbox.x import CLIENT_ID, CLIENT_SECRET
from outletbot.sandbox.x_rules import weighted_length
from outletbot.sandbox.x_state import Wish
from tests.outletbot.channels.contract import LINK, NOON
from tests.outletbot.x_server import FAN, OUTLET, REFRESH, TOKEN, XWorld, x_world

CONSENT = {
    "response_type": "code",
    "client_id": CLIENT_ID,
    "redirect_uri": "https://outlet.example.com/back?a=b",
    "scope": "tweet.read users.read",
    "state": "a-state",
    "code_challenge": "a-challenge",
    "code_challenge_method": "S256",
}


@pytest.fixture
async def world() -> AsyncIterator[XWorld]:
    async with x_world() as world:
        yield world


@dataclass
class Redirected:
    """A session that finds X where the sandbox is: tweepy knows one address only."""

    http: aiohttp.ClientSession
    url: str

    def request(self, method: str, url: Any, **more: Any) -> Any:
        here = str(url).replace("https://api.twitter.com", self.url)
        return self.http.request(method, here, **more)


@pytest.fixture
def client(world: XWorld) -> tweepy.asynchronous.AsyncClient:
    return tweepy_for(world, TOKEN)


def tweepy_for(world: XWorld, token: str) -> tweepy.asynchronous.AsyncClient:
    client = tweepy.asynchronous.AsyncClient(token)
    client.session = Redirected(world.http, world.url)
    return client


async def ask(
    world: XWorld, method: str, path: str, *, token: str = TOKEN, **more: Any
) -> tuple[int, Any, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with world.http.request(
        method, world.url + path, headers=headers, **more
    ) as answer:
        return answer.status, await answer.json(content_type=None), answer.headers


class TestTweepy:
    async def test_lives_through_a_post(
        self, world: XWorld, client: tweepy.asynchronous.AsyncClient
    ) -> None:
        me = (await client.get_me(user_auth=False)).data
        assert (me.username, str(me.id)) == ("outlet", OUTLET.id)

        text = f"Parka\n{LINK}"
        made = (await client.create_tweet(text=text, user_auth=False)).data
        answer = await client.create_tweet(
            text="Sold out!", in_reply_to_tweet_id=made["id"], user_auth=False
        )
        fields = ["entities", "created_at", "referenced_tweets", "public_metrics"]
        page = await client.get_users_tweets(me.id, tweet_fields=fields)
        below, post = page.data
        assert str(below.id) == answer.data["id"]
        assert [(one.type, str(one.id)) for one in below.referenced_tweets] == [
            ("replied_to", made["id"])
        ]
        assert post.text.startswith("Parka\nhttps://t.co/")
        (url,) = post.entities["urls"]
        assert post.text[url["start"] : url["end"]] == url["url"]
        assert url["expanded_url"] == LINK
        assert post.created_at == NOON
        assert post.public_metrics["reply_count"] == 1
        assert post.public_metrics["retweet_count"] == 0

        deleted = await client.delete_tweet(made["id"], user_auth=False)
        assert deleted.data == {"deleted": True}
        gone = await client.get_tweets([made["id"], answer.data["id"]])
        assert [str(one.id) for one in gone.data] == [answer.data["id"]]
        assert [one["resource_id"] for one in gone.errors] == [made["id"]]
        with pytest.raises(tweepy.NotFound):
            await client.delete_tweet(made["id"], user_auth=False)

    async def test_pages_through_a_timeline(
        self, world: XWorld, client: tweepy.asynchronous.AsyncClient
    ) -> None:
        for number in range(12):
            world.sandbox.create_post(OUTLET, Wish(f"Parka {number}"))
            world.clock.advance(timedelta(minutes=1))

        first = await client.get_users_tweets(OUTLET.id, max_results=5)
        token = first.meta["next_token"]
        second = await client.get_users_tweets(
            OUTLET.id, max_results=5, pagination_token=token
        )
        since = NOON + timedelta(minutes=10)
        last = await client.get_users_tweets(OUTLET.id, start_time=since)

        assert [one.text for one in first.data][::4] == ["Parka 11", "Parka 7"]
        assert [one.text for one in second.data][::4] == ["Parka 6", "Parka 2"]
        assert [one.text for one in last.data] == ["Parka 11", "Parka 10"]
        assert (await client.get_users_tweets(FAN.id)).data is None

    async def test_replies_can_be_left_out(
        self, world: XWorld, client: tweepy.asynchronous.AsyncClient
    ) -> None:
        post = world.sandbox.create_post(OUTLET, Wish("Parka"))
        world.sandbox.create_post(OUTLET, Wish("Sold out", answers=post["id"]))

        page = await client.get_users_tweets(OUTLET.id, exclude=["replies"])

        assert [one.text for one in page.data] == ["Parka"]

    async def test_makes_a_poll(
        self, world: XWorld, client: tweepy.asynchronous.AsyncClient
    ) -> None:
        await client.create_tweet(
            text="Which?",
            poll_options=["Parka", "Boots"],
            poll_duration_minutes=60,
            user_auth=False,
        )

        assert world.posts()[0]["options"] == ["Parka", "Boots"]

    async def test_hears_of_refusals(self, world: XWorld) -> None:
        client = tweepy_for(world, TOKEN)
        with pytest.raises(tweepy.Forbidden, match="too long"):
            await client.create_tweet(text="x" * 281, user_auth=False)
        await client.create_tweet(text="Parka", user_auth=False)
        with pytest.raises(tweepy.Forbidden, match="duplicate content"):
            await client.create_tweet(text="Parka", user_auth=False)
        with pytest.raises(tweepy.BadRequest, match="must be between 5 and 100"):
            await client.get_users_tweets(OUTLET.id, max_results=4)
        with pytest.raises(tweepy.Unauthorized):
            await tweepy_for(world, "wrong").get_me(user_auth=False)
        world.faults.next("POST /2/tweets", Fault.TOO_MANY, Fault.ERROR_BEFORE)
        with pytest.raises(tweepy.TooManyRequests) as caught:
            await client.create_tweet(text="Boots", user_auth=False)
        reset = int(caught.value.response.headers["x-rate-limit-reset"])
        assert NOON.timestamp() < reset <= NOON.timestamp() + 900
        with pytest.raises(tweepy.TwitterServerError):
            await client.create_tweet(text="Boots", user_auth=False)


class TestWords:
    async def test_posts_and_tweets_are_two_vocabularies(self, world: XWorld) -> None:
        post = world.sandbox.create_post(OUTLET, Wish("Parka"))
        wish = Wish("Sold out", answers=post["id"])
        answer_id = world.sandbox.create_post(OUTLET, wish)["id"]
        path = f"/2/tweets?ids={answer_id}"

        async def asked(query: str) -> dict[str, Any]:
            _, content, _ = await ask(world, "GET", f"{path}&{query}")
            return content["data"][0]

        reference = [{"type": "replied_to", "id": post["id"]}]
        bare = {"id": answer_id, "text": "Sold out"}
        assert await asked("") == bare | {"edit_history_tweet_ids": [answer_id]}
        assert (await asked("tweet.fields=referenced_tweets"))[
            "referenced_tweets"
        ] == reference
        new = await asked("post.fields=public_metrics&expansions=referenced_posts")
        assert new["referenced_posts"] == reference
        assert new["public_metrics"]["repost_count"] == 0
        silent = await asked("post.fields=referenced_posts,odd")
        assert silent == bare | {"edit_history_post_ids": [answer_id]}

    @pytest.mark.parametrize(
        ("method", "path", "more", "said"),
        [
            ("GET", "/2/tweets", {}, "size must be between 1 and 100"),
            ("GET", "/2/tweets?ids=a", {}, "size must be between 1 and 100"),
            (
                "GET",
                f"/2/users/{OUTLET.id}/tweets?pagination_token=%21",
                {},
                "is not a valid token",
            ),
            (
                "GET",
                f"/2/users/{OUTLET.id}/tweets?max_results=x",
                {},
                "must be between 5 and 100",
            ),
            ("POST", "/2/tweets", {"data": "{"}, "is not valid JSON"),
            ("POST", "/2/tweets", {"json": []}, "is not an object"),
            ("POST", "/2/tweets", {"json": {}}, "text or media is required"),
            ("POST", "/2/tweets", {"json": {"texts": ""}}, "unexpected properties"),
            (
                "POST",
                "/2/tweets",
                {"json": {"text": "a", "reply": "b"}},
                "is not what is documented",
            ),
            (
                "POST",
                "/2/tweets",
                {"json": {"text": "a", "media": {"media_ids": ["1"]}}},
                "Your media IDs are invalid.",
            ),
            (
                "POST",
                "/2/tweets",
                {
                    "json": {
                        "text": "a",
                        "media": {"media_ids": ["1"]},
                        "poll": {"options": ["a", "b"], "duration_minutes": 5},
                    }
                },
                "mutually exclusive",
            ),
            ("POST", "/2/media/upload", {"data": {"media": "a"}}, "media is required"),
            (
                "POST",
                "/2/media/metadata",
                {"json": {"id": "1"}},
                "alt_text is required",
            ),
            (
                "POST",
                "/2/media/metadata",
                {"json": {"id": "1", "metadata": {"alt_text": {"text": "x" * 1001}}}},
                "length must be at most 1000",
            ),
        ],
    )
    async def test_refuses_what_is_not_documented(
        self, world: XWorld, method: str, path: str, more: dict[str, Any], said: str
    ) -> None:
        status, content, _ = await ask(world, method, path, **more)

        assert status == 400
        assert content["type"].endswith("/invalid-request")
        assert said in content["errors"][0]["message"]

    async def test_no_such_call(self, world: XWorld) -> None:
        status, content, _ = await ask(world, "GET", "/2/odd")

        assert (status, content["title"]) == (404, "Not Found")

    async def test_an_answer_to_nothing(self, world: XWorld) -> None:
        post = {"text": "a", "reply": {"in_reply_to_tweet_id": "x"}}
        status, content, _ = await ask(world, "POST", "/2/tweets", json=post)

        assert (status, content["detail"]) == (403, "in_reply_to_tweet_id")

    @pytest.mark.parametrize(
        ("text", "length"),
        [
            ("Parka", 5),
            (f"Parka {LINK}", 29),
            (f"({LINK}).", 26),
            ("売り切れ", 8),
            ("👨‍👩‍👧‍👦🇩🇪👍🏽1️⃣❤️", 10),
            ("e\u0301…", 3),
        ],
    )
    def test_counts_by_weight(self, text: str, length: int) -> None:
        assert weighted_length(text) == length


class TestPictures:
    def form(self, content: bytes, category: str = "tweet_image") -> aiohttp.FormData:
        form = aiohttp.FormData()
        form.add_field("media_category", category)
        form.add_field("media", BytesIO(content), filename="a.png")
        return form

    def png(self, name: str = "PNG") -> bytes:
        buffer = BytesIO()
        Pillow.new("RGB", (8, 8)).save(buffer, name)
        return buffer.getvalue()

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"no picture", "Your media IDs are invalid."),
            (b"x" * (5 * 1024 * 1024 + 1), "File size exceeds"),
        ],
    )
    async def test_what_is_none_or_too_heavy(
        self, world: XWorld, content: bytes, said: str
    ) -> None:
        form = self.form(content)
        status, answer, _ = await ask(world, "POST", "/2/media/upload", data=form)

        assert status == 400
        assert said in answer["errors"][0]["message"]

    async def test_a_bitmap_or_a_video_is_not_taken(self, world: XWorld) -> None:
        for form in (self.form(self.png("BMP")), self.form(self.png(), "tweet_video")):
            status, _, _ = await ask(world, "POST", "/2/media/upload", data=form)
            assert status == 400

    async def test_is_seen_until_it_is_a_day_old(self, world: XWorld) -> None:
        form = self.form(self.png())
        _, answer, _ = await ask(world, "POST", "/2/media/upload", data=form)
        media_id = answer["data"]["id"]
        assert answer["data"]["media_key"] == f"3_{media_id}"
        async with world.http.get(f"{world.url}/media/{media_id}") as seen:
            assert await seen.read() == self.png()

        world.clock.advance(timedelta(days=1))
        post = {"text": "a", "media": {"media_ids": [media_id]}}
        status, _, _ = await ask(world, "POST", "/2/tweets", json=post)
        assert status == 400

    async def test_nobody_else_may_use_it(self, world: XWorld) -> None:
        media = world.sandbox.upload(OUTLET, self.png())
        post = {"text": "a", "media": {"media_ids": [media["id"]]}}

        status, _, _ = await ask(
            world, "POST", "/2/tweets", json=post, token=FAN.access_token
        )

        assert status == 400

    async def test_cannot_be_posted_before_it_is_ready(self) -> None:
        async with x_world(looks_until_ready=1) as world:
            media = world.sandbox.upload(OUTLET, self.png())
            post = {"text": "a", "media": {"media_ids": [media["id"]]}}

            status, _, _ = await ask(world, "POST", "/2/tweets", json=post)
            assert status == 400

            path = f"/2/media/upload?media_id={media['id']}"
            _, answer, _ = await ask(world, "GET", path)
            assert "processing_info" not in answer["data"]
            status, _, _ = await ask(world, "POST", "/2/tweets", json=post)
            assert status == 201


class TestRates:
    async def test_says_what_is_left(self, world: XWorld) -> None:
        _, _, headers = await ask(world, "POST", "/2/tweets", json={"text": "a"})

        left = {
            name: headers[f"x-rate-limit-{name}"] for name in ("limit", "remaining")
        }
        assert left == {"limit": "100", "remaining": "99"}
        assert headers["x-rate-limit-reset"] == str(int(NOON.timestamp()) + 900)
        assert headers["x-app-limit-24hour-limit"] == "10000"
        assert headers["x-app-limit-24hour-remaining"] == "9999"

    async def test_each_account_has_its_own(self, world: XWorld) -> None:
        for _ in range(75):
            await ask(world, "GET", "/2/users/me")

        status, content, _ = await ask(world, "GET", "/2/users/me")
        assert (status, content["title"]) == (429, "Too Many Requests")
        status, _, _ = await ask(world, "GET", "/2/users/me", token=FAN.access_token)
        assert status == 200


class TestConsent:
    @pytest.mark.parametrize(
        "change",
        [
            {"client_id": "another"},
            {"response_type": "token"},
            {"code_challenge_method": "plain"},
            {"scope": "tweet.read everything"},
        ],
    )
    async def test_an_app_that_asks_wrongly_is_sent_nowhere(
        self, world: XWorld, change: dict[str, str]
    ) -> None:
        url = f"{world.url}/i/oauth2/authorize"

        async with world.http.get(url, params=CONSENT | change) as page:
            assert page.status == 400
        async with world.http.post(
            url, params=CONSENT | change, data={}, allow_redirects=False
        ) as page:
            assert page.status == 400

    async def test_only_accounts_that_there_are_can_allow(self, world: XWorld) -> None:
        url = f"{world.url}/i/oauth2/authorize"

        async with world.http.post(
            url, params=CONSENT, data={"account": "1"}, allow_redirects=False
        ) as page:
            assert page.status == 400
        async with world.http.post(
            url, params=CONSENT, data={"account": FAN.id}, allow_redirects=False
        ) as page:
            assert page.headers["Location"].startswith(
                "https://outlet.example.com/back?a=b&state=a-state&code="
            )

    async def test_a_token_needs_a_grant(self, world: XWorld) -> None:
        name = aiohttp.encode_basic_auth(CLIENT_ID, CLIENT_SECRET)
        async with world.http.post(
            f"{world.url}/2/oauth2/token",
            headers={"Authorization": name},
            data={"grant_type": "password"},
        ) as answer:
            assert answer.status == 400
            assert (await answer.json())["error"] == "invalid_request"


class TestPeople:
    async def test_see_posts_with_what_answers_them(self, world: XWorld) -> None:
        channel = world.channel()
        media = world.sandbox.upload(OUTLET, TestPictures().png())
        world.sandbox.describe(OUTLET, media["id"], "A red parka")
        post = world.sandbox.create_post(
            OUTLET, Wish(f"Parka {LINK}", media_ids=(media["id"],))
        )
        world.sandbox.create_post(OUTLET, Wish("Sold out", answers=post["id"]))
        world.sandbox.create_post(OUTLET, Wish("Which?", options=("A", "B"), minutes=5))
        assert await channel.check() == "@outlet"

        async with world.http.get(f"{world.url}/@outlet") as page:
            text = await page.text()

        assert f"/media/{media['id']}" in text
        assert "ALT: A red parka" in text
        assert text.count("Sold out") == 1
        assert "poll: A / B" in text

    @pytest.mark.parametrize("path", ["/@nobody", "/i/status/1", "/media/1"])
    async def test_see_nothing_where_nothing_is(self, world: XWorld, path: str) -> None:
        async with world.http.get(world.url + path) as page:
            assert page.status == 404


async def test_goes_on_after_a_restart(tmp_path: Path) -> None:
    port, path = unused_port(), tmp_path / "x.db"
    async with x_world(port=port, state_path=path) as world:
        post = world.sandbox.create_post(OUTLET, Wish(f"Parka {LINK}"))
        renewed = world.sandbox.grants.renew(REFRESH)
        assert renewed is not None

    async with x_world(port=port, state_path=path) as world:
        assert [one["id"] for one in world.posts()] == [post["id"]]
        assert world.sandbox.grants.renew(REFRESH) is None
        assert await world.channel(token=renewed["access_token"]).check() == "@outlet"
        newer = world.sandbox.create_post(OUTLET, Wish("Boots"))
        assert int(newer["id"]) > int(post["id"])


def test_an_account_shows_no_token() -> None:
    assert TOKEN not in repr(replace(OUTLET, handle="other"))
    assert REFRESH not in repr(OUTLET)
