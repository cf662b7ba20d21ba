"""Posting to a Facebook page.

A post with pictures is made in two steps: each picture is uploaded unpublished, then
the post is made of them. Without pictures the post shows its link as a card, whose
words Facebook reads from the page behind it. An answer is a comment of the page.

Facts: developers.facebook.com, "Posts" of the Pages API (feed, update, delete, comment,
permissions), "Page Photos" and "Photo uploads" (unpublished photos, ``attached_media``;
photos under 4 MB, PNG pixelated above 1 MB, so pictures go as JPEG), "Page Published
Posts"; names of parameters from Meta's own ``facebook-business-sdk-codegen``. Not
documented: how long a text may be (63,206 is what everybody knows), how many pictures a
post takes (10 is what others send), how long what they show may be told, and how posts
are looked for: pages of 100 are read until they are too old.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import aiohttp

from outletbot.channels import (
    Capabilities,
    ChannelError,
    Counting,
    Draft,
    Go,
    Image,
    ImageRules,
    Numbers,
    Published,
    Unconfirmed,
    at_once,
)
from outletbot.channels.calls import PATIENCE, NotThere, Patience, Unclear
from outletbot.channels.credentials import Credentials
from outletbot.channels.graph import Graph
from outletbot.channels.graph_counts import Views, count
from outletbot.channels.graph_text import holds, moment, utf16_length
from outletbot.channels.images import fit_image
from outletbot.clock import Clock

SKEW = timedelta(minutes=5)
PAGE = "100"
CAPABILITIES = Capabilities(
    max_length=63_206,
    counting=Counting.UTF16,
    images=ImageRules(
        most=10, max_bytes=4_000_000, max_alt_length=1000, formats=("image/jpeg",)
    ),
)
_FACTS = "id,message,created_time,permalink_url"
_COUNTS = (
    "reactions.summary(total_count).limit(0),"
    "comments.summary(total_count).limit(0),shares"
)


class Facebook:
    """One page. Its id is the credentials' *account_id*; a page's token knows it too.

    With the app's secret every call proves that it is the app that makes it.
    """

    name = "facebook"
    capabilities = CAPABILITIES

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        patience: Patience = PATIENCE,
        app_secret: str = "",
    ) -> None:
        self._graph = Graph(
            http,
            base_url,
            credentials.access_token,
            clock=clock,
            server="Facebook",
            patience=patience,
            app_secret=app_secret,
        )
        self._page = credentials.account_id
        self._views = Views(self._graph, "post_media_view")

    def length(self, text: str) -> int:
        return utf16_length(text)

    async def check(self) -> str:
        """Return the page's name, or its handle if it has one."""
        path = f"/{self._page or 'me'}"
        match await self._graph.read(path, fields="id,name,username"):
            case {"id": str(page), "username": str(username)}:
                handle = f"@{username}"
            case {"id": str(page), "name": str(name)}:
                handle = name
            case _:
                raise Unclear(path)
        self._page = page
        return handle

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        """Publish *draft*. Facebook knows no keys: a lost answer is looked for.

        An answer takes one picture.
        """
        if draft.answers:
            path, form = await self._as_comment(draft)
        else:
            path, form = await self._as_post(draft)
        await go()
        made = await self._graph.post_for_id(path, form, lost=Unconfirmed)
        return Published(made, await self._address(made))

    async def find(self, draft: Draft) -> Published | None:
        since = draft.since - SKEW
        found = self._comments(draft) if draft.answers else self._posts()
        async for thing, made_at in found:
            if made_at < since:
                return None
            match thing:
                case {"id": str(made), "message": str(text), "permalink_url": str(url)}:
                    if holds(text, draft.link):
                        return Published(made, url)
        return None

    async def edit(self, remote_id: str, draft: Draft) -> None:
        """Replace the text. Facebook lets an app edit only what it posted itself."""
        form = {"message": draft.text}
        await self._graph.post(f"/{remote_id}", form, lost=Unconfirmed)

    async def delete(self, remote_id: str) -> None:
        await self._graph.delete(f"/{remote_id}")

    async def measure(self, remote_ids: Sequence[str]) -> Mapping[str, Numbers]:
        numbers = {}
        for remote_id in remote_ids:
            try:
                counts = await self._graph.read(f"/{remote_id}", fields=_COUNTS)
            except NotThere:
                continue
            numbers[remote_id] = Numbers(
                likes=count(counts, "reactions", "summary", "total_count"),
                reposts=count(counts, "shares", "count"),
                replies=count(counts, "comments", "summary", "total_count"),
                views=await self._views.of(remote_id),
            )
        return numbers

    async def _as_post(self, draft: Draft) -> tuple[str, dict[str, str]]:
        page = await self._own_id()
        form = {"message": draft.text}
        photos = [await self._upload(page, image) for image in draft.images]
        for number, photo in enumerate(photos):
            form[f"attached_media[{number}]"] = json.dumps({"media_fbid": photo})
        if draft.link and not photos:
            form["link"] = draft.link
        return f"/{page}/feed", form

    async def _as_comment(self, draft: Draft) -> tuple[str, dict[str, str]]:
        form = {"message": draft.text}
        for image in draft.images[:1]:
            form["attachment_id"] = await self._upload(await self._own_id(), image)
        return f"/{draft.answers}/comments", form

    async def _upload(self, page: str, image: Image) -> str:
        """Give Facebook an image that nobody sees until a post is made of it."""
        fitted = await asyncio.to_thread(fit_image, image, self.capabilities.images)
        form = aiohttp.FormData({"published": "false", "alt_text_custom": fitted.alt})
        form.add_field(
            "source",
            BytesIO(fitted.content),
            filename="image.jpeg",
            content_type=fitted.content_type,
        )
        return await self._graph.post_for_id(f"/{page}/photos", form)

    async def _address(self, made: str) -> str:
        """Return where a post is; it is out, so that nothing may go wrong any more."""
        with suppress(ChannelError):
            match await self._graph.read(f"/{made}", fields="permalink_url"):
                case {"permalink_url": str(url)}:
                    return url
        return f"https://www.facebook.com/{made}"

    async def _posts(self) -> AsyncIterator[tuple[Any, datetime]]:
        path = f"/{await self._own_id()}/published_posts"
        async for post in self._graph.each(path, fields=_FACTS, limit=PAGE):
            yield post, _made_at(post, path)

    async def _comments(self, draft: Draft) -> AsyncIterator[tuple[Any, datetime]]:
        """Yield the page's own comments on a post: a reader may repeat its link."""
        page, path = await self._own_id(), f"/{draft.answers}/comments"
        order = {"order": "reverse_chronological", "filter": "toplevel"}
        facts = f"{_FACTS},from"
        async for comment in self._graph.each(path, fields=facts, limit=PAGE, **order):
            match comment:
                case {"from": {"id": str(author)}} if author == page:
                    yield comment, _made_at(comment, path)

    async def _own_id(self) -> str:
        if not self._page:
            await self.check()
        return self._page


def _made_at(thing: Any, path: str) -> datetime:
    try:
        return moment(thing["created_time"])
    except (KeyError, TypeError, ValueError) as error:
        raise Unclear(path) from error
