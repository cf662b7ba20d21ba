"""Posting to an account on X, by its API v2.

There is no idempotency: what comes near it is that X refuses a text that is out
already, and then the post is looked for by its link. X puts an address of its own in
the place of every link; what was written is among a post's entities. Cards X makes
itself of the page behind the first link, unless there are pictures.

Facts: docs.x.com and X's OpenAPI description (2.167). X is renaming its tweets: asked
for ``post.fields``, as described there, it was seen to answer in the new words
(``referenced_posts``, ``repost_count``), and else in the old; both are read. What a
field list does not know is left out without a word, so an answer is known by its
conversation too. Whether an account may answer its own posts on a self-serve plan is
nowhere stated (changelog of 2026-02-23); what X says to it is passed on.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import aiohttp

from outletbot.channels import (
    Draft,
    Go,
    Image,
    Numbers,
    Poll,
    Published,
    Rejected,
    TryLater,
    Unconfirmed,
    at_once,
)
from outletbot.channels.calls import PATIENCE, Calls, NotThere, Patience, Unclear
from outletbot.channels.credentials import Credentials
from outletbot.channels.images import fit_image
from outletbot.channels.x_api import judge_x
from outletbot.channels.x_limits import CAPABILITIES
from outletbot.channels.x_text import text_length
from outletbot.clock import Clock

# Their clock and ours may differ by this much; the link tells our posts apart anyway.
SKEW = timedelta(minutes=5)
PAGE = 100


class X:
    """One account. *clock* tells how far off the moments are that X names."""

    name = "x"
    capabilities = CAPABILITIES

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        patience: Patience = PATIENCE,
    ) -> None:
        token = credentials.access_token.strip()
        self._api = Calls(
            http,
            base_url,
            headers={"Authorization": f"Bearer {token}"},
            judge=judge_x,
            clock=clock,
            patience=patience,
            server="X",
        )
        self._patience = patience
        self._account_id = credentials.account_id
        self._site = site_of(base_url)

    def length(self, text: str) -> int:
        return text_length(text)

    async def check(self) -> str:
        path = "/2/users/me"
        match (await self._api.read(path)).content:
            case {"data": {"id": str(account_id), "username": str(handle)}}:
                self._account_id = account_id
                return f"@{handle}"
        raise Unclear(path)

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        """Publish *draft*; the same text is refused while it is out, whatever *key*.

        A post with a poll has no pictures there, and its text is the question.
        """
        images = () if draft.poll else draft.images
        media_ids = [await self._upload(image) for image in images]
        post: dict[str, object] = {"text": draft.text}
        if media_ids:
            post["media"] = {"media_ids": media_ids}
        if draft.answers:
            post["reply"] = {"in_reply_to_tweet_id": draft.answers}
        if draft.poll:
            post["poll"] = _poll(draft.poll)
        await go()
        return await self._post(post)

    async def find(self, draft: Draft) -> Published | None:
        async for post in self._own_posts(draft.since - SKEW):
            if draft.link in _links_of(post) and _answered_by(post) == draft.answers:
                return self._published(str(post["id"]))
        return None

    async def edit(self, remote_id: str, draft: Draft) -> None:
        msg = (
            "A post on X stays as it is: to change it would make another one. Answer"
            " it, or take it back."
        )
        raise Rejected(msg)

    async def delete(self, remote_id: str) -> None:
        path = f"/2/tweets/{remote_id}"
        try:
            answer = await self._api.call("DELETE", path, lost=Unconfirmed)
        except NotThere:
            return
        match answer.content:
            case {"data": {"deleted": True}}:
                return
        raise Unclear(path)

    async def measure(self, remote_ids: Sequence[str]) -> Mapping[str, Numbers]:
        numbers = {}
        for start in range(0, len(remote_ids), PAGE):
            ids = ",".join(remote_ids[start : start + PAGE])
            params = {"ids": ids, "post.fields": "public_metrics"}
            content = (await self._api.read("/2/tweets", params)).content
            for post in _listed(content, "/2/tweets"):
                numbers[str(post["id"])] = _numbers(post.get("public_metrics"))
        return numbers

    async def _post(self, post: Mapping[str, object]) -> Published:
        answer = await self._api.call(
            "POST", "/2/tweets", lost=Unconfirmed, broken=Unconfirmed, json=post
        )
        match answer.content:
            case {"data": {"id": str(remote_id)}}:
                return self._published(remote_id)
        msg = "X answered the post with something else."
        raise Unconfirmed(msg)

    async def _upload(self, image: Image) -> str:
        """Give X an image and return its id there, once it can be used.

        Nobody sees an image without its post, so that losing one does no harm.
        """
        fitted = await asyncio.to_thread(fit_image, image, self.capabilities.images)
        form = aiohttp.FormData()
        form.add_field("media_category", "tweet_image")
        form.add_field(
            "media",
            BytesIO(fitted.content),
            filename=f"image.{fitted.content_type.partition('/')[2]}",
            content_type=fitted.content_type,
        )
        path = "/2/media/upload"
        answer = await self._api.call("POST", path, lost=TryLater, data=form)
        media_id = await self._ready(answer.content, path)
        if fitted.alt:
            await self._describe(media_id, fitted.alt)
        return media_id

    async def _describe(self, media_id: str, alt: str) -> None:
        about = {"id": media_id, "metadata": {"alt_text": {"text": alt}}}
        path = "/2/media/metadata"
        await self._api.call("POST", path, lost=TryLater, json=about)

    async def _ready(self, content: Any, path: str) -> str:
        """Return the id of an image that X has taken, once it is done with it."""
        try:
            async with asyncio.timeout(self._patience.picture.total_seconds()):
                while (media_id := _usable(content, path)) is None:
                    await asyncio.sleep(self._patience.glance.total_seconds())
                    params = {"media_id": content["data"]["id"], "command": "STATUS"}
                    content = (await self._api.read(path, params)).content
        except TimeoutError as error:
            msg = "X is still working on the picture."
            raise TryLater(msg) from error
        return media_id

    async def _own_posts(self, since: datetime) -> AsyncIterator[Any]:
        """Yield our posts and answers made *since*, newest first."""
        path = f"/2/users/{await self._own_id()}/tweets"
        params = {
            "max_results": str(PAGE),
            "start_time": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "exclude": "retweets",
            "post.fields": "conversation_id,created_at,entities",
            "expansions": "referenced_posts",
        }
        while True:
            content = (await self._api.read(path, params)).content
            for post in _listed(content, path):
                yield post
            match content:
                case {"meta": {"next_token": str(token)}}:
                    params["pagination_token"] = token
                case {"meta": dict()}:
                    return
                case _:  # nothing but errors is no empty page
                    raise Unclear(path)

    async def _own_id(self) -> str:
        if not self._account_id:
            await self.check()
        return self._account_id

    def _published(self, remote_id: str) -> Published:
        return Published(remote_id, f"{self._site}/i/status/{remote_id}")


def site_of(base_url: str) -> str:
    """Return where people see what an API holds: x.com for api.x.com."""
    return base_url.rstrip("/").replace("://api.", "://", 1)


def _usable(content: Any, path: str) -> str | None:
    """Return the id of an uploaded image, or None while X still works on it."""
    match content:
        case {"data": {"id": str(), "processing_info": {"state": "failed"}}}:
            msg = "X cannot use the picture. Please upload it again as JPEG or PNG."
            raise Rejected(msg)
        case {
            "data": {
                "id": str(),
                "processing_info": {"state": "pending" | "in_progress"},
            }
        }:
            return None
        case {"data": {"id": str(media_id)}}:
            return media_id
    raise Unclear(path)


def _listed(content: Any, path: str) -> list[dict[str, Any]]:
    """Return the posts in an answer; an empty list is not sent at all."""
    posts = content.get("data", []) if isinstance(content, dict) else None
    if isinstance(posts, list) and all(
        isinstance(post, dict) and "id" in post for post in posts
    ):
        return posts
    raise Unclear(path)


def _links_of(post: Mapping[str, Any]) -> set[str]:
    """Return what a post links to; what X takes for no address stays in its text."""
    links = set(str(post.get("text", "")).split())
    match post:
        case {"entities": {"urls": [*urls]}}:
            links |= {str(url["expanded_url"]) for url in urls if "expanded_url" in url}
    return links


def _answered_by(post: Mapping[str, Any]) -> str:
    """Return the id of the post that *post* answers, or empty."""
    references = post.get("referenced_posts") or post.get("referenced_tweets") or []
    for reference in references:
        match reference:
            case {"type": "replied_to", "id": str(answered)}:
                return answered
    conversation = str(post.get("conversation_id", post["id"]))
    return "" if conversation == post["id"] else conversation


def _poll(poll: Poll) -> dict[str, object]:
    minutes = int(poll.duration.total_seconds()) // 60
    return {"options": list(poll.options), "duration_minutes": minutes}


def _numbers(metrics: Any) -> Numbers:
    def count(*names: str) -> int | None:
        known = metrics if isinstance(metrics, dict) else {}
        values = [known[name] for name in names if isinstance(known.get(name), int)]
        return values[0] if values else None

    return Numbers(
        likes=count("like_count"),
        reposts=count("repost_count", "retweet_count"),
        replies=count("reply_count"),
        views=count("impression_count"),
    )
