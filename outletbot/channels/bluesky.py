"""Posting to a Bluesky account, at Bluesky or at any other server of its protocol.

A post is a record whose name we choose, from its key. Writing it again is the same
record again, and with the same content not even a change: so publishing may be repeated
for ever. What a text links to, and the box that shows a link, is for us to say.

Facts: the lexicons com.atproto.repo.* and app.bsky.feed.getPosts; that an identical
record makes no commit, even with its pictures uploaded anew, and that posts are listed
by their names, newest first, as @atproto/pds 0.5.35 answers. Editing is no part of
Bluesky: a record may be written over, but its readers are not shown it reliably.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from outletbot.channels import (
    Disowned,
    Draft,
    Go,
    Numbers,
    Published,
    Rejected,
    TryLater,
    Unconfirmed,
    at_once,
)
from outletbot.channels.bluesky_api import judge_bluesky, not_active
from outletbot.channels.bluesky_keys import first_key, record_key
from outletbot.channels.bluesky_records import (
    ADDRESS,
    CAPABILITIES,
    POST,
    REPO,
    Records,
    address_of,
    answered_by,
)
from outletbot.channels.bluesky_text import links_of, text_length
from outletbot.channels.calls import PATIENCE, Calls, Patience, Unclear
from outletbot.channels.credentials import Credentials
from outletbot.clock import Clock

APP_URL = "https://bsky.app"
# Their clock and ours may differ by this much; the link tells our posts apart anyway.
SKEW = timedelta(minutes=5)
PAGE = 100
AT_ONCE = 25


class Bluesky:
    """One account. *app_url* is where people see its posts."""

    name = "bluesky"
    capabilities = CAPABILITIES

    def __init__(
        self,
        http: aiohttp.ClientSession,
        base_url: str,
        credentials: Credentials,
        *,
        clock: Clock,
        patience: Patience = PATIENCE,
        app_url: str = APP_URL,
    ) -> None:
        token = credentials.access_token.strip()
        self._api = Calls(
            http,
            base_url,
            headers={"Authorization": f"Bearer {token}"},
            judge=judge_bluesky,
            clock=clock,
            patience=patience,
        )
        self._records = Records(self._api)
        self._did = credentials.account_id
        self._app_url = app_url.rstrip("/")

    def length(self, text: str) -> int:
        return text_length(text)

    async def check(self) -> str:
        """Return the account's handle."""
        path = "/xrpc/com.atproto.server.getSession"
        match (await self._api.read(path)).content:
            case {"handle": str(handle), "active": False}:
                raise Disowned(not_active(handle))
            case {"did": str(did), "handle": str(handle)}:
                self._did = did
                return f"@{handle}"
        raise Unclear(path)

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        """Publish *draft*; the same *key* gives one post, however often and late.

        What differs from the last time replaces it.
        """
        write = {
            "repo": await self._own_did(),
            "collection": POST,
            "rkey": record_key(draft.since, key),
            "validate": True,
            "record": await self._records.make(draft),
        }
        await go()
        answer = await self._api.call(
            "POST",
            f"{REPO}.putRecord",
            lost=Unconfirmed,
            broken=Unconfirmed,
            json=write,
        )
        match answer.content:
            case {"uri": str(uri)} if address := ADDRESS.fullmatch(uri):
                return self._published(address)
        msg = "The server answered the post with something else."
        raise Unconfirmed(msg)

    async def find(self, draft: Draft) -> Published | None:
        async for address, record in self._own_posts(draft.since - SKEW):
            if draft.link in links_of(record) and answered_by(record) == draft.answers:
                return self._published(address)
        return None

    async def edit(self, remote_id: str, draft: Draft) -> None:
        """Refuse: nothing on Bluesky is edited."""
        msg = (
            "Posts on Bluesky cannot be edited. Answer the post, or delete it and post"
            " again."
        )
        raise Rejected(msg)

    async def delete(self, remote_id: str) -> None:
        """Take a post of ours back; the server says the same if it is gone already."""
        address = address_of(remote_id)
        if address["did"] != await self._own_did():
            msg = f"{remote_id} was posted by another account: connect that one again."
            raise Rejected(msg)
        write = {
            "repo": address["did"],
            "collection": POST,
            "rkey": address["rkey"],
        }
        await self._api.call(
            "POST", f"{REPO}.deleteRecord", lost=Unconfirmed, json=write
        )

    async def measure(self, remote_ids: Sequence[str]) -> Mapping[str, Numbers]:
        """Return how our posts do, as far as Bluesky has taken note of them."""
        numbers: dict[str, Numbers] = {}
        for start in range(0, len(remote_ids), AT_ONCE):
            numbers |= await self._measure(remote_ids[start : start + AT_ONCE])
        return numbers

    async def _own_posts(
        self, since: datetime
    ) -> AsyncIterator[tuple[re.Match[str], Any]]:
        """Yield the addresses and records of our posts, newest first, from *since* on.

        They come sorted by their names, which sort as the times they stand for.
        """
        params = {
            "repo": await self._own_did(),
            "collection": POST,
            "limit": str(PAGE),
        }
        cursor: str | None = ""
        while cursor is not None:
            page, cursor = await self._read_page(params)
            for address, record in page:
                if address["rkey"] < first_key(since):
                    return
                yield address, record
            if cursor == params.get("cursor"):
                return  # this server does not page
            params["cursor"] = cursor or ""

    async def _read_page(
        self, params: Mapping[str, str]
    ) -> tuple[list[tuple[re.Match[str], Any]], str | None]:
        path = f"{REPO}.listRecords"
        content = (await self._api.read(path, params)).content
        try:
            page = [
                (address_of(one["uri"]), one["value"]) for one in content["records"]
            ]
        except (KeyError, TypeError, Rejected) as error:
            raise Unclear(path) from error
        cursor = content.get("cursor")
        return page, cursor if isinstance(cursor, str) else None

    async def _measure(self, uris: Sequence[str]) -> Mapping[str, Numbers]:
        path = "/xrpc/app.bsky.feed.getPosts"
        params = [("uris", uri) for uri in uris]
        answer = await self._api.call("GET", path, lost=TryLater, params=params)
        match answer.content:
            case {"posts": list(posts)}:
                return {
                    post["uri"]: _numbers(post)
                    for post in posts
                    if isinstance(post, dict) and post.get("uri") in uris
                }
        raise Unclear(path)

    async def _own_did(self) -> str:
        if not self._did:
            await self.check()
        return self._did

    def _published(self, address: re.Match[str]) -> Published:
        url = f"{self._app_url}/profile/{address['did']}/post/{address['rkey']}"
        return Published(address[0], url)


def _numbers(post: Mapping[str, Any]) -> Numbers:
    def count(name: str) -> int | None:
        value = post.get(name)
        return value if isinstance(value, int) else None

    return Numbers(
        likes=count("likeCount"),
        reposts=count("repostCount"),
        replies=count("replyCount"),
    )
