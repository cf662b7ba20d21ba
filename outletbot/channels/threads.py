"""Posting to a Threads profile.

A post is made in two steps: a container, which has to be finished, and its publication.
A container can be published once, so that the same *key* publishes the same one as
long as this channel remembers it; another channel makes another one. Threads fetches
pictures itself. The link of a text is shown as a card by itself, or because it is
attached. What is posted cannot be edited. A poll has no question but the text, and no
duration: Threads closes it after a day.

Facts: developers.facebook.com/docs/threads, "Posts", "Polls", "Publishing" (500
characters, alt text of 1,000, 5 links, containers that last a day), "Overview" (250
posts in 24 hours, 1,000 answers), "Delete Posts" (100 a day), "Retrieve Media" (answers
are not among the posts; pages have cursors), "Replies and Conversations", "Insights",
"Media" (JPEG or PNG, 8 MB, up to 10:1 and 1440 wide, 20 of them). Not there but
reported: 24/4279009 for a container that Threads has not got hold of yet, the token in
a header, and how long a poll lasts.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from outletbot.channels import (
    Ability,
    Capabilities,
    ChannelError,
    Counting,
    Draft,
    Go,
    ImageRules,
    Limited,
    Numbers,
    PollRules,
    Published,
    Rate,
    Rejected,
    TryLater,
    Unconfirmed,
    at_once,
)
from outletbot.channels.calls import PATIENCE, NotThere, Patience, Unclear
from outletbot.channels.credentials import Credentials
from outletbot.channels.graph import PAUSE, Graph
from outletbot.channels.graph_text import holds, moment
from outletbot.channels.threads_api import (
    SERVER,
    VERSION,
    judge_threads,
    read_numbers,
)
from outletbot.channels.threads_containers import Containers
from outletbot.channels.threads_text import MAX_LENGTH, text_length
from outletbot.clock import Clock

SKEW = timedelta(minutes=5)
PAGE = "100"
POLL_LASTS = timedelta(days=1)
METRICS = "views,likes,replies,reposts,quotes"

CAPABILITIES = Capabilities(
    max_length=MAX_LENGTH,
    counting=Counting.EMOJI_BYTES,
    images=ImageRules(
        most=20,
        max_bytes=8_000_000,
        max_alt_length=1000,
        max_side=1440,
        min_shape=1 / 10,
        max_shape=10,
        by_address=True,
    ),
    abilities=frozenset(Ability) - {Ability.EDIT},
    posts=(Rate(250, timedelta(days=1)),),
    deletes=(Rate(100, timedelta(days=1)),),
    poll=PollRules(2, 4, 25, POLL_LASTS, POLL_LASTS),
)


class Threads:
    """One profile, whose long-lived token the credentials hold."""

    name = "threads"
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
        self._graph = Graph(
            http,
            base_url.rstrip("/") + VERSION,
            credentials.access_token,
            clock=clock,
            server=SERVER,
            patience=patience,
            judge=judge_threads,
        )
        self._containers = Containers(self._graph, CAPABILITIES.images, patience)
        self._username = ""
        self._made: dict[str, str] = {}

    def length(self, text: str) -> int:
        return text_length(text)

    async def check(self) -> str:
        """Return the profile's handle."""
        match await self._graph.read("/me", fields="id,username"):
            case {"username": str(username)}:
                self._username = username
                return f"@{username}"
        path = "/me"
        raise Unclear(path)

    async def publish(self, draft: Draft, *, key: str, go: Go = at_once) -> Published:
        """Publish *draft*, once for the same *key* on this channel.

        Raises:
            Rejected: If a picture has no public address, or does not fit.
        """
        state = await self._state_of(key)
        if state == "PUBLISHED":
            return await self._find_published(draft)
        if state != "FINISHED":
            await self._heed_quota(answering=bool(draft.answers))
            self._made[key] = await self._containers.make(draft)
        await go()
        made = await self._publish(self._made[key])
        return Published(made, await self._address(made))

    async def find(self, draft: Draft) -> Published | None:
        path, facts = "/me/threads", "id,text,permalink,timestamp,link_attachment_url"
        author = ""
        if draft.answers:
            author = await self._own_name()
            path = f"/{draft.answers}/replies"
            facts = "id,text,permalink,timestamp,username"
        with suppress(NotThere):
            async for post, made_at in self._each(path, facts):
                if made_at < draft.since - SKEW:
                    return None
                if _is_it(post, draft, author):
                    return Published(str(post["id"]), str(post.get("permalink") or ""))
        return None

    async def edit(self, remote_id: str, draft: Draft) -> None:
        msg = "A post on Threads stays as it is: delete it, or answer it."
        raise Rejected(msg)

    async def delete(self, remote_id: str) -> None:
        await self._graph.delete(f"/{remote_id}")

    async def measure(self, remote_ids: Sequence[str]) -> Mapping[str, Numbers]:
        """Return how our posts do; a quote counts as a repost."""
        numbers = {}
        for remote_id in remote_ids:
            path = f"/{remote_id}/insights"
            with suppress(NotThere):
                told = await self._graph.read(path, metric=METRICS)
                numbers[remote_id] = read_numbers(told, path)
        return numbers

    async def _state_of(self, key: str) -> str:
        """Return what became of the container that was made for *key*, if any was."""
        with suppress(NotThere):
            if container := self._made.get(key):
                return await self._containers.state_of(container)
        return ""

    async def _publish(self, container: str) -> str:
        """Make the call after which the post is out, if it got there at all."""
        form = {"creation_id": container}
        try:
            return await self._graph.post_for_id(
                "/me/threads_publish", form, lost=Unconfirmed
            )
        except NotThere as error:
            msg = "Threads has not got hold of the post yet."
            raise TryLater(msg) from error

    async def _find_published(self, draft: Draft) -> Published:
        found = await self.find(draft)
        if found is None:
            msg = "Threads has published the post, but does not show it yet."
            raise Unconfirmed(msg)
        return found

    async def _heed_quota(self, *, answering: bool) -> None:
        """Begin nothing that could not be published; what is not told is not heeded."""
        kind = "reply_" if answering else ""
        usage, config = f"{kind}quota_usage", f"{kind}config"
        fields = f"{usage},{config}"
        told = await self._graph.read("/me/threads_publishing_limit", fields=fields)
        match told:
            case {"data": [{**quota}, *_]}:
                used, limits = quota.get(usage), quota.get(config)
            case _:
                return
        match used, limits:
            case int(), {"quota_total": int(total)} if used >= total:
                msg = (
                    f"Threads takes {total} {'answers' if answering else 'posts'} in 24"
                    f" hours, and {used} were posted. It goes out as soon as there is"
                    " room."
                )
                raise Limited(msg, after=PAUSE)

    async def _each(
        self, path: str, fields: str
    ) -> AsyncIterator[tuple[Any, datetime]]:
        """Yield what is listed at *path*, newest first; pages have cursors only."""
        cursor: dict[str, str] = {}
        while True:
            page = await self._graph.read(path, fields=fields, limit=PAGE, **cursor)
            try:
                posts = [(post, moment(post["timestamp"])) for post in page["data"]]
            except (KeyError, TypeError, ValueError) as error:
                raise Unclear(path) from error
            for post in posts:
                yield post
            match page:
                case {"paging": {"cursors": {"after": str(after)}}} if posts:
                    cursor = {"after": after}
                case _:
                    return

    async def _address(self, made: str) -> str:
        """Return where a post is; it is out, so that nothing may go wrong any more."""
        with suppress(ChannelError):
            match await self._graph.read(f"/{made}", fields="permalink"):
                case {"permalink": str(url)}:
                    return url
        return "https://www.threads.com/"

    async def _own_name(self) -> str:
        if not self._username:
            await self.check()
        return self._username


def _is_it(post: Any, draft: Draft, author: str) -> bool:
    """Say whether *post* has the draft's link, and is of *author* if there is one."""
    if author and post.get("username") != author:
        return False
    text = str(post.get("text") or "")
    return holds(text, draft.link) or post.get("link_attachment_url") == draft.link
